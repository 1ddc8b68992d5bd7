#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct sa_store {
    int lock_fd;
};

int
sa_store_open(const char *directory, struct sa_store **ret_store)
{
    char path[PATH_MAX];
    struct sa_store *store;
    int fd, r = 0;

    if (mkdir(directory, 0750) == -1 && errno != EEXIST)
        return -errno;
    if (snprintf(path, sizeof path, "%s/lock", directory) >= (int)sizeof path)
        return -ENAMETOOLONG;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd == -1)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) == -1)
        r = errno == EWOULDBLOCK ? -EBUSY : -errno;
    store = r == 0 ? calloc(1, sizeof *store) : NULL;
    if (store == NULL) {
        (void)close(fd);
        return r == 0 ? -ENOMEM : r;
    }
    store->lock_fd = fd;
    *ret_store = store;
    return 0;
}

struct sa_store *
sa_store_close(struct sa_store *store)
{
    if (store == NULL)
        return NULL;
    (void)close(store->lock_fd);
    free(store);
    return NULL;
}
