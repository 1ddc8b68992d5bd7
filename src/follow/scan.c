#include "followed.h"
#include "clock.h"
#include "text.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Files times names: beyond this there is a file for each call or for each phone, and nobody looks among all
 * the names for rotated generations of each of them.
 */
#define WIDE 1000000

static void
note_trouble(struct source *source, int error, const char *path)
{
    if (source->trouble != 0 && (source->trouble != -ENOENT || error == -ENOENT))
        return;
    source->trouble = error;
    (void)sa_text_copy(source->trouble_path, sizeof source->trouble_path, path);
}

static void
add_name(struct names *names, const char *path, const struct stat *status)
{
    struct name *name;

    if (names->n == names->room) {
        size_t room = names->room == 0 ? 16 : 2 * names->room;
        struct name *grown = realloc(names->at, room * sizeof *grown);

        if (grown == NULL)
            return; /* the next scan meets it again */
        names->at = grown;
        names->room = room;
    }
    name = &names->at[names->n];
    name->path = strdup(path);
    name->status = *status;
    if (name->path != NULL)
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

static void
visit(struct sa_follower *follower, struct source *source, const char *path, struct names *known,
      struct names *fresh)
{
    struct stat status;
    struct file *file;

    if (stat(path, &status) == -1) {
        note_trouble(source, -errno, path);
        return;
    }
    file = sa_follow_find_named(source, path);
    if (file != NULL && !sa_views_keep(follower, source, file, path))
        file = NULL;
    else if (file == NULL)
        file = sa_index_find(source, status.st_dev, status.st_ino);
    if (file != NULL)
        sa_follow_give_name(source, file, path);
    else if (!sa_left_is_done(source, &status))
        add_name(is_ghost(source, &status) ? known : fresh, path, &status);
}

static void
open_names(struct sa_follower *follower, struct source *source, struct names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        int r = sa_follow_open_named(follower, source, names->at[i].path);
        if (r < 0)
            note_trouble(source, r, names->at[i].path);
        free(names->at[i].path);
    }
    free(names->at);
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
        visit(follower, source, pattern, known, fresh);
        return;
    }
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    source->n_names += found.gl_pathc;
    for (size_t i = 0; i < found.gl_pathc; i++) /* what is compressed was counted when it was written */
        if (sa_inflate_kind(found.gl_pathv[i]) == SA_PLAIN)
            visit(follower, source, found.gl_pathv[i], known, fresh);
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
    for (unsigned i = 0; i < n && changed && !source->wide; i++)
        if (i == 0 || strcmp(source->files[i]->origin, source->files[i - 1]->origin) != 0)
            sa_history_look(follower, source, source->files[i]->origin, source->scanned_ms);
}

/* What is known by its content finds its stream before others are searched for the rests of these. */
static void
judge_views(struct sa_follower *follower, struct source *source)
{
    for (unsigned i = source->n_files; i > 0; i--)
        if (i <= source->n_files && source->files[i - 1]->may_be_copy &&
            source->files[i - 1]->disk.by_content)
            sa_views_judge(follower, source, source->files[i - 1]);
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
        if (source->files[i]->inflater == NULL && !source->files[i]->may_be_copy)
            sa_follow_check(follower, source, source->files[i]);
    /* Names are settled before files are opened: a renamed file found under its new name is not gone, and
     * what has its old place in the file system is not searched by its content. */
    source->trouble = 0;
    source->n_names = 0;
    for (unsigned i = 0; i < source->n_files; i++)
        source->files[i]->seen = false;
    for (char *const *pattern = source->options.globs; *pattern != NULL; pattern++)
        visit_glob(follower, source, *pattern, &known, &fresh);
    source->n_unseen = 0;
    for (unsigned i = 0; i < source->n_files; i++)
        source->n_unseen += !source->files[i]->seen;
    source->wide = (source->n_files + known.n + fresh.n) * source->n_names > WIDE;
    sa_left_choose(follower, source, &known);
    open_names(follower, source, &known);
    sa_left_choose(follower, source, &fresh);
    open_names(follower, source, &fresh);
    sa_left_sweep(follower, source);
    judge_views(follower, source);
    retire_files(follower, source, now_ms);
    if (source->scanned) {
        look_for_missed(follower, source);
    } else {
        source->names_changed = false;
        source->scanned_ms = source->options.known ? source->options.last_alive_ms : wall_ms;
        source->began_ms = source->options.known ? 0 : wall_ms;
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
