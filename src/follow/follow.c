#include "follow.h"
#include "clock.h"
#include "close_file.h"
#include "files.h"
#include "followed.h"
#include "ghosts.h"
#include "left.h"
#include "listing.h"
#include "positions.h"
#include "reading.h"
#include "scan.h"
#include "text.h"
#include "turns.h"
#include "watcher.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BACKLOG_BYTES (16 << 20)

struct sa_follower *
sa_follower_new(struct sa_loop *loop, const struct sa_source_events *events, void *arg)
{
    static const struct sa_watcher_events watcher_events = {sa_turns_on_growth, sa_turns_on_names};
    struct sa_follower *follower = calloc(1, sizeof *follower);

    if (follower == NULL)
        return NULL;
    follower->loop = loop;
    follower->events = events;
    follower->arg = arg;
    follower->slice = malloc(SA_READING_ROOM);
    follower->watcher = sa_watcher_new(loop, &watcher_events, follower);
    follower->poll = sa_loop_timer(loop, sa_turns_on_poll, follower);
    follower->work = sa_loop_work(loop, sa_turns_on_work, follower);
    if (follower->slice == NULL || follower->watcher == NULL || follower->poll == NULL ||
        follower->work == NULL)
        return sa_follower_free(follower);
    sa_watch_arm(follower->poll, SA_TURNS_FIRST_POLL_MS);
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
            sa_close_file(follower, source, source->n_files - 1);
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
        while (sa_follow_scan_go_on(follower, &follower->sources[s]) == 0)
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

        if (!sa_file_is_unjudged(file) && file->inflater == NULL && fstat(file->fd, &now) == 0 &&
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

            if ((all || source->files[i]->changed) && !sa_file_is_unjudged(source->files[i]) &&
                source->files[i]->ending != ENDS_DISCARDED)
                sink->keep(sink->arg, s, &position, source->files[i]->stream);
            source->files[i]->changed = sa_file_is_unjudged(source->files[i]);
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
