#include "rotated_file.h"
#include "budget.h"
#include "clock.h"
#include "family_name.h"
#include "open_file.h"
#include "positions.h"
#include "recognise.h"
#include "wakes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define INFLATERS 8 /* at once, of a source: each is a thread */

/*
 * Whether another packed file may be inflated beside others; otherwise it is looked at again.  The rest of a
 * stream of an earlier life is searched once only, and there are no more of these than ghosts.
 */
static bool
has_inflater_left(const struct source *source, const struct ghost *ghost)
{
    unsigned n = 0;

    for (unsigned i = 0; i < source->n_files; i++)
        n += source->files[i]->inflater != NULL && source->files[i]->due != DUE_NOT;
    return n < INFLATERS || ghost != NULL;
}

bool
sa_rotated_file_awaits_rest(const struct source *source, const struct file *file)
{
    return file->cut && sa_clock_now().wall_ms - file->seen_ms < source->options.backfill_max_age_ms;
}

static void
on_pipe(void *arg)
{
    struct file *file = arg;

    sa_watch_pause(file->readable);
    sa_follow_unblock(file->follower, file);
}

/* The file's content, behind what was taken of it, comes through the inflater's pipe. */
static void
attach(struct sa_follower *follower, struct file *file, const struct candidate *candidate,
       struct sa_inflater *inflater, int pipe)
{
    file->inflater = inflater;
    file->fd = pipe;
    file->packed = candidate->status;
    file->readable = sa_loop_readable(follower->loop, pipe, on_pipe, file);
    if (file->readable != NULL)
        sa_watch_pause(file->readable);
    sa_follow_unblock(follower, file);
}

struct file *
sa_rotated_file_find_cut(struct source *source, struct candidate *candidate)
{
    for (unsigned i = 0; i < source->n_files; i++) {
        struct file *file = source->files[i];
        struct sa_position past = sa_position_of(file, true);

        if (!file->cut || file->due != DUE_NOT)
            continue;
        if (file->packed.st_ino == candidate->status.st_ino &&
            file->packed.st_dev == candidate->status.st_dev)
            return file;
        if (sa_family_is(file->origin, candidate->path) && sa_candidate_begins(candidate, &past))
            return file;
    }
    return NULL;
}

static bool
has_changed(const struct stat *a, const struct stat *b)
{
    return a->st_ino != b->st_ino || a->st_size != b->st_size || a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
           a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

void
sa_rotated_file_read_rest(struct sa_follower *follower, struct file *file, struct candidate *candidate)
{
    int fd = !has_changed(&file->packed, &candidate->status) || sa_candidate_fd(candidate) == -1
                 ? -1
                 : dup(candidate->fd);
    struct sa_inflater *inflater;
    int pipe;

    if (fd == -1)
        return;
    if (sa_inflater_start(fd, candidate->kind, file->offset, &inflater, &pipe) < 0) {
        (void)close(fd);
        return;
    }
    file->readable = sa_watch_free(file->readable);
    (void)sa_inflater_free(file->inflater);
    attach(follower, file, candidate, inflater, pipe);
}

/* A file that is read through an inflater, behind what was read of it or from its start. */
static struct file *
open_compressed(struct sa_follower *follower, struct source *source, struct candidate *candidate,
                const char *origin, const struct sa_position *from, struct ghost *ghost)
{
    int64_t skip = from == NULL ? 0 : from->offset;
    int fd = sa_candidate_fd(candidate) == -1 ? -1 : dup(candidate->fd), pipe;
    struct sa_inflater *inflater = NULL;
    struct sa_position past = {0};
    char head[HEAD_BYTES];
    size_t head_len;
    struct file *file;

    if (fd == -1)
        return NULL;
    head_len = sa_inflate_head(fd, candidate->kind, head, from == NULL ? HEAD_BYTES : (size_t)from->head_len);
    if (source->n_files < SA_FOLLOW_FILES && !has_inflater_left(source, ghost))
        source->names_changed = true;
    if (source->n_files == SA_FOLLOW_FILES || !has_inflater_left(source, ghost) ||
        sa_budget_left(source) <= 0 || sa_inflater_start(fd, candidate->kind, skip, &inflater, &pipe) < 0) {
        (void)close(fd);
        return NULL;
    }
    if (ghost != NULL)
        past = ghost->position;
    file = sa_open_file_adopt(follower, source, candidate->path, origin, pipe, &candidate->status, ghost);
    if (file == NULL) {
        (void)sa_inflater_free(inflater);
        return NULL;
    }
    file->follower = follower;
    file->gone_ms = sa_clock_now().mono_ms;
    file->late_until = INT64_MAX;
    file->offset = skip;
    file->resume = skip;
    if (past.id != 0) { /* recognised by the same bytes after another restart */
        file->dev = (dev_t)past.dev;
        file->ino = (ino_t)past.ino;
        file->generation = past.generation;
    }
    memcpy(file->head, head, head_len);
    file->head_len = head_len;
    attach(follower, file, candidate, inflater, pipe);
    return file;
}

/* Returns 0 and has the descriptor, or negative errno and has not. */
static int
open_plain(struct sa_follower *follower, struct source *source, const char *path, int fd, const char *origin,
           struct ghost *past, int64_t offset, struct file **ret_file)
{
    struct stat status;
    struct file *file;

    if (!sa_open_file_has_room(source, fd))
        return -EMFILE;
    if (fstat(fd, &status) == -1)
        return -errno;
    file = sa_open_file_adopt(follower, source, path, origin, fd, &status, past);
    if (file == NULL)
        return -ENOMEM;
    if (past == NULL)
        file->offset = offset;
    file->gone_ms = sa_clock_now().mono_ms;
    file->late_until = source->scanned && past == NULL ? 0 : status.st_size;
    sa_open_file_begin(follower, source, file);
    *ret_file = file;
    return 0;
}

struct file *
sa_rotated_file_open(struct sa_follower *follower, struct source *source, struct candidate *candidate,
                     const char *origin, struct ghost *ghost, const struct sa_position *from)
{
    struct file *file = NULL;

    if (ghost != NULL)
        from = &ghost->position;
    if (sa_candidate_fd(candidate) == -1)
        return NULL;
    if (candidate->kind != SA_PLAIN)
        file = open_compressed(follower, source, candidate, origin, from, ghost);
    else if (open_plain(follower, source, candidate->path, candidate->fd, origin, ghost,
                        from == NULL ? 0 : from->offset, &file) == 0)
        candidate->fd = -1; /* the file has it */
    return file;
}
