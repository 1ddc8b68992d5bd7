/*
 * Follows log files as they grow: globs, rotation by rename, truncation, files that come later or cannot be
 * read yet.  Woken by inotify, with a slow poll behind it that also works alone; reads in slices of one
 * buffer, one file after the other, so that no file starves another or the loop.  Main thread.
 */
#ifndef SA_FOLLOW_H
#define SA_FOLLOW_H

#include "loop.h"
#include "types.h"

#define SA_FOLLOW_FILES 1024 /* of one source; more are not opened and the source says so */

struct sa_follower;

/* What the owner of the bytes is told.  arg and stream are the owner's; all calls come from the loop. */
struct sa_follow_events {
    void *(*opened)(void *arg, unsigned source, const char *path); /* a stream for a new file; NULL: cannot */
    void (*bytes)(void *arg, void *stream, const char *buf, size_t len);
    void (*truncated)(void *arg, void *stream);
    void (*closed)(void *arg, void *stream);
    void (*state)(void *arg, unsigned source); /* the source's state or text changed */
    void (*read_some)(void *arg);              /* after each slice */
};

struct sa_follow_status {
    enum sa_source_state state;
    char text[SA_LONG_SIZE];
    uint64_t rotations, truncations, backlog_bytes;
    unsigned n_files;
};

struct sa_follow_file {
    const char *path;
    const char *state; /* "following", "rotated" */
    int64_t offset;    /* bytes taken from the file */
    void *stream;
};

struct sa_follower *sa_follower_new(struct sa_loop *loop, const struct sa_follow_events *events, void *arg);
struct sa_follower *sa_follower_free(struct sa_follower *follower);

/*
 * Adds a source with its globs (ended by NULL, owned by the caller) and opens what is there.  start_at_end
 * applies to the files present now; what appears later is read from its start.  Returns the source's number,
 * 0.. in order, or -ENOMEM.
 */
int sa_follower_add(struct sa_follower *follower, char *const *globs, bool start_at_end);

void sa_follower_status(const struct sa_follower *follower, unsigned source, struct sa_follow_status *status);

/* The i-th file of a source, i < n_files. */
struct sa_follow_file sa_follower_file(const struct sa_follower *follower, unsigned source, unsigned i);

#endif
