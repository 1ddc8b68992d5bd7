/*
 * The files beside a log that may be generations of it: rotated, copied or compressed.  Found by their names,
 * identified by what is open: names move on while they are looked at.
 */
#ifndef SA_FOLLOW_FAMILY_H
#define SA_FOLLOW_FAMILY_H

#include "followed.h"

struct candidate {
    char *path;
    struct stat status;       /* of the open file as soon as there is one */
    enum sa_compression kind; /* as the name says */
    bool generation;          /* named as rotation names them: by number or date */
    int64_t rank;             /* the later one is higher, as far as the name says */
    int fd;                   /* opened when its content is first asked for, otherwise -1 */
    char *head;               /* of its plain content, once it was asked for */
    size_t head_len;
    bool moved;      /* it cannot be opened, or its name was given to another file meanwhile */
    bool renamed;    /* the latter */
    bool distrusted; /* its numbers say nothing, whatever its disk is */
    bool unreadable; /* it could not be compared */
};

struct candidates {
    struct candidate *at;
    size_t n;
    bool unreadable; /* there are others, at which the disk did not let us look */
    bool crossed;    /* names were given to other files while they were read: one may not have been met */
};

/*
 * The family of a log, oldest first: beside it, beside what its symbolic link points to, and in olddir.  ino:
 * of a file that belongs to it whatever its name is, or 0.
 */
struct candidates sa_family_find(struct source *source, const char *log_path, int64_t ino);
void sa_family_free(struct candidates *list);

/* The candidate's descriptor; -1 if it cannot be read or its name has moved on while we looked. */
int sa_candidate_fd(struct candidate *candidate);
int64_t sa_candidate_written_ms(const struct candidate *candidate);

/* Whether the candidate is a compressed file whose original is still there: it may be in the making. */
bool sa_candidate_unfinished(const struct candidate *candidate);

#endif
