/*
 * Preloaded into the daemon by test_faults.py: makes system calls on chosen paths fail, be short or be slow.
 *
 * FAULTS holds rules "CALL,CALL|PART OF THE PATH|FAULT[|times=N][|every=N][|after=N]", separated by ';'.
 *
 * Calls: read, pread, write, pwrite, fsync, fdatasync, ftruncate, open, openw (for writing),
 * inotify_add_watch, inotify_init.  Faults: the name of an errno; short (1 to 7 bytes); sleep=MS (then the
 * call itself); silent (a watch without events).  times: only the first N calls; every: only each N-th;
 * after: the first N pass and are not counted.
 *
 * Rules are in force while the file FAULT_SWITCH exists; each hit adds a byte to FAULT_SWITCH.hits, so that a
 * test knows that it tested something.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define RULES      8
#define FAKE_WATCH 1000000

struct rule {
    char calls[128], path[128], fault[32];
    unsigned times, every, after;
    atomic_uint calls_seen, hits;
};

static struct rule rules[RULES];
static unsigned n_rules;
static char switch_path[PATH_MAX], hits_path[PATH_MAX + 8];

static const struct {
    const char *name;
    int number;
} errors[] = {{"EIO", EIO},       {"EINTR", EINTR},   {"EAGAIN", EAGAIN}, {"ESTALE", ESTALE},
              {"ENOSPC", ENOSPC}, {"EROFS", EROFS},   {"EMFILE", EMFILE}, {"ENFILE", ENFILE},
              {"EACCES", EACCES}, {"EDQUOT", EDQUOT}, {"ENOMEM", ENOMEM}, {"ENOENT", ENOENT}};

static void __attribute__((constructor)) load(void)
{
    const char *text = getenv("FAULTS"), *where = getenv("FAULT_SWITCH");
    char *copy = text == NULL ? NULL : strdup(text), *save = NULL;

    if (copy == NULL || where == NULL)
        return;
    (void)snprintf(switch_path, sizeof switch_path, "%s", where);
    (void)snprintf(hits_path, sizeof hits_path, "%s.hits", where);
    for (char *part = strtok_r(copy, ";", &save); part != NULL; part = strtok_r(NULL, ";", &save)) {
        struct rule *rule = &rules[n_rules];
        const char *option;

        if (n_rules == RULES ||
            sscanf(part, "%127[^|]|%127[^|]|%31[^|]", rule->calls, rule->path, rule->fault) != 3)
            abort();
        rule->times = (option = strstr(part, "|times=")) != NULL ? (unsigned)atoi(option + 7) : UINT_MAX;
        rule->every = (option = strstr(part, "|every=")) != NULL ? (unsigned)atoi(option + 7) : 1;
        rule->after = (option = strstr(part, "|after=")) != NULL ? (unsigned)atoi(option + 7) : 0;
        n_rules++;
    }
    free(copy);
}

static bool
has_call(const struct rule *rule, const char *call)
{
    size_t len = strlen(call);

    for (const char *at = rule->calls; (at = strstr(at, call)) != NULL; at += len)
        if ((at == rule->calls || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
            return true;
    return false;
}

static void
note_hit(void)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, hits_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    (void)syscall(SYS_write, fd, ".", 1);
    (void)syscall(SYS_close, fd);
}

/* The fault for a call on a path, or NULL; fd -1: the path is given. */
static const char *
fault_for(const char *call, int fd, const char *path)
{
    char link[64], found[PATH_MAX];

    if (n_rules == 0 || syscall(SYS_faccessat, AT_FDCWD, switch_path, F_OK) != 0)
        return NULL;
    if (fd >= 0) {
        ssize_t len;

        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        len = syscall(SYS_readlinkat, AT_FDCWD, link, found, sizeof found - 1);
        if (len < 0)
            return NULL;
        found[len] = '\0';
        path = found;
    }
    if (strncmp(path, hits_path, strlen(switch_path)) == 0)
        return NULL;
    for (unsigned i = 0; i < n_rules; i++) {
        struct rule *rule = &rules[i];
        unsigned seen;

        if (!has_call(rule, call) || (strcmp(rule->path, "*") != 0 && strstr(path, rule->path) == NULL))
            continue;
        seen = atomic_fetch_add(&rule->calls_seen, 1) + 1;
        if (seen <= rule->after || (seen - rule->after) % rule->every != 0)
            continue;
        if (atomic_fetch_add(&rule->hits, 1) >= rule->times)
            continue;
        if (rule->hits <= 1000)
            note_hit();
        return rule->fault;
    }
    return NULL;
}

/* Does what the fault says.  Returns true with errno set if the call fails; *len is cut if it is short. */
static bool
suffer(const char *fault, size_t *len)
{
    static atomic_uint turn;

    if (fault == NULL)
        return false;
    if (strncmp(fault, "sleep=", 6) == 0) {
        struct timespec left = {atoi(fault + 6) / 1000, atoi(fault + 6) % 1000 * 1000000L};

        while (nanosleep(&left, &left) == -1 && errno == EINTR)
            ;
        return false;
    }
    if (strcmp(fault, "short") == 0) {
        size_t most = atomic_fetch_add(&turn, 1) % 7 + 1;

        if (len != NULL && *len > most)
            *len = most;
        return false;
    }
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (strcmp(errors[i].name, fault) == 0) {
            errno = errors[i].number;
            return true;
        }
    abort();
}

ssize_t
read(int fd, void *buf, size_t len)
{
    if (suffer(fault_for("read", fd, NULL), &len))
        return -1;
    return syscall(SYS_read, fd, buf, len);
}

ssize_t
__read_chk(int fd, void *buf, size_t len, size_t size)
{
    return read(fd, buf, len < size ? len : size);
}

ssize_t
readv(int fd, const struct iovec *parts, int count)
{
    if (suffer(fault_for("read", fd, NULL), NULL))
        return -1;
    return syscall(SYS_readv, fd, parts, count);
}

ssize_t
pread64(int fd, void *buf, size_t len, off64_t offset)
{
    if (suffer(fault_for("pread", fd, NULL), &len))
        return -1;
    return syscall(SYS_pread64, fd, buf, len, offset);
}

ssize_t
pread(int fd, void *buf, size_t len, off_t offset)
{
    return pread64(fd, buf, len, offset);
}

ssize_t
__pread_chk(int fd, void *buf, size_t len, off_t offset, size_t size)
{
    return pread64(fd, buf, len < size ? len : size, offset);
}

ssize_t
__pread64_chk(int fd, void *buf, size_t len, off64_t offset, size_t size)
{
    return pread64(fd, buf, len < size ? len : size, offset);
}

ssize_t
write(int fd, const void *buf, size_t len)
{
    if (suffer(fault_for("write", fd, NULL), &len))
        return -1;
    return syscall(SYS_write, fd, buf, len);
}

ssize_t
pwrite64(int fd, const void *buf, size_t len, off64_t offset)
{
    if (suffer(fault_for("pwrite", fd, NULL), &len))
        return -1;
    return syscall(SYS_pwrite64, fd, buf, len, offset);
}

ssize_t
pwrite(int fd, const void *buf, size_t len, off_t offset)
{
    return pwrite64(fd, buf, len, offset);
}

int
fsync(int fd)
{
    return suffer(fault_for("fsync", fd, NULL), NULL) ? -1 : (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
    return suffer(fault_for("fdatasync", fd, NULL), NULL) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int
ftruncate64(int fd, off64_t len)
{
    return suffer(fault_for("ftruncate", fd, NULL), NULL) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int
ftruncate(int fd, off_t len)
{
    return ftruncate64(fd, len);
}

static int
open_any(int directory, const char *path, int flags, mode_t mode)
{
    const char *fault = fault_for("open", -1, path);

    if (fault == NULL && (flags & O_ACCMODE) != O_RDONLY)
        fault = fault_for("openw", -1, path);
    return suffer(fault, NULL) ? -1 : (int)syscall(SYS_openat, directory, path, flags, mode);
}

static mode_t
mode_of(int flags, va_list more)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
}

#define OPEN(name, parameters, directory)                                                                    \
    int name parameters                                                                                      \
    {                                                                                                        \
        va_list more;                                                                                        \
        mode_t mode;                                                                                         \
                                                                                                             \
        va_start(more, flags);                                                                               \
        mode = mode_of(flags, more);                                                                         \
        va_end(more);                                                                                        \
        return open_any(directory, path, flags, mode);                                                       \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int at, const char *path, int flags, ...), at)
OPEN(openat64, (int at, const char *path, int flags, ...), at)

int
__open_2(const char *path, int flags)
{
    return open_any(AT_FDCWD, path, flags, 0);
}

int
__open64_2(const char *path, int flags)
{
    return open_any(AT_FDCWD, path, flags, 0);
}

int
__openat_2(int at, const char *path, int flags)
{
    return open_any(at, path, flags, 0);
}

int
inotify_init1(int flags)
{
    return suffer(fault_for("inotify_init", -1, "inotify"), NULL) ? -1
                                                                  : (int)syscall(SYS_inotify_init1, flags);
}

int
inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    static atomic_int fake = FAKE_WATCH;
    const char *fault = fault_for("inotify_add_watch", -1, path);

    if (fault != NULL && strcmp(fault, "silent") == 0)
        return atomic_fetch_add(&fake, 1);
    return suffer(fault, NULL) ? -1 : (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

int
inotify_rm_watch(int fd, int watch)
{
    return watch >= FAKE_WATCH ? 0 : (int)syscall(SYS_inotify_rm_watch, fd, watch);
}
