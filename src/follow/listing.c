#include "listing.h"
#include "clock.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN_MS     20 /* of listing; then the loop goes on with others */
#define CLOCK_NAMES 64 /* between two looks at the clock */

struct listing {
    char *const *pattern; /* at work */
    glob_t directories;   /* of the pattern; gl_pathc 0: none yet, or done with */
    size_t n_opened;      /* of them */
    DIR *dir;
    struct names names;
};

bool
sa_listing_is_pattern(const char *path)
{
    return strpbrk(path, "*?[") != NULL;
}

static void
add(struct names *names, const char *path, bool matched)
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
    *name = (struct name){.path = strdup(path), .matched = matched};
    if (name->path == NULL)
        return;
    if (stat(path, &name->status) == -1)
        name->error = -errno;
    names->n++;
}

static void
split(const char *pattern, char directory[PATH_MAX])
{
    char *slash;

    (void)sa_text_copy(directory, PATH_MAX, pattern);
    slash = strrchr(directory, '/');
    if (slash == NULL)
        (void)sa_text_copy(directory, PATH_MAX, ".");
    else
        slash[slash == directory] = '\0';
}

/* The directory of the pattern, and those of its wildcards; new names in them wake us. */
static void
find_directories(struct sa_follower *follower, struct listing *listing)
{
    char directory[PATH_MAX];

    split(*listing->pattern, directory);
    listing->n_opened = 0;
    if (glob(directory, 0, NULL, &listing->directories) != 0)
        listing->directories.gl_pathc = 0;
    for (size_t i = 0; i < listing->directories.gl_pathc; i++)
        sa_watcher_add_directory(follower->watcher, listing->directories.gl_pathv[i]);
}

/* What is compressed was counted when it was written. */
static void
take_entry(struct listing *listing, const char *name)
{
    const char *slash = strrchr(*listing->pattern, '/');
    const char *directory = listing->directories.gl_pathv[listing->n_opened - 1];
    char path[PATH_MAX];

    if (fnmatch(slash == NULL ? *listing->pattern : slash + 1, name, FNM_PERIOD) != 0 ||
        sa_packed_by_name(name) != SA_PLAIN)
        return;
    if (slash == NULL)
        add(&listing->names, name, true);
    else if (snprintf(path, sizeof path, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, name) <
             (int)sizeof path)
        add(&listing->names, path, true);
}

/* The next entry, of the next directory where one ends.  NULL: there is no more for this pattern. */
static const struct dirent *
next_entry(struct listing *listing)
{
    for (;;) {
        const struct dirent *entry = listing->dir == NULL ? NULL : readdir(listing->dir);

        if (entry != NULL)
            return entry;
        if (listing->dir != NULL)
            (void)closedir(listing->dir);
        listing->dir = NULL;
        if (listing->n_opened == listing->directories.gl_pathc)
            return NULL;
        listing->dir = opendir(listing->directories.gl_pathv[listing->n_opened++]);
    }
}

static void
end_pattern(struct listing *listing)
{
    globfree(&listing->directories);
    listing->directories = (glob_t){0};
    listing->n_opened = 0;
    listing->pattern++;
}

/* Takes entries of the pattern at work.  Returns 1 when it is worked off; 0: the time was over before. */
static int
take_entries(struct listing *listing, int64_t until_ms)
{
    const struct dirent *entry;

    for (unsigned n = 1; n % CLOCK_NAMES != 0 || sa_clock_now().mono_ms < until_ms; n++) {
        if ((entry = next_entry(listing)) == NULL)
            return 1;
        take_entry(listing, entry->d_name);
    }
    return 0;
}

static int
by_path(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

int
sa_listing_go_on(struct sa_follower *follower, struct source *source, struct names *ret_names)
{
    int64_t until_ms = sa_clock_now().mono_ms + TURN_MS;
    struct listing *listing = source->listing;

    if (listing == NULL) {
        listing = source->listing = calloc(1, sizeof *listing);
        if (listing == NULL)
            return -ENOMEM;
        listing->pattern = source->options.globs;
    }
    for (; *listing->pattern != NULL; end_pattern(listing)) {
        if (listing->n_opened == 0)
            find_directories(follower, listing);
        if (!sa_listing_is_pattern(*listing->pattern))
            add(&listing->names, *listing->pattern, false);
        else if (take_entries(listing, until_ms) == 0)
            return 0;
    }
    *ret_names = listing->names;
    if (ret_names->n > 1 && ret_names->n <= SORTED)
        qsort(ret_names->at, ret_names->n, sizeof *ret_names->at, by_path);
    listing->names = (struct names){0};
    sa_listing_free(source);
    return 1;
}

void
sa_listing_free(struct source *source)
{
    struct listing *listing = source->listing;

    if (listing == NULL)
        return;
    if (listing->dir != NULL)
        (void)closedir(listing->dir);
    globfree(&listing->directories);
    sa_names_free(&listing->names);
    free(listing);
    source->listing = NULL;
}

void
sa_names_free(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->at[i].path);
    free(names->at);
    *names = (struct names){0};
}
