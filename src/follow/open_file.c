#include "open_file.h"
#include "clock.h"
#include "close_file.h"
#include "ghosts.h"
#include "index.h"
#include "positions.h"
#include "wakes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DESCRIPTORS_KEPT 48

/* Control clients and notification receivers need descriptors too: files leave some to them. */
bool
sa_open_file_has_room(const struct source *source, int newest_fd)
{
    struct rlimit limit;
    rlim_t kept = DESCRIPTORS_KEPT;

    if (source->n_files == SA_FOLLOW_FILES)
        return false;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return true;
    if (kept > limit.rlim_cur / 4)
        kept = limit.rlim_cur / 4; /* of few the files get most */
    return (rlim_t)newest_fd + kept < limit.rlim_cur;
}

struct file *
sa_open_file_adopt(struct sa_follower *follower, struct source *source, const char *path, const char *origin,
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

void
sa_open_file_begin(struct sa_follower *follower, struct source *source, struct file *file)
{
    sa_position_load(file);
    file->watch = sa_watcher_add_file(follower->watcher, file->fd);
    file->disk = source->distrusted_ms != 0 ? sa_disk_distrusted() : sa_disk_of(file->fd);
    sa_index_add(source, file);
    sa_follow_want_reading(follower, file);
}

void
sa_open_file_exchange(struct sa_follower *follower, struct source *source, struct file *file, int fd)
{
    struct stat status;

    if (fstat(fd, &status) == -1 || dup3(fd, file->fd, O_CLOEXEC) == -1)
        return;
    sa_index_remove(source, file);
    sa_close_file_drop_watch(follower, file);
    file->dev = status.st_dev;
    file->ino = status.st_ino;
    file->generation = sa_position_generation(fd);
    file->watch = sa_watcher_add_file(follower->watcher, file->fd);
    file->error = 0;
    file->changed = true;
    sa_index_add(source, file);
    sa_follow_want_reading(follower, file);
}
