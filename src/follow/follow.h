/*
 * Follows log files as they grow: globs, rotation by rename and by copying, truncation, files that come later
 * or cannot be read yet, and what was rotated while nobody looked.  Woken by inotify, with a slow poll behind
 * it that also works alone; reads in slices of one buffer, one file after the other, so that no file starves
 * another or the loop.  Main thread.
 */
#ifndef SA_FOLLOW_H
#define SA_FOLLOW_H

#include "loop.h"
#include "types.h"

#define SA_FOLLOW_FILES                                                                                      \
    10240 /* of one source, the latest; of more the position is kept, and they are read when they grow */
#define SA_FOLLOW_GHOSTS 256 /* positions of files that are not open, of one source; the oldest give way */

struct sa_follower;

/*
 * Where reading goes on in a file, and how to recognise the file: by its place in the file system while it
 * has one, by its first bytes and the bytes before the offset wherever it went.
 */
struct sa_position {
    int64_t id; /* of the stream of lines; goes with them when the file is renamed, copied or compressed */
    const char *path;
    int64_t dev, ino, generation;    /* generation: an inode number is used again, this is not */
    int64_t head_len, head_hash;     /* of the first bytes */
    int64_t first_hash;              /* of the first of these, at most 64; 0: not known */
    int64_t offset;                  /* the start of the first line that is not complete */
    int64_t marker_len, marker_hash; /* of the bytes before the offset */
    int64_t seen_ms;                 /* wall clock of the last change */
    bool open;                       /* still followed */
};

/* What the owner of the bytes is told.  arg and stream are the owner's; all calls come from the loop. */
struct sa_follow_events {
    /* A stream of lines begins, or goes on (resumed) from a position of an earlier life.  NULL: cannot. */
    void *(*opened)(void *arg, unsigned source, int64_t id, bool resumed);
    /* late: written before we looked, so the time of arrival says nothing.  Returns how many bytes of an
     * unfinished line it holds. */
    size_t (*bytes)(void *arg, void *stream, const char *buf, size_t len, bool late);
    void (*hole)(void *arg, void *stream, int64_t len); /* NUL bytes that no disk block holds */
    void (*truncated)(void *arg, void *stream);         /* an unfinished line will not be finished */
    void (*closed)(void *arg, void *stream);
    void (*state)(void *arg, unsigned source);                  /* the source's state or text changed */
    void (*note)(void *arg, unsigned source, const char *text); /* something to tell once */
    void (*read_some)(void *arg);                               /* after each slice */
};

struct sa_follow_options {
    char *const *globs; /* ended by NULL, owned by the caller */
    const char *olddir; /* where rotated files go, "" for beside the log */
    bool start_at_end;  /* of the files that are there when nothing is known of the source */
    bool known;         /* the source has a past: what is not in it is new, and read from its start */
    int64_t looked_ms;  /* wall clock until which an earlier life had looked for generations */
    int64_t rotate_wait_ms;
    int64_t backfill_max_age_ms, backfill_max_bytes;
};

struct sa_follow_status {
    enum sa_source_state state;
    int error; /* why it is so: negative errno, 0 if it is not known */
    char text[SA_LONG_SIZE];
    uint64_t rotations, truncations, backlog_bytes;
    int64_t distrusted_ms; /* wall clock when its file system was caught contradicting itself; 0: never */
    unsigned n_files;
};

struct sa_follow_file {
    const char *path;
    const char *state; /* "following", "rotated", "back-fill" */
    int64_t offset;    /* bytes taken from the file */
    void *stream;
};

struct sa_follower *sa_follower_new(struct sa_loop *loop, const struct sa_follow_events *events, void *arg);
struct sa_follower *sa_follower_free(struct sa_follower *follower);

/* Adds a source; nothing is opened yet.  Returns the source's number, 0.. in order, or -ENOMEM. */
int sa_follower_add(struct sa_follower *follower, const struct sa_follow_options *options);

/* Before the start: what is known of the past.  Numbers of new streams will be above last_id. */
int sa_follower_restore(struct sa_follower *follower, unsigned source, const struct sa_position *position);
/* distrusted_ms: as the status said then. */
void sa_follower_recall(struct sa_follower *follower, unsigned source, uint64_t rotations,
                        uint64_t truncations, int64_t distrusted_ms);
/*
 * Wall clock until which all generations of a source's logs have been looked for, when there may be others
 * that could not be opened yet; 0 if there are none.  What is kept gives options.looked_ms after a restart.
 */
int64_t sa_follower_behind_ms(const struct sa_follower *follower, unsigned source);
void sa_follower_set_last_id(struct sa_follower *follower, int64_t last_id);
int64_t sa_follower_last_id(const struct sa_follower *follower);

/* Opens what is there. */
void sa_follower_start(struct sa_follower *follower);

void sa_follower_status(const struct sa_follower *follower, unsigned source, struct sa_follow_status *status);

/* The i-th file of a source, i < n_files. */
struct sa_follow_file sa_follower_file(const struct sa_follower *follower, unsigned source, unsigned i);

/*
 * What has to be kept: calls fn for the positions that changed since the last call, or for all of them, and
 * gone for those that are forgotten.  stream is NULL for a file that is not open.
 */
struct sa_position_sink {
    void (*keep)(void *arg, unsigned source, const struct sa_position *position, void *stream);
    void (*gone)(void *arg, unsigned source, int64_t id);
    void *arg;
};
void sa_follower_positions(struct sa_follower *follower, bool all, const struct sa_position_sink *sink);

#endif
