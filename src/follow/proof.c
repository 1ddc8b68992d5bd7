#include "proof.h"
#include "clock.h"
#include "positions.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define DOUBT_MS 4000 /* a file that shows less than was read of it for so long was truncated */

enum proof
sa_proof_of_position(int fd, const struct sa_position *position)
{
    switch (sa_position_match(fd, position)) {
    case MATCH_NONE:
        return PROOF_GONE;
    case MATCH_UNKNOWN:
        return PROOF_UNREADABLE;
    case MATCH_BEGUN:
    case MATCH_SHORT:
        return PROOF_SHORT;
    case MATCH_SAME:
        break;
    }
    return PROOF_KEPT;
}

/* Whether the bytes at the offset, as far as the file has them, are the ones that are remembered. */
static enum proof
compare(int fd, const char *known, size_t len, int64_t offset)
{
    char bytes[HEAD_BYTES > MARKER_BYTES ? HEAD_BYTES : MARKER_BYTES];
    ssize_t n = sa_disk_read_whole(fd, bytes, len, offset);

    if (n < 0)
        return PROOF_UNREADABLE;
    if (memcmp(bytes, known, (size_t)n) != 0)
        return PROOF_GONE;
    return (size_t)n == len ? PROOF_KEPT : PROOF_SHORT;
}

/* What the file shows of its beginning and of the places that were marked on the way. */
static enum proof
look_before(int fd, const struct file *file)
{
    enum proof proof = compare(fd, file->head, file->head_len, 0);

    for (unsigned i = 0; i < file->n_waypoints && proof == PROOF_KEPT; i++)
        proof =
            compare(fd, file->waypoints[i].bytes, WAYPOINT_BYTES, file->waypoints[i].offset - WAYPOINT_BYTES);
    return proof == PROOF_KEPT ? PROOF_SHORT : proof;
}

enum proof
sa_proof_look(int fd, const struct file *file)
{
    enum proof proof;

    if (file->sealed.marker_len > 0)
        return sa_proof_of_position(fd, &file->sealed);
    proof = compare(fd, file->marker, file->marker_len, file->offset - (int64_t)file->marker_len);
    return proof == PROOF_SHORT ? look_before(fd, file) : proof;
}

void
sa_proof_unseal(struct file *file)
{
    if (file->sealed.marker_len == 0)
        return;
    file->sealed.marker_len = 0;
    sa_position_load(file);
}

/*
 * Whether a file that shows less than was read of it was truncated: its size says so too, and it stays so.
 * On a local disk an empty file is believed at once; should it lie, that shows with its next bytes.  Where a
 * file is known by its content only an empty one is believed: what a longer one shows will differ from what
 * was read as soon as something else is written to it.
 */
bool
sa_proof_is_believed(const struct file *file, int64_t now_ms)
{
    struct stat status;

    if (fstat(file->fd, &status) == -1 || status.st_size >= file->offset)
        return false;
    if (status.st_size == 0 && !file->disk.by_content)
        return true;
    if (file->doubt_ms == 0 || now_ms - file->doubt_ms < DOUBT_MS)
        return false;
    return status.st_size == 0 || (!file->disk.by_content && file->offset > file->believed_until);
}

bool
sa_proof_may_be_lost(const struct file *file)
{
    switch (sa_proof_look(file->fd, file)) {
    case PROOF_KEPT:
        return false;
    case PROOF_GONE:
        return true;
    case PROOF_SHORT:
        return !file->disk.by_content || sa_proof_is_believed(file, sa_clock_now().mono_ms);
    case PROOF_UNREADABLE:
        break;
    }
    return file->doubt_ms != 0 && !file->disk.by_content;
}

bool
sa_proof_has_line(const char *bytes, size_t len)
{
    return len == MARKER_BYTES || memchr(bytes, '\n', len) != NULL;
}

bool
sa_proof_same(int fd, const struct file *file)
{
    if (file->sealed.marker_len == 0 && !sa_proof_has_line(file->marker, file->marker_len))
        return false;
    return sa_proof_look(fd, file) == PROOF_KEPT;
}

void
sa_proof_pass(struct file *file, const char *end, size_t len)
{
    struct waypoint *last = &file->waypoints[file->n_waypoints - (file->n_waypoints > 0)];

    if (len < WAYPOINT_BYTES || file->offset < HEAD_BYTES + WAYPOINT_BYTES ||
        (file->n_waypoints > 0 && file->offset - last->offset < file->waypoint_step))
        return;
    if (file->n_waypoints == WAYPOINTS) { /* every second one goes, and the next are twice as far apart */
        for (unsigned i = 0; i < WAYPOINTS / 2; i++)
            file->waypoints[i] = file->waypoints[2 * i + 1];
        file->n_waypoints = WAYPOINTS / 2;
        file->waypoint_step *= 2;
    }
    if (file->waypoint_step == 0)
        file->waypoint_step = HEAD_BYTES;
    last = &file->waypoints[file->n_waypoints++];
    last->offset = file->offset;
    memcpy(last->bytes, end - WAYPOINT_BYTES, WAYPOINT_BYTES);
}

/*
 * The end of the last complete line of the bytes, or 0.  Two equal lines at the end say nothing about whether
 * others came after them: a file that was truncated and written again may have them too.
 */
static size_t
end_of_known_lines(const char *bytes, size_t len)
{
    const char *last = memrchr(bytes, '\n', len), *middle, *first;
    size_t last_len, middle_len;

    middle = last == NULL ? NULL : memrchr(bytes, '\n', (size_t)(last - bytes));
    first = middle == NULL ? NULL : memrchr(bytes, '\n', (size_t)(middle - bytes));
    if (first == NULL)
        return 0;
    last_len = (size_t)(last - middle);
    middle_len = (size_t)(middle - first);
    if (last_len == middle_len && memcmp(middle, first, last_len) == 0)
        return 0;
    return (size_t)(last - bytes) + 1;
}

/* The offset behind the last line that the marker and the file have in common, or 0. */
static int64_t
end_in_marker(const struct file *file)
{
    int64_t start = file->offset - (int64_t)file->marker_len;
    char bytes[MARKER_BYTES];
    ssize_t n = sa_disk_read_whole(file->fd, bytes, file->marker_len, start);
    size_t same = 0, end;

    while ((ssize_t)same < n && bytes[same] == file->marker[same])
        same++;
    end = end_of_known_lines(bytes, same);
    return end == 0 ? 0 : start + (int64_t)end;
}

int64_t
sa_proof_common_end(const struct file *file)
{
    int64_t end = file->sealed.marker_len > 0 ? file->sealed_end : end_in_marker(file);

    return end == 0 || compare(file->fd, file->head, file->head_len, 0) == PROOF_GONE ? 0 : end;
}

/* What the file shows behind a whole head that is the same is taken for what was read there. */
void
sa_proof_seal(struct file *file, const struct sa_position *past)
{
    int64_t start = past->offset - past->marker_len;
    char bytes[MARKER_BYTES];
    ssize_t n = sa_disk_read_whole(file->fd, bytes, (size_t)past->marker_len, start);
    size_t end = file->head_len < HEAD_BYTES || n <= 0 ? 0 : end_of_known_lines(bytes, (size_t)n);

    file->sealed = *past;
    file->sealed.path = "";
    file->sealed_end = end == 0 ? 0 : start + (int64_t)end;
}

void
sa_proof_step_back(struct file *file, int64_t end)
{
    file->offset = end;
    file->sealed.marker_len = 0;
    sa_proof_forget(file);
    sa_position_load(file);
    file->changed = true;
}

void
sa_proof_forget(struct file *file)
{
    file->n_waypoints = 0;
    file->waypoint_step = 0;
    file->doubt_ms = 0;
}
