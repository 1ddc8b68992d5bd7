#include "input.h"
#include "packed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sa_input {
    int fd;
    bool is_stdin, regular;
    uint64_t size;
    int64_t written_ms;
    struct sa_unpacker *unpacker;
    bool binary; /* its first plain bytes are no text */
    bool begun;
};

/* In order: a pipe has no offsets. */
static ssize_t
read_fd(void *arg, void *buf, size_t len, int64_t at)
{
    const struct sa_input *input = arg;
    ssize_t n;

    (void)at;
    do
        n = read(input->fd, buf, len);
    while (n == -1 && errno == EINTR);
    return n == -1 ? -errno : n;
}

int
sa_input_open(const char *path, struct sa_input **ret_input)
{
    struct sa_input *input = calloc(1, sizeof *input);
    const struct sa_packed_source source = {read_fd, input, false};
    struct stat status;
    int r;

    if (input == NULL)
        return -ENOMEM;
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
        r = sa_unpacker_open(&source, &input->unpacker);
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
    (void)sa_unpacker_close(input->unpacker);
    if (input->fd != -1 && !input->is_stdin)
        (void)close(input->fd);
    free(input);
    return NULL;
}

ssize_t
sa_input_read(struct sa_input *input, char *buf, size_t size)
{
    ssize_t n = sa_unpacker_read(input->unpacker, buf, size);

    if (!input->begun && n > 0)
        input->binary = sa_packed_looks_binary(buf, (size_t)n);
    input->begun = true;
    return n;
}

bool
sa_input_looks_binary(const struct sa_input *input)
{
    return input->binary;
}

const char *
sa_input_packing(const struct sa_input *input)
{
    return sa_unpacker_what(input->unpacker);
}

int
sa_input_plain_fd(const struct sa_input *input)
{
    return sa_unpacker_kind(input->unpacker) == SA_PLAIN && input->regular && !input->is_stdin ? input->fd
                                                                                               : -1;
}

uint64_t
sa_input_size(const struct sa_input *input)
{
    return input->size;
}

uint64_t
sa_input_taken(const struct sa_input *input)
{
    return sa_unpacker_taken(input->unpacker);
}

int64_t
sa_input_written_ms(const struct sa_input *input)
{
    return input->written_ms;
}
