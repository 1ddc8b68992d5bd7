#include "followed.h"
#include "clock.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE_BYTES   262144
#define POLL_MS       5000 /* behind inotify */
#define POLL_ALONE_MS 1000 /* instead of inotify */
#define BACKLOG_BYTES (16 << 20)
#define RETURN_MS     4000
#define SCAN_TURN_MS  20 /* of a turn of the loop */

void
sa_follow_want_scan(struct sa_follower *follower)
{
    follower->rescan_wanted = true;
    sa_watch_activate(follower->work);
}

void
sa_follow_want_reading(struct sa_follower *follower, struct file *file)
{
    file->pending = true;
    sa_watch_activate(follower->work);
}

void
sa_follow_note(struct sa_follower *follower, const struct source *source, const char *format, ...)
{
    char text[SA_LONG_SIZE * 2], shown[SA_LONG_SIZE * 2];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)sa_text_escape(shown, sizeof shown, text, strlen(text));
    follower->events->note(follower->arg, (unsigned)(source - follower->sources), shown);
}

/* Whether the file's name leads to a file of another number with the same content: no disk has that. */
static bool
is_elsewhere(const struct file *file)
{
    int fd = sa_disk_open(file->path);
    struct stat status;
    bool elsewhere = fd != -1 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                     (status.st_ino != file->ino || status.st_dev != file->dev) && status.st_size > 0 &&
                     sa_same_beginning(fd, file->fd);

    if (fd != -1)
        (void)close(fd);
    return elsewhere;
}

/* Only the last lines are others: from the end of those that are left.  Returns whether it is so. */
static bool
step_back(struct sa_follower *follower, struct source *source, struct file *file)
{
    if (!sa_proof_step_back(file))
        return false;
    source->truncations++;
    follower->events->truncated(follower->arg, file->stream);
    sa_follow_want_reading(follower, file);
    return true;
}

/* What was taken is not there any more: from the start, then, after what a copy may hold of it. */
static void
start_over(struct sa_follower *follower, struct source *source, struct file *file)
{
    int64_t id = file->id;

    follower->took_some = true;
    if (!file->disk.by_content && is_elsewhere(file))
        sa_views_distrust(follower, source, file->path);
    if (step_back(follower, source, file))
        return;
    if (file->disk.by_content) {
        sa_views_part(follower, source, file);
        return;
    }
    source->truncations++;
    sa_copies_rest(follower, source, file);
    if (file->id == id)
        follower->events->truncated(follower->arg, file->stream);
    file->emptied = sa_position_end(file->fd) == 0;
    file->offset = 0;
    file->head_len = 0;
    file->marker_len = 0;
    file->resume = 0;
    file->resume_marker_len = 0;
    file->sealed.marker_len = 0;
    sa_proof_forget(file);
    file->late_until = 0;
    file->changed = true;
    if (sa_follow_has_family(source, file)) { /* perhaps a copy was written over an old generation */
        file->may_be_copy = true;
        file->born_ns = INT64_MAX;
    }
    sa_follow_want_reading(follower, file);
}

void
sa_follow_check(struct sa_follower *follower, struct source *source, struct file *file)
{
    bool doubted = file->doubt_ms != 0;

    if (sa_proof_gone(file)) {
        start_over(follower, source, file);
        return;
    }
    if (doubted == (file->doubt_ms != 0))
        return;
    if (!file->disk.by_content && ((doubted && sa_proof_has_line(file->marker, file->marker_len)) ||
                                   sa_disk_ends_early(file->fd))) /* the same bytes came back */
        sa_views_distrust(follower, source, file->path);
    sa_follow_judge(follower, source);
}

/* A number that changes while the file is open, or a size that ends before bytes that are there. */
static bool
contradicts(const struct file *file, const struct stat *status)
{
    if (file->disk.by_content || file->may_be_copy)
        return false;
    return status->st_ino != file->ino || status->st_dev != file->dev ||
           (status->st_size < file->offset && sa_proof_same(file->fd, file));
}

/* Looks at the size, which is a hint: more is to be read, less is a reason to compare. */
static void
check_size(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct stat status;

    if (file->inflater != NULL)
        return;
    if (fstat(file->fd, &status) == -1) {
        if (sa_disk_is_ill(-errno))
            sa_views_distrust(follower, source, file->path);
        return;
    }
    file->size = status.st_size;
    if (contradicts(file, &status))
        sa_views_distrust(follower, source, file->path);
    if ((file->size < file->offset || file->doubt_ms != 0) && !file->may_be_copy)
        sa_follow_check(follower, source, file);
    if (file->size != file->offset || file->disk.polled != NULL)
        sa_follow_want_reading(follower, file);
}

/* The last n bytes of what lies before p, which has at least that many before it. */
static size_t
keep_last(char *kept, const char *start, const char *p, size_t room)
{
    size_t n = (size_t)(p - start) < room ? (size_t)(p - start) : room;

    memcpy(kept, p - n, n);
    return n;
}

/*
 * Steps over the rest of a hole: NUL bytes that no block of the disk holds, as a writer leaves them who goes
 * on at its old place in a truncated file.
 */
static void
skip_hole(struct sa_follower *follower, struct file *file)
{
    off_t data = lseek(file->fd, file->offset, SEEK_DATA);

    if (data == -1 && errno == ENXIO) /* a hole to the end */
        data = file->size;
    if (data <= file->offset)
        return;
    follower->events->hole(follower->arg, file->stream, data - file->offset);
    file->offset = data;
    memset(file->marker, 0, MARKER_BYTES);
    file->marker_len = MARKER_BYTES;
    file->resume = data;
    memset(file->resume_marker, 0, MARKER_BYTES);
    file->resume_marker_len = MARKER_BYTES;
}

/* The slice begins with the marker; what is behind it is new. */
static void
take_slice(struct sa_follower *follower, struct file *file, size_t len)
{
    size_t old = file->marker_len, fresh = len - old, held;
    const char *start = follower->slice, *end = start + len;
    bool late = file->offset < file->late_until;

    if (file->head_len < HEAD_BYTES && file->offset == (int64_t)file->head_len) {
        size_t n = fresh < HEAD_BYTES - file->head_len ? fresh : HEAD_BYTES - file->head_len;

        memcpy(file->head + file->head_len, start + old, n);
        file->head_len += n;
    }
    follower->took_some = true;
    held = follower->events->bytes(follower->arg, file->stream, start + old, fresh, late);
    file->offset += (int64_t)fresh;
    if (held < fresh) {
        file->resume = file->offset - (int64_t)held;
        file->resume_marker_len = keep_last(file->resume_marker, start, end - held, MARKER_BYTES);
    }
    file->marker_len = keep_last(file->marker, start, end, MARKER_BYTES);
    sa_proof_pass(file, end, len);
    if (file->size < file->offset)
        file->size = file->offset;
    file->seen_ms = sa_clock_now().wall_ms;
    file->changed = true;
    if (held == 0 && fresh > 4096 && start[old] == '\0' && end[-1] == '\0' && file->inflater == NULL)
        skip_hole(follower, file);
}

static void
read_failed(struct sa_follower *follower, struct source *source, struct file *file, int error)
{
    file->pending = false;
    file->error = -error; /* the poll tries again */
    if (sa_disk_is_ill(-error))
        sa_views_distrust(follower, source, file->path);
    sa_follow_judge(follower, source);
}

static void
note_end(struct sa_follower *follower, struct source *source, struct file *file, int error)
{
    if (error != 0 && !file->cut)
        sa_follow_note(follower, source,
                       error == -ENODATA ? "%s is cut off, its rest is read when it comes"
                                         : "%s is damaged, its rest is missing until it is replaced",
                       file->path);
    file->cut = error != 0;
}

/* From an inflater's pipe: the content cannot change, and its end is the end. */
static void
read_pipe(struct sa_follower *follower, struct source *source, struct file *file)
{
    ssize_t n;

    memcpy(follower->slice, file->marker, file->marker_len);
    n = read(file->fd, follower->slice + file->marker_len, SLICE_BYTES);
    if (n > 0 && sa_history_spend(follower, source, file, n)) {
        take_slice(follower, file, file->marker_len + (size_t)n);
    } else if (n > 0) {
        file->pending = false;
    } else if (n == -1 && errno == EAGAIN) {
        file->blocked = true;
        sa_watch_resume(file->readable);
    } else if (n == 0) {
        file->pending = false;
        note_end(follower, source, file, sa_inflater_error(file->inflater));
        if (source->names_changed) /* another may have its place now */
            sa_follow_want_scan(follower);
    } else if (errno != EINTR) {
        read_failed(follower, source, file, errno);
    }
}

#define SHORT_READ 512 /* regular files give less only at their end, or when something is wrong below */

/* Reads past the marker, or to the end of the file: a read may be short.  Returns the bytes, or -1. */
static ssize_t
read_past(const struct file *file, char *buf, size_t room)
{
    int64_t start = file->offset - (int64_t)file->marker_len;
    size_t len = 0;
    ssize_t n;

    do {
        n = sa_disk_read(file->fd, buf + len, room - len, start + (int64_t)len);
        if (n == -1)
            return -1;
        len += (size_t)n;
    } while (n != 0 && len < room && (len <= file->marker_len || n < SHORT_READ));
    return (ssize_t)len;
}

/* Whether the marker says where the file's new bytes begin. */
static bool
is_trusted(const struct file *file)
{
    return file->doubt_ms == 0 && file->sealed.marker_len == 0;
}

/*
 * Whether the slice, n bytes that begin with the marker, is of what was read before.  What it begins with is
 * compared once more after the reading: between two reads of one slice the log may have been truncated and
 * written anew.  Returns 1 or 0, or -errno where that could not be read: then nothing is known of the slice.
 */
static int
goes_on(const struct file *file, const char *slice, ssize_t n)
{
    size_t len = (size_t)n < MARKER_BYTES ? (size_t)n : MARKER_BYTES;
    char again[MARKER_BYTES];
    ssize_t r;

    if (!is_trusted(file) || (size_t)n < file->marker_len ||
        memcmp(slice, file->marker, file->marker_len) != 0)
        return 0;
    r = sa_position_read(file->fd, again, len, file->offset - (int64_t)file->marker_len);
    if (r < 0)
        return (int)r;
    return r == (ssize_t)len && memcmp(again, slice, len) == 0;
}

/*
 * The file was truncated to nothing, and now it has bytes.  The old ones, if its disk lied; if it shows only
 * some of these, that is waited for: a log without times may well begin with the same lines again.
 */
static bool
came_back(struct sa_follower *follower, struct source *source, struct file *file)
{
    enum return_ came = file->disk.by_content ? RETURN_NO : sa_views_came_back(source, file);
    int64_t now_ms = sa_clock_now().mono_ms;

    if (file->shown_ms == 0 || came != RETURN_PART)
        file->shown_ms = now_ms;
    if (came == RETURN_PART && now_ms - file->shown_ms < RETURN_MS) {
        file->pending = false;
        return true;
    }
    if (came == RETURN_WHOLE) {
        sa_views_distrust(follower, source, file->path);
        sa_follow_want_reading(follower, file);
    }
    file->emptied = sa_position_end(file->fd) == 0;
    file->shown_ms = 0;
    return file->disk.by_content;
}

void
sa_follow_read(struct sa_follower *follower, struct source *source, struct file *file)
{
    size_t marker_len = file->marker_len, room = SLICE_BYTES;
    bool trusted = is_trusted(file);
    ssize_t n;
    int kept;

    if (file->emptied && came_back(follower, source, file))
        return;

    if (file->late_until > file->offset && file->late_until - file->offset < (int64_t)room)
        room = (size_t)(file->late_until - file->offset); /* a slice is late as a whole or not at all */
    n = read_past(file, follower->slice, marker_len + room);
    kept = n == -1 ? -errno : goes_on(file, follower->slice, n);
    if (kept < 0) {
        read_failed(follower, source, file, -kept);
        return;
    }
    if (file->error != 0) {
        file->error = 0;
        sa_follow_judge(follower, source);
    }
    if (kept && (size_t)n > marker_len) {
        take_slice(follower, file, (size_t)n);
        return;
    }
    file->pending = false;
    if (kept)
        return;
    sa_follow_check(follower, source, file);
    if (!trusted && is_trusted(file) && (size_t)n > marker_len)
        sa_follow_want_reading(follower, file);
}

/* The file that took the place of another which is deleted: perhaps the same content in a new file. */
static void
follow_rewritten(struct sa_follower *follower, const struct source *source, struct file *file)
{
    struct file *before = file->before;
    struct sa_position had = sa_position_of(before, true);
    struct stat status;

    file->before = NULL;
    if (file->offset != 0 || before->inflater != NULL || had.offset == 0 ||
        fstat(before->fd, &status) == -1 || status.st_nlink != 0 ||
        sa_position_match(file->fd, &had) != MATCH_SAME)
        return;
    sa_copies_take_over(file, before);
    before->discarded = true; /* two positions with the same past would be mistaken for each other */
    sa_position_forget(follower, source, before->id);
    sa_follow_want_reading(follower, file);
}

/* The next file that has something to read, in turn; what it replaced comes first. */
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
        if (!file->pending || file->blocked || (file->before != NULL && file->before->pending))
            continue;
        *ret_source = source;
        *ret_file = file;
        return true;
    }
    return false;
}

/* Whether it is time for a scan: a quarter of the time at most goes into scans. */
static bool
begin_scan(struct sa_follower *follower, int64_t now_ms)
{
    if (now_ms < follower->scan_after_ms) {
        if (!follower->scan_due) /* the poll comes later */
            sa_watch_arm(follower->poll, follower->scan_after_ms - now_ms);
        follower->scan_due = true;
        return false;
    }
    follower->rescan_wanted = follower->scan_due = false;
    follower->scan_source = 0;
    follower->scan_spent_ms = 0;
    return true;
}

/* A turn's part of a scan: all of it, unless there are very many names. */
static void
scan_some(struct sa_follower *follower)
{
    int64_t begin_ms = sa_clock_now().mono_ms, now_ms = begin_ms;

    if (!follower->scanning && !begin_scan(follower, begin_ms))
        return;
    follower->scanning = true;
    while (follower->scan_source < follower->n_sources && now_ms - begin_ms < SCAN_TURN_MS) {
        if (sa_follow_scan(follower, &follower->sources[follower->scan_source]))
            follower->scan_source++;
        now_ms = sa_clock_now().mono_ms;
    }
    follower->scan_spent_ms += now_ms - begin_ms;
    follower->scanning = follower->scan_source < follower->n_sources;
    follower->scan_after_ms = now_ms + 3 * follower->scan_spent_ms;
    if (follower->scanning)
        sa_watch_activate(follower->work);
}

static void
on_work(void *arg)
{
    struct sa_follower *follower = arg;
    struct source *source;
    struct file *file;

    follower->took_some = false;
    if (follower->rescan_wanted || follower->scanning)
        scan_some(follower);
    if (follower->n_sources == 0 || !next_pending(follower, &source, &file)) {
        if (follower->took_some)
            follower->events->read_some(follower->arg);
        return;
    }
    follower->took_some = follower->took_some || file->may_be_copy || file->before != NULL;
    if (file->may_be_copy)
        sa_copies_judge(follower, source, file);
    else if (file->before != NULL)
        follow_rewritten(follower, source, file);
    else if (file->inflater != NULL)
        read_pipe(follower, source, file);
    else
        sa_follow_read(follower, source, file);
    if (follower->took_some)
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
    sa_follow_want_scan(arg);
}

static void
on_poll(void *arg)
{
    struct sa_follower *follower = arg;
    bool alone = sa_watcher_text(follower->watcher) != NULL;

    for (unsigned s = 0; s < follower->n_sources; s++)
        for (unsigned i = 0; i < follower->sources[s].n_files; i++) {
            struct file *file = follower->sources[s].files[i];

            if (file->error != 0) /* whether it still is so shows the next read */
                sa_follow_want_reading(follower, file);
            check_size(follower, &follower->sources[s], file);
            alone = alone || file->disk.polled != NULL || file->doubt_ms != 0 || file->shown_ms != 0 ||
                    file->before != NULL;
        }
    on_rescan(follower);
    sa_watch_arm(follower->poll, alone ? POLL_ALONE_MS : POLL_MS);
}

struct sa_follower *
sa_follower_new(struct sa_loop *loop, const struct sa_source_events *events, void *arg)
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
        struct source *source = &follower->sources[s];

        while (source->n_files > 0)
            sa_follow_close_file(follower, source, source->n_files - 1);
        while (source->n_ghosts > 0)
            sa_ghost_remove(source, &source->ghosts[0]);
        sa_left_free(source);
        sa_listing_free(source);
        free(source->files);
        free(source->ghosts);
    }
    free(follower->sources);
    free(follower->forgotten);
    (void)sa_watch_free(follower->poll);
    (void)sa_watch_free(follower->work);
    (void)sa_watcher_free(follower->watcher);
    free(follower->slice);
    free(follower);
    return NULL;
}

int
sa_follower_add(struct sa_follower *follower, const struct sa_follow_options *options)
{
    struct source *grown = realloc(follower->sources, (follower->n_sources + 1) * sizeof *grown), *source;

    if (grown == NULL)
        return -ENOMEM;
    follower->sources = grown;
    source = &grown[follower->n_sources];
    *source = (struct source){.options = *options};
    source->files = calloc(SA_FOLLOW_FILES, sizeof *source->files);
    if (source->files == NULL)
        return -ENOMEM;
    return (int)follower->n_sources++;
}

int
sa_follower_restore(struct sa_follower *follower, unsigned source, const struct sa_position *position)
{
    struct source *target = &follower->sources[source];
    int r;

    target->options.known = true;
    if (position->path[0] == '\0')
        return sa_left_add(target, position);
    r = sa_ghost_add(target, position, false);

    /* Without a place in the file system it was lost in the earlier life, and its copy is still not to be
     * counted: that one has no position of its own if it was only recognised. */
    if (r == 0 && !position->open && position->dev == 0 && position->ino == 0)
        target->ghosts[target->n_ghosts - 1].lost = true;
    return r;
}

void
sa_follower_recall(struct sa_follower *follower, unsigned number, uint64_t rotations, uint64_t truncations,
                   int64_t distrusted_ms)
{
    struct source *source = &follower->sources[number];

    source->rotations = rotations;
    source->truncations = truncations;
    if (distrusted_ms != 0 && sa_clock_now().wall_ms - distrusted_ms < source->options.backfill_max_age_ms)
        source->distrusted_ms = distrusted_ms;
}

int64_t
sa_follower_behind_ms(const struct sa_follower *follower, unsigned number)
{
    const struct source *source = &follower->sources[number];

    return source->scanned && source->names_changed ? source->scanned_ms : 0;
}

void
sa_follower_set_last_id(struct sa_follower *follower, int64_t last_id)
{
    follower->last_id = last_id;
}

int64_t
sa_follower_last_id(const struct sa_follower *follower)
{
    return follower->last_id;
}

void
sa_follower_start(struct sa_follower *follower)
{
    for (unsigned s = 0; s < follower->n_sources; s++)
        while (!sa_follow_scan(follower, &follower->sources[s]))
            continue;
}

void
sa_follower_status(const struct sa_follower *follower, unsigned number, struct sa_source_status *status)
{
    const struct source *source = &follower->sources[number];

    *status = (struct sa_source_status){
        .state = source->state,
        .error = source->error,
        .rotations = source->rotations,
        .truncations = source->truncations,
        .distrusted_ms = source->distrusted_ms,
        .behind_ms = sa_follower_behind_ms(follower, number),
        .n_files = source->n_files,
    };
    (void)sa_text_copy(status->text, sizeof status->text, source->text);
    for (unsigned i = 0; i < source->n_files; i++) {
        const struct file *file = source->files[i];
        struct stat now;

        if (!file->may_be_copy && file->inflater == NULL && fstat(file->fd, &now) == 0 &&
            now.st_size > file->offset)
            status->backlog_bytes += (uint64_t)(now.st_size - file->offset);
    }
    if (status->state == SA_SOURCE_FOLLOWING && status->backlog_bytes > BACKLOG_BYTES)
        status->state = SA_SOURCE_BACKLOG;
}

static const char *
state_of(const struct file *file)
{
    if (file->inflater != NULL)
        return "back-fill";
    if (file->copy_of != NULL)
        return "copy";
    return file->gone_ms == 0 ? "following" : "rotated";
}

struct sa_source_file
sa_follower_file(const struct sa_follower *follower, unsigned source, unsigned i)
{
    const struct file *file = follower->sources[source].files[i];

    return (struct sa_source_file){file->path, state_of(file), file->offset, file->stream};
}

void
sa_follower_positions(struct sa_follower *follower, bool all, const struct sa_position_sink *sink)
{
    for (unsigned s = 0; s < follower->n_sources; s++) {
        struct source *source = &follower->sources[s];

        for (unsigned i = 0; i < source->n_files; i++) {
            struct sa_position position = sa_position_of(source->files[i], false);

            if ((all || source->files[i]->changed) && !source->files[i]->may_be_copy &&
                !source->files[i]->discarded)
                sink->keep(sink->arg, s, &position, source->files[i]->stream);
            source->files[i]->changed = source->files[i]->may_be_copy;
        }
        sa_left_positions(source, s, all, sink);
        for (unsigned i = 0; i < source->n_ghosts; i++) {
            if (all || source->ghosts[i].changed)
                sink->keep(sink->arg, s, &source->ghosts[i].position, NULL);
            source->ghosts[i].changed = false;
        }
    }
    for (size_t i = 0; i < follower->n_forgotten; i++)
        sink->gone(sink->arg, follower->forgotten[i].source, follower->forgotten[i].id);
    follower->n_forgotten = 0;
}
