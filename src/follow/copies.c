#include "clock.h"
#include "files.h"
#include "close_file.h"
#include "family.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool
sa_copies_any_lost(struct sa_follower *follower, struct source *source)
{
    bool lost = false;

    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->inflater == NULL && !source->files[i]->may_be_copy &&
            !source->files[i]->disk.by_content && sa_proof_may_be_lost(source->files[i])) {
            sa_follow_want_reading(follower, source->files[i]);
            lost = true;
        }
    return lost;
}

void
sa_copies_take_over(struct file *file, struct file *from)
{
    void *stream = file->stream;
    int64_t id = file->id;
    char *origin = strdup(from->origin);

    if (origin != NULL) {
        free(file->origin);
        file->origin = origin;
    }
    file->stream = from->stream;
    file->id = from->id;
    from->stream = stream;
    from->id = id;
    file->offset = from->offset;
    file->resume = from->resume;
    file->changed = from->changed = true;
    if (file->inflater !=
        NULL) /* it has its own head, and what it gives is not compared with what was read */
        return;
    file->head_len = from->head_len;
    file->marker_len = from->marker_len;
    file->sealed = from->sealed;
    file->n_waypoints = from->n_waypoints;
    file->waypoint_step = from->waypoint_step;
    memcpy(file->waypoints, from->waypoints, sizeof file->waypoints);
    file->resume_marker_len = from->resume_marker_len;
    memcpy(file->head, from->head, sizeof file->head);
    memcpy(file->marker, from->marker, sizeof file->marker);
    memcpy(file->resume_marker, from->resume_marker, sizeof file->resume_marker);
}

/* The stream goes on in the copy, and the file waits for that. */
static void
go_on_in(struct sa_follower *follower, struct source *source, struct file *file, struct file *copy)
{
    sa_copies_take_over(copy, file);
    copy->may_be_copy = false;
    copy->copy_of = NULL;
    copy->before = NULL;
    sa_follow_want_reading(follower, copy);
    sa_file_wait_for(source, file, copy);
    sa_follow_note(follower, source, "going on with %s in %s", file->path, copy->path);
}

/* The copy holds what the file had: perhaps more than was read of it. */
static void
settle(struct sa_follower *follower, struct source *source, struct file *file, struct file *copy,
       const struct sa_position *had)
{
    if (copy->inflater != NULL || sa_position_end(copy->fd) > had->offset)
        go_on_in(follower, source, file, copy);
    else
        sa_close_file_skip(copy);
}

/* Whether the candidate is a copy of what the file had; with more than was read of it, the stream goes on
 * there. */
static bool
is_copy_of_past(struct sa_follower *follower, struct source *source, struct file *file,
                struct candidate *candidate, const struct sa_position *had)
{
    struct file *copy = sa_candidate_file(source, candidate);

    if (candidate->kind != SA_PLAIN) {
        if (sa_candidate_is_known(source, candidate) || sa_candidate_unfinished(candidate) ||
            sa_candidate_was_read(source, candidate) || !sa_candidate_begins(candidate, had))
            return false;
    } else if (copy == file || (copy != NULL && !copy->may_be_copy) ||
               (copy == NULL && sa_candidate_is_known(source, candidate)) ||
               !sa_candidate_holds(candidate, had)) {
        return false;
    }
    if (copy == NULL)
        copy = sa_history_open(follower, source, candidate, file->origin, NULL, had);
    if (copy == NULL)
        return false;
    settle(follower, source, file, copy, had);
    return true;
}

/* The same of what is followed already, whatever its name is by now. */
static bool
go_on_in_followed(struct sa_follower *follower, struct source *source, struct file *file,
                  const struct sa_position *had)
{
    for (unsigned i = 0; i < source->n_files && had->offset > 0; i++) {
        struct file *copy = source->files[i];

        if (copy == file || !copy->may_be_copy || !sa_family_is(file->origin, copy->path) ||
            sa_position_match(copy->fd, had) != MATCH_SAME)
            continue;
        settle(follower, source, file, copy, had);
        return true;
    }
    return false;
}

void
sa_copies_rest(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct sa_position had = sa_position_of(file, true);
    struct candidates list = sa_family_find(source, file->origin, 0);
    bool found = go_on_in_followed(follower, source, file, &had);

    for (size_t i = list.n; i > 0 && !found && had.offset > 0; i--)
        found = is_copy_of_past(follower, source, file, &list.at[i - 1], &had);
    if (!found)
        sa_ghost_keep(follower, source, file);
    sa_family_free(&list);
    source->names_changed = true; /* there may be copies of what came after that and before now */
    follower->rescan_wanted = true;
}

/* What the file holds as far as it is a copy of what was read and is gone from its place. */
static bool
is_copy_of_lost(struct sa_follower *follower, struct source *source, struct file *file)
{
    for (unsigned i = 0; i < source->n_ghosts; i++) {
        struct ghost *ghost = &source->ghosts[i];
        enum match match = !ghost->lost || !sa_family_is(ghost->position.path, file->path)
                               ? MATCH_NONE
                               : sa_position_match(file->fd, &ghost->position);

        if (match != MATCH_SHORT && match != MATCH_SAME)
            continue;
        if (match == MATCH_SHORT || file->size == ghost->position.offset) {
            sa_close_file_skip(file);
            return true;
        }
        file->offset = ghost->position.offset;
        sa_position_load(file);
        sa_position_forget(follower, ghost->position.id);
        sa_ghost_remove(source, ghost);
        return false;
    }
    return false;
}

/* Whether the other may be what the file was made of. */
static bool
may_be_made_of(const struct file *file, const struct file *other)
{
    if (other == file || other->inflater != NULL || other->may_be_copy || file->born_ns < other->born_ns)
        return false; /* a copy is younger than what it was made of; the generation before is older */
    return sa_family_is(other->path, file->path) || sa_family_is(other->origin, file->path);
}

/*
 * Whether the file holds what was read of the other and more than that has: a copy has more only of what was
 * truncated, and the other shows no sign of that.
 */
static bool
is_longer_copy(const struct file *file, const struct file *other)
{
    return sa_file_is_log(other) && file->size > sa_position_end(other->fd) &&
           sa_proof_same(file->fd, other) && sa_proof_same(other->fd, other);
}

void
sa_copies_judge(struct sa_follower *follower, struct source *source, struct file *file)
{
    int64_t end;
    size_t n;

    if (file->disk.by_content) {
        sa_views_judge(follower, source, file);
        return;
    }
    end = sa_position_end(file->fd);
    file->copy_of = NULL;
    file->before = NULL;
    file->pending = false;
    if (end <= 0)
        return; /* its first bytes will tell */
    file->size = end;
    if (sa_history_log_unseen(follower, source, file->origin)) {
        file->pending = true;
        return;
    }
    n = file->size < HEAD_BYTES ? (size_t)file->size : HEAD_BYTES;
    for (unsigned i = 0; i < source->n_files; i++) {
        struct file *other = source->files[i];

        if (!may_be_made_of(file, other))
            continue;
        if (is_longer_copy(file, other)) {
            sa_views_distrust(follower, source, other->path);
            sa_views_judge(follower, source, file);
            return;
        }
        if ((other->doubt_ms != 0 || other->sealed.marker_len > 0) && sa_proof_same(file->fd, other)) {
            file->copy_of = other; /* what is missing there is here: it goes on here, once that is certain */
            return;
        }
        if (other->pending ||
            sa_proof_may_be_lost(other)) { /* then it says first what the copy is good for */
            sa_follow_want_reading(follower, other);
            sa_file_wait_for(source, file, other);
            file->pending = true;
            return;
        }
        if (sa_file_is_log(other) && sa_same_bytes(file->fd, other->fd, 0, n) &&
            sa_same_bytes(file->fd, other->fd, file->size - (int64_t)n, n)) {
            file->copy_of = other;
            return;
        }
    }
    if (sa_copies_any_lost(follower, source)) { /* truncated while it was compared */
        file->pending = true;
        return;
    }
    if (is_copy_of_lost(follower, source, file))
        return;

    file->may_be_copy = false;
    source->rotations++;
    sa_follow_want_reading(follower, file);
}
