/* Questions about files that are known by their content: what a view shows, and of which record. */
#ifndef SA_FOLLOW_VIEWS_H
#define SA_FOLLOW_VIEWS_H

#include "followed.h"

/* What a descriptor shows at the moment. */
struct shown {
    int fd;
    int64_t end;
    char first[FIRST_BYTES];
    size_t first_len;
};

/* Where reading goes on in what is shown. */
struct place {
    struct file *file; /* of the record, if it is open */
    struct ghost *ghost;
    int64_t offset;
    bool all_read; /* a record has all that is shown */
    bool unknown;  /* it could not be compared with each record */
};

/* Whether it can be read; if not, errno says why. */
bool sa_views_look(struct shown *shown, int fd);

/* The place among the records of the source. */
struct place sa_views_find(const struct source *source, const struct shown *shown, const char *path,
                           const char *origin);

/* Whether all that the file's own descriptor shows was read. */
bool sa_views_is_at_end(const struct file *file);

/*
 * Whether the name still leads to the file.  Where the file's own descriptor does not show what was read of
 * it, and the name does, the file has to go on with the name's: *ret_fd is that, the caller's, otherwise -1.
 */
bool sa_views_leads_to(const struct file *file, const char *path, int *ret_fd);

/* What the file, which was truncated to nothing, shows of what was read of it, or of a copy of that. */
enum return_ sa_views_came_back(const struct source *source, const struct file *file);

/* Whether what fd, found under the path, shows was not all read; the path belongs to the log `origin`. */
bool sa_views_is_new(const struct source *source, int fd, const char *path, const char *origin);

/* The open file of which fd shows what was read, or NULL. */
struct file *sa_views_file(const struct source *source, int fd, const char *path, const char *origin);

#endif
