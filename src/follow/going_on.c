#include "going_on.h"
#include "answers.h"
#include "close_file.h"
#include "family.h"
#include "family_name.h"
#include "files.h"
#include "ghosts.h"
#include "positions.h"
#include "recognise.h"
#include "rotated_file.h"
#include "wakes.h"

#include <stdlib.h>
#include <string.h>

/* The file goes on with the stream of the other, which gets the file's own. */
static void
exchange(struct file *file, struct file *from)
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
    exchange(copy, file);
    sa_file_count(copy);
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

/* Whether the candidate is packed, or a plain file that is not followed or not judged, and holds that. */
static bool
is_copy_of_past(const struct source *source, const struct file *file, struct candidate *candidate,
                const struct sa_position *had)
{
    const struct file *copy = sa_candidate_file(source, candidate);

    if (candidate->kind != SA_PLAIN)
        return !sa_candidate_is_known(source, candidate) && !sa_candidate_unfinished(candidate) &&
               !sa_candidate_was_read(source, candidate) && sa_candidate_begins(candidate, had);
    return copy != file && (copy == NULL || sa_file_is_unjudged(copy)) &&
           (copy != NULL || !sa_candidate_is_known(source, candidate)) && sa_candidate_holds(candidate, had);
}

/* A copy of what the file had among what is followed already, whatever its name is by now; or NULL. */
static struct file *
find_followed_copy(const struct source *source, const struct file *file, const struct sa_position *had)
{
    for (unsigned i = 0; i < source->n_files && had->offset > 0; i++) {
        struct file *copy = source->files[i];

        if (copy != file && sa_file_is_unjudged(copy) && sa_family_is(file->origin, copy->path) &&
            sa_position_match(copy->fd, had) == MATCH_SAME)
            return copy;
    }
    return NULL;
}

/* The same in the log's family, the youngest first; it is opened if it is not yet.  NULL: there is none. */
static struct file *
open_copy(struct sa_follower *follower, struct source *source, const struct file *file,
          const struct sa_position *had)
{
    struct candidates list = sa_family_find(source, file->origin, 0);
    struct file *copy = NULL;

    for (size_t i = list.n; i > 0 && copy == NULL && had->offset > 0; i--) {
        struct candidate *candidate = &list.at[i - 1];

        if (!is_copy_of_past(source, file, candidate, had))
            continue;
        copy = sa_candidate_file(source, candidate);
        if (copy == NULL)
            copy = sa_rotated_file_open(follower, source, candidate, file->origin, NULL, had);
    }
    sa_family_free(&list);
    return copy;
}

void
sa_going_on_rest(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct sa_position had = sa_position_of(file, true);
    struct file *copy = find_followed_copy(source, file, &had);

    if (copy == NULL)
        copy = open_copy(follower, source, file, &had);
    if (copy != NULL)
        settle(follower, source, file, copy, &had);
    else
        sa_ghost_keep(follower, source, file);
    source->names_changed = true; /* there may be copies of what came after that and before now */
    follower->rescan_wanted = true;
}

void
sa_going_on_take_over(struct sa_follower *follower, struct source *source, struct file *file,
                      struct file *other)
{
    exchange(file, other);
    sa_file_count(file);
    sa_file_forget_content(other);
    sa_file_unjudge(other);
    other->copy_of = file;
    sa_follow_want_reading(follower, file);
    sa_follow_note(follower, source, "going on with %s in %s", other->path, file->path);
}

void
sa_going_on_part(struct sa_follower *follower, struct source *source, struct file *file)
{
    sa_ghost_keep(follower, source, file);
    follower->events->truncated(follower->arg, file->stream);
    sa_file_part(file);
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->copy_of == file) {
            source->files[i]->copy_of = NULL;
            sa_follow_want_reading(follower, source->files[i]);
        }
    sa_follow_want_reading(follower, file);
}

void
sa_going_on_rewritten(struct sa_follower *follower, const struct source *source, struct file *file)
{
    struct file *before = file->before;
    struct sa_position had = sa_position_of(before, true);
    struct stat status;

    file->before = NULL;
    if (file->offset != 0 || before->inflater != NULL || had.offset == 0 ||
        fstat(before->fd, &status) == -1 || status.st_nlink != 0 ||
        sa_position_match(file->fd, &had) != MATCH_SAME)
        return;
    exchange(file, before);
    before->ending = ENDS_DISCARDED; /* two positions with the same past would be mistaken for each other */
    sa_position_forget(follower, source, before->id);
    sa_follow_want_reading(follower, file);
}

void
sa_going_on_read_lost(struct sa_follower *follower, struct source *source)
{
    for (unsigned i = 0; i < source->n_files; i++)
        if (sa_file_may_be_lost(source->files[i]))
            sa_follow_want_reading(follower, source->files[i]);
}
