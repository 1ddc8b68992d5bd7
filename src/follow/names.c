#include "names.h"
#include "answers.h"
#include "decide.h"
#include "distrust.h"
#include "family_name.h"
#include "files.h"
#include "ghosts.h"
#include "index.h"
#include "left.h"
#include "open_file.h"
#include "positions.h"
#include "proof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A name that was opened. */
struct opened {
    const char *path;
    int fd; /* or negative errno */
    struct stat status;
    struct file *file; /* the followed one that it is */
};

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

/*
 * What the past of the file is, and with it the ghost whose stream goes on in it, or whose place it has.  By
 * its place in the file system; or, if it was not found there, by its content: the log was written to a new
 * file, or its disk has another number now.
 */
static enum past
find_past(struct source *source, const struct opened *opened, struct ghost **ret_ghost)
{
    const struct stat *status = &opened->status;
    struct ghost *ghost = sa_ghost_find(source, (int64_t)status->st_dev, (int64_t)status->st_ino,
                                        sa_position_generation(opened->fd));
    enum match match;
    bool consumed = false;

    *ret_ghost = ghost;
    if (ghost != NULL) {
        match = sa_position_match(opened->fd, &ghost->position);
        if (match == MATCH_UNKNOWN)
            return PAST_UNKNOWN;
        return match == MATCH_NONE ? PAST_OTHER : PAST_SAME; /* whether it was truncated is told later */
    }
    for (unsigned i = 0; i < source->n_ghosts; i++) {
        ghost = &source->ghosts[i];
        if (!ghost->position.open || !(strcmp(ghost->position.path, opened->path) == 0 ||
                                       (!source->wide && sa_family_is(ghost->position.path, opened->path))))
            continue;
        match = sa_position_match(opened->fd, &ghost->position);
        if (match == MATCH_SAME && ghost->position.offset > 0) {
            *ret_ghost = ghost;
            return PAST_SAME;
        }
        if (match == MATCH_SHORT && ghost->lost && ghost->position.head_len > 0)
            consumed = true; /* a copy of what had been read, made before the rest was written */
    }
    return consumed ? PAST_READ : PAST_NONE;
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
    else if (!sa_open_file_has_room(source, fd))
        r = -EMFILE;
    if (r == 0)
        return fd;
    (void)close(fd);
    return r;
}

void
sa_names_give(struct source *source, struct file *file, const char *path)
{
    enum event event = strcmp(file->path, path) == 0 ? EVENT_STAYED : EVENT_RENAMED;
    const struct facts facts = {.rotated = event == EVENT_RENAMED && strcmp(file->path, file->origin) == 0 &&
                                           sa_family_is(file->path, path)};
    enum action action = sa_decide(sa_file_state(file), event, &facts);
    char *copy;

    file->seen = true;
    file->gone_ms = 0;
    if (action == ACT_KEEP)
        return;
    source->rotations += action == ACT_ROTATE;
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
    file = sa_open_file_adopt(follower, source, path, origin_of(source, path), fd, status, NULL);
    if (file == NULL) {
        (void)close(fd);
        return -ENOMEM;
    }
    if (!source->scanned && !source->options.known && source->options.start_at_end)
        file->offset = end_of_lines(fd, status->st_size);
    if (file->offset == 0)
        sa_file_unjudge(file);
    file->seen = source->names_changed = true;
    file->seen_ms = status->st_mtim.tv_sec * 1000 + status->st_mtim.tv_nsec / 1000000;
    file->late_until = source->scanned ? 0 : status->st_size;
    sa_open_file_begin(follower, source, file);
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

/* The position whose place the file has was of another content. */
static void
leave_past(struct sa_follower *follower, struct source *source, struct ghost *past, enum action action)
{
    source->truncations++;
    if (action == ACT_LOSE) {
        sa_ghost_lose(past);
        return;
    }
    sa_position_forget(follower, source, past->position.id);
    sa_ghost_remove(source, past);
}

/* The file stands among others: whether it may be a copy of one, or took the place of one. */
static void
place(struct source *source, struct file *file, enum past past)
{
    struct facts facts = {.expected = source->scanned || source->options.known, .past = past};

    sa_file_wait_for(source, file, predecessor(source, file->path));
    facts.replaces = file->before != NULL;
    facts.beside = facts.expected && past == PAST_NONE && sa_file_has_family(source, file);
    switch (sa_decide(sa_file_state(file), EVENT_PLACED, &facts)) {
    case ACT_JUDGE:
        sa_file_unjudge(file);
        break;
    case ACT_COUNT:
        source->rotations++;
        break;
    default:
        break;
    }
}

/* With the stream of the past, or with a new one from where the action says. */
static int
open_at(struct sa_follower *follower, struct source *source, const struct opened *opened, struct ghost *past,
        enum past kind, enum action action)
{
    struct sa_position had = {0};
    struct file *file;

    if (past != NULL && strcmp(past->position.path, opened->path) != 0)
        source->rotations++;
    if (past != NULL)
        had = past->position;
    file = sa_open_file_adopt(follower, source, opened->path, origin_of(source, opened->path), opened->fd,
                              &opened->status, past);
    if (file == NULL) {
        (void)close(opened->fd);
        return -ENOMEM;
    }
    if (action == ACT_SKIP)
        file->offset = file->size;
    else if (action == ACT_OPEN_AT_END)
        file->offset = end_of_lines(opened->fd, opened->status.st_size);
    file->seen = true;
    file->seen_ms = opened->status.st_mtim.tv_sec * 1000 + opened->status.st_mtim.tv_nsec / 1000000;
    source->names_changed = true;
    file->late_until = source->scanned ? 0 : opened->status.st_size;
    place(source, file, kind);
    sa_open_file_begin(follower, source, file);
    if (past != NULL && file->marker_len != (size_t)had.marker_len)
        sa_proof_seal(file, &had);
    return 0;
}

/* What no followed file is: a position may lie in it. */
static int
open_unknown(struct sa_follower *follower, struct source *source, const struct opened *opened)
{
    struct facts facts = {.from_end =
                              !source->scanned && !source->options.known && source->options.start_at_end};
    struct ghost *past;
    enum action action;

    sa_left_take(source, opened->path, opened->fd, &opened->status);
    facts.past = find_past(source, opened, &past);
    facts.ghost_open = past != NULL && past->position.open;
    action = sa_decide(FILE_NONE, EVENT_SEARCHED, &facts);
    if (action == ACT_LOSE || action == ACT_FORGET) {
        leave_past(follower, source, past, action);
        past = NULL;
        facts.past = PAST_NONE;
    }
    facts.came_back = facts.past != PAST_UNKNOWN && (past == NULL || past->position.offset == 0) &&
                      came_back(source, opened->path, opened->fd);
    action = sa_decide(FILE_NONE, EVENT_SEARCHED, &facts);
    if (action != ACT_DISTRUST)
        return open_at(follower, source, opened, past, facts.past, action);
    sa_distrust_source(follower, source, opened->path);
    return open_view(follower, source, opened->path, opened->fd, &opened->status);
}

/* Asks the disk, then the number, then the content, and no further than needed. */
static struct facts
look_at(struct source *source, struct opened *opened)
{
    struct facts facts = {.by_content = source->distrusted_ms != 0};

    if (opened->fd < 0) {
        facts.reached = sa_disk_is_ill(opened->fd) ? REACHED_ILL : REACHED_NOT;
        return facts;
    }
    facts.by_content = facts.by_content || sa_disk_of(opened->fd).by_content;
    facts.lies =
        !facts.by_content && (numbers_lie(opened->path, &opened->status) || sa_disk_ends_early(opened->fd));
    if (facts.by_content || facts.lies)
        return facts;
    opened->file = sa_index_find(source, opened->status.st_dev, opened->status.st_ino);
    facts.followed = opened->file != NULL;
    if (opened->file == NULL)
        opened->file = same_under_name(source, opened->path, opened->fd, &opened->status);
    facts.replaced = !facts.followed && opened->file != NULL;
    return facts;
}

int
sa_names_open(struct sa_follower *follower, struct source *source, const char *path)
{
    struct opened opened = {.path = path};
    struct facts facts;
    enum action action;

    opened.fd = open_regular(source, path, &opened.status);
    facts = look_at(source, &opened);
    action = sa_decide(FILE_NONE, EVENT_OPENED, &facts);
    if (action == ACT_DISTRUST) {
        sa_distrust_source(follower, source, path);
        facts.by_content = true;
        action = sa_decide(FILE_NONE, EVENT_OPENED, &facts);
    }
    switch (action) {
    case ACT_VIEW:
        return open_view(follower, source, path, opened.fd, &opened.status);
    case ACT_SEARCH:
        return open_unknown(follower, source, &opened);
    case ACT_DESCRIPTOR:
        sa_open_file_exchange(follower, source, opened.file, opened.fd);
        break;
    case ACT_RENAME: /* the name has moved to a file that is followed */
        break;
    default:
        return opened.fd;
    }
    (void)close(opened.fd);
    sa_names_give(source, opened.file, path);
    return 0;
}
