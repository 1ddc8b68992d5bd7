/*
 * Between the parts of the follower: names.c finds files under their names, history.c finds what was rotated,
 * positions.c knows where reading goes on, follow.c reads.
 */
#ifndef SA_FOLLOWED_H
#define SA_FOLLOWED_H

#include "answers.h"
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

/* What has to be known of a file system. */
struct disk {
    const char *polled; /* why inotify is not enough for its files, or NULL */
    bool by_content;    /* its numbers and sizes may be old or made up: a file is known by what is in it */
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
    bool pending;           /* to be read */
    bool blocked;           /* pending, but its pipe is empty for now */
    bool seen;              /* by the scan of the moment */
    bool changed;           /* its position since it was last kept */
    bool awaited;           /* another file waits for it, as far as who asks has looked */
    bool left_out;          /* closed to make room for another */
    bool discarded;         /* deleted, and its content is in the file that replaced it */
    bool may_be_copy;       /* new beside others: look at its content before counting it */
    int64_t shown_ms; /* monotonic time since when it shows only what was read before it was emptied, or 0 */
    bool emptied;     /* it was truncated to nothing, as far as its disk can be trusted */
    bool parted;      /* it showed something else before, of which the position is kept */

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
    bool scan_due;         /* the poll is armed for it */
    bool scanning;         /* a scan goes over more than one turn of the loop */
    unsigned scan_source;  /* it is at */
    int64_t scan_spent_ms; /* so far */
    int64_t scan_after_ms; /* monotonic: large directories are not scanned all the time */
    bool took_some;        /* the work of the moment changed something */
    int64_t last_id;
    int64_t *forgotten; /* ids */
    size_t n_forgotten, forgotten_room;
    char *slice;
};

/* follow.c */

/* Another scan, soon: it waits for a time that grows with what a scan takes. */
void sa_follow_want_scan(struct sa_follower *follower);
void sa_follow_want_reading(struct sa_follower *follower, struct file *file);
void sa_follow_note(struct sa_follower *follower, const struct source *source, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* scan.c */

/* A name that a scan met. */
struct name {
    char *path; /* owned */
    struct stat status;
    int error;    /* negative errno: there is no status */
    bool matched; /* by a pattern, so that it may be something else than a log */
};

struct names {
    struct name *at;
    size_t n, room;
};

void sa_names_free(struct names *names);

/* listing.c: the names that a source's patterns match, collected in turns, since there may be many. */

#define SORTED 4096 /* so many at most come in the order of their paths */

/* Returns 1 with all names, which are the caller's then; 0: there are more, in another turn; or -ENOMEM. */
int sa_listing_go_on(struct sa_follower *follower, struct source *source, struct names *ret_names);
void sa_listing_free(struct source *source);
bool sa_follow_is_pattern(const char *path);

/* index.c: the files of a source by device and inode. */
void sa_index_add(struct source *source, struct file *file);
void sa_index_remove(struct source *source, struct file *file);
struct file *sa_index_find(struct source *source, dev_t dev, ino_t ino);

/*
 * left.c: of more files than have a place the latest are open, and of the others the position is kept until
 * they grow.
 */

/* Whether the file is one of those, and has nothing new. */
bool sa_left_is_done(const struct source *source, const struct stat *status);

/* A scan met the file: if it is one of those, its position is kept. */
void sa_left_meet(struct source *source, const struct stat *status);

/* Keeps of the names those that can be opened now: there is a place, or an idle file gives way. */
void sa_left_choose(struct sa_follower *follower, struct source *source, struct names *names);

/* A file that had no place is opened: its position becomes a ghost. */
void sa_left_take(struct source *source, const char *path, int fd, const struct stat *status);

/* Keeps a position without a path; 0 or -ENOMEM. */
int sa_left_add(struct source *source, const struct sa_position *position);

/* Forgets those whose names are gone. */
void sa_left_sweep(struct sa_follower *follower, struct source *source);
unsigned sa_left_count(const struct source *source);
void sa_left_positions(struct source *source, unsigned number, bool all, const struct sa_position_sink *sink);
void sa_left_free(struct source *source);

/* scan.c */

/*
 * Looks which files the source's globs name now: opens new ones, closes what is long gone, judges the state.
 * Returns false if it wants another turn before it does.
 */
bool sa_follow_scan(struct sa_follower *follower, struct source *source);

/* condition.c */

/* The source's state from what its last scan and its files' last reads met. */
void sa_follow_judge(struct sa_follower *follower, struct source *source);

/* disk.c */

struct disk sa_disk_of(int fd);

/* As a disk is treated that was caught contradicting the content of its files. */
struct disk sa_disk_distrusted(void);

/* Whether the file ends before its size, not only because it was truncated between two looks. */
bool sa_disk_ends_early(int fd);

/* Whether the path is in /proc, /sys or the like, where reading may do something. */
bool sa_disk_is_kernels(const char *path);

/* Whether the error, negative errno, says that the disk or its server is in trouble. */
bool sa_disk_is_ill(int error);

/* Opens a file for reading, without waiting for a FIFO's writer.  The descriptor, or -1 with errno. */
int sa_disk_open(const char *path);

/* As pread(2). */
ssize_t sa_disk_read(int fd, void *buf, size_t len, int64_t offset);

/* positions.c */
int64_t sa_position_hash(const char *bytes, size_t len);
int64_t sa_position_generation(int fd);
int64_t sa_position_born_ns(int fd);

/* Where the file stands: at the start of its unfinished line, or (live) at the last byte taken. */
struct sa_position sa_position_of(const struct file *file, bool live);

/* How many bytes of a head first_hash is made of. */
size_t sa_position_first_len(int64_t head_len);

/* As pread(2), but whole: fewer bytes only at the end of the file.  Negative errno on failure. */
ssize_t sa_position_read(int fd, char *buf, size_t len, int64_t offset);

/* Where the file ends by its bytes: its size says so too, or it is an old one.  -1: it cannot be read. */
int64_t sa_position_end(int fd);

/* Whether the file behind fd holds what was read up to the position, by its bytes alone. */
enum match sa_position_match(int fd, const struct sa_position *position);

/* Whether the files begin with the same bytes, as far as a head goes, or are both empty. */
bool sa_same_beginning(int a, int b);

/* Whether the files hold the same bytes at the offset. */
bool sa_same_bytes(int a, int b, int64_t offset, size_t len);

struct ghost *sa_ghost_find(struct source *source, int64_t dev, int64_t ino, int64_t generation);

/* What was read of the file, whose content is gone, becomes a ghost that is found again only by its content.
 */
void sa_ghost_keep(struct sa_follower *follower, struct source *source, const struct file *file);

/* What was read of a file that was written anew: found again only by its content. */
void sa_ghost_lose(struct ghost *ghost);
int sa_ghost_add(struct source *source, const struct sa_position *position, bool changed);
void sa_ghost_remove(struct source *source, struct ghost *ghost);

/* Forgets the oldest beyond SA_FOLLOW_GHOSTS, and those older than a back-fill goes. */
void sa_ghosts_prune(struct sa_follower *follower, struct source *source, int64_t now_ms);
void sa_position_forget(struct sa_follower *follower, int64_t id);

/* Loads what lies before the file's offset: its head and its marker. */
void sa_position_load(struct file *file);

/* proof.c: whether what was read of a file is still there, by its bytes; sizes and times are only hints. */

/* What fd shows of what was read up to the position, of which only hashes are known. */
enum proof sa_proof_of_position(int fd, const struct sa_position *position);

/* What fd shows of what was read of the file. */
enum proof sa_proof_look(int fd, const struct file *file);

/* Of a file that shows less than was read of it: whether that says by now that it was truncated. */
bool sa_proof_is_believed(const struct file *file, int64_t now_ms);

/*
 * Whether what was read of the file is gone, or it will be told soon if it is: what may be a copy of it waits
 * for that.
 */
bool sa_proof_may_be_lost(const struct file *file);

/* The file goes on at a position of an earlier life whose marker it does not show yet. */
void sa_proof_seal(struct file *file, const struct sa_position *past);

/* The file shows all that an earlier life read of it: from now on its own bytes say so. */
void sa_proof_unseal(struct file *file);

/*
 * Whether the bytes before an offset, all or as many as a marker has, tell a file from others of its log:
 * lines begin alike, and a part of one line may come again in each file.
 */
bool sa_proof_has_line(const char *bytes, size_t len);

/* Whether what fd holds is, up to the file's offset, what was read of the file: at least one line. */
bool sa_proof_same(int fd, const struct file *file);

/* The end of the last line that the file still has of those before its offset; 0: none, or it is another. */
int64_t sa_proof_common_end(const struct file *file);

/* The file lost or changed only its last lines: its position goes back to the end of those that are left. */
void sa_proof_step_back(struct file *file, int64_t end);

/* The file's offset moved on; end: behind the last of len bytes that lie before it. */
void sa_proof_pass(struct file *file, const char *end, size_t len);
void sa_proof_forget(struct file *file);

/* history.c */

/* After the first scan of a source with a past: opens what was rotated meanwhile. */
void sa_history_backfill(struct sa_follower *follower, struct source *source);

/* Where streams of an earlier life that have no file yet go on: under other names, or in copies. */
void sa_history_find_rests(struct sa_follower *follower, struct source *source);

/*
 * At the first scan of a source without a past: generations that a pattern names are read, oldest first, if
 * it starts at the beginning; the others are not its business.
 */
void sa_history_begin(struct sa_follower *follower, struct source *source);

/* Opens the generations of a log that were made and rotated since a moment; what has its name waits for them.
 */
void sa_history_look(struct sa_follower *follower, struct source *source, const char *log_path,
                     int64_t since_ms);

/* Whether a compressed file was cut off so lately that the rest may still come. */
bool sa_history_awaits_rest(const struct source *source, const struct file *file);

/* copies.c: files that were made of others, as logrotate does before it truncates a log. */

/* The content of a followed file is gone: goes on with its stream in the copy that holds the rest, if there
 * is one, and gives the file a new stream. */
void sa_copies_rest(struct sa_follower *follower, struct source *source, struct file *file);

/* Judges a file that may be a copy; it is one as long as copy_of is set, and is not read then. */
void sa_copies_judge(struct sa_follower *follower, struct source *source, struct file *file);

/* The file goes on with the stream of the other, which gets the file's own. */
void sa_copies_take_over(struct file *file, struct file *from);

/*
 * Whether the content of a file is gone and nobody looked yet for a copy: that comes before what may be one.
 */
bool sa_copies_any_lost(struct sa_follower *follower, struct source *source);

/* views.c: files that are known by their content. */

/*
 * Whether the name still leads to the file.  Where the file's own descriptor does not show what was read of
 * it, and the name does, the file has to go on with the name's: *ret_fd is that, the caller's, otherwise -1.
 */
bool sa_views_leads_to(const struct file *file, const char *path, int *ret_fd);

/* Judges a file of which nothing was taken: it is new, or goes on with what was read, or shows only that. */
void sa_views_judge(struct sa_follower *follower, struct source *source, struct file *file);

/* The file shows something else than what was read of it: that is kept as a position, and it is judged anew.
 */
void sa_views_part(struct sa_follower *follower, struct source *source, struct file *file);

/* What the file, which was truncated to nothing, shows of what was read of it, or of a copy of that. */
enum return_ sa_views_came_back(struct source *source, const struct file *file);

/* Whether what fd, found under the path, shows was not all read; the path belongs to the log `origin`. */
bool sa_views_is_new(struct source *source, int fd, const char *path, const char *origin);

/* The open file of which fd shows what was read, or NULL. */
struct file *sa_views_file(struct source *source, int fd, const char *path, const char *origin);

/*
 * What the disk says of a file contradicts its content, or the file cannot be read: from now on the source's
 * files are known by their content.
 */
void sa_views_distrust(struct sa_follower *follower, struct source *source, const char *path);

/* family.c */

/* Whether a name is that of a rotated, copied or compressed generation of the log. */
bool sa_family_is(const char *log_path, const char *path);

#endif
