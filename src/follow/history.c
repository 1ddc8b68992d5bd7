#include "followed.h"
#include "clock.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CANDIDATES    1024
#define SLACK_MS      1000 /* file systems stamp with a coarser clock than ours */
#define INFLATE_RATIO 10   /* a guess at what a compressed log becomes */

/* A file beside the log that may be a generation of it. */
struct candidate {
    char *path;
    struct stat status;
    enum sa_compression kind;
    bool generation; /* named as rotation names them: by number or date */
    int fd;          /* opened when its content is first asked for, otherwise -1 */
    bool moved;      /* its name was given to another file meanwhile */
};

struct candidates {
    struct candidate *at;
    size_t n;
};

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* Only what rotation puts there: numbers, dates, times and their separators, then the ending of compression.
 */
static bool
is_counter(const char *text, size_t len)
{
    bool digits = false;

    for (size_t i = 0; i < len; i++) {
        if (text[i] >= '0' && text[i] <= '9')
            digits = true;
        else if (strchr("-._:T", text[i]) == NULL)
            return false;
    }
    return digits;
}

static size_t
without_compression(const char *name)
{
    return sa_inflate_kind(name) == SA_PLAIN ? strlen(name) : (size_t)(strrchr(name, '.') - name);
}

/* "x.log.1", "x.log-20261120.gz", and "x-20261120.log" or "x.1.log" as logrotate's extension writes them. */
static bool
is_generation(const char *base, const char *name)
{
    size_t base_len = strlen(base), name_len = without_compression(name), stem_len, ending_len;
    const char *ending = strrchr(base, '.');

    if (name_len > base_len && memcmp(name, base, base_len) == 0 && strchr(".-_", name[base_len]) != NULL)
        return is_counter(name + base_len, name_len - base_len);
    if (ending == NULL || ending == base)
        return false;
    stem_len = (size_t)(ending - base);
    ending_len = base_len - stem_len;
    return name_len > base_len && memcmp(name, base, stem_len) == 0 &&
           strchr(".-_", name[stem_len]) != NULL &&
           memcmp(name + name_len - ending_len, ending, ending_len) == 0 &&
           is_counter(name + stem_len, name_len - stem_len - ending_len);
}

bool
sa_history_is_family(const char *log_path, const char *path)
{
    const char *base = base_name(log_path), *name = base_name(path);
    size_t len = strlen(base);

    if (strncmp(name, base, len) == 0 && name[len] != '\0' && strchr(".-_~", name[len]) != NULL)
        return true;
    return is_generation(base, name);
}

static void
add_candidate(struct candidates *list, const char *directory, const char *name, bool generation)
{
    struct candidate *candidate;
    char path[PATH_MAX];
    struct candidate *grown;

    if (list->n == CANDIDATES || snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
        return;
    grown = realloc(list->at, (list->n + 1) * sizeof *grown);
    if (grown == NULL)
        return;
    list->at = grown;
    candidate = &grown[list->n];
    *candidate = (struct candidate){.kind = sa_inflate_kind(path), .generation = generation, .fd = -1};
    if (stat(path, &candidate->status) == -1 || !S_ISREG(candidate->status.st_mode) ||
        candidate->kind == SA_UNKNOWN_COMPRESSION)
        return;
    candidate->path = strdup(path);
    if (candidate->path != NULL)
        list->n++;
}

static void
list_directory(struct candidates *list, const char *directory, const char *base)
{
    DIR *dir = opendir(directory);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (sa_history_is_family(base, entry->d_name))
            add_candidate(list, directory, entry->d_name, is_generation(base, entry->d_name));
    if (dir != NULL)
        (void)closedir(dir);
}

static int
by_age(const void *a, const void *b)
{
    const struct timespec *x = &((const struct candidate *)a)->status.st_mtim;
    const struct timespec *y = &((const struct candidate *)b)->status.st_mtim;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

static void
split(const char *path, char directory[PATH_MAX])
{
    char *slash;

    (void)sa_text_copy(directory, PATH_MAX, path);
    slash = strrchr(directory, '/');
    if (slash == NULL)
        (void)sa_text_copy(directory, PATH_MAX, ".");
    else
        slash[slash == directory] = '\0';
}

/* The family of a log, oldest first: beside it, beside what its symbolic link points to, and in olddir. */
static struct candidates
find_candidates(const struct source *source, const char *log_path)
{
    struct candidates list = {NULL, 0};
    char directory[PATH_MAX], real[PATH_MAX], other[PATH_MAX];

    split(log_path, directory);
    list_directory(&list, directory, base_name(log_path));
    if (realpath(log_path, real) != NULL) {
        char here[PATH_MAX];

        split(real, other);
        if (realpath(directory, here) == NULL || strcmp(here, other) != 0 ||
            strcmp(base_name(real), base_name(log_path)) != 0)
            list_directory(&list, other, base_name(real));
    }
    if (source->options.olddir[0] == '/')
        list_directory(&list, source->options.olddir, base_name(log_path));
    else if (source->options.olddir[0] != '\0' &&
             snprintf(other, sizeof other, "%s/%s", directory, source->options.olddir) < (int)sizeof other)
        list_directory(&list, other, base_name(log_path));
    if (list.n > 0)
        qsort(list.at, list.n, sizeof *list.at, by_age);
    return list;
}

static void
free_candidates(struct candidates *list)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->at[i].fd != -1)
            (void)close(list->at[i].fd);
        free(list->at[i].path);
    }
    free(list->at);
}

/* The candidate's descriptor; -1 if it cannot be read or its name has moved on while we looked. */
static int
content_of(struct candidate *candidate)
{
    struct stat status;

    if (candidate->fd != -1 || candidate->moved)
        return candidate->fd;
    candidate->fd = open(candidate->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (candidate->fd != -1 && fstat(candidate->fd, &status) == 0 &&
        status.st_ino == candidate->status.st_ino && status.st_dev == candidate->status.st_dev)
        return candidate->fd;
    if (candidate->fd != -1)
        (void)close(candidate->fd);
    candidate->fd = -1;
    candidate->moved = true;
    return -1;
}

static int64_t
written_ms(struct candidate *candidate)
{
    return candidate->status.st_mtim.tv_sec * 1000 + candidate->status.st_mtim.tv_nsec / 1000000;
}

/* Whether the candidate is the file of the position, with what was read of it. */
static bool
is_same_file(struct candidate *candidate, const struct sa_position *past)
{
    int fd;

    if (past->ino != (int64_t)candidate->status.st_ino || past->dev != (int64_t)candidate->status.st_dev ||
        candidate->kind != SA_PLAIN)
        return false;
    fd = content_of(candidate);
    return fd != -1 && past->generation == sa_position_generation(fd) &&
           sa_position_match(fd, candidate->status.st_size, past) == MATCH_SAME;
}

/* Whether the candidate is followed, or was and is closed. */
static bool
is_known(struct source *source, struct candidate *candidate)
{
    bool known = sa_follow_find(source, candidate->status.st_dev, candidate->status.st_ino) != NULL;

    for (unsigned i = 0; i < source->n_ghosts && !known; i++)
        known = !source->ghosts[i].position.open && is_same_file(candidate, &source->ghosts[i].position);
    return known;
}

/* A compressed file that is being inflated has its place in the file system too. */
static bool
is_inflated(const struct source *source, struct candidate *candidate)
{
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->inflater != NULL && strcmp(source->files[i]->path, candidate->path) == 0)
            return true;
    return false;
}

/* What is read as history is over its caps? */
static bool
too_much(struct sa_follower *follower, struct source *source, struct candidate *candidate, int64_t from)
{
    int64_t bytes = candidate->status.st_size * (candidate->kind == SA_PLAIN ? 1 : INFLATE_RATIO) - from;
    int64_t age_ms = sa_clock_now().wall_ms - written_ms(candidate);

    if (age_ms > source->options.backfill_max_age_ms) {
        sa_follow_note(follower, source, "%s is not read: older than backfill_max_age", candidate->path);
        return true;
    }
    if (bytes > source->options.backfill_max_bytes) {
        sa_follow_note(follower, source, "%s is not read: more than backfill_max_bytes", candidate->path);
        return true;
    }
    source->options.backfill_max_bytes -= bytes > 0 ? bytes : 0;
    return false;
}

static void
on_pipe(void *arg)
{
    struct file *file = arg;

    file->blocked = false;
    sa_watch_pause(file->readable);
    sa_follow_want_reading(file->follower, file);
}

/* A file that is read through an inflater, behind what was read of it or from its start. */
static struct file *
open_compressed(struct sa_follower *follower, struct source *source, struct candidate *candidate,
                const char *origin, const struct sa_position *from, struct ghost *ghost)
{
    int64_t skip = from == NULL ? 0 : from->offset;
    int fd = content_of(candidate) == -1 ? -1 : dup(candidate->fd), pipe;
    struct sa_inflater *inflater = NULL;
    struct sa_position past = {0};
    char head[HEAD_BYTES];
    size_t head_len;
    struct file *file;

    if (fd == -1)
        return NULL;
    head_len = sa_inflate_head(fd, candidate->kind, head, from == NULL ? HEAD_BYTES : (size_t)from->head_len);
    if (source->n_files == SA_FOLLOW_FILES ||
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
    file->inflater = inflater;
    file->follower = follower;
    file->gone_ms = sa_clock_now().mono_ms;
    file->late_until = INT64_MAX;
    file->resume = file->offset;
    if (past.id != 0) { /* recognised by the same bytes after another restart */
        file->dev = (dev_t)past.dev;
        file->ino = (ino_t)past.ino;
        file->generation = past.generation;
    }
    memcpy(file->head, head, head_len);
    file->head_len = head_len;
    file->readable = sa_loop_readable(follower->loop, pipe, on_pipe, file);
    if (file->readable != NULL)
        sa_watch_pause(file->readable);
    sa_follow_want_reading(follower, file);
    return file;
}

/* The rest of the ghost's stream is in this compressed file: it begins with the same bytes. */
static bool
begins_alike(struct candidate *candidate, const struct sa_position *position)
{
    char head[HEAD_BYTES];
    int fd = content_of(candidate);
    size_t len = 0;

    if (fd != -1)
        len = sa_inflate_head(fd, candidate->kind, head, (size_t)position->head_len);
    return position->head_len > 0 && len == (size_t)position->head_len &&
           sa_position_hash(head, len) == position->head_hash;
}

/* Whether the candidate, which is not compressed, holds what was read up to the position. */
static bool
holds(struct candidate *candidate, const struct sa_position *position)
{
    int fd = content_of(candidate);

    return fd != -1 && sa_position_match(fd, candidate->status.st_size, position) == MATCH_SAME;
}

static struct file *
open_generation(struct sa_follower *follower, struct source *source, struct candidate *candidate,
                const char *origin, struct ghost *ghost)
{
    struct file *file = NULL;

    if (candidate->kind != SA_PLAIN)
        file = open_compressed(follower, source, candidate, origin, ghost == NULL ? NULL : &ghost->position,
                               ghost);
    else if (sa_follow_open_rotated(follower, source, candidate->path, &candidate->status, origin, ghost,
                                    &file) < 0)
        file = NULL;
    if (file == NULL)
        return NULL;
    source->rotations++;
    return file;
}

/* Where a stream that was open goes on: under another name, or in a copy, or in a compressed copy. */
static struct file *
find_rest(struct sa_follower *follower, struct source *source, struct ghost *ghost, struct candidates *list)
{
    const struct sa_position *past = &ghost->position;

    for (size_t i = 0; i < list->n && !ghost->lost; i++)
        if (is_same_file(&list->at[i], past) && !is_known(source, &list->at[i]))
            return open_generation(follower, source, &list->at[i], past->path, ghost);
    for (size_t i = 0; i < list->n; i++) {
        struct candidate *candidate = &list->at[i];
        bool alike;

        if (is_known(source, candidate) || is_inflated(source, candidate))
            continue;
        alike = candidate->kind == SA_PLAIN ? past->offset > 0 && holds(candidate, past)
                                            : begins_alike(candidate, past);
        if (alike && !too_much(follower, source, candidate, past->offset))
            return open_generation(follower, source, candidate, past->path, ghost);
    }
    return NULL;
}

/* Whether the candidate holds no more than what was read up to the position, and is no younger. */
static bool
is_part_of(struct candidate *candidate, const struct sa_position *past)
{
    char head[HEAD_BYTES];
    int64_t size;
    size_t len;
    int fd;

    if (past->head_len == 0 || !sa_history_is_family(past->path, candidate->path) ||
        written_ms(candidate) > past->seen_ms + SLACK_MS)
        return false;
    fd = content_of(candidate);
    if (fd == -1)
        return false;
    len = sa_inflate_head(fd, candidate->kind, head, (size_t)past->head_len);
    size = sa_inflate_size(fd, candidate->kind);
    return size <= past->offset && len == (size_t)past->head_len &&
           sa_position_hash(head, len) == past->head_hash;
}

/* Whether the candidate holds what the file holds, so that it is read there if it was not yet. */
static bool
is_made_of(struct candidate *candidate, const struct file *file)
{
    char head[HEAD_BYTES], other[HEAD_BYTES];
    struct stat status;
    int64_t size;
    size_t len;
    int fd;

    if (file->inflater != NULL || !sa_history_is_family(file->origin, candidate->path) ||
        fstat(file->fd, &status) == -1)
        return false;
    fd = content_of(candidate);
    if (fd == -1)
        return false;
    len = sa_inflate_head(fd, candidate->kind, head, sizeof head);
    size = sa_inflate_size(fd, candidate->kind);
    return size <= status.st_size && sa_position_read(file->fd, other, len, 0) == (ssize_t)len &&
           memcmp(head, other, len) == 0;
}

/* A compressed or copied generation whose lines were counted when they were written. */
static bool
was_read(const struct source *source, struct candidate *candidate)
{
    for (unsigned i = 0; i < source->n_ghosts; i++)
        if (is_part_of(candidate, &source->ghosts[i].position))
            return true;
    for (unsigned i = 0; i < source->n_files; i++)
        if (is_made_of(candidate, source->files[i]))
            return true;
    return false;
}

/* Whether the candidate begins with what was read, all of it or less. */
static bool
holds_beginning(struct candidate *candidate, const struct sa_position *position)
{
    int fd = content_of(candidate);

    return fd != -1 && sa_position_match(fd, candidate->status.st_size, position) != MATCH_NONE;
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
        struct file *file;

        if (!candidate->generation || written_ms(candidate) < since_ms - SLACK_MS ||
            is_known(source, candidate) || is_inflated(source, candidate))
            continue;
        if ((!source->scanned || candidate->kind != SA_PLAIN) && was_read(source, candidate))
            continue;
        if (!source->scanned && too_much(follower, source, candidate, 0))
            continue;
        file = candidate->moved ? NULL : open_generation(follower, source, candidate, log_path, NULL);
        if (file == NULL) {
            source->names_changed = true; /* the next scan looks again */
            continue;
        }
        if (source->scanned)
            file->late_until = 0;
        file->before = last;
        last = file;
    }
    return last;
}

static void
find_rests(struct sa_follower *follower, struct source *source)
{
    for (unsigned i = 0; i < source->n_ghosts;) { /* in the order in which they were opened */
        struct ghost *ghost = &source->ghosts[i];
        struct candidates list = {NULL, 0};
        struct file *rest = NULL, *holder;
        char *path = strdup(ghost->position.path);

        if (ghost->position.open && path != NULL) {
            list = find_candidates(source, path);
            rest = find_rest(follower, source, ghost, &list);
        }
        if (rest != NULL) { /* the ghost is used up */
            holder = holder_of(source, path);
            if (holder != NULL && holder != rest)
                holder->before = rest;
            sa_follow_note(follower, source, "going on with %s in %s", path, rest->path);
        } else {
            i++;
        }
        free_candidates(&list);
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
    struct candidates list = find_candidates(source, log_path);
    struct file *holder = holder_of(source, log_path), *rest = last_rest(source, log_path);
    struct file *last = open_between(follower, source, log_path, &list, since_ms, rest);

    if (holder != NULL && last != rest)
        holder->before = last;
    free_candidates(&list);
}

void
sa_history_backfill(struct sa_follower *follower, struct source *source)
{
    unsigned n;

    find_rests(follower, source);
    n = source->n_files;
    for (char *const *pattern = source->options.globs; *pattern != NULL; pattern++)
        if (strpbrk(*pattern, "*?[") == NULL)
            sa_history_look(follower, source, *pattern, source->options.last_alive_ms);
    for (unsigned i = 0; i < n; i++) /* what patterns matched; a log that was looked at has no more to find */
        sa_history_look(follower, source, source->files[i]->origin, source->options.last_alive_ms);
    /* A copy that was rotated away and whose stream is not found again is only good to be recognised. */
    for (unsigned i = 0; i < source->n_ghosts; i++)
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
        .seen_ms = written_ms(candidate),
    };
    int fd = content_of(candidate);
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
    past.marker_hash = sa_position_hash(bytes, 0);
    (void)sa_ghost_add(source, &past, true);
}

void
sa_history_ignore(struct sa_follower *follower, struct source *source)
{
    unsigned n = source->n_files;

    for (unsigned k = 0; k < n; k++) {
        struct candidates list = find_candidates(source, source->files[k]->origin);

        for (size_t i = 0; i < list.n; i++)
            if (sa_follow_find(source, list.at[i].status.st_dev, list.at[i].status.st_ino) == NULL)
                add_read(follower, source, &list.at[i], source->files[k]->origin);
        free_candidates(&list);
    }
}

void
sa_history_take_over(struct file *file, struct file *from)
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
    file->head_len = from->head_len;
    file->marker_len = from->marker_len;
    file->resume_marker_len = from->resume_marker_len;
    memcpy(file->head, from->head, sizeof file->head);
    memcpy(file->marker, from->marker, sizeof file->marker);
    memcpy(file->resume_marker, from->resume_marker, sizeof file->resume_marker);
    file->changed = from->changed = true;
}

/* What the file holds now was counted; what comes to it later is its own. */
static void
skip_to_end(struct file *file)
{
    struct stat status;

    if (fstat(file->fd, &status) == 0)
        file->size = status.st_size;
    file->offset = file->size;
    sa_position_load(file);
    file->may_be_copy = false;
    file->copy_of = NULL;
    file->pending = false;
    file->changed = true;
}

void
sa_history_settle_copy(struct file *copy)
{
    skip_to_end(copy);
}

static bool
same_bytes(int a, int b, int64_t offset, size_t len)
{
    char x[HEAD_BYTES], y[HEAD_BYTES];

    return sa_position_read(a, x, len, offset) == (ssize_t)len &&
           sa_position_read(b, y, len, offset) == (ssize_t)len && memcmp(x, y, len) == 0;
}

/* The stream goes on in the copy, and the file waits for that. */
static void
go_on_in(struct sa_follower *follower, struct source *source, struct file *file, struct file *copy)
{
    sa_history_take_over(copy, file);
    copy->may_be_copy = false;
    copy->copy_of = NULL;
    copy->before = NULL;
    sa_follow_want_reading(follower, copy);
    file->before = copy;
    sa_follow_note(follower, source, "going on with %s in %s", file->path, copy->path);
}

/* Whether the candidate is a copy of what the file had; with more than was read of it, the stream goes on
 * there. */
static bool
is_copy_of_past(struct sa_follower *follower, struct source *source, struct file *file,
                struct candidate *candidate, const struct sa_position *had)
{
    struct file *copy = sa_follow_find(source, candidate->status.st_dev, candidate->status.st_ino);
    enum match match;

    if (candidate->kind != SA_PLAIN) {
        if (is_inflated(source, candidate) || was_read(source, candidate) || !begins_alike(candidate, had))
            return false;
        copy = open_compressed(follower, source, candidate, file->origin, had, NULL);
        if (copy != NULL)
            go_on_in(follower, source, file, copy);
        return copy != NULL;
    }
    if (copy == file || (copy != NULL && !copy->may_be_copy) || (copy == NULL && is_known(source, candidate)))
        return false;
    if (copy == NULL && (!holds_beginning(candidate, had) ||
                         sa_follow_open_rotated(follower, source, candidate->path, &candidate->status,
                                                file->origin, NULL, &copy) < 0))
        return false;
    match = sa_position_match(copy->fd, copy->size, had);
    if (match == MATCH_NONE)
        return false;
    if (match == MATCH_SAME && copy->size > had->offset)
        go_on_in(follower, source, file, copy);
    else
        skip_to_end(copy);
    return true;
}

/* Whether the candidate's bytes are those that the file has now: a copy that is still being made. */
static bool
is_copy_of_present(const struct file *file, struct candidate *candidate)
{
    size_t n = candidate->status.st_size < HEAD_BYTES ? (size_t)candidate->status.st_size : HEAD_BYTES;
    int fd = content_of(candidate);

    return fd != -1 && same_bytes(fd, file->fd, 0, n) &&
           same_bytes(fd, file->fd, candidate->status.st_size - (int64_t)n, n);
}

void
sa_history_rest(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct sa_position had = sa_position_of(file, true);
    struct candidates list = find_candidates(source, file->path), newer;
    size_t i = list.n;
    bool found = false;

    for (; i > 0 && !found; i--)
        found = is_copy_of_past(follower, source, file, &list.at[i - 1], &had);
    if (found) { /* at i; what is newer holds what the file had after that and before now */
        struct file *last = file->before;

        newer = (struct candidates){list.at + i + 1, list.n - i - 1};
        while (newer.n > 0 && is_copy_of_present(file, &newer.at[newer.n - 1]))
            newer.n--;
        file->before = open_between(follower, source, file->origin, &newer, 0, last);
    }
    free_candidates(&list);
}

void
sa_history_judge_copy(struct sa_follower *follower, struct source *source, struct file *file)
{
    size_t n;

    file->copy_of = NULL;
    file->before = NULL;
    file->pending = false;
    if (file->size == 0)
        return; /* its first bytes will tell */
    n = file->size < HEAD_BYTES ? (size_t)file->size : HEAD_BYTES;
    for (unsigned i = 0; i < source->n_files; i++) {
        struct file *other = source->files[i];

        if (other == file || other->inflater != NULL || other->may_be_copy ||
            file->born_ns < other->born_ns || !sa_history_is_family(other->path, file->path))
            continue; /* a copy is younger than what it was made of; the generation before is older */
        if (other->pending || sa_position_lost(other)) { /* then it says first what the copy is good for */
            sa_follow_want_reading(follower, other);
            file->before = other;
            file->pending = true;
            return;
        }
        if (same_bytes(file->fd, other->fd, 0, n) &&
            same_bytes(file->fd, other->fd, file->size - (int64_t)n, n)) {
            file->copy_of = other;
            return;
        }
    }
    if (file->gone_ms != 0) { /* an old generation that something else was written into: not ours to read */
        skip_to_end(file);
        return;
    }
    file->may_be_copy = false;
    source->rotations++;
    sa_follow_want_reading(follower, file);
}
