#include "survey.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_DIGITS 32

void
sa_survey_release(struct sa_survey_place *place)
{
    if (place->fd != -1)
        (void)close(place->fd);
    place->fd = -1;
}

void
sa_survey_keep(struct sa_survey_place *place)
{
    sa_survey_release(place);
    place->fd = open(place->path, O_PATH | O_CLOEXEC);
}

bool
sa_survey_stands(const struct sa_survey_place *place)
{
    struct stat now, then;
    bool there = stat(place->path, &now) == 0;

    if (place->fd == -1 || !there)
        return place->fd == -1 && !there;
    return fstat(place->fd, &then) == 0 && now.st_dev == then.st_dev && now.st_ino == then.st_ino;
}

static void
note_error(struct sa_survey *survey, int error, const char *path)
{
    if (survey->error != 0)
        return;
    survey->error = error;
    (void)sa_text_copy(survey->path, sizeof survey->path, path);
}

/* What cannot be read is nobody's loss if it is an archive or the journal of a person who was logged in. */
static bool
is_wanted(const char *name)
{
    return strchr(name, '@') == NULL && strncmp(name, "user-", 5) != 0;
}

static bool
is_journal(const char *name)
{
    size_t len = strlen(name);

    return len > 8 && strcmp(name + len - 8, ".journal") == 0;
}

/* A machine's id, with a journal's name space behind it or without. */
static bool
is_machine(const char *name)
{
    size_t digits = strspn(name, "0123456789abcdef");

    return digits == ID_DIGITS && (name[digits] == '\0' || name[digits] == '.');
}

/* path: of the file whose last part is name. */
static void
look_at_file(struct sa_survey *survey, const char *path, const char *name)
{
    int error = faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 ? 0 : -errno;

    if (error == 0 && is_wanted(name) && survey->probes > 0) {
        survey->probes--;
        error = survey->probe(path);
    }
    if (error == 0)
        survey->readable++;
    else if (error == -ENOENT) /* removed this moment */
        return;
    else if (is_wanted(name))
        note_error(survey, error, path);
    else if (survey->past_error == 0)
        survey->past_error = error;
}

static void
look_at_directory(struct sa_survey *survey, const char *path, bool with_machines)
{
    DIR *dir = opendir(path);

    if (dir == NULL)
        note_error(survey, -errno, path);
    for (const struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char name[512];

        (void)sa_text_format(name, sizeof name, "%s/%s", path, entry->d_name);
        if (is_journal(entry->d_name))
            look_at_file(survey, name, entry->d_name);
        else if (with_machines && is_machine(entry->d_name))
            look_at_directory(survey, name, false);
    }
    if (dir != NULL)
        (void)closedir(dir);
}

void
sa_survey_look(struct sa_survey *survey, const char *path)
{
    struct stat status;

    if (stat(path, &status) == -1)
        note_error(survey, -errno, path);
    else if (S_ISDIR(status.st_mode))
        look_at_directory(survey, path, true);
    else
        look_at_file(survey, path, path);
}
