#include "positions.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* FNV-1a of 64 bits: it tells logs apart, it does not guard against anybody. */
int64_t
sa_position_hash(const char *bytes, size_t len)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)bytes[i]) * 1099511628211u;
    return (int64_t)hash;
}

int64_t
sa_position_born_ns(int fd)
{
    struct statx status;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) == -1 || (status.stx_mask & STATX_BTIME) == 0)
        return 0;
    return status.stx_btime.tv_sec * 1000000000 + status.stx_btime.tv_nsec;
}

int64_t
sa_position_generation(int fd)
{
    union {
        long room; /* the argument by its declaration, which FUSE fills; other file systems write an int */
        int value;
    } generation = {.room = 0};

    return ioctl(fd, FS_IOC_GETVERSION, &generation) == 0 ? generation.value : sa_position_born_ns(fd);
}

struct sa_position
sa_position_of(const struct file *file, bool live)
{
    const char *marker = live ? file->marker : file->resume_marker;
    size_t marker_len = live ? file->marker_len : file->resume_marker_len;
    struct sa_position position = file->sealed;

    position.id = file->id;
    position.path = file->origin;
    position.open = true;
    if (position.marker_len > 0)
        return position;
    return (struct sa_position){
        .id = file->id,
        .path = file->origin,
        .dev = (int64_t)file->dev,
        .ino = (int64_t)file->ino,
        .generation = file->generation,
        .head_len = (int64_t)file->head_len,
        .head_hash = sa_position_hash(file->head, file->head_len),
        .first_hash = sa_position_hash(file->head, sa_position_first_len((int64_t)file->head_len)),
        .offset = live ? file->offset : file->resume,
        .marker_len = (int64_t)marker_len,
        .marker_hash = sa_position_hash(marker, marker_len),
        .seen_ms = file->seen_ms,
        .open = true,
    };
}

/* Whether the file has a byte at the offset: 1, 0, or -1 if it cannot be read. */
static int
has_byte(int fd, int64_t offset)
{
    char byte;
    ssize_t n = sa_disk_read_whole(fd, &byte, 1, offset);

    return n < 0 ? -1 : (int)n;
}

int64_t
sa_position_end(int fd)
{
    struct stat status;
    int64_t low = 0, high = 1;
    int has = 1;

    if (fstat(fd, &status) == -1)
        return -1;
    if (status.st_size > 0 && has_byte(fd, status.st_size - 1) == 1) { /* it does not end before */
        low = status.st_size;
        high = low + 1;
    }
    while ((has = has_byte(fd, high - 1)) ==
           1) { /* [low, high): the end is in it as soon as high has no byte */
        low = high;
        high *= 2;
    }
    while (has == 0 && high - low > 1) {
        int64_t middle = low + (high - low) / 2;

        has = has_byte(fd, middle - 1);
        if (has == 1)
            low = middle;
        else
            high = middle;
        has = has == -1 ? -1 : 0;
    }
    return has == -1 ? -1 : low;
}

/* Whether the bytes at the offset have the hash. */
static enum match
match_bytes(int fd, int64_t offset, int64_t len, int64_t hash)
{
    char bytes[HEAD_BYTES > MARKER_BYTES ? HEAD_BYTES : MARKER_BYTES];
    ssize_t n;

    if (len < 0 || len > (int64_t)sizeof bytes || offset < 0)
        return MATCH_NONE;
    n = sa_disk_read_whole(fd, bytes, (size_t)len, offset);
    if (n < 0)
        return MATCH_UNKNOWN;
    if (n < len)
        return MATCH_SHORT;
    return sa_position_hash(bytes, (size_t)len) == hash ? MATCH_SAME : MATCH_NONE;
}

size_t
sa_position_first_len(int64_t head_len)
{
    return (size_t)(head_len < FIRST_BYTES ? head_len : FIRST_BYTES);
}

/* A head that is not all there: what is there begins as the head did, or not. */
static enum match
match_first(int fd, const struct sa_position *position)
{
    enum match first;

    if (position->first_hash == 0) /* an earlier version did not keep it */
        return MATCH_NONE;
    first = match_bytes(fd, 0, (int64_t)sa_position_first_len(position->head_len), position->first_hash);
    return first == MATCH_SAME || first == MATCH_SHORT ? MATCH_BEGUN : first;
}

enum match
sa_position_match(int fd, const struct sa_position *position)
{
    enum match head = match_bytes(fd, 0, position->head_len, position->head_hash);

    if (head == MATCH_SHORT)
        return match_first(fd, position);
    if (head != MATCH_SAME)
        return head;
    return match_bytes(fd, position->offset - position->marker_len, position->marker_len,
                       position->marker_hash);
}

bool
sa_same_beginning(int a, int b)
{
    char x[HEAD_BYTES], y[HEAD_BYTES];
    ssize_t n = sa_disk_read_whole(a, x, sizeof x, 0);

    return n >= 0 && sa_disk_read_whole(b, y, sizeof y, 0) == n && memcmp(x, y, (size_t)n) == 0;
}

bool
sa_same_bytes(int a, int b, int64_t offset, size_t len)
{
    char x[HEAD_BYTES], y[HEAD_BYTES];

    return sa_disk_read_whole(a, x, len, offset) == (ssize_t)len &&
           sa_disk_read_whole(b, y, len, offset) == (ssize_t)len && memcmp(x, y, len) == 0;
}

void
sa_position_load(struct file *file)
{
    int64_t head_len = file->offset < HEAD_BYTES ? file->offset : HEAD_BYTES;
    int64_t marker_len = file->offset < MARKER_BYTES ? file->offset : MARKER_BYTES;
    ssize_t n;

    file->head_len = file->marker_len = 0;
    n = sa_disk_read_whole(file->fd, file->head, (size_t)head_len, 0);
    if (n > 0) /* fewer of a file that does not show all of what was read of it */
        file->head_len = (size_t)n;
    if (sa_disk_read_whole(file->fd, file->marker, (size_t)marker_len, file->offset - marker_len) ==
        marker_len)
        file->marker_len = (size_t)marker_len;
    file->resume = file->offset;
    memcpy(file->resume_marker, file->marker, file->marker_len);
    file->resume_marker_len = file->marker_len;
}
