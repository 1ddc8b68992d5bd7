#include "followed.h"
#include "clock.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
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
        for (unsigned i = 0; i < follower->sources[s].n_files; i++)
            if (follower->sources[s].files[i] != gone && follower->sources[s].files[i]->watch == gone->watch)
                return;
    sa_watcher_remove_file(follower->watcher, gone->watch);
}

/* What the file's position becomes when the file is closed: it may come back under another name. */
static void
leave_ghost(struct sa_follower *follower, struct source *source, const struct file *file)
{
    struct sa_position position = sa_position_of(file, true);

    position.open = false; /* it may come back under another name, or compressed */
    if (file->discarded || sa_ghost_add(source, &position, true) < 0)
        sa_position_forget(follower, file->id);
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

    for (unsigned k = 0; k < source->n_files; k++) {
        if (source->files[k]->before == file)
            source->files[k]->before = NULL;
        if (source->files[k]->copy_of == file)
            sa_history_settle_copy(source->files[k]);
    }
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
        ssize_t n = pread(fd, tail, (size_t)(end - start), start);
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
    for (unsigned i = source->n_files; i > 0; i--)
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
        if (sa_disk_of(fd).remote) /* its number says nothing: perhaps it was renamed, and is found as such */
            return NULL;
        source->truncations++;
        if (ghost->position.open) {
            sa_ghost_lose(ghost);
        } else {
            sa_position_forget(follower, ghost->position.id);
            sa_ghost_remove(source, ghost);
        }
        return NULL;
    }
    for (unsigned i = 0; i < source->n_ghosts; i++) {
        ghost = &source->ghosts[i];
        if (!ghost->position.open ||
            !(strcmp(ghost->position.path, path) == 0 || sa_family_is(ghost->position.path, path)))
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
    int fd = sa_disk_open(path), r = 0;

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
begin_reading(struct sa_follower *follower, struct file *file)
{
    sa_position_load(file);
    file->watch = sa_watcher_add_file(follower->watcher, file->fd);
    file->disk = sa_disk_of(file->fd);
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
    file->late_until = source->scanned ? 0 : status.st_size;
    begin_reading(follower, file);
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

static bool
is_file(const struct file *file, const struct stat *status, int fd)
{
    if (file->dev != status->st_dev || file->inflater != NULL)
        return false;
    if (file->disk.remote)
        return fd != -1 && (file->offset > 0 ? sa_proof_same(fd, file) : sa_same_beginning(fd, file->fd));
    return file->ino == status->st_ino;
}

struct file *
sa_follow_find(struct source *source, const struct stat *status, int fd)
{
    for (unsigned i = 0; i < source->n_files; i++)
        if (is_file(source->files[i], status, fd))
            return source->files[i];
    return NULL;
}

struct file *
sa_follow_find_remote(struct source *source, const char *path)
{
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->disk.remote && source->files[i]->gone_ms == 0 &&
            strcmp(source->files[i]->path, path) == 0)
            return source->files[i];
    return NULL;
}

static void
give_name(struct source *source, struct file *file, const char *path)
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
    for (unsigned i = 0; i < source->n_files; i++)
        if (sa_family_is(source->files[i]->origin, path))
            return source->files[i]->origin;
    for (unsigned i = 0; i < source->n_ghosts; i++)
        if (sa_family_is(source->ghosts[i].position.path, path))
            return source->ghosts[i].position.path;
    return path;
}

/*
 * The file that had the name until now, if the descriptor is of the same one, only that its file system gives
 * it another number: a number says nothing on a network file system, and elsewhere two files do not have the
 * same bytes, size and time to the nanosecond.
 */
static struct file *
same_under_name(struct source *source, const char *path, int fd, const struct stat *status)
{
    struct file *file = predecessor(source, path);
    struct stat had;

    if (file == NULL || !sa_proof_same(fd, file) || fstat(file->fd, &had) == -1)
        return NULL;
    return file->disk.remote ||
                   (had.st_size == status->st_size && had.st_mtim.tv_sec == status->st_mtim.tv_sec &&
                    had.st_mtim.tv_nsec == status->st_mtim.tv_nsec)
               ? file
               : NULL;
}

static void
take_descriptor(struct file *file, int fd, const struct stat *status)
{
    if (dup3(fd, file->fd, O_CLOEXEC) == -1)
        return;
    file->dev = status->st_dev;
    file->ino = status->st_ino;
    file->generation = sa_position_generation(fd);
    file->changed = true;
}

/* A file that has its configured name now.  Returns 0 or negative errno. */
static int
open_named(struct sa_follower *follower, struct source *source, const char *path)
{
    struct stat status = {0};
    int fd = open_regular(source, path, &status);
    bool consumed = false, unread = false;
    struct sa_position had = {0};
    struct ghost *past;
    struct file *file;

    if (fd < 0)
        return fd;
    file = sa_follow_find(source, &status, fd);
    if (file == NULL && (file = same_under_name(source, path, fd, &status)) != NULL)
        take_descriptor(file, fd, &status);
    if (file != NULL) { /* the name has moved to a file that is followed */
        (void)close(fd);
        give_name(source, file, path);
        return 0;
    }
    past = find_past(follower, source, path, fd, &status, &consumed, &unread);
    if (unread) { /* whether it is the file we know shows when it can be read */
        (void)close(fd);
        return -EIO;
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
    source->names_changed = true;
    file->late_until = source->scanned ? 0 : status.st_size;
    sa_follow_wait_for(source, file, predecessor(source, path));
    if ((source->scanned || source->options.known) && past == NULL && !consumed &&
        sa_follow_has_family(source, file))
        file->may_be_copy = true;
    else if (file->before != NULL)
        source->rotations++;
    begin_reading(follower, file);
    if (past != NULL && file->marker_len != (size_t)had.marker_len)
        sa_proof_seal(file, &had);
    return 0;
}

static void
note_trouble(struct source *source, int error, const char *path)
{
    if (source->trouble != 0 && (source->trouble != -ENOENT || error == -ENOENT))
        return;
    source->trouble = error;
    (void)sa_text_copy(source->trouble_path, sizeof source->trouble_path, path);
}

/* Names of files that are not followed yet, met by a scan. */
struct names {
    char **paths;
    size_t n, room;
};

static void
add_name(struct names *names, const char *path)
{
    if (names->n == names->room) {
        size_t room = names->room == 0 ? 16 : 2 * names->room;
        char **paths = realloc(names->paths, room * sizeof *paths);

        if (paths == NULL)
            return; /* the next scan meets it again */
        names->paths = paths;
        names->room = room;
    }
    names->paths[names->n] = strdup(path);
    if (names->paths[names->n] != NULL)
        names->n++;
}

static bool
is_ghost(const struct source *source, const struct stat *status)
{
    for (unsigned i = 0; i < source->n_ghosts; i++)
        if (source->ghosts[i].position.ino == (int64_t)status->st_ino &&
            source->ghosts[i].position.dev == (int64_t)status->st_dev)
            return true;
    return false;
}

/* Whether the name leads to another file under the same number, as FUSE has it for each name. */
static bool
is_replaced(const struct file *file, const char *path)
{
    int fd = sa_disk_open(path);
    bool replaced = fd != -1 && sa_proof_other(fd, file);

    if (fd != -1)
        (void)close(fd);
    return replaced;
}

static void
visit(struct source *source, const char *path, struct names *known, struct names *fresh)
{
    struct stat status;
    struct file *file;

    if (stat(path, &status) == -1) {
        note_trouble(source, -errno, path);
        return;
    }
    file = sa_follow_find_remote(source, path);
    if (file != NULL && is_replaced(file, path))
        file = NULL;
    else if (file == NULL)
        file = sa_follow_find(source, &status, -1);
    if (file != NULL)
        give_name(source, file, path);
    else
        add_name(is_ghost(source, &status) ? known : fresh, path);
}

static void
open_names(struct sa_follower *follower, struct source *source, struct names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        int r = open_named(follower, source, names->paths[i]);
        if (r < 0)
            note_trouble(source, r, names->paths[i]);
        free(names->paths[i]);
    }
    free(names->paths);
}

/* The directory of a pattern, and those of its wildcards, so that new names wake us. */
static void
watch_directories(struct sa_follower *follower, const char *pattern)
{
    char directory[PATH_MAX];
    char *slash;
    glob_t found;

    (void)sa_text_copy(directory, sizeof directory, pattern);
    slash = strrchr(directory, '/');
    if (slash == NULL)
        (void)sa_text_copy(directory, sizeof directory, ".");
    else
        slash[slash == directory] = '\0';
    if (glob(directory, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        sa_watcher_add_directory(follower->watcher, found.gl_pathv[i]);
    globfree(&found);
}

static bool
is_pattern(const char *path)
{
    return strpbrk(path, "*?[") != NULL;
}

static void
visit_glob(struct sa_follower *follower, struct source *source, const char *pattern, struct names *known,
           struct names *fresh)
{
    glob_t found;

    watch_directories(follower, pattern);
    if (!is_pattern(pattern)) {
        visit(source, pattern, known, fresh);
        return;
    }
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) /* what is compressed was counted when it was written */
        if (sa_inflate_kind(found.gl_pathv[i]) == SA_PLAIN)
            visit(source, found.gl_pathv[i], known, fresh);
    globfree(&found);
}

/* Closes what has lost its name long enough ago and is read to its end. */
static void
retire_files(struct sa_follower *follower, struct source *source, int64_t now_ms)
{
    for (unsigned i = source->n_files; i > 0; i--) {
        struct file *file = source->files[i - 1];

        if (file->seen)
            continue;
        if (file->gone_ms == 0)
            file->gone_ms = now_ms;
        else if (!file->pending &&
                 (file->inflater != NULL ? !sa_history_awaits_rest(source, file)
                                         : now_ms - file->gone_ms >= source->options.rotate_wait_ms))
            sa_follow_close_file(follower, source, i - 1);
    }
}

/* Whether a name came or went in one of the directories since the last scan, or may have. */
static bool
directory_changed(const struct source *source)
{
    char directory[PATH_MAX];
    struct stat status;

    for (unsigned i = 0; i < source->n_files; i++) {
        char *slash;

        if (i > 0 && strcmp(source->files[i]->origin, source->files[i - 1]->origin) == 0)
            continue;
        (void)sa_text_copy(directory, sizeof directory, source->files[i]->origin);
        slash = strrchr(directory, '/');
        if (slash != NULL)
            slash[slash == directory] = '\0';
        if (slash != NULL && stat(directory, &status) == 0 &&
            status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000 >= source->scanned_ms - 1000)
            return true;
    }
    return false;
}

/*
 * Between a file that lost its name and the one that has it now there may have been others, and a log that
 * was truncated may have been copied before.
 */
static void
look_for_missed(struct sa_follower *follower, struct source *source)
{
    bool changed = source->names_changed || directory_changed(source);
    unsigned n = source->n_files;

    for (unsigned i = 0; i < n; i++)
        changed = changed || source->files[i]->cut;

    source->names_changed = false;
    for (char *const *pattern = source->options.globs; *pattern != NULL; pattern++)
        if (!is_pattern(*pattern))
            sa_history_look(follower, source, *pattern, source->scanned_ms);
    for (unsigned i = 0; i < n && changed; i++)
        if (i == 0 || strcmp(source->files[i]->origin, source->files[i - 1]->origin) != 0)
            sa_history_look(follower, source, source->files[i]->origin, source->scanned_ms);
}

void
sa_follow_scan(struct sa_follower *follower, struct source *source)
{
    struct names known = {0}, fresh = {0};
    int64_t now_ms = sa_clock_now().mono_ms, wall_ms = sa_clock_now().wall_ms;

    if (source->options.globs[0] == NULL) /* a source that is not a file */
        return;

    /* A truncated log says first which of the new names are copies of it. */
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->inflater == NULL && !source->files[i]->may_be_copy &&
            sa_proof_gone(source->files[i]))
            sa_follow_start_over(follower, source, source->files[i]);
    /* Names are settled before files are opened: a renamed file found under its new name is not gone, and
     * what has its old place in the file system is not searched by its content. */
    source->trouble = 0;
    for (unsigned i = 0; i < source->n_files; i++)
        source->files[i]->seen = false;
    for (char *const *pattern = source->options.globs; *pattern != NULL; pattern++)
        visit_glob(follower, source, *pattern, &known, &fresh);
    open_names(follower, source, &known);
    open_names(follower, source, &fresh);
    retire_files(follower, source, now_ms);
    if (source->scanned) {
        look_for_missed(follower, source);
    } else {
        source->names_changed = false;
        source->scanned_ms = source->options.known ? source->options.last_alive_ms : wall_ms;
        if (source->options.known)
            sa_history_backfill(follower, source);
        else
            sa_history_begin(follower, source);
    }
    source->scanned = true;
    if (!source
             ->names_changed) /* else a name moved while it was looked at: the next scan looks back as far */
        source->scanned_ms = wall_ms;
    sa_ghosts_prune(follower, source, sa_clock_now().wall_ms);
    sa_follow_judge(follower, source);
}
