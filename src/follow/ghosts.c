#include "ghosts.h"
#include "clock.h"
#include "positions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MANY_GHOSTS 1024

struct ghost *
sa_ghost_find(struct source *source, int64_t dev, int64_t ino, int64_t generation)
{
    for (unsigned i = 0; i < source->n_ghosts; i++) {
        const struct sa_position *position = &source->ghosts[i].position;

        if (position->ino == ino && position->dev == dev && position->generation == generation)
            return &source->ghosts[i];
    }
    return NULL;
}

void
sa_ghost_lose(struct ghost *ghost)
{
    ghost->lost = true;
    ghost->changed = true;
    ghost->position.seen_ms = sa_clock_now().wall_ms; /* what was made of it is older than this */
    ghost->position.dev = ghost->position.ino = ghost->position.generation = 0;
}

void
sa_ghost_keep(struct sa_follower *follower, struct source *source, const struct file *file)
{
    struct sa_position had = sa_position_of(file, false);

    if (had.offset == 0)
        return;
    had.id = ++follower->last_id;
    had.open = false;
    if (sa_ghost_add(source, &had, true) == 0)
        sa_ghost_lose(&source->ghosts[source->n_ghosts - 1]);
}

void
sa_position_forget(struct sa_follower *follower, const struct source *source, int64_t id)
{
    if (follower->n_forgotten == follower->forgotten_room) {
        size_t room = follower->forgotten_room == 0 ? 64 : 2 * follower->forgotten_room;
        struct forgotten *grown = realloc(follower->forgotten, room * sizeof *grown);

        if (grown == NULL)
            return; /* a row too many in the store; it is pruned with age */
        follower->forgotten = grown;
        follower->forgotten_room = room;
    }
    follower->forgotten[follower->n_forgotten++] =
        (struct forgotten){(unsigned)(source - follower->sources), id};
}

void
sa_ghost_remove(struct source *source, struct ghost *ghost)
{
    free((char *)ghost->position.path);
    source->n_ghosts--;
    if (source->n_ghosts >= MANY_GHOSTS) { /* after a restart, one for each file: their order says nothing */
        *ghost = source->ghosts[source->n_ghosts];
        return;
    }
    memmove(ghost, ghost + 1, (size_t)(source->ghosts + source->n_ghosts - ghost) * sizeof *ghost);
}

int
sa_ghost_add(struct source *source, const struct sa_position *position, bool changed)
{
    char *path = strdup(position->path);

    if (source->n_ghosts == source->ghosts_room) {
        unsigned room = source->ghosts_room == 0 ? 16 : 2 * source->ghosts_room;
        struct ghost *ghosts = realloc(source->ghosts, room * sizeof *ghosts);

        if (ghosts != NULL) {
            source->ghosts = ghosts;
            source->ghosts_room = room;
        }
    }
    if (path == NULL || source->n_ghosts == source->ghosts_room) {
        free(path);
        return -ENOMEM;
    }
    source->ghosts[source->n_ghosts] = (struct ghost){.position = *position, .changed = changed};
    source->ghosts[source->n_ghosts++].position.path = path;
    return 0;
}

static int
newest_first(const void *a, const void *b)
{
    int64_t x = ((const struct ghost *)a)->position.seen_ms, y = ((const struct ghost *)b)->position.seen_ms;

    return x > y ? -1 : x < y;
}

void
sa_ghosts_prune(struct sa_follower *follower, struct source *source, int64_t now_ms)
{
    int64_t oldest_ms = now_ms - source->options.backfill_max_age_ms;

    if (source->n_ghosts > 0)
        qsort(source->ghosts, source->n_ghosts, sizeof *source->ghosts, newest_first);
    while (source->n_ghosts > 0) {
        struct ghost *last = &source->ghosts[source->n_ghosts - 1];

        if (source->n_ghosts <= SA_FOLLOW_GHOSTS && last->position.seen_ms >= oldest_ms)
            return;
        sa_position_forget(follower, source, last->position.id);
        sa_ghost_remove(source, last);
    }
}
