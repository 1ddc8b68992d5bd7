/* xz, "The .xz File Format" 1.2. */
#include "codec.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#define MEMORY       ((uint64_t)SA_PACKED_WINDOW + (1 << 20)) /* the window, and what is beside it */
#define WINDOW_LEAST (1 << 20)
#define INDEX_BYTES  65536 /* a longer index is not read: it has a record for each block */

struct xz {
    lzma_stream stream;
    lzma_allocator allocator;
    void *window; /* in use or not, and then given out again */
    size_t window_bytes;
    bool window_used;
};

/*
 * Every block may ask for another window than the one before it, and fresh pages cost a thousand times what a
 * small block does.  So the window stays, unless a larger one is asked for.
 */
static void *
allocate(void *arg, size_t n, size_t size)
{
    struct xz *xz = arg;

    size *= n;
    if (size < WINDOW_LEAST || xz->window_used)
        return malloc(size);
    if (xz->window_bytes < size) {
        free(xz->window);
        xz->window = malloc(size);
        xz->window_bytes = xz->window == NULL ? 0 : size;
    }
    xz->window_used = xz->window != NULL;
    return xz->window;
}

static void
release(void *arg, void *memory)
{
    struct xz *xz = arg;

    if (memory != NULL && memory == xz->window)
        xz->window_used = false;
    else
        free(memory);
}

static int
xz_begin(struct xz *xz)
{
    return lzma_stream_decoder(&xz->stream, MEMORY, 0) == LZMA_OK ? 0 : -ENOMEM;
}

static void
xz_close(void *decoder)
{
    struct xz *xz = decoder;

    lzma_end(&xz->stream);
    free(xz->window);
    free(xz);
}

static void *
xz_open(void)
{
    struct xz *xz = calloc(1, sizeof *xz);

    if (xz == NULL)
        return NULL;
    xz->allocator = (lzma_allocator){allocate, release, xz};
    xz->stream.allocator = &xz->allocator;
    if (xz_begin(xz) < 0) {
        xz_close(xz);
        return NULL;
    }
    return xz;
}

/* A stream at a time, and not all of them by LZMA_CONCATENATED: then the empty ones are seen. */
static int
xz_step(void *decoder, struct sa_codec_io *io)
{
    struct xz *xz = decoder;
    lzma_stream *stream = &xz->stream;
    lzma_ret r;

    stream->next_in = io->in;
    stream->avail_in = io->in_len;
    stream->next_out = io->out;
    stream->avail_out = io->out_len;
    r = lzma_code(stream, LZMA_RUN);
    io->in = stream->next_in;
    io->in_len = stream->avail_in;
    io->out = stream->next_out;
    io->out_len = stream->avail_out;
    switch (r) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: /* nothing to take, or no room */
        return SA_CODEC_MORE;
    case LZMA_STREAM_END:
        return xz_begin(xz) < 0 ? -ENOMEM : SA_CODEC_MEMBER_END;
    case LZMA_MEMLIMIT_ERROR:
        return -EOVERFLOW;
    case LZMA_MEM_ERROR:
        return -ENOMEM;
    default:
        return -EBADMSG;
    }
}

/* The index at the end of the file.  NULL: there is none, or it is too large. */
static lzma_index *
read_index(const struct sa_packed_source *source, int64_t file_bytes)
{
    uint8_t footer[LZMA_STREAM_HEADER_SIZE], *bytes;
    int64_t end = file_bytes - LZMA_STREAM_HEADER_SIZE;
    uint64_t limit = MEMORY;
    lzma_index *index = NULL;
    lzma_stream_flags flags;
    size_t at = 0, len;

    if (end < LZMA_STREAM_HEADER_SIZE ||
        source->read(source->arg, footer, sizeof footer, end) != (ssize_t)sizeof footer ||
        lzma_stream_footer_decode(&flags, footer) != LZMA_OK || flags.backward_size > INDEX_BYTES ||
        (int64_t)flags.backward_size > end)
        return NULL;
    len = (size_t)flags.backward_size;
    bytes = malloc(len);
    if (bytes != NULL && source->read(source->arg, bytes, len, end - (int64_t)len) == (ssize_t)len &&
        lzma_index_buffer_decode(&index, &limit, NULL, bytes, &at, len) != LZMA_OK)
        index = NULL;
    free(bytes);
    return index;
}

/* Of a file that is one stream, as its index says. */
static int64_t
xz_size(const struct sa_packed_source *source, int64_t file_bytes, const unsigned char *in, size_t in_len)
{
    lzma_index *index = read_index(source, file_bytes);
    int64_t size = -1;

    (void)in;
    (void)in_len;
    if (index != NULL && lzma_index_file_size(index) == (lzma_vli)file_bytes)
        size = (int64_t)lzma_index_uncompressed_size(index);
    lzma_index_end(index, NULL);
    return size;
}

const struct sa_codec sa_codec_xz = {
    .name = "xz",
    .ending = ".xz",
    .magic = "\xfd"
             "7zXZ",
    .magic_len = 6,
    .head_input = 1 << 14,
    .zeros_between = true,
    .open = xz_open,
    .close = xz_close,
    .step = xz_step,
    .size = xz_size,
};
