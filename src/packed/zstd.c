/* Zstandard, RFC 8878. */
#include "codec.h"

#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

/* The largest window is the library's own limit for streams, 128 MiB. */
static void *
zstd_open(void)
{
    return ZSTD_createDStream();
}

static void
zstd_close(void *decoder)
{
    (void)ZSTD_freeDStream(decoder);
}

static int
zstd_error(size_t result)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        return -EOVERFLOW;
    case ZSTD_error_memory_allocation:
        return -ENOMEM;
    default:
        return -EBADMSG;
    }
}

static int
zstd_step(void *decoder, struct sa_codec_io *io)
{
    ZSTD_inBuffer in = {io->in, io->in_len, 0};
    ZSTD_outBuffer out = {io->out, io->out_len, 0};
    size_t left = ZSTD_decompressStream(decoder, &out, &in);

    io->in += in.pos;
    io->in_len -= in.pos;
    io->out += out.pos;
    io->out_len -= out.pos;
    if (ZSTD_isError(left))
        return zstd_error(left);
    return left == 0 ? SA_CODEC_MEMBER_END : SA_CODEC_MORE;
}

/* Of the first frame; a skippable one before it says nothing. */
static int64_t
zstd_size(const struct sa_packed_source *source, int64_t file_bytes, const unsigned char *in, size_t in_len)
{
    unsigned long long size = ZSTD_getFrameContentSize(in, in_len);

    (void)source;
    (void)file_bytes;
    return (in[0] & 0xf0) == 0x50 || size > INT64_MAX ? -1 : (int64_t)size; /* also of an error */
}

/* A compressed block is looked at as a whole, and may have 128 KiB (section 3.1.1.2.4). */
const struct sa_codec sa_codec_zstd = {
    .name = "zstd",
    .ending = ".zst",
    .magic = "\x28\xb5\x2f\xfd",
    .magic_len = 4,
    .head_input = 5 << 15,
    .skippable = true,
    .open = zstd_open,
    .close = zstd_close,
    .step = zstd_step,
    .size = zstd_size,
};
