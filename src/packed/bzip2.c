/* bzip2. */
#include "codec.h"

#include <bzlib.h>
#include <errno.h>
#include <stdlib.h>

struct bzip2 {
    bz_stream stream;
    bool begun; /* the stream has to be ended */
};

static void *
bzip2_open(void)
{
    return calloc(1, sizeof(struct bzip2));
}

static void
bzip2_end(struct bzip2 *bzip2)
{
    if (bzip2->begun)
        (void)BZ2_bzDecompressEnd(&bzip2->stream);
    bzip2->begun = false;
}

static void
bzip2_close(void *decoder)
{
    bzip2_end(decoder);
    free(decoder);
}

static int
bzip2_step(void *decoder, struct sa_codec_io *io)
{
    struct bzip2 *bzip2 = decoder;
    bz_stream *stream = &bzip2->stream;
    int r;

    if (!bzip2->begun && BZ2_bzDecompressInit(stream, 0, 0) != BZ_OK)
        return -ENOMEM;
    bzip2->begun = true;
    stream->next_in = (char *)(uintptr_t)io->in;
    stream->avail_in = (unsigned)io->in_len;
    stream->next_out = (char *)io->out;
    stream->avail_out = (unsigned)io->out_len;
    r = BZ2_bzDecompress(stream);
    io->in = (const unsigned char *)stream->next_in;
    io->in_len = stream->avail_in;
    io->out = (unsigned char *)stream->next_out;
    io->out_len = stream->avail_out;
    if (r == BZ_STREAM_END) {
        bzip2_end(bzip2);
        return SA_CODEC_MEMBER_END;
    }
    if (r == BZ_MEM_ERROR)
        return -ENOMEM;
    return r == BZ_OK ? SA_CODEC_MORE : -EBADMSG;
}

/* A block is looked at as a whole, and may have 900 kB. */
const struct sa_codec sa_codec_bzip2 = {
    .name = "bzip2",
    .ending = ".bz2",
    .magic = "BZh",
    .magic_len = 3,
    .head_input = 1 << 20,
    .open = bzip2_open,
    .close = bzip2_close,
    .step = bzip2_step,
};
