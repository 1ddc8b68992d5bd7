#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define TRIES 8 /* of a read that was only interrupted */

#ifndef CIFS_SUPER_MAGIC
#define CIFS_SUPER_MAGIC 0xFF534D42
#endif
#ifndef CEPH_SUPER_MAGIC
#define CEPH_SUPER_MAGIC 0x00C36400
#endif
#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

struct disk
sa_disk_of(int fd)
{
    struct statfs status;

    if (fstatfs(fd, &status) == -1)
        return (struct disk){NULL, false};
    switch ((unsigned long)status.f_type) {
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case CEPH_SUPER_MAGIC:
    case V9FS_MAGIC:
    case AFS_SUPER_MAGIC:
        return (struct disk){"polling: network file system", true};
    case FUSE_SUPER_MAGIC:
        return (struct disk){"polling: FUSE file system", true};
    case OVERLAYFS_SUPER_MAGIC:
        return (struct disk){"polling: overlay file system", false};
    default:
        return (struct disk){NULL, false};
    }
}

struct disk
sa_disk_distrusted(void)
{
    return (struct disk){"polling: the file system cannot be relied on", true};
}

bool
sa_disk_ends_early(int fd)
{
    struct stat before, after;
    char byte;

    return fstat(fd, &before) == 0 && before.st_size > 0 &&
           sa_disk_read_whole(fd, &byte, 1, before.st_size - 1) == 0 && fstat(fd, &after) == 0 &&
           after.st_size >= before.st_size;
}

bool
sa_disk_is_kernels(const char *path)
{
    struct statfs status;

    if (statfs(path, &status) == -1)
        return false;
    switch ((unsigned long)status.f_type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
        return true;
    default:
        return false;
    }
}

bool
sa_disk_is_ill(int error)
{
    return error == -EIO || error == -ESTALE;
}

static ssize_t
read_patiently(int fd, void *buf, size_t len, int64_t offset)
{
    ssize_t n = -1;

    errno = EINTR;
    for (int tries = 0; tries < TRIES && n == -1 && (errno == EINTR || errno == EAGAIN); tries++)
        n = pread(fd, buf, len, offset);
    return n;
}

ssize_t
sa_disk_read(int fd, void *buf, size_t len, int64_t offset)
{
    ssize_t n = read_patiently(fd, buf, len, offset);
    int flags;

    /* A server that passes O_DIRECT on to a disk of its own wants whole blocks: then with its pages, for
     * good. */
    if (n == -1 && errno == EINVAL && (flags = fcntl(fd, F_GETFL)) != -1 && (flags & O_DIRECT) != 0 &&
        fcntl(fd, F_SETFL, flags & ~O_DIRECT) == 0)
        n = read_patiently(fd, buf, len, offset);
    return n;
}

ssize_t
sa_disk_read_whole(int fd, char *buf, size_t len, int64_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = sa_disk_read(fd, buf + done, len - done, offset + (int64_t)done);

        if (n == -1)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int
sa_disk_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), flags;
    struct statfs status;

    /*
     * FUSE keeps pages by the name's number: after a rename at the far side they may be those of another
     * file. Direct reading asks the server, with the handle that this descriptor has there.
     */
    if (fd != -1 && fstatfs(fd, &status) == 0 && (unsigned long)status.f_type == FUSE_SUPER_MAGIC &&
        (flags = fcntl(fd, F_GETFL)) != -1)
        (void)fcntl(fd, F_SETFL, flags | O_DIRECT);
    return fd;
}
