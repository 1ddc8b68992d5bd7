/*
 * Preloaded into the daemon: a file system whose attributes lag, lie, and come back, as those of NFS, SMB and
 * sshfs do.  Here are the calls; lies.h says which lies there are and who tells them.
 */
#define _GNU_SOURCE
#include "lies.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DESCRIPTORS 4096
#define FAKE_WATCH  1000000

/* Which row a descriptor belongs to, plus 1, and how it was opened. */
static struct {
    _Atomic int row;
    bool by_log_name;
    uint64_t inode; /* that it has while inode numbers lie */
} descriptors[DESCRIPTORS];

static char log_names[LYING_ROWS][PATH_MAX];

/* Whose files */

static int
row_of_name(const char *path)
{
    const char *at = !lying() || path == NULL ? NULL : strstr(path, "/lying-");
    int row = at == NULL ? -1 : atoi(at + 7);

    return row < LYING_ROWS ? row : -1;
}

static int
row_of_fd(int fd)
{
    return !lying() || fd < 0 || fd >= DESCRIPTORS ? -1 : atomic_load(&descriptors[fd].row) - 1;
}

static bool
is_log_name(const char *path)
{
    size_t len = strlen(path);

    return len > 4 && strcmp(path + len - 4, ".log") == 0;
}

/* True attributes */

static int
look_at(int at, const char *path, int flags, struct stat *status)
{
    return (int)syscall(SYS_newfstatat, at, path, status, flags);
}

static int
look_at_fd(int fd, struct stat *status)
{
    return look_at(fd, "", AT_EMPTY_PATH, status);
}

/*
 * Where the name leads: to the file that had the log's name before, if the name is stale.  That one is
 * searched among the rotated ones.
 */
static const char *
resolve(int row, const char *path, char other[PATH_MAX])
{
    int64_t inode = says(row, STALE_INODE);
    struct stat status;

    if (inode == 0 || !is_log_name(path) ||
        (look_at(AT_FDCWD, path, 0, &status) == 0 && (int64_t)status.st_ino == inode))
        return path;
    for (int i = 1; i < 10; i++)
        if (snprintf(other, PATH_MAX, "%s.%d", path, i) < PATH_MAX &&
            look_at(AT_FDCWD, other, 0, &status) == 0 && (int64_t)status.st_ino == inode) {
            tell(row, STALE_INODE);
            return other;
        }
    return path;
}

/* What the log was when its content began to be old. */
static const char *
before(int row, char path[PATH_MAX])
{
    const char *slash = strrchr(log_names[row], '/');

    (void)snprintf(path, PATH_MAX, "%.*s.before", slash == NULL ? 0 : (int)(slash - log_names[row]) + 1,
                   log_names[row]);
    return path;
}

static bool
is_old(int row, const struct stat *status)
{
    return says(row, OLD_CONTENT) != 0 && says(row, OLD_CONTENT) == (int64_t)status->st_ino;
}

/* The size and the times of old content. */
static void
look_back(int row, struct stat *status)
{
    char path[PATH_MAX];
    struct stat old;

    if (!is_old(row, status) || look_at(AT_FDCWD, before(row, path), 0, &old) == -1)
        return;
    tell(row, OLD_CONTENT);
    status->st_size = old.st_size;
    status->st_mtim = old.st_mtim;
}

static int
open_plainly(const char *path)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
}

/*
 * The descriptor to look at and to read from instead of fd: of what has the name now, if handles follow
 * names, or fd itself.  let_go() ends it.
 */
static int
handle(int row, int fd)
{
    struct stat own, other;
    int now;

    if (says(row, FOLLOW_NAME) == 0 || !descriptors[fd].by_log_name)
        return fd;
    now = open_plainly(log_names[row]);
    if (now == -1)
        return fd;
    if (look_at_fd(fd, &own) == 0 && look_at_fd(now, &other) == 0 && own.st_ino != other.st_ino) {
        tell(row, FOLLOW_NAME);
        return now;
    }
    (void)syscall(SYS_close, now);
    return fd;
}

/* The same to read from: old content is somewhere else. */
static int
content(int row, int fd)
{
    int now = handle(row, fd), old;
    char path[PATH_MAX];
    struct stat status;

    if (look_at_fd(now, &status) == -1 || !is_old(row, &status) ||
        (old = open_plainly(before(row, path))) == -1)
        return now;
    tell(row, OLD_CONTENT);
    if (now != fd)
        (void)syscall(SYS_close, now);
    return old;
}

static void
let_go(int now, int fd)
{
    int error = errno;

    if (now != fd)
        (void)syscall(SYS_close, now);
    errno = error;
}

static void
put_stat(const struct attributes *said, struct stat *status)
{
    status->st_ino = said->inode;
    status->st_dev += said->device_shift;
    status->st_size = (off_t)said->size;
    status->st_mtim = said->modified;
    status->st_ctim = said->changed;
}

static int
stat_name(const char *path, struct stat *status, int flags, int at)
{
    int row = row_of_name(path), r;
    char other[PATH_MAX];
    struct attributes said;

    if (row < 0)
        return look_at(at, path, flags, status);
    r = look_at(at, resolve(row, path, other), flags, status);
    if (r == -1 || !S_ISREG(status->st_mode))
        return r;
    if (fails(row, FAIL_NAMES))
        return -1;
    look_back(row, status);
    said = attributes_of(row, 0, status);
    put_stat(&said, status);
    return 0;
}

/* The true attributes of what a descriptor shows, and its lies about them. */
static int
stat_fd(int row, int fd, struct stat *status, struct attributes *ret_said)
{
    int now, r;

    if (fails(row, FAIL_LOOKS))
        return -1;
    now = handle(row, fd);
    r = look_at_fd(now, status);
    if (r == 0)
        look_back(row, status);
    if (r == 0 && now != fd && says(row, FOLLOW_NAME) == 1) { /* the number is the client's own */
        struct stat own;

        if (look_at_fd(fd, &own) == 0)
            status->st_ino = own.st_ino;
    }
    let_go(now, fd);
    if (r == 0)
        *ret_said = attributes_of(row, descriptors[fd].inode, status);
    return r;
}

int
fstat(int fd, struct stat *status)
{
    int row = row_of_fd(fd), r;
    struct attributes said;

    if (row < 0)
        return look_at_fd(fd, status);
    r = stat_fd(row, fd, status, &said);
    if (r == 0)
        put_stat(&said, status);
    return r;
}

int
fstatat(int at, const char *restrict path, struct stat *restrict status, int flags)
{
    return (flags & AT_EMPTY_PATH) != 0 && path[0] == '\0' ? fstat(at, status)
                                                           : stat_name(path, status, flags, at);
}

int
stat(const char *restrict path, struct stat *restrict status)
{
    return stat_name(path, status, 0, AT_FDCWD);
}

int
lstat(const char *restrict path, struct stat *restrict status)
{
    return stat_name(path, status, AT_SYMLINK_NOFOLLOW, AT_FDCWD);
}

static void
put_statx(int row, const struct attributes *said, struct statx *status)
{
    status->stx_ino = said->inode;
    status->stx_dev_minor += said->device_shift;
    status->stx_size = said->size;
    status->stx_mtime.tv_sec = said->modified.tv_sec;
    status->stx_mtime.tv_nsec = (uint32_t)said->modified.tv_nsec;
    status->stx_ctime.tv_sec = said->changed.tv_sec;
    status->stx_ctime.tv_nsec = (uint32_t)said->changed.tv_nsec;
    if (says(row, NO_BIRTH) != 0) {
        tell(row, NO_BIRTH);
        status->stx_mask &= ~(uint32_t)STATX_BTIME;
        memset(&status->stx_btime, 0, sizeof status->stx_btime);
    }
}

int
statx(int at, const char *restrict path, int flags, unsigned mask, struct statx *restrict status)
{
    bool by_fd = (flags & AT_EMPTY_PATH) != 0 && path[0] == '\0';
    int row = by_fd ? row_of_fd(at) : row_of_name(path), r;
    char other[PATH_MAX];
    struct attributes said;
    struct stat truth;

    if (row < 0)
        return (int)syscall(SYS_statx, at, path, flags, mask, status);
    if (by_fd) {
        r = stat_fd(row, at, &truth, &said);
    } else {
        path = resolve(row, path, other);
        r = look_at(at, path, flags & AT_SYMLINK_NOFOLLOW, &truth);
        if (r == 0 && S_ISREG(truth.st_mode)) {
            r = fails(row, FAIL_NAMES) ? -1 : 0;
            look_back(row, &truth);
            said = attributes_of(row, 0, &truth);
        } else if (r == 0) {
            row = -1;
        }
    }
    if (r == 0)
        r = (int)syscall(SYS_statx, at, path, flags, mask, status);
    if (r == 0 && row >= 0)
        put_statx(row, &said, status);
    return r;
}

off_t
lseek(int fd, off_t offset, int whence)
{
    int row = row_of_fd(fd);
    struct attributes said;
    struct stat truth;

    if (row >= 0 && whence == SEEK_END) {
        if (stat_fd(row, fd, &truth, &said) == -1)
            return -1;
        offset += (off_t)said.size;
        whence = SEEK_SET;
    }
    return syscall(SYS_lseek, fd, offset, whence);
}

int
access(const char *path, int mode)
{
    char other[PATH_MAX];
    int row = row_of_name(path);

    if (row >= 0 && fails(row, FAIL_NAMES))
        return -1;
    return (int)syscall(SYS_faccessat, AT_FDCWD, row < 0 ? path : resolve(row, path, other), mode);
}

/* Content */

static ssize_t
read_at(int row, int fd, void *buf, size_t len, off_t offset)
{
    struct stat truth;
    int64_t end = -1;
    ssize_t n;
    int now;

    if (fails(row, FAIL_READS))
        return -1;
    now = content(row, fd);
    if (look_at_fd(now, &truth) == 0)
        end = end_of_reads(row, &truth);
    if (end >= 0 && offset + (int64_t)len > end)
        len = offset < end ? (size_t)(end - offset) : 0;
    n = len == 0 ? 0 : syscall(SYS_pread64, now, buf, short_of(row, len), offset);
    let_go(now, fd);
    return n;
}

ssize_t
pread(int fd, void *buf, size_t len, off_t offset)
{
    int row = row_of_fd(fd);

    return row < 0 ? syscall(SYS_pread64, fd, buf, len, offset) : read_at(row, fd, buf, len, offset);
}

ssize_t
read(int fd, void *buf, size_t len)
{
    int row = row_of_fd(fd);
    off_t offset = row < 0 ? -1 : syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t n;

    if (row < 0 || offset == -1)
        return syscall(SYS_read, fd, buf, len);
    n = read_at(row, fd, buf, len, offset);
    if (n > 0)
        (void)syscall(SYS_lseek, fd, offset + n, SEEK_SET);
    return n;
}

/* One part is as good as a short read of all of them. */
ssize_t
readv(int fd, const struct iovec *parts, int count)
{
    return row_of_fd(fd) < 0 || count < 1 ? syscall(SYS_readv, fd, parts, count)
                                          : read(fd, parts[0].iov_base, parts[0].iov_len);
}

ssize_t
preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
    return row_of_fd(fd) < 0 || count < 1 ? syscall(SYS_preadv, fd, parts, count, offset, 0)
                                          : pread(fd, parts[0].iov_base, parts[0].iov_len, offset);
}

/* Descriptors */

static void
note_fd(int fd, int row, bool by_log_name)
{
    if (!lying() || fd < 0 || fd >= DESCRIPTORS)
        return;
    descriptors[fd].by_log_name = by_log_name;
    descriptors[fd].inode = row < 0 ? 0 : new_inode();
    atomic_store(&descriptors[fd].row, row + 1);
}

static int
note_copy(int fd, int from)
{
    if (lying() && fd >= 0 && fd < DESCRIPTORS && from >= 0 && from < DESCRIPTORS) {
        descriptors[fd].by_log_name = descriptors[from].by_log_name;
        descriptors[fd].inode = descriptors[from].inode;
        atomic_store(&descriptors[fd].row, atomic_load(&descriptors[from].row));
    }
    return fd;
}

static int
open_any(int at, const char *path, int flags, mode_t mode)
{
    int row = row_of_name(path), fd;
    char other[PATH_MAX];
    struct stat status;

    if (row < 0 || (flags & (O_ACCMODE | O_DIRECTORY)) != O_RDONLY)
        return (int)syscall(SYS_openat, at, path, flags, mode);
    if (look_at(at, path, 0, &status) == 0 && S_ISREG(status.st_mode) && fails(row, FAIL_NAMES))
        return -1;
    fd = (int)syscall(SYS_openat, at, resolve(row, path, other), flags, mode);
    if (fd == -1 || look_at_fd(fd, &status) == -1 || !S_ISREG(status.st_mode))
        return fd;
    if (is_log_name(path))
        (void)snprintf(log_names[row], PATH_MAX, "%s", path);
    note_fd(fd, row, is_log_name(path));
    return fd;
}

#define OPEN(name, parameters, directory)                                                                    \
    int name parameters                                                                                      \
    {                                                                                                        \
        va_list more;                                                                                        \
        mode_t mode;                                                                                         \
                                                                                                             \
        va_start(more, flags);                                                                               \
        mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;                              \
        va_end(more);                                                                                        \
        return open_any(directory, path, flags, mode);                                                       \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int at, const char *path, int flags, ...), at)

int
close(int fd)
{
    note_fd(fd, -1, false);
    return (int)syscall(SYS_close, fd);
}

int
dup(int fd)
{
    return note_copy((int)syscall(SYS_dup, fd), fd);
}

int
dup2(int fd, int to)
{
    return fd == to ? (int)syscall(SYS_fcntl, fd, F_GETFD) == -1 ? -1 : to
                    : note_copy((int)syscall(SYS_dup3, fd, to, 0), fd);
}

int
dup3(int fd, int to, int flags)
{
    return note_copy((int)syscall(SYS_dup3, fd, to, flags), fd);
}

int
fcntl(int fd, int command, ...)
{
    void *argument;
    va_list more;
    int r;

    va_start(more, command);
    argument = va_arg(more, void *);
    va_end(more);
    r = (int)syscall(SYS_fcntl, fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? note_copy(r, fd) : r;
}

/* What else is asked of a file */

int
ioctl(int fd, unsigned long request, ...)
{
    int row = row_of_fd(fd);
    int64_t bytes = says(row, VERSION_BYTES), version = 0x0102030405060708;
    void *argument;
    va_list more;

    va_start(more, request);
    argument = va_arg(more, void *);
    va_end(more);
    if (row < 0 || request != FS_IOC_GETVERSION || (bytes == 0 && says(row, INODES) == 0))
        return (int)syscall(SYS_ioctl, fd, request, argument);
    if (bytes == 8) {
        tell(row, VERSION_BYTES);
        memcpy(argument, &version, sizeof version);
        return 0;
    }
    errno = ENOTTY;
    return -1;
}

int
name_to_handle_at(int at, const char *path, struct file_handle *file, int *mount, int flags)
{
    int row = (flags & AT_EMPTY_PATH) != 0 ? row_of_fd(at) : row_of_name(path);

    if (says(row, INODES) == 0 && says(row, MAGIC) == 0)
        return (int)syscall(SYS_name_to_handle_at, at, path, file, mount, flags);
    errno = EOPNOTSUPP;
    return -1;
}

int
fstatfs(int fd, struct statfs *status)
{
    int row = row_of_fd(fd), r = (int)syscall(SYS_fstatfs, fd, status);

    if (r == 0 && says(row, MAGIC) != 0)
        status->f_type = (__typeof__(status->f_type))says(row, MAGIC);
    return r;
}

int
statfs(const char *path, struct statfs *status)
{
    int row = row_of_name(path), r = (int)syscall(SYS_statfs, path, status);

    if (r == 0 && says(row, MAGIC) != 0)
        status->f_type = (__typeof__(status->f_type))says(row, MAGIC);
    return r;
}

int
inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    static atomic_int fake = FAKE_WATCH;
    int followed, row;

    row = sscanf(path, "/proc/self/fd/%d", &followed) == 1 ? row_of_fd(followed) : row_of_name(path);
    if (says(row, DEAF) == 0)
        return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
    tell(row, DEAF);
    return atomic_fetch_add(&fake, 1);
}

int
inotify_rm_watch(int fd, int watch)
{
    return watch >= FAKE_WATCH ? 0 : (int)syscall(SYS_inotify_rm_watch, fd, watch);
}

/* The C library's other names of the same; the size that a checked one is told besides is not looked at. */
#define ALSO(other, name) __asm__(".globl " #other "\n.set " #other ", " #name)
ALSO(fstat64, fstat);
ALSO(fstatat64, fstatat);
ALSO(stat64, stat);
ALSO(lstat64, lstat);
ALSO(lseek64, lseek);
ALSO(pread64, pread);
ALSO(__pread_chk, pread);
ALSO(__pread64_chk, pread);
ALSO(preadv64, preadv);
ALSO(__read_chk, read);
ALSO(open64, open);
ALSO(__open_2, open);
ALSO(__open64_2, open);
ALSO(openat64, openat);
ALSO(fcntl64, fcntl);
ALSO(fstatfs64, fstatfs);
ALSO(statfs64, statfs);
