#include "directory.h"
#include "family_name.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

struct directory_entry {
    char *name; /* owned */
    int64_t ino;
};

struct directory {
    char *path; /* owned */
    struct directory_entry *at;
    size_t n, room;
    struct directory *next;
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct directory_entry *)a)->name, ((const struct directory_entry *)b)->name);
}

static void
add(struct directory *directory, const struct dirent *entry)
{
    struct directory_entry *grown;

    if (directory->n == directory->room) {
        size_t room = directory->room == 0 ? 64 : 2 * directory->room;

        grown = realloc(directory->at, room * sizeof *grown);
        if (grown == NULL)
            return;
        directory->at = grown;
        directory->room = room;
    }
    directory->at[directory->n] = (struct directory_entry){strdup(entry->d_name), (int64_t)entry->d_ino};
    directory->n += directory->at[directory->n].name != NULL;
}

static struct directory *
list(const char *path)
{
    struct directory *directory = calloc(1, sizeof *directory);
    const struct dirent *entry;
    DIR *dir;

    if (directory == NULL)
        return NULL;
    directory->path = strdup(path);
    dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        add(directory, entry);
    if (dir != NULL)
        (void)closedir(dir);
    if (directory->n > 1)
        qsort(directory->at, directory->n, sizeof *directory->at, by_name);
    return directory;
}

static void
free_directory(struct directory *directory)
{
    for (size_t i = 0; i < directory->n; i++)
        free(directory->at[i].name);
    free(directory->at);
    free(directory->path);
    free(directory);
}

void
sa_directories_free(struct directory **directories)
{
    while (*directories != NULL) {
        struct directory *directory = *directories;

        *directories = directory->next;
        free_directory(directory);
    }
}

static struct directory *
find(struct directory **directories, const char *path)
{
    struct directory *directory = *directories;

    while (directory != NULL && (directory->path == NULL || strcmp(directory->path, path) != 0))
        directory = directory->next;
    if (directory == NULL && (directory = list(path)) != NULL) {
        directory->next = *directories;
        *directories = directory;
    }
    return directory;
}

/* The first entry that is not before the prefix. */
static size_t
lower_bound(const struct directory *directory, const char *prefix, size_t len)
{
    size_t low = 0, high = directory->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strncmp(directory->at[middle].name, prefix, len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void
sa_directory_each(struct directory **directories, const char *path, const char *base, int64_t ino,
                  void (*met)(void *arg, const char *name, int64_t ino), void *arg)
{
    const struct directory *directory = find(directories, path);
    const char *ending = strrchr(base, '.');
    size_t len = ending == NULL || ending == base ? strlen(base) : (size_t)(ending - base);

    if (directory == NULL)
        return;
    for (size_t i = lower_bound(directory, base, len);
         i < directory->n && strncmp(directory->at[i].name, base, len) == 0; i++)
        if (sa_family_is(base, directory->at[i].name))
            met(arg, directory->at[i].name, directory->at[i].ino);
    for (size_t i = 0; i < directory->n && ino != 0; i++)
        if (directory->at[i].ino == ino && !sa_family_is(base, directory->at[i].name))
            met(arg, directory->at[i].name, directory->at[i].ino);
}
