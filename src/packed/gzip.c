/* gzip, RFC 1952. */
#include "codec.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#define SHORTEST 18 /* bytes of a member: header and trailer */

static void *
gzip_open(void)
{
    z_stream *z = calloc(1, sizeof *z);

    if (z != NULL && inflateInit2(z, 15 + 16) != Z_OK) {
        free(z);
        return NULL;
    }
    return z;
}

static void
gzip_close(void *decoder)
{
    (void)inflateEnd(decoder);
    free(decoder);
}

static int
gzip_step(void *decoder, struct sa_codec_io *io)
{
    z_stream *z = decoder;
    int r;

    z->next_in = (Bytef *)(uintptr_t)io->in;
    z->avail_in = (uInt)io->in_len;
    z->next_out = io->out;
    z->avail_out = (uInt)io->out_len;
    r = inflate(z, Z_NO_FLUSH);
    io->in = z->next_in;
    io->in_len = z->avail_in;
    io->out = z->next_out;
    io->out_len = z->avail_out;
    if (r == Z_STREAM_END) {
        (void)inflateReset(z);
        return SA_CODEC_MEMBER_END;
    }
    if (r == Z_MEM_ERROR)
        return -ENOMEM;
    return r == Z_OK || r == Z_BUF_ERROR ? SA_CODEC_MORE : -EBADMSG;
}

/* RFC 1952 section 2.3.1: ISIZE, of the last member and modulo 2^32. */
static int64_t
gzip_size(const struct sa_packed_source *source, int64_t file_bytes, const unsigned char *in, size_t in_len)
{
    uint8_t end[4];

    (void)in;
    (void)in_len;
    if (file_bytes < SHORTEST || source->read(source->arg, end, sizeof end, file_bytes - 4) != sizeof end)
        return -1;
    return (int64_t)((uint32_t)end[0] | (uint32_t)end[1] << 8 | (uint32_t)end[2] << 16 |
                     (uint32_t)end[3] << 24);
}

/* Only the first two bytes: the third one has had one value ever, and inflate() looks at it. */
const struct sa_codec sa_codec_gzip = {
    .name = "gzip",
    .ending = ".gz",
    .magic = "\x1f\x8b",
    .magic_len = 2,
    .head_input = 1 << 15,
    .garbage_follows = true,
    .open = gzip_open,
    .close = gzip_close,
    .step = gzip_step,
    .size = gzip_size,
};
