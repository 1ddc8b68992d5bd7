#include "followed.h"
#include "close_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OPENED_AT_ONCE 1000 /* by a scan of a running daemon; the next scan goes on */

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
            sa_position_forget(follower, left->position.id);
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

/* Nothing of it is under way, so that closing and opening it again changes nothing. */
static bool
is_idle(const struct file *file)
{
    return !file->pending && !file->awaited && !file->may_be_copy && file->copy_of == NULL &&
           file->inflater == NULL && file->before == NULL && file->doubt_ms == 0 &&
           file->sealed.marker_len == 0 && file->error == 0 && file->gone_ms == 0 && !file->disk.by_content &&
           file->offset >= file->size && file->resume == file->offset;
}

static int
by_last_bytes(const void *a, const void *b)
{
    const struct file *x = *(struct file *const *)a, *y = *(struct file *const *)b;

    return x->seen_ms < y->seen_ms ? -1 : x->seen_ms > y->seen_ms;
}

static void
close_file(struct sa_follower *follower, struct source *source, const struct file *file)
{
    unsigned i = 0;

    while (source->files[i] != file)
        i++;
    source->files[i]->left_out = true;
    sa_follow_close_file(follower, source, i);
}

/* Closes idle files, those that have been quiet for longest first.  Returns how many gave way. */
static size_t
give_way(struct sa_follower *follower, struct source *source, size_t wanted)
{
    struct file **idle = calloc(source->n_files + 1, sizeof *idle);
    size_t n = 0;

    if (idle == NULL)
        return 0;
    for (unsigned i = 0; i < source->n_files; i++)
        source->files[i]->awaited = false;
    for (unsigned i = 0; i < source->n_files; i++) {
        if (source->files[i]->before != NULL)
            source->files[i]->before->awaited = true;
        if (source->files[i]->copy_of != NULL)
            source->files[i]->copy_of->awaited = true;
    }
    for (unsigned i = 0; i < source->n_files; i++)
        if (is_idle(source->files[i]))
            idle[n++] = source->files[i];
    if (n > 0)
        qsort(idle, n, sizeof *idle, by_last_bytes);
    if (n > wanted)
        n = wanted;
    for (size_t i = 0; i < n; i++)
        close_file(follower, source, idle[i]);
    free(idle);
    return n;
}

static int
latest_first(const void *a, const void *b)
{
    const struct timespec *x = &((const struct name *)a)->status.st_mtim;
    const struct timespec *y = &((const struct name *)b)->status.st_mtim;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec > y->tv_sec ? -1 : 1;
    return x->tv_nsec > y->tv_nsec ? -1 : x->tv_nsec < y->tv_nsec;
}

/* A name without a place, in its order of the first look: from where it will count when it gets one. */
static void
leave(struct sa_follower *follower, struct source *source, const struct name *name)
{
    bool old = !source->scanned && !source->options.known && source->options.start_at_end;
    const struct sa_position position = {
        .id = ++follower->last_id,
        .dev = (int64_t)name->status.st_dev,
        .ino = (int64_t)name->status.st_ino,
        .head_hash = sa_position_hash("", 0),
        .first_hash = sa_position_hash("", 0),
        .marker_hash = sa_position_hash("", 0),
        .offset = old ? name->status.st_size : 0,
        .seen_ms = name->status.st_mtim.tv_sec * 1000,
    };

    if (find(source, &name->status) == NULL)
        (void)sa_left_add(source, &position);
}

void
sa_left_choose(struct sa_follower *follower, struct source *source, struct names *names)
{
    size_t room = SA_FOLLOW_FILES - source->n_files, wanted = names->n;

    if (source->scanned && wanted > OPENED_AT_ONCE)
        wanted = OPENED_AT_ONCE;
    if (wanted > room && source->scanned)
        room += give_way(follower, source, wanted - room);
    if (wanted > room)
        wanted = room;
    if (wanted == names->n)
        return;
    qsort(names->at, names->n, sizeof *names->at, latest_first);
    for (size_t i = wanted; i < names->n; i++) {
        leave(follower, source, &names->at[i]);
        free(names->at[i].path);
    }
    names->n = wanted;
    sa_follow_want_scan(follower);
}
