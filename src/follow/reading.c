#include "reading.h"
#include "answers.h"
#include "budget.h"
#include "checking.h"
#include "clock.h"
#include "decide.h"
#include "distrust.h"
#include "files.h"
#include "positions.h"
#include "proof.h"
#include "source_state.h"
#include "views.h"
#include "wakes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SLICE_BYTES (SA_READING_ROOM - MARKER_BYTES)
#define RETURN_MS   4000

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
    sa_follow_rest(file);
    file->error = -error; /* the poll tries again */
    if (sa_disk_is_ill(-error))
        sa_distrust_source(follower, source, file->path);
    sa_source_state_tell(follower, source);
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

/* The pipe is done, or was cut off. */
static void
end_pipe(struct sa_follower *follower, struct source *source, struct file *file)
{
    sa_follow_rest(file);
    note_end(follower, source, file, sa_inflater_error(file->inflater));
    if (source->names_changed) /* another may have its place now */
        sa_follow_want_scan(follower);
}

/* What is not read counts as read: it is not begun again after a restart. */
static void
give_up_rest(struct sa_follower *follower, struct source *source, struct file *file)
{
    sa_budget_spend(source, sa_budget_left(source));
    sa_follow_rest(file);
    file->offset = file->resume = INT64_MAX / 2;
    file->marker_len = file->resume_marker_len = 0;
    file->changed = true;
    sa_follow_note(follower, source, "%s is not read on: more than backfill_max_bytes", file->path);
}

void
sa_reading_take_pipe(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct facts facts = {0};
    ssize_t n;

    memcpy(follower->slice, file->marker, file->marker_len);
    n = read(file->fd, follower->slice + file->marker_len, SLICE_BYTES);
    if (n == -1 && errno == EINTR)
        return;
    facts.got = n > 0 ? GOT_MORE : n == 0 ? GOT_NOTHING : errno == EAGAIN ? GOT_LATER : GOT_ERROR;
    facts.affordable = n > 0 && n <= sa_budget_left(source);
    switch (sa_decide(sa_file_state(file), EVENT_PIPE, &facts)) {
    case ACT_TAKE:
        sa_budget_spend(source, n);
        take_slice(follower, file, file->marker_len + (size_t)n);
        break;
    case ACT_GIVE_UP:
        give_up_rest(follower, source, file);
        break;
    case ACT_BLOCK:
        sa_follow_block(file);
        sa_watch_resume(file->readable);
        break;
    case ACT_END:
        end_pipe(follower, source, file);
        break;
    default:
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

/*
 * What the slice, n bytes that begin with the marker, says of what was read before.  What it begins with is
 * compared once more after the reading: between two reads of one slice the log may have been truncated and
 * written anew.  GOT_ERROR, with errno: that could not be read, and nothing is known of the slice.
 */
static enum got
look_at_slice(const struct file *file, const char *slice, ssize_t n)
{
    size_t len = (size_t)n < MARKER_BYTES ? (size_t)n : MARKER_BYTES;
    char again[MARKER_BYTES];
    ssize_t r;

    if (n == -1)
        return GOT_ERROR;
    if (!sa_file_is_trusted(file) || (size_t)n < file->marker_len ||
        memcmp(slice, file->marker, file->marker_len) != 0)
        return GOT_OTHER;
    r = sa_disk_read_whole(file->fd, again, len, file->offset - (int64_t)file->marker_len);
    if (r < 0) {
        errno = (int)-r;
        return GOT_ERROR;
    }
    if (r != (ssize_t)len || memcmp(again, slice, len) != 0)
        return GOT_OTHER;
    return (size_t)n > file->marker_len ? GOT_MORE : GOT_NOTHING;
}

/* The file was truncated to nothing: its first bytes say whether its disk lied.  Returns what is done now. */
static enum action
settle_return(struct sa_follower *follower, struct source *source, struct file *file)
{
    int64_t now_ms = sa_clock_now().mono_ms;
    struct facts facts = {.by_content = file->disk.by_content};
    enum action action;

    facts.came = facts.by_content ? RETURN_NO : sa_views_came_back(source, file);
    if (file->shown_ms == 0 || facts.came != RETURN_PART)
        file->shown_ms = now_ms;
    facts.waited = now_ms - file->shown_ms >= RETURN_MS;
    action = sa_decide(sa_file_state(file), EVENT_RETURNED, &facts);
    if (action == ACT_REST) {
        sa_follow_rest(file);
        return action;
    }
    if (action == ACT_DISTRUST) {
        sa_distrust_source(follower, source, file->path);
        sa_follow_want_reading(follower, file);
    }
    file->emptied = sa_position_end(file->fd) == 0;
    file->shown_ms = 0;
    return action;
}

/* How much is wanted: a slice is late as a whole or not at all. */
static size_t
room_for(const struct file *file)
{
    int64_t late = file->late_until - file->offset;

    return late > 0 && late < SLICE_BYTES ? (size_t)late : SLICE_BYTES;
}

static void
compare(struct sa_follower *follower, struct source *source, struct file *file, bool has_more)
{
    bool trusted = sa_file_is_trusted(file);

    sa_follow_rest(file);
    sa_checking_compare(follower, source, file);
    if (!trusted && sa_file_is_trusted(file) && has_more)
        sa_follow_want_reading(follower, file);
}

static void
take(struct sa_follower *follower, struct source *source, struct file *file)
{
    ssize_t n = read_past(file, follower->slice, file->marker_len + room_for(file));
    struct facts facts = {.got = look_at_slice(file, follower->slice, n)};
    enum action action = sa_decide(sa_file_state(file), EVENT_SLICE, &facts);

    if (action == ACT_FAIL) {
        read_failed(follower, source, file, errno);
        return;
    }
    if (file->error != 0) {
        file->error = 0;
        sa_source_state_tell(follower, source);
    }
    if (action == ACT_TAKE)
        take_slice(follower, file, (size_t)n);
    else if (action == ACT_CHECK)
        compare(follower, source, file, (size_t)n > file->marker_len);
    else
        sa_follow_rest(file);
}

void
sa_reading_take(struct sa_follower *follower, struct source *source, struct file *file)
{
    if (!file->emptied || settle_return(follower, source, file) == ACT_READ)
        take(follower, source, file);
}
