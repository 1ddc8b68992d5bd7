#include "follow.h"
#include "clock.h"
#include "text.h"
#include "watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE_BYTES    262144
#define POLL_MS        5000  /* behind inotify */
#define POLL_ALONE_MS  1000  /* instead of inotify */
#define ROTATE_WAIT_MS 60000 /* a renamed or deleted file is kept open, its writer may not know yet */
#define BACKLOG_BYTES  (16 << 20)

struct file {
    char path[PATH_MAX]; /* the last name it was found under */
    dev_t dev;
    ino_t ino;
    int fd, watch;
    int64_t offset, size; /* bytes taken; bytes there when last looked */
    int64_t gone_ms;      /* monotonic time when its name was first missed; 0: it has its name */
    bool pending;         /* to be read */
    bool seen;            /* by the scan of the moment */
    struct file *before;  /* the file it replaced: that one is read to its end first */
    void *stream;
};

struct source {
    char *const *globs;
    struct file **files; /* SA_FOLLOW_FILES pointers */
    unsigned n_files;
    bool scanned; /* once: from now on new files are read from their start */
    bool start_at_end;
    uint64_t rotations, truncations;
    enum sa_source_state state;
    char text[SA_LONG_SIZE];
};

struct sa_follower {
    struct sa_loop *loop;
    struct sa_watcher *watcher;
    struct sa_watch *poll, *work;
    const struct sa_follow_events *events;
    void *arg;
    struct source *sources;
    unsigned n_sources;
    unsigned next_source, next_file; /* where the round robin goes on */
    bool rescan_wanted;
    char *slice;
};

static void
set_state(struct sa_follower *follower, struct source *source, enum sa_source_state state, const char *text)
{
    if (source->state == state && strcmp(source->text, text) == 0)
        return;
    source->state = state;
    (void)sa_text_copy(source->text, sizeof source->text, text);
    follower->events->state(follower->arg, (unsigned)(source - follower->sources));
}

static void
want_reading(struct sa_follower *follower, struct file *file)
{
    file->pending = true;
    sa_watch_activate(follower->work);
}

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

static void
close_file(struct sa_follower *follower, struct source *source, unsigned i)
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

/* The file whose place the new one takes: same name, not found under it any more. */
static struct file *
predecessor(struct source *source, const char *path)
{
    for (unsigned i = source->n_files; i > 0; i--)
        if (!source->files[i - 1]->seen && strcmp(source->files[i - 1]->path, path) == 0)
            return source->files[i - 1];
    return NULL;
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
    else if (source->n_files == SA_FOLLOW_FILES)
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
    file->seen = true;
    file->watch = sa_watcher_add_file(follower->watcher, fd);
    file->before = predecessor(source, path);
    if (file->before != NULL)
        source->rotations++;
    source->files[source->n_files++] = file;
    want_reading(follower, file);
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
        visit(follower, source, found.gl_pathv[i], trouble);
    globfree(&found);
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
        set_state(follower, source, SA_SOURCE_DENIED, text);
        return;
    case -EMEDIUMTYPE:
        (void)sa_text_format(text, sizeof text, "%s: not a regular file", shown);
        set_state(follower, source, SA_SOURCE_FAILED, text);
        return;
    case -EMFILE:
        (void)sa_text_format(text, sizeof text, "%s: too many open files", shown);
        set_state(follower, source, SA_SOURCE_FAILED, text);
        return;
    default:
        (void)sa_text_format(text, sizeof text, "%s: %s", shown, strerror(-trouble->error));
        set_state(follower, source, SA_SOURCE_FAILED, text);
        return;
    }
    if (source->n_files == 0) {
        if (trouble->error != 0)
            (void)sa_text_format(text, sizeof text, "%s does not exist yet", shown);
        else
            (void)sa_text_format(text, sizeof text, "no file matches yet");
        set_state(follower, source, SA_SOURCE_WAITING, text);
        return;
    }
    set_state(follower, source, SA_SOURCE_FOLLOWING, polling != NULL ? polling : "");
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
            close_file(follower, source, i - 1);
    }
}

static void
scan(struct sa_follower *follower, struct source *source)
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

/* Looks at the size: growth is read, shrinking is a truncation. */
static void
check_size(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct stat status;

    if (fstat(file->fd, &status) == -1)
        return;
    file->size = status.st_size;
    if (file->size < file->offset) {
        source->truncations++;
        file->offset = 0;
        follower->events->truncated(follower->arg, file->stream);
    }
    if (file->size != file->offset)
        want_reading(follower, file);
}

static void
read_slice(struct sa_follower *follower, struct source *source, struct file *file)
{
    ssize_t n = pread(file->fd, follower->slice, SLICE_BYTES, file->offset);
    char shown[SA_LONG_SIZE], text[SA_LONG_SIZE];

    if (n > 0) {
        file->offset += n;
        if (file->size < file->offset)
            file->size = file->offset;
        follower->events->bytes(follower->arg, file->stream, follower->slice, (size_t)n);
        return;
    }
    if (n == -1 && errno == EINTR)
        return;
    file->pending = false;
    if (n == -1) {
        (void)sa_text_escape(shown, sizeof shown, file->path, strlen(file->path));
        (void)sa_text_format(text, sizeof text, "%s: %s", shown, strerror(errno));
        set_state(follower, source, SA_SOURCE_FAILED, text); /* the poll tries again */
        return;
    }
    check_size(follower, source, file);
}

/* The next file that has something to read, in turn. */
static bool
next_pending(struct sa_follower *follower, struct source **ret_source, struct file **ret_file)
{
    unsigned total = 0;

    for (unsigned s = 0; s < follower->n_sources; s++)
        total += follower->sources[s].n_files;
    for (unsigned tried = 0; tried <= total + follower->n_sources; tried++) {
        struct source *source = &follower->sources[follower->next_source % follower->n_sources];
        struct file *file;

        if (follower->next_file >= source->n_files) {
            follower->next_source = (follower->next_source + 1) % follower->n_sources;
            follower->next_file = 0;
            continue;
        }
        file = source->files[follower->next_file++];
        if (!file->pending || (file->before != NULL && file->before->pending))
            continue;
        *ret_source = source;
        *ret_file = file;
        return true;
    }
    return false;
}

static void
on_work(void *arg)
{
    struct sa_follower *follower = arg;
    struct source *source;
    struct file *file;

    if (follower->rescan_wanted) {
        follower->rescan_wanted = false;
        for (unsigned s = 0; s < follower->n_sources; s++)
            scan(follower, &follower->sources[s]);
    }
    if (follower->n_sources == 0 || !next_pending(follower, &source, &file))
        return;
    read_slice(follower, source, file);
    follower->events->read_some(follower->arg);
    sa_watch_activate(follower->work);
}

static void
on_grew(void *arg, int watch)
{
    struct sa_follower *follower = arg;

    for (unsigned s = 0; s < follower->n_sources; s++)
        for (unsigned i = 0; i < follower->sources[s].n_files; i++)
            if (follower->sources[s].files[i]->watch == watch)
                want_reading(follower, follower->sources[s].files[i]);
}

static void
on_rescan(void *arg)
{
    struct sa_follower *follower = arg;

    follower->rescan_wanted = true;
    sa_watch_activate(follower->work);
}

static void
on_poll(void *arg)
{
    struct sa_follower *follower = arg;

    for (unsigned s = 0; s < follower->n_sources; s++)
        for (unsigned i = 0; i < follower->sources[s].n_files; i++)
            check_size(follower, &follower->sources[s], follower->sources[s].files[i]);
    on_rescan(follower);
    sa_watch_arm(follower->poll, sa_watcher_text(follower->watcher) == NULL ? POLL_MS : POLL_ALONE_MS);
}

struct sa_follower *
sa_follower_new(struct sa_loop *loop, const struct sa_follow_events *events, void *arg)
{
    static const struct sa_watcher_events watcher_events = {on_grew, on_rescan};
    struct sa_follower *follower = calloc(1, sizeof *follower);

    if (follower == NULL)
        return NULL;
    follower->loop = loop;
    follower->events = events;
    follower->arg = arg;
    follower->slice = malloc(SLICE_BYTES);
    follower->watcher = sa_watcher_new(loop, &watcher_events, follower);
    follower->poll = sa_loop_timer(loop, on_poll, follower);
    follower->work = sa_loop_work(loop, on_work, follower);
    if (follower->slice == NULL || follower->watcher == NULL || follower->poll == NULL ||
        follower->work == NULL)
        return sa_follower_free(follower);
    sa_watch_arm(follower->poll, POLL_ALONE_MS);
    return follower;
}

struct sa_follower *
sa_follower_free(struct sa_follower *follower)
{
    if (follower == NULL)
        return NULL;
    for (unsigned s = 0; s < follower->n_sources; s++) {
        while (follower->sources[s].n_files > 0)
            close_file(follower, &follower->sources[s], follower->sources[s].n_files - 1);
        free(follower->sources[s].files);
    }
    free(follower->sources);
    (void)sa_watch_free(follower->poll);
    (void)sa_watch_free(follower->work);
    (void)sa_watcher_free(follower->watcher);
    free(follower->slice);
    free(follower);
    return NULL;
}

int
sa_follower_add(struct sa_follower *follower, char *const *globs, bool start_at_end)
{
    struct source *grown = realloc(follower->sources, (follower->n_sources + 1) * sizeof *grown), *source;

    if (grown == NULL)
        return -ENOMEM;
    follower->sources = grown;
    source = &grown[follower->n_sources];
    *source = (struct source){.globs = globs, .start_at_end = start_at_end};
    source->files = calloc(SA_FOLLOW_FILES, sizeof *source->files);
    if (source->files == NULL)
        return -ENOMEM;
    follower->n_sources++;
    scan(follower, source);
    return (int)follower->n_sources - 1;
}

void
sa_follower_status(const struct sa_follower *follower, unsigned number, struct sa_follow_status *status)
{
    const struct source *source = &follower->sources[number];

    *status = (struct sa_follow_status){.state = source->state,
                                        .rotations = source->rotations,
                                        .truncations = source->truncations,
                                        .n_files = source->n_files};
    (void)sa_text_copy(status->text, sizeof status->text, source->text);
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->size > source->files[i]->offset)
            status->backlog_bytes += (uint64_t)(source->files[i]->size - source->files[i]->offset);
    if (status->state == SA_SOURCE_FOLLOWING && status->backlog_bytes > BACKLOG_BYTES)
        status->state = SA_SOURCE_BACKLOG;
}

struct sa_follow_file
sa_follower_file(const struct sa_follower *follower, unsigned source, unsigned i)
{
    const struct file *file = follower->sources[source].files[i];

    return (struct sa_follow_file){file->path, file->gone_ms == 0 ? "following" : "rotated", file->offset,
                                   file->stream};
}

bool
sa_follower_busy(const struct sa_follower *follower)
{
    for (unsigned s = 0; s < follower->n_sources; s++)
        for (unsigned i = 0; i < follower->sources[s].n_files; i++)
            if (follower->sources[s].files[i]->pending)
                return true;
    return false;
}
