#include "recognise.h"
#include "answers.h"
#include "family_name.h"
#include "files.h"
#include "index.h"
#include "positions.h"
#include "views.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLACK_MS 1000 /* file systems stamp with a coarser clock than ours */

/* Whether the open candidate holds what was read up to the position; that it cannot be read is noted. */
static bool
matches(struct candidate *candidate, const struct sa_position *position)
{
    enum match match = sa_position_match(candidate->fd, position);

    candidate->unreadable = candidate->unreadable || match == MATCH_UNKNOWN;
    return match == MATCH_SAME;
}

bool
sa_candidate_is_file(struct candidate *candidate, const struct sa_position *past)
{
    int fd;

    if (past->ino != (int64_t)candidate->status.st_ino || past->dev != (int64_t)candidate->status.st_dev ||
        candidate->kind != SA_PLAIN)
        return false;
    fd = sa_candidate_fd(candidate);
    return fd != -1 && past->generation == sa_position_generation(fd) && matches(candidate, past);
}

/* A compressed file that is being inflated has its place in the file system too. */
static bool
is_inflated(const struct source *source, const struct candidate *candidate)
{
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->inflater != NULL &&
            source->files[i]->packed.st_ino == candidate->status.st_ino &&
            source->files[i]->packed.st_dev == candidate->status.st_dev)
            return true;
    return false;
}

struct file *
sa_candidate_file(const struct source *source, struct candidate *candidate)
{
    int fd = -1;
    struct file *file = sa_index_find(source, candidate->status.st_dev, candidate->status.st_ino);

    if (file == NULL && source->n_by_content > 0 && candidate->kind == SA_PLAIN)
        fd = sa_candidate_fd(candidate);
    return fd == -1 ? file : sa_views_file(source, fd, candidate->path, candidate->path);
}

bool
sa_candidate_is_view(const struct source *source, struct candidate *candidate)
{
    int fd = candidate->kind != SA_PLAIN || (source->n_by_content == 0 && source->distrusted_ms == 0)
                 ? -1
                 : sa_candidate_fd(candidate);

    return fd != -1 && (source->distrusted_ms != 0 || sa_disk_of(fd).by_content);
}

bool
sa_candidate_is_known(const struct source *source, struct candidate *candidate)
{
    bool known = sa_candidate_file(source, candidate) != NULL || is_inflated(source, candidate);

    for (unsigned i = 0; i < source->n_ghosts && !known; i++)
        known =
            !source->ghosts[i].position.open && sa_candidate_is_file(candidate, &source->ghosts[i].position);
    return known;
}

/* Inflating takes time, and there are many files to compare with.  Returns the length. */
static size_t
load_head(struct candidate *candidate)
{
    int fd = sa_candidate_fd(candidate);

    if (candidate->head != NULL || fd == -1)
        return candidate->head_len;
    candidate->head = malloc(HEAD_BYTES);
    if (candidate->head != NULL)
        candidate->head_len = sa_inflate_head(fd, candidate->kind, candidate->head, HEAD_BYTES);
    return candidate->head_len;
}

bool
sa_candidate_begins(struct candidate *candidate, const struct sa_position *position)
{
    size_t len = (size_t)position->head_len;

    return len > 0 && load_head(candidate) >= len &&
           sa_position_hash(candidate->head, len) == position->head_hash;
}

bool
sa_candidate_holds(struct candidate *candidate, const struct sa_position *position)
{
    return sa_candidate_fd(candidate) != -1 && matches(candidate, position);
}

/*
 * Whether the candidate holds no more than what was read up to the ghost's position, and is no younger.  A
 * plain file can be that only as a copy of a log that was truncated then: another generation may well begin
 * with the same lines.
 */
static bool
is_part_of(struct candidate *candidate, const struct ghost *ghost)
{
    const struct sa_position *past = &ghost->position;
    int fd;

    if ((candidate->kind == SA_PLAIN && !ghost->lost) || !sa_family_is(past->path, candidate->path) ||
        sa_candidate_written_ms(candidate) > past->seen_ms + SLACK_MS)
        return false;
    fd = sa_candidate_fd(candidate);
    return fd != -1 && sa_inflate_size(fd, candidate->kind) <= past->offset &&
           sa_candidate_begins(candidate, past);
}

/* Whether the candidate holds what the file holds, so that it is read there if it was not yet. */
static bool
is_made_of(struct candidate *candidate, const struct file *file)
{
    char other[HEAD_BYTES];
    struct stat status;
    int64_t size;
    size_t len;
    int fd = sa_candidate_fd(candidate);

    if (fd == -1 || file->inflater != NULL || !sa_family_is(file->origin, candidate->path) ||
        fstat(file->fd, &status) == -1)
        return false;
    if (candidate->kind == SA_PLAIN && (sa_position_born_ns(fd) < file->born_ns || !sa_file_is_log(file)))
        return false; /* a copy is younger than the log, and copied is what has the log's name */
    len = load_head(candidate);
    size = sa_inflate_size(fd, candidate->kind);
    if (len == 0 || size > status.st_size || sa_disk_read_whole(file->fd, other, len, 0) != (ssize_t)len ||
        memcmp(candidate->head, other, len) != 0)
        return false;
    return candidate->kind != SA_PLAIN || sa_same_bytes(fd, file->fd, size - (int64_t)len, len);
}

bool
sa_candidate_was_read(const struct source *source, struct candidate *candidate)
{
    for (unsigned i = 0; i < source->n_ghosts; i++)
        if (is_part_of(candidate, &source->ghosts[i]))
            return true;
    for (unsigned i = 0; i < source->n_files; i++)
        if (is_made_of(candidate, source->files[i]))
            return true;
    return false;
}

struct ghost *
sa_candidate_past(const struct source *source, struct candidate *candidate)
{
    for (unsigned i = 0; i < source->n_ghosts; i++) {
        struct ghost *ghost = &source->ghosts[i];

        if (ghost->lost && ghost->position.offset > 0 &&
            sa_family_is(ghost->position.path, candidate->path) &&
            (candidate->kind == SA_PLAIN ? candidate->status.st_size > ghost->position.offset &&
                                               sa_candidate_holds(candidate, &ghost->position)
                                         : sa_candidate_begins(candidate, &ghost->position)))
            return ghost;
    }
    return NULL;
}

bool
sa_family_has_unseen_log(const struct source *source, const char *log_path)
{
    struct stat status;
    bool ours = false;

    for (char *const *pattern = source->options.globs; *pattern != NULL && !ours; pattern++)
        ours = fnmatch(*pattern, log_path, FNM_PATHNAME) == 0;
    return ours && (source->trouble == 0 || source->trouble == -ENOENT) && stat(log_path, &status) == 0 &&
           sa_index_find(source, status.st_dev, status.st_ino) == NULL &&
           sa_file_find_named(source, log_path) == NULL;
}
