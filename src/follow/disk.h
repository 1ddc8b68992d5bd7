/* What has to be known of a file system, and reading from it. */
#ifndef SA_FOLLOW_DISK_H
#define SA_FOLLOW_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct disk {
    const char *polled; /* why inotify is not enough for its files, or NULL */
    bool by_content;    /* its numbers and sizes may be old or made up: a file is known by what is in it */
};

struct disk sa_disk_of(int fd);

/* As a disk is treated that was caught contradicting the content of its files. */
struct disk sa_disk_distrusted(void);

/* Whether the file ends before its size, not only because it was truncated between two looks. */
bool sa_disk_ends_early(int fd);

/* Whether the path is in /proc, /sys or the like, where reading may do something. */
bool sa_disk_is_kernels(const char *path);

/* Whether the error, negative errno, says that the disk or its server is in trouble. */
bool sa_disk_is_ill(int error);

/* Opens a file for reading, without waiting for a FIFO's writer.  The descriptor, or -1 with errno. */
int sa_disk_open(const char *path);

/* As pread(2), but tries again a few times if it was only interrupted. */
ssize_t sa_disk_read(int fd, void *buf, size_t len, int64_t offset);

/* The same, but whole: fewer bytes only at the end of the file.  Negative errno on failure. */
ssize_t sa_disk_read_whole(int fd, char *buf, size_t len, int64_t offset);

#endif
