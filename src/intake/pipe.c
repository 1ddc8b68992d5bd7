#include "condition.h"
#include "lang.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE_BYTES 65536
#define DRAIN_READS 64 /* slices: more than a pipe holds */

/* An open pipe with a stream of its own.  There are two while an old FIFO still has writers. */
struct end {
    struct sa_pipe *pipe;
    int fd;                    /* -1: not open */
    int writer;                /* of ours: without one the last writer's going would be the end; -1: none */
    struct sa_watch *readable; /* of a pipe or a socket */
    struct sa_watch *work;     /* of a regular file, which is always readable */
    void *stream;
};

struct sa_pipe {
    struct sa_intake_host host;
    const char *path;    /* NULL: standard input */
    struct end *current; /* NULL: not open */
    struct end *old;     /* the FIFO that had the path before, until its last writer is gone; or NULL */
    bool ended;          /* standard input */
    char slice[SLICE_BYTES];
};

static struct end *
end_free(struct end *end)
{
    if (end == NULL)
        return NULL;
    (void)sa_watch_free(end->readable);
    (void)sa_watch_free(end->work);
    if (end->stream != NULL)
        end->pipe->host.events->closed(end->pipe->host.arg, end->stream);
    if (end->fd != -1 && end->pipe->path != NULL)
        (void)close(end->fd);
    if (end->writer != -1)
        (void)close(end->writer);
    free(end);
    return NULL;
}

static void
input_is_over(struct end *end, int error)
{
    struct sa_pipe *pipe = end->pipe;

    if (end == pipe->old) {
        pipe->old = end_free(end);
        return;
    }
    pipe->current = end_free(end);
    pipe->ended = true;
    if (error < 0)
        sa_intake_tell(&pipe->host, error, NULL);
    else
        pipe->host.events->state(pipe->host.arg, SA_SOURCE_WAITING, N_("the input has ended"));
}

/* Returns the bytes that were read, 0 at the end of the input, or negative errno. */
static ssize_t
read_slice(struct end *end)
{
    struct sa_pipe *pipe = end->pipe;
    ssize_t n = read(end->fd, pipe->slice, sizeof pipe->slice);

    if (n == -1)
        return -errno;
    if (n > 0)
        pipe->host.events->lines(pipe->host.arg, end->stream, pipe->slice, (size_t)n, false);
    return n;
}

static void
on_readable(void *arg)
{
    struct end *end = arg;
    struct sa_pipe *pipe = end->pipe;
    ssize_t n = read_slice(end);

    if (n == -EAGAIN || n == -EINTR)
        return;
    if (n <= 0)
        input_is_over(end, (int)n);
    else if (end->work != NULL)
        sa_watch_activate(end->work);
    pipe->host.events->read_some(pipe->host.arg);
}

/* Takes both descriptors, or fails and leaves them. */
static int
end_new(struct sa_pipe *pipe, int fd, int writer, struct end **ret_end)
{
    struct end *end = calloc(1, sizeof *end);
    struct stat status;

    if (end == NULL)
        return -ENOMEM;
    *end = (struct end){.pipe = pipe, .fd = fd, .writer = writer};
    end->stream = pipe->host.events->opened(pipe->host.arg);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        end->work = sa_loop_work(pipe->host.loop, on_readable, end);
    else
        end->readable = sa_loop_input(pipe->host.loop, fd, on_readable, end);
    if (end->stream == NULL || (end->work == NULL && end->readable == NULL)) {
        end->fd = end->writer = -1;
        (void)end_free(end);
        return -ENOMEM;
    }
    if (end->work != NULL)
        sa_watch_activate(end->work);
    *ret_end = end;
    return 0;
}

/* A FIFO that is missing is made for the daemon's user: who else may write into it is the operator's to say.
 */
static int
make_fifo(const char *path, const char **ret_why)
{
    struct stat status;

    if (mkfifo(path, 0600) == -1 && errno != EEXIST) {
        if (errno == ENOENT || errno == ENOTDIR)
            return sa_intake_refuse(ret_why, -errno, N_("its directory does not exist"));
        if (errno == EACCES || errno == EROFS)
            return sa_intake_refuse(ret_why, -EACCES,
                                    N_("it is missing and its directory may not be written"));
        return -errno;
    }
    if (stat(path, &status) == 0 && !S_ISFIFO(status.st_mode))
        return sa_intake_refuse(ret_why, -EMEDIUMTYPE, N_("not a FIFO"));
    return 0;
}

/* Who reads from a FIFO takes the lines away from everybody else who does. */
static void
warn_of_readers(const struct sa_pipe *pipe, const struct stat *status)
{
    if ((status->st_mode & (S_IRGRP | S_IROTH)) != 0)
        pipe->host.events->note(
            pipe->host.arg,
            "others may read from the FIFO, and would take lines away: its mode should be 0620");
}

static bool
same_file(int fd, const struct stat *status)
{
    struct stat other;

    return fstat(fd, &other) == 0 && other.st_dev == status->st_dev && other.st_ino == status->st_ino;
}

static int
open_fifo(struct sa_pipe *pipe, struct end **ret_end, const char **ret_why)
{
    int r = make_fifo(pipe->path, ret_why), fd, writer = -1;
    struct stat status = {0};

    if (r < 0)
        return r;
    fd = open(pipe->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd != -1)
        writer = open(pipe->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd == -1 || writer == -1 || fstat(writer, &status) == -1)
        r = errno == EACCES ? sa_intake_refuse(ret_why, -EACCES, N_("it may not be read and written"))
                            : -errno;
    else if (!S_ISFIFO(status.st_mode) || !same_file(fd, &status))
        r = sa_intake_refuse(ret_why, -EAGAIN, N_("it was replaced this moment"));
    if (r == 0)
        r = end_new(pipe, fd, writer, ret_end);
    if (r == 0)
        warn_of_readers(pipe, &status);
    if (r == 0)
        return 0;
    if (fd != -1)
        (void)close(fd);
    if (writer != -1)
        (void)close(writer);
    return r;
}

/*
 * What is in the FIFO that lost its path is still read, and what its writers still write: with our own writer
 * gone it ends when the last of them goes.
 */
static void
retire(struct sa_pipe *pipe, struct end *end)
{
    for (int i = 0; pipe->old != NULL && i < DRAIN_READS && read_slice(pipe->old) > 0; i++)
        ;
    pipe->old = end_free(pipe->old);
    (void)close(end->writer);
    end->writer = -1;
    pipe->old = end;
}

static bool
has_its_path(const struct sa_pipe *pipe)
{
    struct stat status;

    return pipe->current != NULL && stat(pipe->path, &status) == 0 && same_file(pipe->current->fd, &status);
}

static void
look_at_fifo(struct sa_pipe *pipe)
{
    struct end *end = NULL;
    const char *why = NULL;
    int r = has_its_path(pipe) ? 0 : open_fifo(pipe, &end, &why);

    if (end != NULL && pipe->current != NULL) {
        retire(pipe, pipe->current);
        pipe->host.events->note(pipe->host.arg, "the FIFO was replaced, reading the new one");
    }
    if (end != NULL)
        pipe->current = end;
    sa_intake_tell(&pipe->host, r, why);
}

static void
open_stdin(struct sa_pipe *pipe)
{
    struct stat status;
    int r = fstat(STDIN_FILENO, &status) == -1 ? -errno : 0;

    if (r == 0 && !S_ISREG(status.st_mode))
        (void)fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    if (r == 0)
        r = end_new(pipe, STDIN_FILENO, -1, &pipe->current);
    sa_intake_tell(&pipe->host, r, NULL);
}

void
sa_pipe_look(struct sa_pipe *pipe)
{
    if (pipe->path != NULL)
        look_at_fifo(pipe);
    else if (pipe->current == NULL && !pipe->ended)
        open_stdin(pipe);
}

struct sa_pipe *
sa_pipe_new(const struct sa_intake_host *host, const char *path)
{
    struct sa_pipe *pipe = calloc(1, sizeof *pipe);

    if (pipe == NULL)
        return NULL;
    pipe->host = *host;
    pipe->path = path;
    return pipe;
}

struct sa_pipe *
sa_pipe_close(struct sa_pipe *pipe)
{
    if (pipe == NULL)
        return NULL;
    (void)end_free(pipe->current);
    (void)end_free(pipe->old);
    free(pipe);
    return NULL;
}
