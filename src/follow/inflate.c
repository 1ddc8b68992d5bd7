#include "inflate.h"
#include "disk.h"
#include "packed.h"
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK   65536
#define STOP_MS 200

struct sa_inflater {
    pthread_t thread;
    int fd, pipe[2];
    enum sa_compression kind; /* as the name says */
    int64_t skip;
    atomic_int error;
    atomic_bool stop;  /* nobody wants it any more */
    atomic_bool alone; /* the thread or its owner is done with it: the other one releases it */
};

/* The descriptor's own offset is left alone, others share it. */
static ssize_t
read_disk(void *arg, void *buf, size_t len, int64_t at)
{
    const int *fd = arg;
    ssize_t n = sa_disk_read(*fd, buf, len, at);

    return n == -1 ? -errno : n;
}

static ssize_t
read_packed(void *arg, void *buf, size_t len, int64_t at)
{
    struct sa_inflater *inflater = arg;

    return atomic_load(&inflater->stop) ? -ECANCELED : read_disk(&inflater->fd, buf, len, at);
}

size_t
sa_inflate_head(int fd, enum sa_compression kind, char *buf, size_t len)
{
    const struct sa_packed_source source = {read_disk, &fd, true};
    ssize_t n;

    if (kind != SA_PLAIN)
        return sa_packed_head(&source, buf, len);
    n = sa_disk_read(fd, buf, len, 0);
    return n < 0 ? 0 : (size_t)n;
}

int64_t
sa_inflate_size(int fd, enum sa_compression kind)
{
    const struct sa_packed_source source = {read_disk, &fd, true};
    off_t len = lseek(fd, 0, SEEK_END);

    return kind == SA_PLAIN ? len : sa_packed_size(&source, len);
}

static bool
write_on(struct sa_inflater *inflater, const char *bytes, size_t len)
{
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

/* Returns 0 at the end of the content or when nobody wants more, or why the content is not whole. */
static int
inflate(struct sa_inflater *inflater)
{
    const struct sa_packed_source source = {read_packed, inflater, inflater->kind != SA_PLAIN};
    struct sa_unpacker *unpacker;
    char bytes[CHUNK];
    int r = sa_unpacker_open(&source, &unpacker);
    ssize_t n = 0;

    if (r < 0)
        return r;
    do
        n = sa_unpacker_read(unpacker, bytes, sizeof bytes);
    while (n > 0 && write_on(inflater, bytes, (size_t)n));
    (void)sa_unpacker_close(unpacker);
    return n < 0 ? (int)n : 0;
}

static void *
run(void *arg)
{
    struct sa_inflater *inflater = arg;

    atomic_store(&inflater->error, inflate(inflater));
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
