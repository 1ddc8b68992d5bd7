#include "left.h"
#include "ghosts.h"
#include "positions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct left_number {
    int64_t dev, ino;
};

struct left {
    struct sa_position position; /* without a path; its dev and ino are the key */
    bool changed, seen;
    UT_hash_handle by_number;
};

_Static_assert(offsetof(struct sa_position, ino) ==
                   offsetof(struct sa_position, dev) + offsetof(struct left_number, ino),
               "dev and ino are hashed as one key");

static struct left *
find(const struct source *source, const struct stat *status)
{
    const struct left_number number = {(int64_t)status->st_dev, (int64_t)status->st_ino};
    struct left *left;

    HASH_FIND(by_number, source->left, &number, sizeof number, left);
    return left;
}

bool
sa_left_is_done(const struct source *source, const struct stat *status)
{
    const struct left *left = find(source, status);

    return left != NULL && status->st_size == left->position.offset;
}

void
sa_left_meet(struct source *source, const struct stat *status)
{
    struct left *left = find(source, status);

    if (left != NULL)
        left->seen = true;
}

int
sa_left_add(struct source *source, const struct sa_position *position)
{
    struct left *left = calloc(1, sizeof *left);

    if (left == NULL)
        return -ENOMEM;
    left->position = *position;
    left->position.path = "";
    left->position.open = false;
    left->changed = left->seen = true;
    HASH_ADD(by_number, source->left, position.dev, sizeof(struct left_number), left);
    return 0;
}

static void
remove_left(struct source *source, struct left *left)
{
    /* The analyzer does not see that uthash takes it out of its list. */
    HASH_DELETE(by_number, source->left, left); // NOLINT(clang-analyzer-unix.Malloc)
    free(left);
}

void
sa_left_take(struct source *source, const char *path, int fd, const struct stat *status)
{
    struct left *left = find(source, status);
    struct sa_position position;

    if (left == NULL)
        return;
    position = left->position;
    position.path = path;
    if (position.head_len == 0 && position.marker_len == 0) /* it was never open */
        position.generation = sa_position_generation(fd);
    if (sa_ghost_add(source, &position, true) == 0)
        remove_left(source, left);
}

void
sa_left_sweep(struct sa_follower *follower, struct source *source)
{
    for (struct left *left = source->left, *next; left != NULL; left = next) {
        next = left->by_number.next;
        if (!left->seen) {
            sa_position_forget(follower, source, left->position.id);
            remove_left(source, left);
        } else {
            left->seen = false;
        }
    }
}

unsigned
sa_left_count(const struct source *source)
{
    return HASH_CNT(by_number, source->left);
}

void
sa_left_positions(struct source *source, unsigned number, bool all, const struct sa_position_sink *sink)
{
    for (struct left *left = source->left; left != NULL; left = left->by_number.next) {
        if (all || left->changed)
            sink->keep(sink->arg, number, &left->position, NULL);
        left->changed = false;
    }
}

void
sa_left_free(struct source *source)
{
    struct left *left = source->left, *next;

    HASH_CLEAR(by_number, source->left);
    for (; left != NULL; left = next) {
        next = left->by_number.next;
        free(left);
    }
}

void
sa_left_leave(struct sa_follower *follower, struct source *source, const struct stat *status, int64_t offset)
{
    const struct sa_position position = {
        .id = ++follower->last_id,
        .dev = (int64_t)status->st_dev,
        .ino = (int64_t)status->st_ino,
        .head_hash = sa_position_hash("", 0),
        .first_hash = sa_position_hash("", 0),
        .marker_hash = sa_position_hash("", 0),
        .offset = offset,
        .seen_ms = status->st_mtim.tv_sec * 1000,
    };

    if (find(source, status) == NULL)
        (void)sa_left_add(source, &position);
}
