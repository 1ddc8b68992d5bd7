#include "judging_view.h"
#include "answers.h"
#include "close_file.h"
#include "decide.h"
#include "files.h"
#include "ghosts.h"
#include "going_on.h"
#include "names.h"
#include "open_file.h"
#include "positions.h"
#include "proof.h"
#include "reading.h"
#include "source_state.h"
#include "views.h"
#include "wakes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The file is another view of one that has lost its name, or has the same: that one goes on with it. */
static void
merge(struct sa_follower *follower, struct source *source, struct file *file, struct file *into,
      const struct shown *shown)
{
    if (sa_proof_look(into->fd, into) != PROOF_KEPT || sa_position_end(into->fd) < shown->end)
        sa_open_file_exchange(follower, source, into, file->fd);
    if (file->gone_ms == 0)
        sa_names_give(source, into, file->path);
    sa_follow_want_reading(follower, into);
    sa_close_file_as(follower, source, file, ENDS_DISCARDED);
}

/* Goes on with the stream of an earlier life, or behind what was read in this one. */
static void
resume(struct sa_follower *follower, struct source *source, struct file *file, struct ghost *ghost)
{
    struct sa_position had = ghost->position;
    char *origin = strdup(had.path);
    void *stream =
        had.open && origin != NULL
            ? follower->events->opened(follower->arg, (unsigned)(source - follower->sources), had.id, true)
            : NULL;

    if (stream != NULL) {
        follower->events->closed(follower->arg, file->stream);
        file->stream = stream;
        file->id = had.id;
        free(file->origin);
        file->origin = origin;
        source->rotations += strcmp(origin, file->path) != 0;
    } else {
        free(origin);
        sa_position_forget(follower, source, had.id);
    }
    file->offset = had.offset;
    sa_file_count(file);
    sa_position_load(file);
    if (file->marker_len < (size_t)had.marker_len)
        sa_proof_seal(file, &had);
    sa_ghost_remove(source, ghost);
    sa_follow_want_reading(follower, file);
}

/*
 * The log's content began anew, in place or in another file.  Its first bytes are taken at once, so that
 * another view of it finds a record.
 */
static void
begin(struct sa_follower *follower, struct source *source, struct file *file)
{
    bool replaces = !file->seen;

    for (unsigned i = 0; i < source->n_files && !replaces; i++)
        replaces = source->files[i] != file && !source->files[i]->seen &&
                   strcmp(source->files[i]->path, file->path) == 0;
    sa_reading_take(follower, source, file);
    if (file->offset == 0)
        return;
    if (file->judged == UNJUDGED_PARTED)
        source->truncations++;
    else if (replaces)
        source->rotations++;
    sa_file_count(file);
    sa_follow_want_reading(follower, file);
}

/* The poll tries again what cannot be read, and until then the source says so. */
static void
set_error(struct sa_follower *follower, struct source *source, struct file *file, int error)
{
    if (error == file->error)
        return;
    file->error = error;
    sa_source_state_tell(follower, source);
}

static enum record
record_of(const struct place *place)
{
    if (place->file != NULL)
        return place->file->inflater != NULL ? RECORD_PACKED : RECORD_FILE;
    return place->ghost != NULL ? RECORD_GHOST : RECORD_NONE;
}

/* What the file shows, among the records; place is found only if it shows something. */
static struct facts
compare(struct source *source, const struct file *file, const struct shown *shown, struct place *place)
{
    struct facts facts = {.shows = true};

    *place = sa_views_find(source, shown, file->path, file->origin);
    facts.unsure = place->unknown;
    facts.record = record_of(place);
    facts.all_read = place->all_read;
    facts.exact = place->offset == shown->end;
    if (facts.record != RECORD_FILE)
        return facts;
    facts.one_name = !place->file->seen || strcmp(place->file->path, file->path) == 0;
    facts.at_end = !facts.one_name && !facts.all_read && sa_views_is_at_end(place->file);
    return facts;
}

/* With the record's file, which is open. */
static void
act_with(struct sa_follower *follower, struct source *source, struct file *file, struct file *other,
         const struct shown *shown, enum action action)
{
    if (action == ACT_MERGE)
        merge(follower, source, file, other, shown);
    else if (action == ACT_TAKE_OVER)
        sa_going_on_take_over(follower, source, file, other);
}

void
sa_judging_view(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct facts facts = {0};
    struct place place = {0};
    struct shown shown;
    enum action action;
    int error = 0;

    sa_file_begin_judging(file);
    if (!sa_views_look(&shown, file->fd))
        error = errno == 0 ? -EIO : -errno;
    set_error(follower, source, file, error);
    if (error == 0 && shown.end > 0) { /* otherwise its first bytes will tell */
        file->size = shown.end;
        facts = compare(source, file, &shown, &place);
    }
    if (!facts.unsure)
        file->copy_of = place.file;
    action = sa_decide(sa_file_state(file), EVENT_VIEW, &facts);
    if (place.file != NULL)
        act_with(follower, source, file, place.file, &shown, action);
    else if (place.ghost != NULL && action == ACT_RESUME)
        resume(follower, source, file, place.ghost);
    else if (action == ACT_BEGIN)
        begin(follower, source, file);
}
