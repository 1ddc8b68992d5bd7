/*
 * The shapes that the rooms of the follower share: a file that is followed, a position whose file is closed,
 * a source, and the follower.  README.md says which rooms ask, which one decides, and which act.
 */
#ifndef SA_FOLLOWED_H
#define SA_FOLLOWED_H

#include "disk.h"
#include "follow.h"
#include "inflate.h"
#include "watcher.h"

/* Keys are a device and an inode. */
#define HASH_FUNCTION(key, len, hash) ((hash) = sa_index_hash(key))
unsigned sa_index_hash(const void *number);

#include <uthash.h>

#include <sys/stat.h>
#include <sys/types.h>

#define MARKER_BYTES   1024
#define HEAD_BYTES     1024
#define FIRST_BYTES    64 /* of the head, hashed apart: of a file that is shorter than its head was */

#define WAYPOINTS      16
#define WAYPOINT_BYTES 32

/* The bytes before an offset that was passed, so that a file that shows less than was read of it is known. */
struct waypoint {
    int64_t offset;
    char bytes[WAYPOINT_BYTES];
};

/* Whether the file's lines are its own. */
enum judged {
    JUDGED,         /* they are counted when they are read */
    UNJUDGED,       /* nothing of it is counted: it may be a copy, or show what was read elsewhere */
    UNJUDGED_PARTED /* the same, and it showed something else before, of which the position is kept */
};

/* Whether the file is read when its turn comes. */
enum due {
    DUE_NOT,
    DUE,
    DUE_BLOCKED /* it is to be read, but its pipe is empty for now */
};

/* What becomes of the file's position when it is closed. */
enum ending {
    ENDS_KEPT,     /* it may come back under another name, or packed */
    ENDS_LEFT,     /* it makes room for another, and has its position without a place */
    ENDS_DISCARDED /* its content is in another file, which has its position */
};

struct file {
    char *path;   /* the last name it was found under, owned */
    char *origin; /* the name of the log that its stream began in, owned */
    dev_t dev;    /* with ino the key of the source's index */
    ino_t ino;
    UT_hash_handle by_number;
    bool indexed;
    int64_t generation, born_ns; /* born: 0 if the file system does not know */
    int fd, watch;
    int64_t id;           /* of its stream */
    int64_t offset, size; /* bytes taken; bytes there when last looked */
    int64_t late_until;   /* what lies before was written before we looked */
    int64_t seen_ms;      /* wall clock when bytes were last taken */
    char head[HEAD_BYTES];
    size_t head_len;
    /*
     * The bytes before the offset, as they were taken.  A file whose bytes there have changed was truncated
     * and written again, even if it is longer than before by now.
     */
    char marker[MARKER_BYTES];
    size_t marker_len;
    /* The same for the start of the line that is not complete: there reading goes on after a restart. */
    int64_t resume;
    char resume_marker[MARKER_BYTES];
    size_t resume_marker_len;
    /*
     * The position of an earlier life, of which only hashes are known, until the file shows all that was read
     * of it; marker_len 0: there is none.
     */
    struct sa_position sealed;
    int64_t sealed_end; /* where the last line ends that the file showed then; 0: not known */
    struct waypoint waypoints[WAYPOINTS]; /* between the head and the offset, in ascending order */
    unsigned n_waypoints;
    int64_t waypoint_step;
    int64_t doubt_ms;       /* monotonic time since when it shows less than was read of it; 0: it does not */
    int64_t believed_until; /* offset at which it was taken for truncated without other bytes as a proof */
    int64_t gone_ms;        /* monotonic time when its name was first missed; 0: it has its name */
    enum due due;
    bool seen;    /* by the scan of the moment */
    bool changed; /* its position since it was last kept */
    bool awaited; /* another file waits for it, as far as who asks has looked */
    enum ending ending;
    enum judged judged;
    int64_t shown_ms; /* monotonic time since when it shows only what was read before it was emptied, or 0 */
    bool emptied;     /* it was truncated to nothing, as far as its disk can be trusted */

    int error;                    /* of the last read, negative errno */
    struct disk disk;             /* it is on */
    struct file *before;          /* the file it replaced: that one is read to its end first */
    struct file *copy_of;         /* all its bytes are those of the other: not counted twice */
    struct sa_inflater *inflater; /* fd is its pipe */
    struct stat packed;           /* of the compressed file when it was opened last */
    bool cut;                     /* its content ended too early: read on when it changes */
    struct sa_watch *readable;    /* of the pipe */
    struct sa_follower *follower; /* for the pipe's call */
    void *stream;
};

/* A position whose file is not open. */
struct ghost {
    struct sa_position position; /* path is owned */
    bool changed;
    bool lost; /* its file was written anew: the rest may be in a copy, found by its content alone */
};

struct source {
    struct sa_follow_options options;
    struct file **files; /* SA_FOLLOW_FILES pointers */
    unsigned n_files;
    struct file *by_number; /* those whose number can be believed */
    unsigned n_by_content;  /* those whose number cannot */
    int64_t distrusted_ms;  /* wall clock when its disk was found out: its files are known by content; or 0 */
    struct left *left;      /* those that have no place; by number */
    unsigned n_unseen;      /* by the scan of the moment, before it opens what is new */
    bool wide;              /* too many files: each is by itself, without generations */
    struct listing *listing;       /* of a scan that goes over more than one turn, or NULL */
    bool looking;                  /* a scan looks for generations */
    struct directory *directories; /* as the scan of the moment listed them, for the search of generations */
    struct ghost *ghosts;
    unsigned n_ghosts, ghosts_room;
    int64_t scanned_ms; /* wall clock of the last scan after which nothing was left to look for */
    bool names_changed; /* since then */
    bool rests_moved;   /* files were rotated while the rests of an earlier life were searched: once more */
    bool scanned;       /* once: from now on new files are read from their start */
    int64_t began_ms;   /* wall clock of the first scan, if nothing was known before: older is not ours */
    int64_t history_left, history_until_ms; /* bytes that may still be read of it, until a monotonic time */
    bool told_too_large;                    /* that a packed file has more than may be read */
    bool told_irregular;                    /* that a pattern matches something that is no regular file */
    int trouble;                            /* of the last scan, negative errno */
    char trouble_path[256];
    uint64_t rotations, truncations;
    enum sa_source_state state;
    int error; /* why the state is what it is, negative errno */
    char text[SA_LONG_SIZE];
};

/* A position that is not kept any more. */
struct forgotten {
    unsigned source;
    int64_t id;
};

struct sa_follower {
    struct sa_loop *loop;
    struct sa_watcher *watcher;
    struct sa_watch *poll, *work;
    const struct sa_source_events *events;
    void *arg;
    struct source *sources;
    unsigned n_sources;
    unsigned next_source, next_file; /* where the round robin goes on */
    bool rescan_wanted;
    bool scan_due;         /* the poll is armed for it */
    bool scanning;         /* a scan goes over more than one turn of the loop */
    unsigned scan_source;  /* it is at */
    int64_t scan_spent_ms; /* so far */
    int64_t scan_after_ms; /* monotonic: large directories are not scanned all the time */
    bool took_some;        /* the work of the moment changed something */
    int64_t last_id;
    struct forgotten *forgotten;
    size_t n_forgotten, forgotten_room;
    char *slice;
};

#endif
