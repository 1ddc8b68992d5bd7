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

/* history.c */

/* Opens a candidate: with the stream of the ghost, or with a new one behind what was read of it elsewhere. */
struct file *sa_history_open(struct sa_follower *follower, struct source *source, struct candidate *candidate,
                             const char *origin, struct ghost *ghost, const struct sa_position *from);

/*
 * Whether the log has a file that the scan did not meet, being younger: what was found beside it may be a
 * copy of that.  Then the next scan comes first.
 */
bool sa_history_log_unseen(struct sa_follower *follower, struct source *source, const char *log_path);

/* directory.c: directories are listed once for all the logs that a scan looks at. */

/*
 * Calls met for the names in the directory that belong to the family of the log with the base name, and for
 * the one of the inode unless that is 0.  What is listed is kept in directories until sa_directories_free.
 */
void sa_directory_each(struct directory **directories, const char *path, const char *base, int64_t ino,
                       void (*met)(void *arg, const char *name, int64_t ino), void *arg);
void sa_directories_free(struct directory **directories);

/* recognise.c */

/* Whether the candidate is the file of the position, with what was read of it. */
bool sa_candidate_is_file(struct candidate *candidate, const struct sa_position *past);

/* The followed file that the candidate is, or NULL. */
struct file *sa_candidate_file(struct source *source, struct candidate *candidate);

/* Whether the candidate is plain and known by its content alone (views.c). */
bool sa_candidate_is_view(const struct source *source, struct candidate *candidate);

/* Whether the candidate is followed, or was and is closed. */
bool sa_candidate_is_known(struct source *source, struct candidate *candidate);

/* Whether the candidate, which is compressed, begins as what was read: all that can be told at once. */
bool sa_candidate_begins(struct candidate *candidate, const struct sa_position *position);

/* Whether the candidate, which is not compressed, holds what was read up to the position. */
bool sa_candidate_holds(struct candidate *candidate, const struct sa_position *position);

/* Whether it is a compressed or copied generation whose lines were counted when they were written. */
bool sa_candidate_was_read(const struct source *source, struct candidate *candidate);

/* The past that was lost from its file and goes on in the candidate, or NULL. */
struct ghost *sa_candidate_past(struct source *source, struct candidate *candidate);

#endif
