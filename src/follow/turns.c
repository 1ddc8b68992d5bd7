#include "turns.h"
#include "checking.h"
#include "clock.h"
#include "decide.h"
#include "files.h"
#include "going_on.h"
#include "judging.h"
#include "reading.h"
#include "scan.h"
#include "wakes.h"

#define POLL_MS       5000                   /* behind inotify */
#define POLL_ALONE_MS SA_TURNS_FIRST_POLL_MS /* instead of inotify */
#define SCAN_TURN_MS  20                     /* of a turn of the loop */

/* The next file that has something to read, in turn, or NULL; what it replaced comes first. */
static struct file *
next_pending(struct sa_follower *follower, struct source **ret_source)
{
    unsigned total = 0;

    for (unsigned s = 0; s < follower->n_sources; s++)
        total += follower->sources[s].n_files;
    for (unsigned tried = 0; tried <= total + follower->n_sources && follower->n_sources > 0; tried++) {
        struct source *source = &follower->sources[follower->next_source % follower->n_sources];
        struct file *file;

        if (follower->next_file >= source->n_files) {
            follower->next_source = (follower->next_source + 1) % follower->n_sources;
            follower->next_file = 0;
            continue;
        }
        file = source->files[follower->next_file++];
        if (file->due != DUE || (file->before != NULL && file->before->due != DUE_NOT))
            continue;
        *ret_source = source;
        return file;
    }
    return NULL;
}

/* A quarter of the time at most goes into scans: the poll comes when the next one may begin. */
static void
postpone_scan(struct sa_follower *follower, int64_t now_ms)
{
    if (!follower->scan_due) /* the poll comes later */
        sa_watch_arm(follower->poll, follower->scan_after_ms - now_ms);
    follower->scan_due = true;
}

static void
begin_scan(struct sa_follower *follower)
{
    follower->rescan_wanted = follower->scan_due = false;
    follower->scan_source = 0;
    follower->scan_spent_ms = 0;
    follower->scanning = true;
}

/* A turn's part of a scan: all of it, unless there are very many names. */
static void
scan_some(struct sa_follower *follower)
{
    int64_t begin_ms = sa_clock_now().mono_ms, now_ms = begin_ms;

    if (!follower->scanning && begin_ms < follower->scan_after_ms) {
        postpone_scan(follower, begin_ms);
        return;
    }
    if (!follower->scanning)
        begin_scan(follower);
    while (follower->scan_source < follower->n_sources && now_ms - begin_ms < SCAN_TURN_MS) {
        if (sa_follow_scan_go_on(follower, &follower->sources[follower->scan_source]) != 0)
            follower->scan_source++;
        now_ms = sa_clock_now().mono_ms;
    }
    follower->scan_spent_ms += now_ms - begin_ms;
    follower->scanning = follower->scan_source < follower->n_sources;
    follower->scan_after_ms = now_ms + 3 * follower->scan_spent_ms;
    if (follower->scanning)
        sa_watch_activate(follower->work);
}

static void
take_turn(struct sa_follower *follower, struct source *source, struct file *file)
{
    const struct facts facts = {.waits = file->before != NULL};

    switch (sa_decide(sa_file_state(file), EVENT_TURN, &facts)) {
    case ACT_JUDGE:
        follower->took_some = true;
        sa_judging_judge(follower, source, file);
        break;
    case ACT_COMPARE:
        follower->took_some = true;
        sa_going_on_rewritten(follower, source, file);
        break;
    case ACT_READ_PIPE:
        sa_reading_take_pipe(follower, source, file);
        break;
    default:
        sa_reading_take(follower, source, file);
    }
}

void
sa_turns_on_work(void *arg)
{
    struct sa_follower *follower = arg;
    struct source *source;
    struct file *file;

    follower->took_some = false;
    if (follower->rescan_wanted || follower->scanning)
        scan_some(follower);
    file = next_pending(follower, &source);
    if (file != NULL)
        take_turn(follower, source, file);
    if (follower->took_some)
        follower->events->read_some(follower->arg);
    if (file != NULL)
        sa_watch_activate(follower->work);
}

void
sa_turns_on_growth(void *arg, int watch)
{
    struct sa_follower *follower = arg;

    for (unsigned s = 0; s < follower->n_sources; s++)
        for (unsigned i = 0; i < follower->sources[s].n_files; i++)
            if (follower->sources[s].files[i]->watch == watch)
                sa_follow_want_reading(follower, follower->sources[s].files[i]);
}

void
sa_turns_on_names(void *arg)
{
    sa_follow_want_scan(arg);
}

void
sa_turns_on_poll(void *arg)
{
    struct sa_follower *follower = arg;
    bool alone = sa_watcher_text(follower->watcher) != NULL;

    for (unsigned s = 0; s < follower->n_sources; s++)
        for (unsigned i = 0; i < follower->sources[s].n_files; i++) {
            struct file *file = follower->sources[s].files[i];

            if (file->error != 0) /* whether it still is so shows the next read */
                sa_follow_want_reading(follower, file);
            sa_checking_size(follower, &follower->sources[s], file);
            alone = alone || file->disk.polled != NULL || file->doubt_ms != 0 || file->shown_ms != 0 ||
                    file->before != NULL;
        }
    sa_follow_want_scan(follower);
    sa_watch_arm(follower->poll, alone ? POLL_ALONE_MS : POLL_MS);
}
