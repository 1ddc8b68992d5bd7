#include "followed.h"
#include "clock.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DESCRIPTORS_KEPT 48

/* Several files can share a watch: hard links, or one file in two sources. */
static void
drop_watch(struct sa_follower *follower, const struct file *gone)
{
    for (unsigned s = 0; s < follower->n_sources; s++)
        if (sa_index_find(&follower->sources[s], gone->dev, gone->ino) != NULL)
            return;
    sa_watcher_remove_file(follower->watcher, gone->watch);
}

/* What the file's position becomes when the file is closed: it may come back under another name. */
static void
leave_ghost(struct sa_follower *follower, struct source *source, const struct file *file)
{
    struct sa_position position = sa_position_of(file, true);

    position.open = false;                            /* it may come back under another name, or compressed */
    if (file->may_be_copy && file->disk.by_content) { /* nothing was taken of it */
        sa_position_forget(follower, source, file->id);
        return;
    }
    if (file->left_out && sa_left_add(source, &position) == 0)
        return;
    if (file->discarded || sa_ghost_add(source, &position, true) < 0)
        sa_position_forget(follower, source, file->id);
}

static void
free_file(struct file *file)
{
    (void)sa_watch_free(file->readable);
    if (file->inflater != NULL)
        (void)sa_inflater_free(file->inflater);
    else if (file->fd != -1)
        (void)close(file->fd);
    free(file->path);
    free(file->origin);
    free(file);
}

void
sa_follow_close_file(struct sa_follower *follower, struct source *source, unsigned i)
{
    struct file *file = source->files[i];

    for (unsigned k = 0; k < source->n_files && !file->left_out; k++) {
        if (source->files[k]->before == file)
            source->files[k]->before = NULL;
        if (source->files[k]->copy_of == file)
            sa_copies_settle(source->files[k]);
    }
    sa_index_remove(source, file);
    drop_watch(follower, file);
    follower->events->closed(follower->arg, file->stream);
    leave_ghost(follower, source, file);
    free_file(file);
    source->n_files--;
    memmove(&source->files[i], &source->files[i + 1], (source->n_files - i) * sizeof source->files[0]);
}

/* Where the last line that is not complete begins, so that it is counted when it is. */
static int64_t
end_of_lines(int fd, int64_t size)
{
    char tail[4096];
    int64_t end = size;

    while (end > 0) {
        int64_t start = end > (int64_t)sizeof tail ? end - (int64_t)sizeof tail : 0;
        ssize_t n = sa_disk_read(fd, tail, (size_t)(end - start), start);
        const char *newline = n <= 0 ? NULL : memrchr(tail, '\n', (size_t)n);

        if (n <= 0)
            return size;
        if (newline != NULL)
            return start + (newline - tail) + 1;
        if (size - start > 1048576)
            return size; /* no line is that long */
        end = start;
    }
    return 0;
}

/* The file whose place the new one takes: same name, not found under it any more. */
static struct file *
predecessor(struct source *source, const char *path)
{
    for (unsigned i = source->n_files; i > 0 && source->n_unseen > 0; i--)
        if (!source->files[i - 1]->seen && source->files[i - 1]->inflater == NULL &&
            strcmp(source->files[i - 1]->path, path) == 0)
            return source->files[i - 1];
    return NULL;
}

/* Control clients and notification receivers need descriptors too: files leave some to them. */
static bool
descriptors_left(int newest_fd)
{
    struct rlimit limit;
    rlim_t kept = DESCRIPTORS_KEPT;

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return true;
    if (kept > limit.rlim_cur / 4)
        kept = limit.rlim_cur / 4; /* of few the files get most */
    return (rlim_t)newest_fd + kept < limit.rlim_cur;
}

struct file *
sa_follow_adopt(struct sa_follower *follower, struct source *source, const char *path, const char *origin,
                int fd, const struct stat *status, struct ghost *ghost)
{
    struct file *file = calloc(1, sizeof *file);
    int64_t id = ghost != NULL ? ghost->position.id : ++follower->last_id;

    if (file == NULL)
        return NULL;
    file->path = strdup(path);
    file->origin = strdup(ghost != NULL ? ghost->position.path : origin);
    if (file->path != NULL && file->origin != NULL)
        file->stream = follower->events->opened(follower->arg, (unsigned)(source - follower->sources), id,
                                                ghost != NULL);
    if (file->stream == NULL) {
        free(file->path);
        free(file->origin);
        free(file);
        return NULL;
    }
    file->id = id;
    file->dev = status->st_dev;
    file->ino = status->st_ino;
    file->generation = sa_position_generation(fd);
    file->born_ns = sa_position_born_ns(fd);
    file->fd = fd;
    file->watch = -1;
    file->size = status->st_size;
    file->offset = ghost != NULL ? ghost->position.offset : 0;
    file->seen_ms = sa_clock_now().wall_ms;
    file->changed = true;
    if (ghost != NULL)
        sa_ghost_remove(source, ghost);
    source->files[source->n_files++] = file;
    return file;
}

/*
 * The ghost whose stream goes on in this file.  By its place in the file system; or, if it was not found
 * there, by its content: the log was written to a new file, or its disk has another number now.
 */
static struct ghost *
find_past(struct sa_follower *follower, struct source *source, const char *path, int fd,
          const struct stat *status, bool *ret_consumed, bool *ret_unread)
{
    enum match match;
    struct ghost *ghost =
        sa_ghost_find(source, (int64_t)status->st_dev, (int64_t)status->st_ino, sa_position_generation(fd));

    *ret_consumed = *ret_unread = false;
    if (ghost != NULL) {
        match = sa_position_match(fd, &ghost->position);
        if (match == MATCH_SAME || match == MATCH_SHORT || match == MATCH_BEGUN)
            return ghost; /* if it shows less than was read of it, whether it was truncated is told later */
        *ret_unread = match == MATCH_UNKNOWN;
        if (*ret_unread)
            return NULL;
        source->truncations++;
        if (ghost->position.open) {
            sa_ghost_lose(ghost);
        } else {
            sa_position_forget(follower, source, ghost->position.id);
            sa_ghost_remove(source, ghost);
        }
        return NULL;
    }
    for (unsigned i = 0; i < source->n_ghosts; i++) {
        ghost = &source->ghosts[i];
        if (!ghost->position.open || !(strcmp(ghost->position.path, path) == 0 ||
                                       (!source->wide && sa_family_is(ghost->position.path, path))))
            continue;
        match = sa_position_match(fd, &ghost->position);
        if (match == MATCH_SAME && ghost->position.offset > 0)
            return ghost;
        if (match == MATCH_SHORT && ghost->lost && ghost->position.head_len > 0)
            *ret_consumed = true; /* a copy of what had been read, made before the rest was written */
    }
    return NULL;
}

/* Returns the descriptor, or negative errno; -EMEDIUMTYPE: not a regular file. */
static int
open_regular(const struct source *source, const char *path, struct stat *ret_status)
{
    int fd, r = 0;

    if (stat(path, ret_status) == -1)
        return -errno;
    if (!S_ISREG(ret_status->st_mode) || sa_disk_is_kernels(path))
        return -EMEDIUMTYPE; /* opening a device or a file of the kernel may do something */
    fd = sa_disk_open(path);
    if (fd == -1)
        return -errno;
    if (fstat(fd, ret_status) == -1)
        r = -errno;
    else if (!S_ISREG(ret_status->st_mode))
        r = -EMEDIUMTYPE;
    else if (source->n_files == SA_FOLLOW_FILES || !descriptors_left(fd))
        r = -EMFILE;
    if (r == 0)
        return fd;
    (void)close(fd);
    return r;
}

static void
begin_reading(struct sa_follower *follower, struct source *source, struct file *file)
{
    sa_position_load(file);
    file->watch = sa_watcher_add_file(follower->watcher, file->fd);
    file->disk = source->distrusted_ms != 0 ? sa_disk_distrusted() : sa_disk_of(file->fd);
    sa_index_add(source, file);
    sa_follow_want_reading(follower, file);
}

int
sa_follow_open_rotated(struct sa_follower *follower, struct source *source, const char *path, int fd,
                       const char *origin, struct ghost *past, int64_t offset, struct file **ret_file)
{
    struct stat status;
    struct file *file;

    if (source->n_files == SA_FOLLOW_FILES || !descriptors_left(fd))
        return -EMFILE;
    if (fstat(fd, &status) == -1)
        return -errno;
    file = sa_follow_adopt(follower, source, path, origin, fd, &status, past);
    if (file == NULL)
        return -ENOMEM;
    if (past == NULL)
        file->offset = offset;
    file->gone_ms = sa_clock_now().mono_ms;
    file->late_until = source->scanned && past == NULL ? 0 : status.st_size;
    begin_reading(follower, source, file);
    *ret_file = file;
    return 0;
}

void
sa_follow_wait_for(struct source *source, struct file *file, struct file *before)
{
    struct file *link = before;

    for (unsigned i = 0; i < source->n_files && link != NULL; i++) {
        struct file *next = link->before;

        if (next == file)
            link->before = NULL;
        link = next;
    }
    file->before = before == file ? NULL : before;
}

bool
sa_follow_has_family(const struct source *source, const struct file *file)
{
    if (source->wide)
        return false;
    if (sa_family_is(file->origin, file->path)) /* of a log whose own file this scan may not have met yet */
        return true;
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i] != file && sa_family_is(source->files[i]->path, file->path))
            return true;
    return false;
}

bool
sa_follow_is_log(const struct file *file)
{
    return file->gone_ms == 0 && strcmp(file->path, file->origin) == 0;
}

struct file *
sa_follow_find_named(struct source *source, const char *path)
{
    struct file *found = NULL;

    for (unsigned i = 0; i < source->n_files && source->n_by_content > 0; i++) {
        struct file *file = source->files[i];

        if (file->disk.by_content && file->inflater == NULL && strcmp(file->path, path) == 0 &&
            (found == NULL || file->gone_ms == 0))
            found = file;
    }
    return found;
}

void
sa_follow_give_name(struct source *source, struct file *file, const char *path)
{
    char *copy;

    file->seen = true;
    file->gone_ms = 0;
    if (strcmp(file->path, path) == 0)
        return;
    if (strcmp(file->path, file->origin) == 0 && sa_family_is(file->path, path))
        source->rotations++;
    source->names_changed = true;
    copy = strdup(path);
    if (copy == NULL)
        return;
    free(file->path);
    file->path = copy;
    file->changed = true;
}

/* The log of which the path is a generation, if that is followed or was; otherwise the path itself. */
static const char *
origin_of(const struct source *source, const char *path)
{
    for (unsigned i = 0; i < source->n_files && !source->wide; i++)
        if (sa_family_is(source->files[i]->origin, path))
            return source->files[i]->origin;
    for (unsigned i = 0; i < source->n_ghosts && !source->wide; i++)
        if (sa_family_is(source->ghosts[i].position.path, path))
            return source->ghosts[i].position.path;
    return path;
}

/*
 * The file that had the name until now, if the descriptor is of the same one, only that its file system gives
 * it another number: two files do not have the same bytes, size and time to the nanosecond.
 */
static struct file *
same_under_name(struct source *source, const char *path, int fd, const struct stat *status)
{
    struct file *file = predecessor(source, path);
    struct stat had;

    if (file == NULL || !sa_proof_same(fd, file) || fstat(file->fd, &had) == -1)
        return NULL;
    return had.st_size == status->st_size && had.st_mtim.tv_sec == status->st_mtim.tv_sec &&
                   had.st_mtim.tv_nsec == status->st_mtim.tv_nsec
               ? file
               : NULL;
}

void
sa_follow_take_descriptor(struct sa_follower *follower, struct source *source, struct file *file, int fd)
{
    struct stat status;

    if (fstat(fd, &status) == -1 || dup3(fd, file->fd, O_CLOEXEC) == -1)
        return;
    sa_index_remove(source, file);
    drop_watch(follower, file);
    file->dev = status.st_dev;
    file->ino = status.st_ino;
    file->generation = sa_position_generation(fd);
    file->watch = sa_watcher_add_file(follower->watcher, file->fd);
    file->error = 0;
    file->changed = true;
    sa_index_add(source, file);
    sa_follow_want_reading(follower, file);
}

/* Whether a name and what was opened by it never have the same number: not even a rename explains that. */
static bool
numbers_lie(const char *path, const struct stat *opened)
{
    struct stat named, status = *opened;

    for (int i = 0; i < 3; i++) {
        int fd = i == 0 ? -1 : sa_disk_open(path);
        bool seen = (i == 0 || (fd != -1 && fstat(fd, &status) == 0)) && stat(path, &named) == 0;

        if (fd != -1)
            (void)close(fd);
        if (!seen || (named.st_ino == status.st_ino && named.st_dev == status.st_dev))
            return false;
    }
    return true;
}

/* A name on a disk where files are known by their content, which will be judged. */
static int
open_view(struct sa_follower *follower, struct source *source, const char *path, int fd,
          const struct stat *status)
{
    struct file *file;

    sa_left_take(source, path, fd, status);
    file = sa_follow_adopt(follower, source, path, origin_of(source, path), fd, status, NULL);
    if (file == NULL) {
        (void)close(fd);
        return -ENOMEM;
    }
    if (!source->scanned && !source->options.known && source->options.start_at_end)
        file->offset = end_of_lines(fd, status->st_size);
    file->may_be_copy = file->offset == 0;
    file->seen = source->names_changed = true;
    file->seen_ms = status->st_mtim.tv_sec * 1000 + status->st_mtim.tv_nsec / 1000000;
    file->late_until = source->scanned ? 0 : status->st_size;
    begin_reading(follower, source, file);
    return 0;
}

/*
 * Whether the file shows all that was read of its log before an earlier life saw it truncated, which ended
 * before it saw more: then the disk had lied.
 */
static bool
came_back(const struct source *source, const char *path, int fd)
{
    for (unsigned i = 0; i < source->n_ghosts && !source->scanned; i++)
        if (source->ghosts[i].lost && source->ghosts[i].position.offset > 0 &&
            strcmp(source->ghosts[i].position.path, path) == 0 &&
            sa_position_match(fd, &source->ghosts[i].position) == MATCH_SAME)
            return true;
    return false;
}

int
sa_follow_open_named(struct sa_follower *follower, struct source *source, const char *path)
{
    struct stat status = {0};
    int fd = open_regular(source, path, &status);
    bool consumed = false, unread = false, by_content;
    struct sa_position had = {0};
    struct ghost *past;
    struct file *file;

    if (fd < 0) {
        if (sa_disk_is_ill(fd))
            sa_views_distrust(follower, source, path);
        return fd;
    }
    by_content = source->distrusted_ms != 0 || sa_disk_of(fd).by_content;
    if (!by_content && (numbers_lie(path, &status) || sa_disk_ends_early(fd))) {
        sa_views_distrust(follower, source, path);
        by_content = true;
    }
    if (by_content)
        return open_view(follower, source, path, fd, &status);
    file = sa_index_find(source, status.st_dev, status.st_ino);
    if (file == NULL && (file = same_under_name(source, path, fd, &status)) != NULL)
        sa_follow_take_descriptor(follower, source, file, fd);
    if (file != NULL) { /* the name has moved to a file that is followed */
        (void)close(fd);
        sa_follow_give_name(source, file, path);
        return 0;
    }
    sa_left_take(source, path, fd, &status);
    past = find_past(follower, source, path, fd, &status, &consumed, &unread);
    /* Whether it is the file we know shows when it can be read, or is told by its content alone. */
    if (unread || ((past == NULL || past->position.offset == 0) && came_back(source, path, fd))) {
        sa_views_distrust(follower, source, path);
        return open_view(follower, source, path, fd, &status);
    }
    if (past != NULL && strcmp(past->position.path, path) != 0)
        source->rotations++;
    if (past != NULL)
        had = past->position;
    file = sa_follow_adopt(follower, source, path, origin_of(source, path), fd, &status, past);
    if (file == NULL) {
        (void)close(fd);
        return -ENOMEM;
    }
    if (consumed)
        file->offset = file->size;
    else if (past == NULL && !source->scanned && !source->options.known && source->options.start_at_end)
        file->offset = end_of_lines(fd, status.st_size);
    file->seen = true;
    file->seen_ms = status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
    source->names_changed = true;
    file->late_until = source->scanned ? 0 : status.st_size;
    sa_follow_wait_for(source, file, predecessor(source, path));
    if ((source->scanned || source->options.known) && past == NULL && !consumed &&
        sa_follow_has_family(source, file))
        file->may_be_copy = true;
    else if (file->before != NULL)
        source->rotations++;
    begin_reading(follower, source, file);
    if (past != NULL && file->marker_len != (size_t)had.marker_len)
        sa_proof_seal(file, &had);
    return 0;
}
