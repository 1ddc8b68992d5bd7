#include "close_file.h"
#include "decide.h"
#include "files.h"
#include "ghosts.h"
#include "index.h"
#include "left.h"
#include "positions.h"
#include "wakes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Several files can share a watch: hard links, or one file in two sources. */
void
sa_close_file_drop_watch(struct sa_follower *follower, const struct file *gone)
{
    for (unsigned s = 0; s < follower->n_sources; s++)
        if (sa_index_find(&follower->sources[s], gone->dev, gone->ino) != NULL)
            return;
    sa_watcher_remove_file(follower->watcher, gone->watch);
}

/* What the file's position becomes when the file is closed. */
static void
leave_position(struct sa_follower *follower, struct source *source, const struct file *file)
{
    const struct facts facts = {
        .by_content = file->disk.by_content,
        .left_out = file->ending == ENDS_LEFT,
        .discarded = file->ending == ENDS_DISCARDED,
    };
    enum action action = sa_decide(sa_file_state(file), EVENT_CLOSED, &facts);
    struct sa_position position = sa_position_of(file, true);

    position.open = false;
    if (action == ACT_LEAVE && sa_left_add(source, &position) == 0)
        return;
    if (action == ACT_FORGET || sa_ghost_add(source, &position, true) < 0)
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

/* What the file holds now was counted; what comes to it later is its own. */
void
sa_close_file_skip(struct file *file)
{
    int64_t end = sa_position_end(file->fd);

    if (end >= 0)
        file->size = end;
    file->offset = file->size;
    sa_position_load(file);
    sa_file_count(file);
    file->copy_of = NULL;
    sa_follow_rest(file);
    file->changed = true;
}

/* What the copy holds was counted in the file that is closed. */
static void
settle_copy(struct file *copy)
{
    if (copy->disk.by_content) /* judged anew */
        copy->copy_of = NULL;
    else
        sa_close_file_skip(copy);
}

void
sa_close_file(struct sa_follower *follower, struct source *source, unsigned i)
{
    struct file *file = source->files[i];

    for (unsigned k = 0; k < source->n_files && file->ending != ENDS_LEFT; k++) {
        if (source->files[k]->before == file)
            source->files[k]->before = NULL;
        if (source->files[k]->copy_of == file)
            settle_copy(source->files[k]);
    }
    sa_index_remove(source, file);
    sa_close_file_drop_watch(follower, file);
    follower->events->closed(follower->arg, file->stream);
    leave_position(follower, source, file);
    free_file(file);
    source->n_files--;
    memmove(&source->files[i], &source->files[i + 1], (source->n_files - i) * sizeof source->files[0]);
}

void
sa_close_file_as(struct sa_follower *follower, struct source *source, struct file *file, enum ending ending)
{
    unsigned i = 0;

    while (source->files[i] != file)
        i++;
    file->ending = ending;
    sa_close_file(follower, source, i);
}
