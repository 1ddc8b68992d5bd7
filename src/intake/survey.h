/*
 * What there is to read where journals are: libsystemd opens what it may and says nothing of the rest, so
 * that a journal nobody let us read looks like an empty one.
 */
#ifndef SA_INTAKE_SURVEY_H
#define SA_INTAKE_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SA_SURVEY_PLACES 64

/* A path, and what it was when it was opened. */
struct sa_survey_place {
    const char *path;
    int fd; /* O_PATH, so that its inode number is not given to another; -1: it was not there */
};

/* The sum over all places. */
struct sa_survey {
    int (*probe)(const char *path); /* opens a journal as the reader would: 0 or negative errno */
    unsigned probes;                /* so many are made at most, of files that are still written */
    unsigned readable;              /* journal files */
    int error;      /* negative errno of the first thing that has to be read and cannot be; or 0 */
    int past_error; /* the same of what concerns nobody while others can be read */
    char path[512]; /* of the first error */
};

/* Keeps what the path is now. */
void sa_survey_keep(struct sa_survey_place *place);
void sa_survey_release(struct sa_survey_place *place);

/* Whether the path is still what was kept. */
bool sa_survey_stands(const struct sa_survey_place *place);

/* Looks at a journal file, or at a directory of them and of directories that have a machine's id for a name.
 */
void sa_survey_look(struct sa_survey *survey, const char *path);

#endif
