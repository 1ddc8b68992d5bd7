#include "family.h"
#include "directory.h"
#include "family_name.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTINGS   4 /* more than one if files are renamed meanwhile */
#define CANDIDATES 1024

struct search {
    struct candidates *list;
    const char *directory, *base;
};

static void
add_candidate(void *arg, const char *name, int64_t ino)
{
    const struct search *search = arg;
    const char *directory = search->directory, *base = search->base;
    struct candidates *list = search->list;
    struct candidate *candidate;
    char path[PATH_MAX];
    struct candidate *grown;

    if (list->n == CANDIDATES || snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
        return;
    grown = realloc(list->at, (list->n + 1) * sizeof *grown);
    if (grown == NULL)
        return;
    list->at = grown;
    candidate = &grown[list->n];
    *candidate = (struct candidate){
        .kind = sa_packed_by_name(path),
        .generation = sa_family_is_generation(base, name),
        .rank = sa_family_rank(base, name),
        .fd = -1,
    };
    if (stat(path, &candidate->status) == -1) {
        list->unreadable = list->unreadable || sa_disk_is_ill(-errno);
        list->crossed = list->crossed || errno == ENOENT;
        return;
    }
    list->crossed = list->crossed || (int64_t)candidate->status.st_ino != ino;
    if (!S_ISREG(candidate->status.st_mode))
        return;
    candidate->path = strdup(path);
    if (candidate->path != NULL)
        list->n++;
}

static void
list_directory(struct candidates *list, struct directory **directories, const char *directory,
               const char *base, int64_t ino)
{
    struct search search = {list, directory, base};

    sa_directory_each(directories, directory, base, ino, add_candidate, &search);
}

/* Times are those of the kernel's slow clock: in a burst of rotations they are often equal. */
static int
by_age(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    const struct timespec *s = &x->status.st_mtim, *t = &y->status.st_mtim;

    if (s->tv_sec != t->tv_sec)
        return s->tv_sec < t->tv_sec ? -1 : 1;
    if (s->tv_nsec != t->tv_nsec)
        return s->tv_nsec < t->tv_nsec ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void
split(const char *path, char directory[PATH_MAX])
{
    char *slash;

    (void)sa_text_copy(directory, PATH_MAX, path);
    slash = strrchr(directory, '/');
    if (slash == NULL)
        (void)sa_text_copy(directory, PATH_MAX, ".");
    else
        slash[slash == directory] = '\0';
}

static struct candidates
list_family(const struct source *source, struct directory **directories, const char *log_path, int64_t ino)
{
    struct candidates list = {NULL, 0, false, false};
    char directory[PATH_MAX], real[PATH_MAX], other[PATH_MAX];

    split(log_path, directory);
    list_directory(&list, directories, directory, sa_family_base(log_path), ino);
    if (realpath(log_path, real) != NULL) {
        char here[PATH_MAX];

        split(real, other);
        if (realpath(directory, here) == NULL || strcmp(here, other) != 0 ||
            strcmp(sa_family_base(real), sa_family_base(log_path)) != 0)
            list_directory(&list, directories, other, sa_family_base(real), ino);
    }
    if (source->options.olddir[0] == '/')
        list_directory(&list, directories, source->options.olddir, sa_family_base(log_path), ino);
    else if (source->options.olddir[0] != '\0' &&
             snprintf(other, sizeof other, "%s/%s", directory, source->options.olddir) < (int)sizeof other)
        list_directory(&list, directories, other, sa_family_base(log_path), ino);
    if (list.n > 0)
        qsort(list.at, list.n, sizeof *list.at, by_age);
    return list;
}

static bool
same_files(const struct candidates *a, const struct candidates *b)
{
    bool same = a->n == b->n;

    for (size_t i = 0; i < a->n && same; i++)
        same = a->at[i].status.st_ino == b->at[i].status.st_ino && strcmp(a->at[i].path, b->at[i].path) == 0;
    return same;
}

/*
 * A directory is read name by name: a file that a rotation moves meanwhile from a name behind to one before
 * is not met at all, but then other names do not lead to the numbers that were read with them.  Twice the
 * same is no rotation: some file systems have numbers of their own for names.
 */
struct candidates
sa_family_find(struct source *source, const char *log_path, int64_t ino)
{
    struct directory *seen_now = NULL; /* outside of a scan nothing is kept: names move */
    struct directory **directories = source->looking ? &source->directories : &seen_now;
    struct candidates list = list_family(source, directories, log_path, ino), again;

    for (int tries = 0; tries < LISTINGS && list.crossed; tries++) {
        sa_directories_free(directories);
        again = list_family(source, directories, log_path, ino);
        if (same_files(&list, &again))
            again.crossed = false;
        sa_family_free(&list);
        list = again;
    }
    source->names_changed = source->names_changed || list.crossed;
    for (size_t i = 0; i < list.n; i++)
        list.at[i].distrusted = source->distrusted_ms != 0;
    sa_directories_free(&seen_now);
    return list;
}

void
sa_family_free(struct candidates *list)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->at[i].fd != -1)
            (void)close(list->at[i].fd);
        free(list->at[i].path);
        free(list->at[i].head);
    }
    free(list->at);
}

int
sa_candidate_fd(struct candidate *candidate)
{
    struct stat status;

    if (candidate->fd != -1 || candidate->moved)
        return candidate->fd;
    errno = 0;
    candidate->fd = sa_disk_open(candidate->path);
    if (candidate->fd != -1 && fstat(candidate->fd, &status) == 0 &&
        ((status.st_ino == candidate->status.st_ino && status.st_dev == candidate->status.st_dev) ||
         candidate->distrusted || sa_disk_of(candidate->fd).by_content)) {
        candidate->status = status;
        return candidate->fd;
    }
    candidate->unreadable = sa_disk_is_ill(-errno);
    candidate->renamed = candidate->fd != -1 || errno == ENOENT;
    if (candidate->fd != -1)
        (void)close(candidate->fd);
    candidate->fd = -1;
    candidate->moved = true;
    return -1;
}

int64_t
sa_candidate_written_ms(const struct candidate *candidate)
{
    return candidate->status.st_mtim.tv_sec * 1000 + candidate->status.st_mtim.tv_nsec / 1000000;
}

bool
sa_candidate_unfinished(const struct candidate *candidate)
{
    char original[PATH_MAX];

    if (candidate->kind == SA_PLAIN)
        return false;
    (void)sa_text_copy(original, sizeof original, candidate->path);
    original[sa_family_plain_len(original)] = '\0';
    return access(original, F_OK) == 0;
}
