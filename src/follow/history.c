#include "history.h"
#include "answers.h"
#include "budget.h"
#include "clock.h"
#include "decide.h"
#include "distrust.h"
#include "family.h"
#include "files.h"
#include "ghosts.h"
#include "going_on.h"
#include "positions.h"
#include "recognise.h"
#include "rotated_file.h"
#include "views.h"
#include "wakes.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define SLACK_MS 1000   /* file systems stamp with a coarser clock than ours */
#define VIEWS_MS 120000 /* longer than NFS, CIFS and sshfs keep attributes by default */

/* What may not be read as history. */
enum cap { CAP_NONE, CAP_AGE, CAP_BYTES };

static enum cap
cap_of(const struct source *source, const struct candidate *candidate, int64_t from)
{
    int64_t bytes =
        candidate->kind == SA_PLAIN ? candidate->status.st_size - from : candidate->status.st_size;

    if (sa_clock_now().wall_ms - sa_candidate_written_ms(candidate) > source->options.backfill_max_age_ms)
        return CAP_AGE;
    return bytes > sa_budget_left(source) ? CAP_BYTES : CAP_NONE;
}

static void
tell_cap(struct sa_follower *follower, const struct source *source, const struct candidate *candidate,
         enum cap cap)
{
    sa_follow_note(follower, source,
                   cap == CAP_AGE ? "%s is not read: older than backfill_max_age"
                                  : "%s is not read: more than backfill_max_bytes",
                   candidate->path);
}

/* Takes what the candidate will cost off the budget; -EFBIG: it may not be read, which is said. */
static int
charge(struct sa_follower *follower, struct source *source, const struct candidate *candidate, int64_t from)
{
    enum cap cap = cap_of(source, candidate, from);

    if (cap != CAP_NONE) {
        tell_cap(follower, source, candidate, cap);
        return -EFBIG;
    }
    if (candidate->kind == SA_PLAIN && candidate->status.st_size > from)
        sa_budget_spend(source, candidate->status.st_size - from);
    return 0;
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
            return charge(follower, source, candidate, past->offset) < 0
                       ? NULL
                       : sa_rotated_file_open(follower, source, candidate, past->path, ghost, NULL);
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
        if (alike && charge(follower, source, candidate, past->offset) == 0)
            return sa_rotated_file_open(follower, source, candidate, past->path, ghost, NULL);
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

/* Whether the name, the size and the times of the candidate say that it may hold what was missed. */
static bool
is_recent(const struct source *source, const struct candidate *candidate, int64_t since_ms)
{
    int64_t written_ms = sa_candidate_written_ms(candidate);

    return candidate->generation && candidate->status.st_size > 0 && written_ms >= since_ms - SLACK_MS &&
           sa_clock_now().wall_ms - written_ms <=
               source->options.backfill_max_age_ms; /* what was read of older ones is forgotten */
}

/* Asks no further than needed: the candidate is opened only where its name does not tell. */
static struct facts
look_at(struct source *source, struct candidate *candidate, int64_t since_ms)
{
    struct facts facts = {.recent = is_recent(source, candidate, since_ms)};

    facts.known = facts.recent && sa_candidate_is_known(source, candidate);
    if (!facts.recent || facts.known)
        return facts;
    facts.unfinished = sa_candidate_unfinished(candidate);
    facts.was_read = !facts.unfinished && sa_candidate_was_read(source, candidate);
    if (facts.unfinished || facts.was_read)
        return facts;
    facts.unreachable = sa_candidate_fd(candidate) == -1;
    facts.lost = !facts.unreachable && sa_file_any_lost(source);
    facts.too_large = candidate->kind != SA_PLAIN && candidate->status.st_size > sa_budget_left(source);
    return facts;
}

/* What is done with the candidate: ACT_OPEN, or it was done. */
static enum action
consider(struct sa_follower *follower, struct source *source, struct candidate *candidate, int64_t since_ms)
{
    const struct facts facts = look_at(source, candidate, since_ms);
    enum action action = sa_decide(FILE_NONE, EVENT_FOUND, &facts);

    if (action == ACT_LOOK_AGAIN)
        source->names_changed = true;
    if (facts.lost)
        sa_going_on_read_lost(follower, source);
    if (action == ACT_TELL && !source->told_too_large) {
        tell_cap(follower, source, candidate, CAP_BYTES);
        source->told_too_large = true;
    }
    if (action == ACT_OPEN && !source->scanned && charge(follower, source, candidate, 0) < 0)
        return ACT_NOTHING;
    return action;
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
        (!source->scanned && charge(follower, source, candidate, 0) < 0))
        return;
    file = sa_rotated_file_open(follower, source, candidate, log_path, NULL, NULL);
    if (file != NULL)
        sa_file_unjudge(file);
}

/* The generation, behind the last one; the new last one is returned. */
static struct file *
open_missed(struct sa_follower *follower, struct source *source, const char *log_path,
            struct candidate *candidate, struct file *last)
{
    struct ghost *lost = sa_candidate_past(source, candidate);
    struct file *file = sa_rotated_file_open(follower, source, candidate, log_path, NULL,
                                             lost == NULL ? NULL : &lost->position);

    if (file == NULL) {
        source->names_changed = true;
        return last;
    }
    if (lost != NULL) {
        sa_position_forget(follower, source, lost->position.id);
        sa_ghost_remove(source, lost);
    }
    source->rotations++;
    if (source->scanned)
        file->late_until = 0;
    sa_file_wait_for(source, file, last);
    return file;
}

/* A generation that is known by its place in the file system. */
static struct file *
settle(struct sa_follower *follower, struct source *source, const char *log_path, struct candidate *candidate,
       int64_t since_ms, struct file *last)
{
    struct file *cut = candidate->kind == SA_PLAIN ? NULL : sa_rotated_file_find_cut(source, candidate);

    if (cut != NULL) {
        sa_rotated_file_read_rest(follower, cut, candidate);
        return last;
    }
    if (consider(follower, source, candidate, since_ms) != ACT_OPEN)
        return last;
    if (sa_family_has_unseen_log(source, log_path)) { /* the candidate may be a copy of that */
        source->names_changed = true;
        sa_follow_want_scan(follower);
        return last;
    }
    if (candidate->kind == SA_PLAIN && sa_disk_ends_early(candidate->fd)) {
        sa_distrust_source(follower, source, candidate->path);
        return last;
    }
    return open_missed(follower, source, log_path, candidate, last);
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
        if (sa_candidate_is_view(source, &list->at[i]))
            open_view(follower, source, log_path, &list->at[i], since_ms);
        else
            last = settle(follower, source, log_path, &list->at[i], since_ms, last);
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
                sa_distrust_source(follower, source, path);
            if (rest == NULL && any_renamed(&list))
                source->rests_moved = source->names_changed = true;
        }
        if (rest != NULL) { /* the ghost is used up */
            source->rotations++;
            holder = holder_of(source, path);
            if (holder != NULL && holder != rest)
                sa_file_wait_for(source, holder, rest);
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
        sa_file_wait_for(source, holder, last);
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
        if (sa_disk_read_whole(fd, bytes, (size_t)past.marker_len, past.offset - past.marker_len) !=
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
            file = sa_rotated_file_open(follower, source, candidate, log_path, NULL, NULL);
        else if (file == NULL)
            add_read(follower, source, candidate, log_path);
        if (file != NULL)
            sa_file_wait_for(source, file, last);
        if (file != NULL)
            last = file;
    }
    if (holder != NULL && last != NULL)
        sa_file_wait_for(source, holder, last);
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
