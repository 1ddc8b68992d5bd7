#include "scan.h"
#include "answers.h"
#include "checking.h"
#include "clock.h"
#include "close_file.h"
#include "decide.h"
#include "directory.h"
#include "distrust.h"
#include "files.h"
#include "ghosts.h"
#include "history.h"
#include "index.h"
#include "judging_view.h"
#include "left.h"
#include "listing.h"
#include "names.h"
#include "open_file.h"
#include "places.h"
#include "rotated_file.h"
#include "source_state.h"
#include "text.h"
#include "views.h"
#include "wakes.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * More files than this are of calls or of phones, each by itself: nobody looks for rotated generations of
 * each, which takes as many comparisons as there are pairs of files.
 */
#define WIDE 2000

#define UNJUDGED_MS                                                                                          \
    10000 /* a copy may have been met, and not been judged, so long before the last commit                   \
           */

static void
note_trouble(struct source *source, int error, const char *path)
{
    if (source->trouble != 0 && (source->trouble != -ENOENT || error == -ENOENT))
        return;
    source->trouble = error;
    (void)sa_text_copy(source->trouble_path, sizeof source->trouble_path, path);
}

/* The name moves over to the others. */
static void
add_name(struct names *names, struct name *name)
{
    if (names->n == names->room) {
        size_t room = names->room == 0 ? 16 : 2 * names->room;
        struct name *grown = realloc(names->at, room * sizeof *grown);

        if (grown == NULL)
            return; /* the next scan meets it again */
        names->at = grown;
        names->room = room;
    }
    names->at[names->n++] = *name;
    name->path = NULL;
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

/* The followed file that the name leads to, or NULL: by its content where numbers say nothing. */
static struct file *
find_followed(struct sa_follower *follower, struct source *source, const struct name *name)
{
    struct file *file = sa_file_find_named(source, name->path);
    bool leads;
    int fd;

    if (file == NULL)
        return sa_index_find(source, name->status.st_dev, name->status.st_ino);
    leads = sa_views_leads_to(file, name->path, &fd);
    if (fd != -1) {
        sa_open_file_exchange(follower, source, file, fd);
        (void)close(fd);
    }
    return leads ? file : NULL;
}

static struct facts
look_at(const struct source *source, const struct name *name)
{
    struct facts facts = {.by_content = source->distrusted_ms != 0};

    if (name->error != 0) {
        facts.reached = sa_disk_is_ill(name->error) ? REACHED_ILL : REACHED_NOT;
        return facts;
    }
    facts.done = sa_left_is_done(source, &name->status);
    facts.ghost = !facts.done && is_ghost(source, &name->status);
    return facts;
}

static void
visit(struct sa_follower *follower, struct source *source, struct name *name, struct names *known,
      struct names *fresh)
{
    struct file *file = name->error == 0 ? find_followed(follower, source, name) : NULL;
    struct facts facts;

    if (file != NULL) {
        sa_names_give(source, file, name->path);
        return;
    }
    if (name->error == 0)
        sa_left_meet(source, &name->status);
    facts = look_at(source, name);
    switch (sa_decide(FILE_NONE, EVENT_APPEARED, &facts)) {
    case ACT_OPEN_FIRST:
        add_name(known, name);
        break;
    case ACT_OPEN:
        add_name(fresh, name);
        break;
    case ACT_TELL:
        note_trouble(source, name->error, name->path);
        break;
    case ACT_DISTRUST:
        note_trouble(source, name->error, name->path);
        sa_distrust_source(follower, source, name->path);
        break;
    default:
        break;
    }
}

/* A pattern may well match a directory; what is no log does not make the others blind. */
static void
tell_irregular(struct sa_follower *follower, struct source *source, const char *path)
{
    if (!source->told_irregular)
        sa_follow_note(follower, source, "%s is no regular file: left out, as others like it", path);
    source->told_irregular = true;
}

static void
open_names(struct sa_follower *follower, struct source *source, struct names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        int r = sa_names_open(follower, source, names->at[i].path);
        if (r == -EMEDIUMTYPE && names->at[i].matched)
            tell_irregular(follower, source, names->at[i].path);
        else if (r < 0)
            note_trouble(source, r, names->at[i].path);
    }
    sa_names_free(names);
}

/* Closes what has lost its name long enough ago and is read to its end. */
static void
retire_files(struct sa_follower *follower, struct source *source, int64_t now_ms)
{
    for (unsigned i = source->n_files; i > 0; i--) {
        struct file *file = source->files[i - 1];
        struct facts facts = {
            .named = file->gone_ms == 0,
            .reading = file->due != DUE_NOT,
            .waited = now_ms - file->gone_ms >= source->options.rotate_wait_ms,
        };

        if (file->seen)
            continue;
        facts.cut = file->inflater != NULL && sa_rotated_file_awaits_rest(source, file);
        switch (sa_decide(sa_file_state(file), EVENT_GONE, &facts)) {
        case ACT_MISS:
            file->gone_ms = now_ms;
            break;
        case ACT_CLOSE:
            sa_close_file(follower, source, i - 1);
            break;
        default:
            break;
        }
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
        if (!sa_listing_is_pattern(*pattern))
            sa_history_look(follower, source, *pattern, source->scanned_ms);
    for (unsigned i = 0; i < n && changed && !source->wide; i++)
        if (i == 0 || strcmp(source->files[i]->origin, source->files[i - 1]->origin) != 0)
            sa_history_look(follower, source, source->files[i]->origin, source->scanned_ms);
}

/* What is known by its content finds its stream before others are searched for the rests of these. */
static void
judge_views(struct sa_follower *follower, struct source *source)
{
    for (unsigned i = source->n_files; i > 0; i--)
        if (i <= source->n_files && sa_file_is_unjudged(source->files[i - 1]) &&
            source->files[i - 1]->disk.by_content)
            sa_judging_view(follower, source, source->files[i - 1]);
}

/*
 * Names are settled before files are opened: a renamed file found under its new name is not gone, and what
 * has its old place in the file system is not searched by its content.
 */
static void
settle_names(struct sa_follower *follower, struct source *source, struct names *names, struct names *known,
             struct names *fresh)
{
    source->trouble = 0;
    for (unsigned i = 0; i < source->n_files; i++)
        source->files[i]->seen = false;
    for (size_t i = 0; i < names->n; i++)
        visit(follower, source, &names->at[i], known, fresh);
    sa_names_free(names);
    source->n_unseen = 0;
    for (unsigned i = 0; i < source->n_files; i++)
        source->n_unseen += !source->files[i]->seen;
    source->wide = source->n_files + known->n + fresh->n > WIDE;
}

/* What was rotated, since the last scan or since an earlier life. */
static void
look_for_generations(struct sa_follower *follower, struct source *source)
{
    int64_t wall_ms = sa_clock_now().wall_ms;

    source->looking = true;
    if (source->scanned && source->rests_moved) {
        source->names_changed = false;
        sa_history_backfill(follower, source);
    } else if (source->scanned) {
        look_for_missed(follower, source);
    } else {
        source->names_changed = false;
        source->scanned_ms = source->options.known ? source->options.looked_ms - UNJUDGED_MS : wall_ms;
        source->began_ms = source->options.known ? 0 : wall_ms;
        if (source->options.known)
            sa_history_backfill(follower, source);
        else
            sa_history_begin(follower, source);
    }
    source->looking = false;
    sa_directories_free(&source->directories);
}

int
sa_follow_scan_go_on(struct sa_follower *follower, struct source *source)
{
    struct names names = {0}, known = {0}, fresh = {0};
    int64_t now_ms, wall_ms;
    int r;

    if (source->options.globs[0] == NULL) /* a source that is not a file */
        return 1;
    if ((r = sa_listing_go_on(follower, source, &names)) <= 0)
        return r;
    now_ms = sa_clock_now().mono_ms;
    wall_ms = sa_clock_now().wall_ms;

    /* A truncated log says first which of the new names are copies of it. */
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->inflater == NULL && !sa_file_is_unjudged(source->files[i]))
            sa_checking_compare(follower, source, source->files[i]);
    settle_names(follower, source, &names, &known, &fresh);
    sa_places_choose(follower, source, &known);
    open_names(follower, source, &known);
    sa_places_choose(follower, source, &fresh);
    open_names(follower, source, &fresh);
    sa_left_sweep(follower, source);
    judge_views(follower, source);
    retire_files(follower, source, now_ms);
    look_for_generations(follower, source);
    source->scanned = true;
    if (!source->names_changed) /* else a name moved meanwhile: the next scan looks back as far */
        source->scanned_ms = wall_ms;
    sa_ghosts_prune(follower, source, sa_clock_now().wall_ms);
    sa_source_state_tell(follower, source);
    return 1;
}
