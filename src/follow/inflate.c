#include "inflate.h"
#include "followed.h"
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK      65536
#define GZIP_MAGIC 0x1f /* the first byte of a member, RFC 1952 section 2.3.1 */
#define STOP_MS    200
#define HEAD_INPUT                                                                                           \
    (1 << 20) /* a head that is not found in so many packed bytes is none: it may be a trap                  \
               */

/* Takes what was inflated; false: enough. */
typedef bool (*sink_fn)(void *arg, const char *bytes, size_t len);

struct sa_inflater {
    pthread_t thread;
    int fd, pipe[2];
    enum sa_compression kind;
    int64_t skip;
    atomic_int error;
    atomic_bool stop;  /* nobody wants it any more */
    atomic_bool alone; /* the thread or its owner is done with it: the other one releases it */
};

enum sa_compression
sa_inflate_kind(const char *path)
{
    static const struct {
        const char *ending;
        enum sa_compression kind;
    } endings[] = {{".gz", SA_GZIP},
                   {".zst", SA_ZSTD},
                   {".xz", SA_UNKNOWN_COMPRESSION},
                   {".bz2", SA_UNKNOWN_COMPRESSION},
                   {".lz4", SA_UNKNOWN_COMPRESSION}};
    size_t len = strlen(path);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t n = strlen(endings[i].ending);

        if (len > n && strcmp(path + len - n, endings[i].ending) == 0)
            return endings[i].kind;
    }
    return SA_PLAIN;
}

/* The bytes of a packed file in order; the descriptor's own offset is left alone, others share it. */
struct packed {
    int fd;
    off_t at, limit;   /* 0: no limit */
    atomic_bool *stop; /* or NULL */
    bool gave_up;
    char bytes[CHUNK];
};

static ssize_t
read_packed(struct packed *packed)
{
    ssize_t n;

    packed->gave_up = (packed->limit > 0 && packed->at >= packed->limit) ||
                      (packed->stop != NULL && atomic_load(packed->stop));
    if (packed->gave_up)
        return 0;
    do
        n = sa_disk_read(packed->fd, packed->bytes, sizeof packed->bytes, packed->at);
    while (n == -1 && errno == EINTR);
    if (n > 0)
        packed->at += n;
    return n == -1 ? -errno : n;
}

enum member { BEFORE_THE_FIRST, INSIDE, BETWEEN };

struct gzip {
    z_stream z;
    enum member member;
    char out[CHUNK];
};

/* Inflates what is in z.next_in.  Returns 0 for more, 1 if that was enough, or -EBADMSG. */
static int
inflate_members(struct gzip *gzip, sink_fn sink, void *arg)
{
    z_stream *z = &gzip->z;

    do {
        int r;

        if (gzip->member == BETWEEN && z->avail_in > 0 && z->next_in[0] != GZIP_MAGIC)
            return 1; /* padding behind the last member */
        z->next_out = (Bytef *)gzip->out;
        z->avail_out = CHUNK;
        if (z->avail_in > 0 && gzip->member != INSIDE)
            gzip->member = INSIDE;
        r = inflate(z, Z_NO_FLUSH);
        if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
            return -EBADMSG;
        if (z->avail_out < CHUNK && !sink(arg, gzip->out, CHUNK - z->avail_out))
            return 1;
        if (r == Z_STREAM_END) {
            gzip->member = BETWEEN;
            (void)inflateReset(z);
        }
    } while (z->avail_in > 0 || z->avail_out == 0);
    return 0;
}

/* gzip, also of several members one behind the other (RFC 1952 section 2.2). */
static int
inflate_gzip(struct packed *packed, sink_fn sink, void *arg)
{
    struct gzip gzip = {.member = BEFORE_THE_FIRST};
    ssize_t n = 0;
    int r = 0;

    if (inflateInit2(&gzip.z, 15 + 16) != Z_OK)
        return -ENOMEM;
    while (r == 0 && (n = read_packed(packed)) > 0) {
        gzip.z.next_in = (Bytef *)packed->bytes;
        gzip.z.avail_in = (uInt)n;
        r = inflate_members(&gzip, sink, arg);
    }
    (void)inflateEnd(&gzip.z);
    if (r != 0)
        return r < 0 ? r : 0;
    if (n < 0)
        return (int)n;
    return gzip.member == BETWEEN ? 0 : -ENODATA;
}

static int
inflate_zstd(struct packed *packed, sink_fn sink, void *arg)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    char out_bytes[CHUNK];
    size_t open_frame = 1;
    bool more = true;
    ssize_t n = 0;
    int r = 0;

    if (stream == NULL)
        return -ENOMEM;
    while (more && r == 0 && (n = read_packed(packed)) > 0) {
        ZSTD_inBuffer in = {packed->bytes, (size_t)n, 0};
        ZSTD_outBuffer out;

        do {
            out = (ZSTD_outBuffer){out_bytes, sizeof out_bytes, 0};
            open_frame = ZSTD_decompressStream(stream, &out, &in);
            if (ZSTD_isError(open_frame))
                r = -EBADMSG;
            else
                more = out.pos == 0 || sink(arg, out_bytes, out.pos);
        } while (r == 0 && more && (in.pos < in.size || (open_frame != 0 && out.pos == sizeof out_bytes)));
    }
    (void)ZSTD_freeDStream(stream);
    if (r < 0 || !more)
        return r;
    if (n < 0)
        return (int)n;
    return open_frame == 0 ? 0 : -ENODATA;
}

/*
 * Returns 0 at the end of the content or when the sink has enough, -ENODATA if the file ends in the midst of
 * the content, -EBADMSG if it is damaged, or what the disk said.
 */
static int
inflate_to(struct packed *packed, enum sa_compression kind, sink_fn sink, void *arg)
{
    switch (kind) {
    case SA_GZIP:
        return inflate_gzip(packed, sink, arg);
    case SA_ZSTD:
        return inflate_zstd(packed, sink, arg);
    case SA_PLAIN:
    case SA_UNKNOWN_COMPRESSION:
        break;
    }
    return -ENOTSUP;
}

struct head {
    char *buf;
    size_t len, room;
};

static bool
take_head(void *arg, const char *bytes, size_t len)
{
    struct head *head = arg;
    size_t n = len < head->room - head->len ? len : head->room - head->len;

    memcpy(head->buf + head->len, bytes, n);
    head->len += n;
    return head->len < head->room;
}

size_t
sa_inflate_head(int fd, enum sa_compression kind, char *buf, size_t len)
{
    struct packed packed = {.fd = fd, .limit = HEAD_INPUT};
    struct head head = {buf, 0, len};
    ssize_t n;

    if (kind == SA_PLAIN) {
        n = sa_disk_read(fd, buf, len, 0);
        return n < 0 ? 0 : (size_t)n;
    }
    (void)inflate_to(&packed, kind, take_head, &head);
    return packed.gave_up ? 0 : head.len;
}

int64_t
sa_inflate_size(int fd, enum sa_compression kind)
{
    char start[32];
    uint8_t end[4];
    unsigned long long size;
    off_t len = lseek(fd, 0, SEEK_END);
    ssize_t n;

    switch (kind) {
    case SA_PLAIN:
        return len;
    case SA_GZIP: /* RFC 1952 section 2.3.1: ISIZE, of the last member and modulo 2^32 */
        if (len < 18 || sa_disk_read(fd, end, sizeof end, len - 4) != 4)
            return -1;
        return (int64_t)((uint32_t)end[0] | (uint32_t)end[1] << 8 | (uint32_t)end[2] << 16 |
                         (uint32_t)end[3] << 24);
    case SA_ZSTD:
        n = sa_disk_read(fd, start, sizeof start, 0);
        size = n <= 0 ? ZSTD_CONTENTSIZE_ERROR : ZSTD_getFrameContentSize(start, (size_t)n);
        return size > INT64_MAX ? -1 : (int64_t)size; /* also of an error and of what is not said */
    case SA_UNKNOWN_COMPRESSION:
        break;
    }
    return -1;
}

static bool
write_on(void *arg, const char *bytes, size_t len)
{
    struct sa_inflater *inflater = arg;

    if (inflater->skip >= (int64_t)len) {
        inflater->skip -= (int64_t)len;
        return !atomic_load(&inflater->stop); /* a few packed bytes may be gigabytes to skip */
    }
    bytes += inflater->skip;
    len -= (size_t)inflater->skip;
    inflater->skip = 0;
    while (len > 0) {
        ssize_t n = write(inflater->pipe[1], bytes, len);

        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1) /* EPIPE: nobody wants it any more */
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static void
release(struct sa_inflater *inflater)
{
    (void)close(inflater->fd);
    free(inflater);
}

static void *
run(void *arg)
{
    struct sa_inflater *inflater = arg;
    struct packed packed = {.fd = inflater->fd, .stop = &inflater->stop};

    atomic_store(&inflater->error, inflate_to(&packed, inflater->kind, write_on, inflater));
    (void)close(inflater->pipe[1]);
    if (atomic_exchange(&inflater->alone, true))
        release(inflater);
    return NULL;
}

int
sa_inflater_start(int fd, enum sa_compression kind, int64_t skip, struct sa_inflater **ret_inflater,
                  int *ret_pipe)
{
    struct sa_inflater *inflater = calloc(1, sizeof *inflater);
    int r;

    if (inflater == NULL)
        return -ENOMEM;
    inflater->fd = fd;
    inflater->kind = kind;
    inflater->skip = skip;
    if (pipe2(inflater->pipe, O_CLOEXEC) == -1) {
        r = -errno;
        free(inflater);
        return r;
    }
    (void)fcntl(inflater->pipe[0], F_SETFL, O_NONBLOCK); /* the reading end only */
    r = sa_thread_start(&inflater->thread, run, inflater);
    if (r < 0) {
        (void)close(inflater->pipe[0]);
        (void)close(inflater->pipe[1]);
        free(inflater);
        return r;
    }
    *ret_inflater = inflater;
    *ret_pipe = inflater->pipe[0];
    return 0;
}

int
sa_inflater_error(const struct sa_inflater *inflater)
{
    return atomic_load(&inflater->error);
}

struct sa_inflater *
sa_inflater_free(struct sa_inflater *inflater)
{
    if (inflater == NULL)
        return NULL;
    atomic_store(&inflater->stop, true);
    (void)close(inflater->pipe[0]); /* a writer that waits for room wakes up with EPIPE */
    if (sa_thread_join(inflater->thread, STOP_MS)) {
        release(inflater);
        return NULL;
    }
    (void)pthread_detach(inflater->thread);
    if (atomic_exchange(&inflater->alone, true)) /* it came to its end just now */
        release(inflater);
    return NULL;
}
