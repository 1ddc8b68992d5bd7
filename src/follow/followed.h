/*
 * Between the two halves of the follower: names.c finds files under their names, follow.c reads them.
 */
#ifndef SA_FOLLOWED_H
#define SA_FOLLOWED_H

#include "follow.h"
#include "watcher.h"

#include <limits.h>
#include <sys/types.h>

#define MARKER_BYTES 1024

struct file {
    char path[PATH_MAX]; /* the last name it was found under */
    dev_t dev;
    ino_t ino;
    int fd, watch;
    int64_t offset, size; /* bytes taken; bytes there when last looked */
    /*
     * The bytes before the offset, as they were taken.  A file whose bytes there have changed was truncated
     * and written again, even if it is longer than before by now.
     */
    char marker[MARKER_BYTES];
    size_t marker_len;
    int64_t gone_ms;     /* monotonic time when its name was first missed; 0: it has its name */
    bool pending;        /* to be read */
    bool seen;           /* by the scan of the moment */
    struct file *before; /* the file it replaced: that one is read to its end first */
    void *stream;
};

struct source {
    char *const *globs;
    struct file **files; /* SA_FOLLOW_FILES pointers */
    unsigned n_files;
    bool scanned; /* once: from now on new files are read from their start */
    bool start_at_end;
    uint64_t rotations, truncations;
    enum sa_source_state state;
    char text[SA_LONG_SIZE];
};

struct sa_follower {
    struct sa_loop *loop;
    struct sa_watcher *watcher;
    struct sa_watch *poll, *work;
    const struct sa_follow_events *events;
    void *arg;
    struct source *sources;
    unsigned n_sources;
    unsigned next_source, next_file; /* where the round robin goes on */
    bool rescan_wanted;
    char *slice;
};

void sa_follow_set_state(struct sa_follower *follower, struct source *source, enum sa_source_state state,
                         const char *text);
void sa_follow_want_reading(struct sa_follower *follower, struct file *file);

/* Looks which files the source's globs name now: opens new ones, closes what is long gone, judges the state.
 */
void sa_follow_scan(struct sa_follower *follower, struct source *source);

/* Forgets the i-th file of a source. */
void sa_follow_close_file(struct sa_follower *follower, struct source *source, unsigned i);

#endif
