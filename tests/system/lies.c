#define _GNU_SOURCE
#include "lies.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CACHED     512
#define FAKE_INODE 7000000000

struct row {
    _Atomic int64_t says[COLUMNS], told[COLUMNS];
};

/* Of an entry in the cache of attributes. */
struct look {
    uint64_t device, inode, size;
    struct timespec modified, changed;
    int64_t at_ms;
};

static struct row *rows;
static struct look looks[CACHED];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void __attribute__((constructor)) load(void)
{
    const char *path = getenv("LYING_FS");
    int fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    void *map = MAP_FAILED;

    if (path == NULL)
        return;
    if (fd != -1)
        map = mmap(NULL, LYING_ROWS * sizeof *rows, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        abort();
    rows = map;
    (void)syscall(SYS_close, fd);
}

bool
lying(void)
{
    return rows != NULL;
}

int64_t
says(int row, enum column column)
{
    return row < 0 ? 0 : atomic_load(&rows[row].says[column]);
}

void
tell(int row, enum column column)
{
    atomic_fetch_add(&rows[row].told[column], 1);
}

uint64_t
new_inode(void)
{
    static atomic_ulong next = FAKE_INODE;

    return atomic_fetch_add(&next, 1);
}

/* Whether the truth is told this time: in each N-th call; N 0: never. */
static bool
spares(int64_t n)
{
    static atomic_ulong calls;

    return n > 1 && atomic_fetch_add(&calls, 1) % (uint64_t)n == 0;
}

/* Whether the call fails, with errno set. */
bool
fails(int row, enum column column)
{
    static atomic_ulong calls;
    int64_t fault = says(row, column);

    if (fault == 0 || (fault >= 1000 && atomic_fetch_add(&calls, 1) % (uint64_t)(fault / 1000) != 0))
        return false;
    tell(row, column);
    errno = (int)(fault % 1000);
    return true;
}

static int64_t
now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The slot of a file in the cache of attributes; with the lock held. */
static struct look *
slot_of(uint64_t device, uint64_t inode)
{
    struct look *oldest = &looks[0];

    for (struct look *look = looks; look < looks + CACHED; look++) {
        if (look->inode == inode && look->device == device)
            return look;
        if (look->at_ms < oldest->at_ms)
            oldest = look;
    }
    oldest->inode = 0;
    return oldest;
}

/* The attributes as the cache has them, which asks again when they are older than LAG_MS. */
static void
lag(int row, const struct stat *status, struct attributes *ret)
{
    int64_t lag_ms = says(row, LAG_MS), now = now_ms();
    struct look *look;

    (void)pthread_mutex_lock(&lock);
    look = slot_of(status->st_dev, status->st_ino);
    if (look->inode == 0 || now - look->at_ms >= lag_ms)
        *look = (struct look){.device = status->st_dev,
                              .inode = status->st_ino,
                              .size = (uint64_t)status->st_size,
                              .modified = status->st_mtim,
                              .changed = status->st_ctim,
                              .at_ms = now};
    if (look->size != (uint64_t)status->st_size)
        tell(row, LAG_MS);
    ret->size = look->size;
    ret->modified = look->modified;
    ret->changed = look->changed;
    (void)pthread_mutex_unlock(&lock);
}

static void
lie_about_size(int row, uint64_t *size)
{
    int64_t said = says(row, SIZE_SAID), permille = says(row, SIZE_PERMILLE);

    if ((said == 0 && permille == 0) || spares(says(row, SIZE_FLICKER)))
        return;
    tell(row, said != 0 ? SIZE_SAID : SIZE_PERMILLE);
    *size = said != 0 ? (uint64_t)said - 1 : *size * ((uint64_t)permille - 1) / 1000;
}

static void
lie_about_inode(int row, uint64_t opened, struct attributes *attributes)
{
    int64_t kind = says(row, INODES);

    if (kind == 0)
        return;
    tell(row, INODES);
    attributes->inode = kind == 2 || opened == 0 ? new_inode() : opened;
    attributes->device_shift = (unsigned)attributes->inode % 3;
}

struct attributes
attributes_of(int row, uint64_t opened, const struct stat *truth)
{
    struct attributes said = {.inode = truth->st_ino};

    lag(row, truth, &said);
    lie_about_size(row, &said.size);
    lie_about_inode(row, opened, &said);
    return said;
}

int64_t
end_of_reads(int row, const struct stat *truth)
{
    int64_t end = says(row, READ_END) - 1, only = says(row, READ_INODE);
    struct attributes said = {0};

    if (end >= 0 && (only == 0 || only == (int64_t)truth->st_ino) && !spares(says(row, READ_FLICKER))) {
        tell(row, READ_END);
        return end;
    }
    if (says(row, LAG_READS) == 0)
        return -1;
    lag(row, truth, &said);
    if (said.size < (uint64_t)truth->st_size)
        tell(row, LAG_READS);
    return (int64_t)said.size;
}

size_t
short_of(int row, size_t len)
{
    static atomic_ulong turn;
    int64_t most = says(row, SHORT_READS);
    size_t some = most > 0 ? atomic_fetch_add(&turn, 7919) % (size_t)most + 1 : len;

    if (some >= len)
        return len;
    tell(row, SHORT_READS);
    return some;
}
