#include "followed.h"
#include "clock.h"
#include "family.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLACK_MS  1000   /* file systems stamp with a coarser clock than ours */
#define VIEWS_MS  120000 /* longer than NFS, CIFS and sshfs keep attributes by default */
#define INFLATERS 8      /* at once, of a source: each is a thread */

/* How much may still be read as history; what was spent comes back after the time that history may be old. */
static int64_t
history_left(struct source *source)
{
    int64_t now_ms = sa_clock_now().mono_ms;

    if (source->history_until_ms <= now_ms) {
        source->history_until_ms = now_ms + source->options.backfill_max_age_ms;
        source->history_left = source->options.backfill_max_bytes;
    }
    return source->history_left;
}

/* What is read as history is over its caps? */
static bool
too_much(struct sa_follower *follower, struct source *source, struct candidate *candidate, int64_t from)
{
    int64_t bytes =
        candidate->kind == SA_PLAIN ? candidate->status.st_size - from : candidate->status.st_size;
    int64_t age_ms = sa_clock_now().wall_ms - sa_candidate_written_ms(candidate);

    if (age_ms > source->options.backfill_max_age_ms) {
        sa_follow_note(follower, source, "%s is not read: older than backfill_max_age", candidate->path);
        return true;
    }
    if (bytes > history_left(source)) {
        sa_follow_note(follower, source, "%s is not read: more than backfill_max_bytes", candidate->path);
        return true;
    }
    if (candidate->kind == SA_PLAIN && bytes > 0)
        source->history_left -= bytes;
    return false;
}

/* What is not read counts as read: it is not begun again after a restart. */
static void
give_up_rest(struct file *file)
{
    file->offset = file->resume = INT64_MAX / 2;
    file->marker_len = file->resume_marker_len = 0;
    file->changed = true;
}

bool
sa_history_spend(struct sa_follower *follower, struct source *source, struct file *file, int64_t bytes)
{
    if (history_left(source) >= bytes) {
        source->history_left -= bytes;
        return true;
    }
    source->history_left = 0;
    give_up_rest(file);
    sa_follow_note(follower, source, "%s is not read on: more than backfill_max_bytes", file->path);
    return false;
}

/*
 * Whether another packed file may be inflated now; otherwise it is looked at again.  The rest of a stream of
 * an earlier life is searched once only, and there are no more of these than ghosts.
 */
static bool
may_inflate(struct source *source, const struct ghost *ghost)
{
    unsigned n = 0;

    for (unsigned i = 0; i < source->n_files; i++)
        n += source->files[i]->inflater != NULL && source->files[i]->pending;
    if (n >= INFLATERS && ghost == NULL) {
        source->names_changed = true;
        return false;
    }
    return history_left(source) > 0;
}

bool
sa_history_awaits_rest(const struct source *source, const struct file *file)
{
    return file->cut && sa_clock_now().wall_ms - file->seen_ms < source->options.backfill_max_age_ms;
}

static void
on_pipe(void *arg)
{
    struct file *file = arg;

    file->blocked = false;
    sa_watch_pause(file->readable);
    sa_follow_want_reading(file->follower, file);
}

/* The file's content, behind what was taken of it, comes through the inflater's pipe. */
static void
attach(struct sa_follower *follower, struct file *file, const struct candidate *candidate,
       struct sa_inflater *inflater, int pipe)
{
    file->inflater = inflater;
    file->fd = pipe;
    file->packed = candidate->status;
    file->blocked = false;
    file->readable = sa_loop_readable(follower->loop, pipe, on_pipe, file);
    if (file->readable != NULL)
        sa_watch_pause(file->readable);
    sa_follow_want_reading(follower, file);
}

/* The file that was cut off or damaged and of which the candidate is a later state. */
static struct file *
cut_file(struct source *source, struct candidate *candidate)
{
    for (unsigned i = 0; i < source->n_files; i++) {
        struct file *file = source->files[i];
        struct sa_position past = sa_position_of(file, true);

        if (!file->cut || file->pending)
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

/* Reads on in a compressed file whose rest was missing.  Returns whether the candidate is such a file. */
static bool
read_rest(struct sa_follower *follower, struct source *source, struct candidate *candidate)
{
    struct file *file = candidate->kind == SA_PLAIN ? NULL : cut_file(source, candidate);
    struct sa_inflater *inflater;
    int fd, pipe;

    if (file == NULL)
        return false;
    fd = !has_changed(&file->packed, &candidate->status) || sa_candidate_fd(candidate) == -1
             ? -1
             : dup(candidate->fd);
    if (fd == -1)
        return true;
    if (sa_inflater_start(fd, candidate->kind, file->offset, &inflater, &pipe) < 0) {
        (void)close(fd);
        return true;
    }
    file->readable = sa_watch_free(file->readable);
    (void)sa_inflater_free(file->inflater);
    attach(follower, file, candidate, inflater, pipe);
    return true;
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
    if (source->n_files == SA_FOLLOW_FILES || !may_inflate(source, ghost) ||
        sa_inflater_start(fd, candidate->kind, skip, &inflater, &pipe) < 0) {
        (void)close(fd);
        return NULL;
    }
    if (ghost != NULL)
        past = ghost->position;
    file = sa_follow_adopt(follower, source, candidate->path, origin, pipe, &candidate->status, ghost);
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

struct file *
sa_history_open(struct sa_follower *follower, struct source *source, struct candidate *candidate,
                const char *origin, struct ghost *ghost, const struct sa_position *from)
{
    struct file *file = NULL;

    if (ghost != NULL)
        from = &ghost->position;
    if (sa_candidate_fd(candidate) == -1)
        return NULL;
    if (candidate->kind != SA_PLAIN)
        file = open_compressed(follower, source, candidate, origin, from, ghost);
    else if (sa_follow_open_rotated(follower, source, candidate->path, candidate->fd, origin, ghost,
                                    from == NULL ? 0 : from->offset, &file) == 0)
        candidate->fd = -1; /* the file has it */
    return file;
}

/* Where a stream that was open goes on: under another name, or in a copy, or in a compressed copy. */
static struct file *
find_rest(struct sa_follower *follower, struct source *source, struct ghost *ghost, struct candidates *list)
{
    const struct sa_position *past = &ghost->position;

    for (size_t i = 0; i < list->n; i++) {
        struct candidate *candidate = &list->at[i];

        if (!sa_candidate_is_view(source, candidate) && sa_candidate_is_file(candidate, past) &&
            !sa_candidate_is_known(source, candidate))
            return too_much(follower, source, candidate, past->offset)
                       ? NULL
                       : sa_history_open(follower, source, candidate, past->path, ghost, NULL);
    }
    for (size_t i = 0; i < list->n; i++) {
        struct candidate *candidate = &list->at[i];
        bool alike;

        if (sa_candidate_is_view(source, candidate) || sa_candidate_is_known(source, candidate) ||
            sa_candidate_unfinished(candidate))
            continue;
        /* Of what nothing was read the head may be the same few bytes in every generation. */
        if (past->offset == 0 && (past->ino != (int64_t)candidate->status.st_ino ||
                                  past->dev != (int64_t)candidate->status.st_dev))
            continue;
        alike = candidate->kind == SA_PLAIN ? past->offset > 0 && sa_candidate_holds(candidate, past)
                                            : sa_candidate_begins(candidate, past);
        if (alike && !too_much(follower, source, candidate, past->offset))
            return sa_history_open(follower, source, candidate, past->path, ghost, NULL);
    }
    return NULL;
}

/* The file that has the name now, or the last one that had it. */
static struct file *
holder_of(struct source *source, const char *path)
{
    struct file *holder = NULL;

    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->seen && strcmp(source->files[i]->path, path) == 0)
            holder = source->files[i];
    return holder;
}

bool
sa_history_log_unseen(struct sa_follower *follower, struct source *source, const char *log_path)
{
    struct stat status;
    bool ours = false;

    for (char *const *pattern = source->options.globs; *pattern != NULL && !ours; pattern++)
        ours = fnmatch(*pattern, log_path, FNM_PATHNAME) == 0;
    if (!ours || (source->trouble != 0 && source->trouble != -ENOENT) || stat(log_path, &status) == -1 ||
        sa_index_find(source, status.st_dev, status.st_ino) != NULL ||
        sa_follow_find_named(source, log_path) != NULL)
        return false;
    follower->rescan_wanted = source->names_changed = true;
    sa_watch_activate(follower->work);
    return true;
}

/* Whether the candidate's name, times and content say that it is to be read. */
static bool
is_missed(struct sa_follower *follower, struct source *source, struct candidate *candidate, int64_t since_ms)
{
    if (!candidate->generation || sa_candidate_written_ms(candidate) < since_ms - SLACK_MS ||
        sa_candidate_is_known(source, candidate) || candidate->status.st_size == 0)
        return false;
    if (sa_clock_now().wall_ms - sa_candidate_written_ms(candidate) > source->options.backfill_max_age_ms)
        return false; /* what was read of so old ones is forgotten */
    if (sa_candidate_unfinished(candidate)) {
        source->names_changed = true; /* the next scan looks again, and as far back */
        return false;
    }
    if (sa_candidate_was_read(source, candidate))
        return false;
    if (sa_candidate_fd(candidate) == -1 || sa_copies_any_lost(follower, source)) {
        source->names_changed = true;
        return false;
    }
    if (candidate->kind != SA_PLAIN && candidate->status.st_size > history_left(source)) {
        if (!source->told_too_large)
            sa_follow_note(follower, source, "%s is not read: more than backfill_max_bytes", candidate->path);
        source->told_too_large = true;
        return false;
    }
    return source->scanned || !too_much(follower, source, candidate, 0);
}

/* A generation that is known by its content: opened if it shows something that was not read, and judged. */
static void
open_view(struct sa_follower *follower, struct source *source, const char *log_path,
          struct candidate *candidate, int64_t since_ms)
{
    int64_t now_ms = sa_clock_now().wall_ms;
    struct file *file;

    if (since_ms > now_ms - VIEWS_MS)
        since_ms = now_ms - VIEWS_MS;
    if (since_ms < source->began_ms - SLACK_MS)
        since_ms = source->began_ms - SLACK_MS;
    if (!candidate->generation || sa_candidate_written_ms(candidate) < since_ms ||
        now_ms - sa_candidate_written_ms(candidate) > source->options.backfill_max_age_ms ||
        !sa_views_is_new(source, candidate->fd, candidate->path, log_path) ||
        (!source->scanned && too_much(follower, source, candidate, 0)))
        return;
    file = sa_history_open(follower, source, candidate, log_path, NULL, NULL);
    if (file != NULL)
        file->may_be_copy = true;
}

/*
 * Opens the generations of a log that were made and rotated since a moment, oldest first, each behind the one
 * before it, the first behind `last`.  Returns the last of the chain.
 */
static struct file *
open_between(struct sa_follower *follower, struct source *source, const char *log_path,
             struct candidates *list, int64_t since_ms, struct file *last)
{
    for (size_t i = 0; i < list->n; i++) {
        struct candidate *candidate = &list->at[i];
        struct ghost *lost;
        struct file *file;

        if (sa_candidate_is_view(source, candidate)) {
            open_view(follower, source, log_path, candidate, since_ms);
            continue;
        }
        if (read_rest(follower, source, candidate) || !is_missed(follower, source, candidate, since_ms) ||
            sa_history_log_unseen(follower, source, log_path))
            continue;
        if (candidate->kind == SA_PLAIN && sa_disk_ends_early(candidate->fd)) {
            sa_views_distrust(follower, source, candidate->path);
            continue;
        }
        lost = sa_candidate_past(source, candidate);
        file = sa_history_open(follower, source, candidate, log_path, NULL,
                               lost == NULL ? NULL : &lost->position);
        if (file == NULL) {
            source->names_changed = true;
            continue;
        }
        if (lost != NULL) {
            sa_position_forget(follower, source, lost->position.id);
            sa_ghost_remove(source, lost);
        }
        source->rotations++;
        if (source->scanned)
            file->late_until = 0;
        sa_follow_wait_for(source, file, last);
        last = file;
    }
    return last;
}

/* Whether the search met a name that had been given to another file since the directory was listed. */
static bool
any_renamed(const struct candidates *list)
{
    bool renamed = list->crossed;

    for (size_t i = 0; i < list->n; i++)
        renamed = renamed || list->at[i].renamed;
    return renamed;
}

static bool
any_unreadable(const struct candidates *list)
{
    bool unreadable = list->unreadable;

    for (size_t i = 0; i < list->n; i++)
        unreadable = unreadable || list->at[i].unreadable;
    return unreadable;
}

void
sa_history_find_rests(struct sa_follower *follower, struct source *source)
{
    source->rests_moved = false;
    for (unsigned i = 0; i < source->n_ghosts;) { /* in the order in which they were opened */
        struct ghost *ghost = &source->ghosts[i];
        struct candidates list = {NULL, 0, false, false};
        struct file *rest = NULL, *holder;
        char *path = strdup(ghost->position.path);

        if (ghost->position.open && path != NULL) {
            list = sa_family_find(source, path, ghost->position.ino);
            rest = find_rest(follower, source, ghost, &list);
            if (rest == NULL && any_unreadable(&list))
                sa_views_distrust(follower, source, path);
            if (rest == NULL && any_renamed(&list))
                source->rests_moved = source->names_changed = true;
        }
        if (rest != NULL) { /* the ghost is used up */
            source->rotations++;
            holder = holder_of(source, path);
            if (holder != NULL && holder != rest)
                sa_follow_wait_for(source, holder, rest);
            sa_follow_note(follower, source, "going on with %s in %s", path, rest->path);
        } else {
            i++;
        }
        sa_family_free(&list);
        free(path);
    }
}

/* The youngest rest of the log's streams that was found, behind which the next generation comes. */
static struct file *
last_rest(struct source *source, const char *log_path)
{
    struct file *last = NULL;

    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->gone_ms != 0 && strcmp(source->files[i]->origin, log_path) == 0 &&
            (last == NULL || source->files[i]->id > last->id))
            last = source->files[i];
    return last;
}

void
sa_history_look(struct sa_follower *follower, struct source *source, const char *log_path, int64_t since_ms)
{
    struct candidates list = sa_family_find(source, log_path, 0);
    struct file *holder = holder_of(source, log_path), *rest = last_rest(source, log_path);
    struct file *last = open_between(follower, source, log_path, &list, since_ms, rest);

    if (holder != NULL && last != rest)
        sa_follow_wait_for(source, holder, last);
    sa_family_free(&list);
}

void
sa_history_backfill(struct sa_follower *follower, struct source *source)
{
    unsigned n;

    sa_history_find_rests(follower, source);
    n = source->n_files;
    for (char *const *pattern = source->options.globs; *pattern != NULL; pattern++)
        if (strpbrk(*pattern, "*?[") == NULL)
            sa_history_look(follower, source, *pattern, source->scanned_ms);
    for (unsigned i = 0; i < n && !source->wide;
         i++) /* what patterns matched; a log that was looked at has no more to find */
        sa_history_look(follower, source, source->files[i]->origin, source->scanned_ms);
    /* A copy that was rotated away and whose stream is not found again is only good to be recognised. */
    for (unsigned i = 0; i < source->n_ghosts && !source->rests_moved; i++)
        if (source->ghosts[i].lost) {
            source->ghosts[i].position.open = false;
            source->ghosts[i].changed = true;
        }
}

/* A generation as if it had been read. */
static void
add_read(struct sa_follower *follower, struct source *source, struct candidate *candidate,
         const char *log_path)
{
    struct sa_position past = {
        .path = log_path,
        .dev = (int64_t)candidate->status.st_dev,
        .ino = (int64_t)candidate->status.st_ino,
        .seen_ms = sa_candidate_written_ms(candidate),
    };
    int fd = sa_candidate_fd(candidate);
    char bytes[HEAD_BYTES];

    if (fd == -1)
        return;
    past.id = ++follower->last_id;
    past.generation = sa_position_generation(fd);
    past.offset = sa_inflate_size(fd, candidate->kind);
    if (past.offset < 0)
        past.offset = INT64_MAX;
    past.head_len = (int64_t)sa_inflate_head(fd, candidate->kind, bytes, sizeof bytes);
    past.head_hash = sa_position_hash(bytes, (size_t)past.head_len);
    past.first_hash = sa_position_hash(bytes, sa_position_first_len(past.head_len));
    if (candidate->kind == SA_PLAIN) {
        past.marker_len = past.offset < MARKER_BYTES ? past.offset : MARKER_BYTES;
        if (sa_position_read(fd, bytes, (size_t)past.marker_len, past.offset - past.marker_len) !=
            past.marker_len)
            return;
    }
    past.marker_hash = sa_position_hash(bytes, (size_t)past.marker_len);
    (void)sa_ghost_add(source, &past, true);
}

/* Whether the operator's pattern names the packed file, and wants what was written before. */
static bool
is_wanted(const struct source *source, const struct candidate *candidate)
{
    bool named = false;

    for (char *const *pattern = source->options.globs; *pattern != NULL && !named; pattern++)
        named = fnmatch(*pattern, candidate->path, FNM_PATHNAME) == 0;
    return named && candidate->kind != SA_PLAIN && !source->options.start_at_end;
}

/* The generations of a log at the first look: those that are read come in order, the others count as read. */
static void
begin_with(struct sa_follower *follower, struct source *source, const char *log_path)
{
    struct candidates list = sa_family_find(source, log_path, 0);
    struct file *last = NULL, *holder = holder_of(source, log_path);

    for (size_t i = 0; i < list.n; i++) {
        struct candidate *candidate = &list.at[i];
        struct file *file = sa_candidate_file(source, candidate);

        if (file == NULL && is_wanted(source, candidate))
            file = sa_history_open(follower, source, candidate, log_path, NULL, NULL);
        else if (file == NULL)
            add_read(follower, source, candidate, log_path);
        if (file != NULL)
            sa_follow_wait_for(source, file, last);
        if (file != NULL)
            last = file;
    }
    if (holder != NULL && last != NULL)
        sa_follow_wait_for(source, holder, last);
    sa_family_free(&list);
}

void
sa_history_begin(struct sa_follower *follower, struct source *source)
{
    unsigned n = source->n_files;

    for (unsigned k = 0; k < n && !source->wide; k++)
        if (strcmp(source->files[k]->path, source->files[k]->origin) == 0)
            begin_with(follower, source, source->files[k]->origin);
}
