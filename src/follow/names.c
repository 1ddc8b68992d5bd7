#include "followed.h"
#include "clock.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS_KEPT 48
#define GAP_MS           3000  /* a rotation may leave no file under the name for a moment */
#define ROTATE_WAIT_MS   60000 /* a renamed or deleted file is kept open, its writer may not know yet */

/* Several files can share a watch: hard links, or one file in two sources. */
static void
drop_watch(struct sa_follower *follower, const struct file *gone)
{
    for (unsigned s = 0; s < follower->n_sources; s++)
        for (unsigned i = 0; i < follower->sources[s].n_files; i++)
            if (follower->sources[s].files[i] != gone && follower->sources[s].files[i]->watch == gone->watch)
                return;
    sa_watcher_remove_file(follower->watcher, gone->watch);
}

void
sa_follow_close_file(struct sa_follower *follower, struct source *source, unsigned i)
{
    struct file *file = source->files[i];

    for (unsigned k = 0; k < source->n_files; k++)
        if (source->files[k]->before == file)
            source->files[k]->before = NULL;
    drop_watch(follower, file);
    follower->events->closed(follower->arg, file->stream);
    (void)close(file->fd);
    free(file);
    source->n_files--;
    memmove(&source->files[i], &source->files[i + 1], (source->n_files - i) * sizeof source->files[0]);
}

/* Where the last line that is not complete begins, so that it is counted when it is. */
static int64_t
end_of_lines(int fd, int64_t size)
{
    char tail[4096];
    int64_t end = size;

    while (end > 0) {
        int64_t start = end > (int64_t)sizeof tail ? end - (int64_t)sizeof tail : 0;
        ssize_t n = pread(fd, tail, (size_t)(end - start), start);
        const char *newline = n <= 0 ? NULL : memrchr(tail, '\n', (size_t)n);

        if (n <= 0)
            return size;
        if (newline != NULL)
            return start + (newline - tail) + 1;
        if (size - start > 1048576)
            return size; /* no line is that long */
        end = start;
    }
    return 0;
}

/* A file that is not read from its start has a past all the same. */
static void
load_marker(struct file *file)
{
    int64_t len = file->offset < MARKER_BYTES ? file->offset : MARKER_BYTES;
    ssize_t n = pread(file->fd, file->marker, (size_t)len, file->offset - len);

    file->marker_len = n == len ? (size_t)n : 0;
}

/* The file whose place the new one takes: same name, not found under it any more. */
static struct file *
predecessor(struct source *source, const char *path)
{
    for (unsigned i = source->n_files; i > 0; i--)
        if (!source->files[i - 1]->seen && strcmp(source->files[i - 1]->path, path) == 0)
            return source->files[i - 1];
    return NULL;
}

/* Control clients and notification receivers need descriptors too: files leave some to them. */
static bool
descriptors_left(int newest_fd)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == -1 || (rlim_t)newest_fd + DESCRIPTORS_KEPT < limit.rlim_cur;
}

/* Opens a file that is not followed yet.  Returns 0, or negative errno; -EMEDIUMTYPE: not a regular file. */
static int
open_file(struct sa_follower *follower, struct source *source, const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;
    struct file *file;
    int r = 0;

    if (fd == -1)
        return -errno;
    if (fstat(fd, &status) == -1)
        r = -errno;
    else if (!S_ISREG(status.st_mode))
        r = -EMEDIUMTYPE;
    else if (source->n_files == SA_FOLLOW_FILES || !descriptors_left(fd))
        r = -EMFILE;
    file = r == 0 ? calloc(1, sizeof *file) : NULL;
    if (r == 0 && file != NULL)
        file->stream = follower->events->opened(follower->arg, (unsigned)(source - follower->sources), path);
    if (file == NULL || file->stream == NULL) {
        free(file);
        (void)close(fd);
        return r == 0 ? -ENOMEM : r;
    }
    (void)sa_text_copy(file->path, sizeof file->path, path);
    file->dev = status.st_dev;
    file->ino = status.st_ino;
    file->fd = fd;
    file->size = status.st_size;
    file->offset = !source->scanned && source->start_at_end ? end_of_lines(fd, status.st_size) : 0;
    load_marker(file);
    file->seen = true;
    file->watch = sa_watcher_add_file(follower->watcher, fd);
    file->before = predecessor(source, path);
    if (file->before != NULL)
        source->rotations++;
    source->files[source->n_files++] = file;
    sa_follow_want_reading(follower, file);
    return 0;
}

static struct file *
find_file(struct source *source, const struct stat *status)
{
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->ino == status->st_ino && source->files[i]->dev == status->st_dev)
            return source->files[i];
    return NULL;
}

/* What a scan met that keeps the source from being whole. */
struct trouble {
    int error;
    char path[PATH_MAX];
};

static void
note_trouble(struct trouble *trouble, int error, const char *path)
{
    if (trouble->error != 0 && (trouble->error != -ENOENT || error == -ENOENT))
        return;
    trouble->error = error;
    (void)sa_text_copy(trouble->path, sizeof trouble->path, path);
}

static void
visit(struct sa_follower *follower, struct source *source, const char *path, struct trouble *trouble)
{
    struct stat status;
    struct file *file;
    int r;

    if (stat(path, &status) == -1) {
        note_trouble(trouble, -errno, path);
        return;
    }
    file = find_file(source, &status);
    if (file != NULL) {
        file->seen = true;
        file->gone_ms = 0;
        if (strcmp(file->path, path) != 0)
            (void)sa_text_copy(file->path, sizeof file->path, path);
        return;
    }
    r = open_file(follower, source, path);
    if (r < 0)
        note_trouble(trouble, r, path);
}

/* The directory of a pattern, and those of its wildcards, so that new names wake us. */
static void
watch_directories(struct sa_follower *follower, const char *pattern)
{
    char directory[PATH_MAX];
    char *slash;
    glob_t found;

    (void)sa_text_copy(directory, sizeof directory, pattern);
    slash = strrchr(directory, '/');
    if (slash == NULL)
        (void)sa_text_copy(directory, sizeof directory, ".");
    else
        slash[slash == directory] = '\0';
    if (glob(directory, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        sa_watcher_add_directory(follower->watcher, found.gl_pathv[i]);
    globfree(&found);
}

static bool
is_pattern(const char *path)
{
    return strpbrk(path, "*?[") != NULL;
}

/* What logrotate leaves of a file that was read; its text was counted when it was written. */
static bool
is_compressed(const char *path)
{
    static const char *const endings[] = {".gz", ".xz", ".zst", ".bz2"};
    size_t len = strlen(path);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (len > strlen(endings[i]) && strcmp(path + len - strlen(endings[i]), endings[i]) == 0)
            return true;
    return false;
}

static void
visit_glob(struct sa_follower *follower, struct source *source, const char *pattern, struct trouble *trouble)
{
    glob_t found;

    watch_directories(follower, pattern);
    if (!is_pattern(pattern)) {
        visit(follower, source, pattern, trouble);
        return;
    }
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        if (!is_compressed(found.gl_pathv[i]))
            visit(follower, source, found.gl_pathv[i], trouble);
    globfree(&found);
}

/* Whether some file has its name, or lost it only a moment ago. */
static bool
sees_a_file(const struct source *source, int64_t now_ms)
{
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->seen || now_ms - source->files[i]->gone_ms < GAP_MS)
            return true;
    return false;
}

static void
judge_source(struct sa_follower *follower, struct source *source, const struct trouble *trouble)
{
    char shown[SA_LONG_SIZE], text[SA_LONG_SIZE];
    const char *polling = sa_watcher_text(follower->watcher);

    (void)sa_text_escape(shown, sizeof shown, trouble->path, strlen(trouble->path));
    switch (trouble->error) {
    case 0:
    case -ENOENT:
    case -ENOTDIR:
        break;
    case -EACCES:
    case -EPERM:
        (void)sa_text_format(text, sizeof text, "%s: permission denied", shown);
        sa_follow_set_state(follower, source, SA_SOURCE_DENIED, text);
        return;
    case -EMEDIUMTYPE:
        (void)sa_text_format(text, sizeof text, "%s: not a regular file", shown);
        sa_follow_set_state(follower, source, SA_SOURCE_FAILED, text);
        return;
    case -EMFILE:
        (void)sa_text_format(text, sizeof text, "%s: too many open files", shown);
        sa_follow_set_state(follower, source, SA_SOURCE_FAILED, text);
        return;
    default:
        (void)sa_text_format(text, sizeof text, "%s: %s", shown, strerror(-trouble->error));
        sa_follow_set_state(follower, source, SA_SOURCE_FAILED, text);
        return;
    }
    if (!sees_a_file(source, sa_clock_now().mono_ms)) {
        if (trouble->error != 0)
            (void)sa_text_format(text, sizeof text, "%s does not exist yet", shown);
        else
            (void)sa_text_format(text, sizeof text, "no file matches yet");
        sa_follow_set_state(follower, source, SA_SOURCE_WAITING, text);
        return;
    }
    sa_follow_set_state(follower, source, SA_SOURCE_FOLLOWING, polling != NULL ? polling : "");
}

/* Closes what has lost its name long enough ago and is read to its end. */
static void
retire_files(struct sa_follower *follower, struct source *source, int64_t now_ms)
{
    for (unsigned i = source->n_files; i > 0; i--) {
        struct file *file = source->files[i - 1];

        if (file->seen)
            continue;
        if (file->gone_ms == 0)
            file->gone_ms = now_ms;
        else if (!file->pending && now_ms - file->gone_ms >= ROTATE_WAIT_MS)
            sa_follow_close_file(follower, source, i - 1);
    }
}

void
sa_follow_scan(struct sa_follower *follower, struct source *source)
{
    struct trouble trouble = {.error = 0};

    /* Names are settled before files are opened: a renamed file found under its new name is not gone. */
    for (unsigned i = 0; i < source->n_files; i++)
        source->files[i]->seen = false;
    for (char *const *pattern = source->globs; *pattern != NULL; pattern++)
        visit_glob(follower, source, *pattern, &trouble);
    source->scanned = true;
    retire_files(follower, source, sa_clock_now().mono_ms);
    judge_source(follower, source, &trouble);
}
