#include "followed.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE_BYTES   262144
#define POLL_MS       5000 /* behind inotify */
#define POLL_ALONE_MS 1000 /* instead of inotify */
#define BACKLOG_BYTES (16 << 20)

void
sa_follow_set_state(struct sa_follower *follower, struct source *source, enum sa_source_state state,
                    const char *text)
{
    if (source->state == state && strcmp(source->text, text) == 0)
        return;
    source->state = state;
    (void)sa_text_copy(source->text, sizeof source->text, text);
    follower->events->state(follower->arg, (unsigned)(source - follower->sources));
}

void
sa_follow_want_reading(struct sa_follower *follower, struct file *file)
{
    file->pending = true;
    sa_watch_activate(follower->work);
}

/* What was taken is not there any more: from the start, then. */
static void
start_over(struct sa_follower *follower, struct source *source, struct file *file)
{
    source->truncations++;
    file->offset = 0;
    file->marker_len = 0;
    follower->events->truncated(follower->arg, file->stream);
    sa_follow_want_reading(follower, file);
}

/* Looks at the size: growth is read, shrinking is a truncation. */
static void
check_size(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct stat status;

    if (fstat(file->fd, &status) == -1)
        return;
    file->size = status.st_size;
    if (file->size < file->offset)
        start_over(follower, source, file);
    else if (file->size > file->offset)
        sa_follow_want_reading(follower, file);
}

/* The slice begins with the marker; what is behind it is new. */
static void
take_slice(struct sa_follower *follower, struct file *file, size_t len)
{
    size_t old = file->marker_len;

    file->marker_len = len < MARKER_BYTES ? len : MARKER_BYTES;
    memcpy(file->marker, follower->slice + len - file->marker_len, file->marker_len);
    file->offset += (int64_t)(len - old);
    if (file->size < file->offset)
        file->size = file->offset;
    follower->events->bytes(follower->arg, file->stream, follower->slice + old, len - old);
}

static void
read_slice(struct sa_follower *follower, struct source *source, struct file *file)
{
    size_t marker_len = file->marker_len;
    ssize_t n =
        pread(file->fd, follower->slice, marker_len + SLICE_BYTES, file->offset - (int64_t)marker_len);
    char shown[SA_LONG_SIZE], text[SA_LONG_SIZE];

    if (n == -1 && errno == EINTR)
        return;
    if (n == -1) {
        file->pending = false;
        (void)sa_text_escape(shown, sizeof shown, file->path, strlen(file->path));
        (void)sa_text_format(text, sizeof text, "%s: %s", shown, strerror(errno));
        sa_follow_set_state(follower, source, SA_SOURCE_FAILED, text); /* the poll tries again */
        return;
    }
    if ((size_t)n >= marker_len && memcmp(follower->slice, file->marker, marker_len) != 0) {
        start_over(follower, source, file);
    } else if ((size_t)n > marker_len) {
        take_slice(follower, file, (size_t)n);
    } else {
        file->pending = false;
        check_size(follower, source, file);
    }
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
            sa_follow_scan(follower, &follower->sources[s]);
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
                sa_follow_want_reading(follower, follower->sources[s].files[i]);
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
    follower->slice = malloc(MARKER_BYTES + SLICE_BYTES);
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
            sa_follow_close_file(follower, &follower->sources[s], follower->sources[s].n_files - 1);
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
    sa_follow_scan(follower, source);
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
