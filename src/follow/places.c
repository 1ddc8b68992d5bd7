#include "places.h"
#include "close_file.h"
#include "files.h"
#include "left.h"
#include "wakes.h"

#include <stdlib.h>

#define OPENED_AT_ONCE 1000 /* by a scan of a running daemon; the next scan goes on */

/* Nothing of it is under way, so that closing and opening it again changes nothing. */
static bool
is_idle(const struct file *file)
{
    return file->due == DUE_NOT && !file->awaited && !sa_file_is_unjudged(file) && file->copy_of == NULL &&
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
        sa_close_file_as(follower, source, idle[i], ENDS_LEFT);
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

void
sa_places_choose(struct sa_follower *follower, struct source *source, struct names *names)
{
    size_t room = SA_FOLLOW_FILES - source->n_files, wanted = names->n;
    bool old = !source->scanned && !source->options.known && source->options.start_at_end;

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
        sa_left_leave(follower, source, &names->at[i].status, old ? names->at[i].status.st_size : 0);
        free(names->at[i].path);
    }
    names->n = wanted;
    sa_follow_want_scan(follower);
}
