#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define PACKED_BYTES 131072

struct sa_input {
    int fd;
    bool is_stdin, regular;
    enum { PLAIN, GZIP, ZSTD } kind;
    uint64_t size, taken;
    int64_t written_ms;
    unsigned char
        *packed; /* bytes read and not taken yet: of a packed file, or the first ones of a plain one */
    size_t at, len;
    bool end;  /* of what can be read */
    bool open; /* inside a gzip member or a zstd frame */
    z_stream zlib;
    ZSTD_DStream *zstd;
};

static ssize_t
read_some(int fd, void *buf, size_t size)
{
    ssize_t n;

    do
        n = read(fd, buf, size);
    while (n == -1 && errno == EINTR);
    return n == -1 ? -errno : n;
}

/* Fills the room of packed bytes if it is empty. */
static int
fill(struct sa_input *input)
{
    ssize_t n;

    if (input->at < input->len || input->end)
        return 0;
    n = read_some(input->fd, input->packed, PACKED_BYTES);
    if (n < 0)
        return (int)n;
    input->at = 0;
    input->len = (size_t)n;
    input->end = n == 0;
    return 0;
}

static bool
starts(const struct sa_input *input, const char *magic, size_t len)
{
    return input->len >= len && memcmp(input->packed, magic, len) == 0;
}

static int
recognise(struct sa_input *input)
{
    while (input->len < 4 && !input->end) { /* a pipe may give less */
        ssize_t n = read_some(input->fd, input->packed + input->len, PACKED_BYTES - input->len);

        if (n < 0)
            return (int)n;
        input->len += (size_t)n;
        input->end = n == 0;
    }
    if (starts(input, "\x1f\x8b", 2)) {
        input->kind = GZIP;
        return inflateInit2(&input->zlib, 15 + 16) == Z_OK ? 0 : -ENOMEM;
    }
    if (starts(input, "\x28\xb5\x2f\xfd", 4)) {
        input->kind = ZSTD;
        input->zstd = ZSTD_createDStream();
        return input->zstd == NULL ? -ENOMEM : 0;
    }
    return 0;
}

int
sa_input_open(const char *path, struct sa_input **ret_input)
{
    struct sa_input *input = calloc(1, sizeof *input);
    struct stat status;
    int r;

    if (input == NULL || (input->packed = malloc(PACKED_BYTES)) == NULL) {
        free(input);
        return -ENOMEM;
    }
    input->is_stdin = strcmp(path, "-") == 0;
    input->fd = input->is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    r = input->fd == -1 ? -errno : 0;
    if (r == 0 && fstat(input->fd, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            r = -EISDIR;
        input->regular = S_ISREG(status.st_mode);
        input->size = input->regular ? (uint64_t)status.st_size : 0;
        input->written_ms = input->regular ? (int64_t)status.st_mtime * 1000 : 0;
    }
    if (r == 0)
        r = recognise(input);
    if (r < 0) {
        (void)sa_input_close(input);
        return r;
    }
    *ret_input = input;
    return 0;
}

struct sa_input *
sa_input_close(struct sa_input *input)
{
    if (input == NULL)
        return NULL;
    if (input->kind == GZIP)
        (void)inflateEnd(&input->zlib);
    (void)ZSTD_freeDStream(input->zstd);
    if (input->fd != -1 && !input->is_stdin)
        (void)close(input->fd);
    free(input->packed);
    free(input);
    return NULL;
}

static ssize_t
read_plain(struct sa_input *input, char *buf, size_t size)
{
    size_t n = input->len - input->at;
    ssize_t more;

    if (n == 0) {
        more = input->end ? 0 : read_some(input->fd, buf, size);
        input->taken += more > 0 ? (uint64_t)more : 0;
        return more;
    }
    n = n < size ? n : size;
    memcpy(buf, input->packed + input->at, n);
    input->at += n;
    input->taken += n;
    return (ssize_t)n;
}

static ssize_t
read_gzip(struct sa_input *input, char *buf, size_t size)
{
    z_stream *zlib = &input->zlib;

    zlib->next_out = (unsigned char *)buf;
    zlib->avail_out = (unsigned)size;
    while (zlib->avail_out == size) {
        int r = fill(input);

        if (r < 0)
            return r;
        if (input->at == input->len)
            return input->open ? -EBADMSG : 0;
        if (!input->open && input->packed[input->at] != 0x1f) { /* padding behind the last member */
            input->at = input->len;
            continue;
        }
        input->open = true;
        zlib->next_in = input->packed + input->at;
        zlib->avail_in = (unsigned)(input->len - input->at);
        r = inflate(zlib, Z_NO_FLUSH);
        input->taken += input->len - input->at - zlib->avail_in;
        input->at = input->len - zlib->avail_in;
        if (r == Z_STREAM_END) {
            input->open = false;
            (void)inflateReset(zlib);
        } else if (r != Z_OK && r != Z_BUF_ERROR) {
            return -EBADMSG;
        }
    }
    return (ssize_t)(size - zlib->avail_out);
}

static ssize_t
read_zstd(struct sa_input *input, char *buf, size_t size)
{
    ZSTD_outBuffer out = {buf, size, 0};

    while (out.pos == 0) {
        ZSTD_inBuffer in;
        size_t left;
        int r = fill(input);

        if (r < 0)
            return r;
        if (input->at == input->len && !input->open)
            return 0;
        in = (ZSTD_inBuffer){input->packed + input->at, input->len - input->at, 0};
        left = ZSTD_decompressStream(input->zstd, &out, &in);
        input->at += in.pos;
        input->taken += in.pos;
        if (ZSTD_isError(left) || (input->end && in.pos == 0 && out.pos == 0))
            return -EBADMSG;
        input->open = left != 0;
    }
    return (ssize_t)out.pos;
}

ssize_t
sa_input_read(struct sa_input *input, char *buf, size_t size)
{
    switch (input->kind) {
    case GZIP:
        return read_gzip(input, buf, size);
    case ZSTD:
        return read_zstd(input, buf, size);
    case PLAIN:
        break;
    }
    return read_plain(input, buf, size);
}

int
sa_input_plain_fd(const struct sa_input *input)
{
    return input->kind == PLAIN && input->regular && !input->is_stdin ? input->fd : -1;
}

uint64_t
sa_input_size(const struct sa_input *input)
{
    return input->size;
}

uint64_t
sa_input_taken(const struct sa_input *input)
{
    return input->taken;
}

int64_t
sa_input_written_ms(const struct sa_input *input)
{
    return input->written_ms;
}
