#include "intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE_BYTES 65536

struct sa_pipe {
    struct sa_intake_host host;
    int fd;
    bool own_fd;
    struct sa_watch *readable; /* of a pipe or a socket */
    struct sa_watch *work;     /* of a regular file, which is always readable */
    void *stream;
    char slice[SLICE_BYTES];
};

static void
ended(struct sa_pipe *pipe, const char *text)
{
    if (pipe->readable != NULL)
        sa_watch_pause(pipe->readable);
    if (pipe->stream != NULL)
        pipe->host.events->closed(pipe->host.arg, pipe->stream);
    pipe->stream = NULL;
    pipe->host.events->state(pipe->host.arg, pipe->host.source, SA_SOURCE_WAITING, text);
}

static void
on_readable(void *arg)
{
    struct sa_pipe *pipe = arg;
    ssize_t n = read(pipe->fd, pipe->slice, sizeof pipe->slice);

    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        ended(pipe, n == 0 ? "the input has ended" : strerror(errno));
        return;
    }
    pipe->host.events->lines(pipe->host.arg, pipe->stream, pipe->slice, (size_t)n, false);
    pipe->host.events->read_some(pipe->host.arg);
    if (pipe->work != NULL)
        sa_watch_activate(pipe->work);
}

static int
open_fifo(const char *path)
{
    struct stat status;
    int fd;

    if (mkfifo(path, 0660) == -1 && errno != EEXIST)
        return -errno;
    /* Also for writing: then there is always a writer, and its coming and going is no end of the input. */
    fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd == -1)
        return -errno;
    if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode))
        return fd;
    (void)close(fd);
    return -EMEDIUMTYPE;
}

int
sa_pipe_open(const struct sa_intake_host *host, const char *path, struct sa_pipe **ret_pipe)
{
    struct sa_pipe *pipe = calloc(1, sizeof *pipe);
    struct stat status;

    if (pipe == NULL)
        return -ENOMEM;
    pipe->host = *host;
    pipe->own_fd = path != NULL;
    pipe->fd = path != NULL ? open_fifo(path) : STDIN_FILENO;
    if (pipe->fd < 0 || fstat(pipe->fd, &status) == -1) {
        int r = pipe->fd < 0 ? pipe->fd : -errno;

        free(pipe);
        return r;
    }
    pipe->stream = host->events->opened(host->arg, host->source);
    if (S_ISREG(status.st_mode)) {
        pipe->work = sa_loop_work(host->loop, on_readable, pipe);
    } else {
        if (path == NULL)
            (void)fcntl(pipe->fd, F_SETFL, fcntl(pipe->fd, F_GETFL) | O_NONBLOCK);
        pipe->readable = sa_loop_readable(host->loop, pipe->fd, on_readable, pipe);
    }
    if (pipe->stream == NULL || (pipe->work == NULL && pipe->readable == NULL)) {
        (void)sa_pipe_close(pipe);
        return -ENOMEM;
    }
    if (pipe->work != NULL)
        sa_watch_activate(pipe->work);
    host->events->state(host->arg, host->source, SA_SOURCE_FOLLOWING, "");
    *ret_pipe = pipe;
    return 0;
}

struct sa_pipe *
sa_pipe_close(struct sa_pipe *pipe)
{
    if (pipe == NULL)
        return NULL;
    (void)sa_watch_free(pipe->readable);
    (void)sa_watch_free(pipe->work);
    if (pipe->stream != NULL)
        pipe->host.events->closed(pipe->host.arg, pipe->stream);
    if (pipe->own_fd)
        (void)close(pipe->fd);
    free(pipe);
    return NULL;
}
