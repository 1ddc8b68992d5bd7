/* LZ4, "LZ4 Frame Format Description" 1.6. */
#include "codec.h"

#include <errno.h>
#include <lz4.h>
#include <lz4frame.h>
#include <string.h>

#define UNPACKED 0x80000000U /* a flag in a block's size: its bytes are as they are */

static void *
lz4_open(void)
{
    LZ4F_dctx *context;

    return LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) ? NULL : context;
}

static void
lz4_close(void *decoder)
{
    (void)LZ4F_freeDecompressionContext(decoder);
}

static int
lz4_step(void *decoder, struct sa_codec_io *io)
{
    size_t in_len = io->in_len, out_len = io->out_len;
    size_t left = LZ4F_decompress(decoder, io->out, &out_len, io->in, &in_len, NULL);

    if (LZ4F_isError(left))
        return -EBADMSG;
    io->in += in_len;
    io->in_len -= in_len;
    io->out += out_len;
    io->out_len -= out_len;
    return left == 0 ? SA_CODEC_MEMBER_END : SA_CODEC_MORE;
}

static uint32_t
little_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/*
 * The start of the first block.  A block has 4 MiB of text by default, which a log packs into more than 1
 * MiB, and LZ4F_decompress() gives nothing before it has it all.
 */
static size_t
lz4_start(const unsigned char *in, size_t in_len, char *buf, size_t len)
{
    LZ4F_frameInfo_t info = {0};
    LZ4F_dctx *context = lz4_open();
    size_t header = in_len, size;
    int n = 0;

    if (context == NULL)
        return 0;
    if (LZ4F_isError(LZ4F_getFrameInfo(context, &info, in, &header)) || in_len < header + 4)
        header = in_len; /* it is left to the steps */
    lz4_close(context);
    if (header == in_len || info.frameType != LZ4F_frame || info.dictID != 0)
        return 0;
    size = little_endian(in + header) & ~UNPACKED;
    size = size < in_len - header - 4 ? size : in_len - header - 4;
    if ((little_endian(in + header) & UNPACKED) == 0)
        n = LZ4_decompress_safe_partial((const char *)in + header + 4, buf, (int)size, (int)len, (int)len);
    else
        memcpy(buf, in + header + 4, (size_t)(n = (int)(size < len ? size : len)));
    return n < 0 ? 0 : (size_t)n;
}

const struct sa_codec sa_codec_lz4 = {
    .name = "lz4",
    .ending = ".lz4",
    .magic = "\x04\x22\x4d\x18",
    .magic_len = 4,
    .head_input = 1 << 18,
    .skippable = true,
    .open = lz4_open,
    .close = lz4_close,
    .step = lz4_step,
    .start = lz4_start,
};
