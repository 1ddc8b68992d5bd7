/*
 * What a kind of source is: how sources of one kind are opened and read, how they stand, and what has to be
 * kept of them.  Sources that the host numbers are read by one reader for each kind; a reader knows its host
 * by the events below and nothing of what becomes of the lines.  A new kind is a room with one struct
 * sa_source_kind in it, and a line in SA_SOURCE_KINDS (types.h).  Main thread; all calls come from the loop.
 */
#ifndef SA_SOURCE_H
#define SA_SOURCE_H

#include "loop.h"
#include "source_def.h"

#define SA_SOURCE_LOOK_MS 5000

/*
 * What the host is told.  source: the number that the host gave; stream: what opened() returned, bytes that
 * come one after the other.  All are there.
 */
struct sa_source_events {
    /*
     * A stream begins, or goes on (resumed) from a place of an earlier life.  id: the number with which its
     * bookmark is kept, 0 if it has none.  NULL: it cannot.
     */
    void *(*opened)(void *arg, unsigned source, int64_t id, bool resumed);
    /* late: written before we looked, so the time of arrival says nothing.  Returns how many bytes of an
     * unfinished line it holds. */
    size_t (*bytes)(void *arg, void *stream, const char *buf, size_t len, bool late);
    void (*hole)(void *arg, void *stream, int64_t len); /* NUL bytes that no disk block holds */
    void (*truncated)(void *arg, void *stream);         /* an unfinished line will not be finished */
    void (*closed)(void *arg, void *stream);
    /* Lines that will not come; why: English, to be translated. */
    void (*lost)(void *arg, unsigned source, uint64_t lines, const char *why);
    /* Datagrams or connections, of senders that are not allowed. */
    void (*refused)(void *arg, unsigned source, uint64_t n);
    void (*state)(void *arg, unsigned source);                  /* the source's state or text changed */
    void (*note)(void *arg, unsigned source, const char *text); /* something to tell once */
    void (*read_some)(void *arg);                               /* after each slice */
};

struct sa_source_host {
    struct sa_loop *loop;
    const struct sa_source_events *events;
    void *arg;
};

/* How a source stands. */
struct sa_source_status {
    enum sa_source_state state;
    int error; /* why it is so: negative errno, 0 if it is not known */
    char text[SA_LONG_SIZE];
    uint64_t rotations, truncations, backlog_bytes;
    int64_t distrusted_ms; /* wall clock when its file system was caught contradicting itself; 0: never */
    int64_t behind_ms; /* wall clock until which its generations were looked for; 0: there are no others */
    unsigned n_files;
};

struct sa_source_file {
    const char *path;
    const char *state; /* "following", "rotated", "back-fill" */
    int64_t offset;    /* bytes taken from the file */
    void *stream;
};

/* What is read: a source of the configuration, or the files that are watched for what is lost of one. */
struct sa_source_spec {
    unsigned number;                 /* ascending from call to call */
    const struct sa_source_def *def; /* valid until the reader is closed */
    char *const *locations;          /* what the key of the kind names; n_locations of them, the def's */
    size_t n_locations;
    bool watch; /* read def->watch, from its end */
    bool known; /* there was an earlier life, and this is what it knew: */
    uint64_t rotations, truncations;
    int64_t distrusted_ms;
    int64_t looked_ms; /* until when it had looked for generations: its behind_ms, or when it ended */
};

/*
 * A place of a source to go on at after a restart is a bookmark: a key, of the source, and a text without a
 * meaning for anybody but the kind.  Of a stream with an id the key is that number, and the message that it
 * is in the middle of is kept with it.
 */
#define SA_BOOKMARK_KEY   64   /* bytes with the end */
#define SA_BOOKMARK_VALUE 8192 /* likewise */
#define SA_STREAM_ID_MAX  (INT64_C(1) << 53)

struct sa_bookmark_sink {
    /* stream: the bookmark's, or NULL if none is open there. */
    void (*keep)(void *arg, unsigned source, const char *key, const char *value, void *stream);
    void (*gone)(void *arg, unsigned source, const char *key);
    void (*moved)(void *arg, unsigned source); /* what a later life is told by the spec is another */
    void *arg;
};

struct sa_source_kind {
    /* The reader; nothing is opened yet.  NULL: out of memory. */
    void *(*open)(const struct sa_source_host *host);

    /* 0 or -ENOMEM. */
    int (*add)(void *reader, const struct sa_source_spec *spec);

    /* A bookmark of an earlier life, before the start.  Returns whether it can be true. */
    bool (*load)(void *reader, unsigned source, const char *key, const char *value);

    /* No stream gets an id up to this one.  NULL: streams have no ids. */
    void (*reserve)(void *reader, int64_t id);

    /* Opens all that can be opened; the rest is looked for again.  0 or -ENOMEM. */
    int (*start)(void *reader);

    /* Every SA_SOURCE_LOOK_MS: opens what could not be, or was replaced.  NULL: it looks by itself. */
    void (*look)(void *reader);

    void (*status)(const void *reader, unsigned source, struct sa_source_status *ret_status);

    /* The i-th file of a source, i < n_files; valid until the loop goes on.  NULL: there never are any. */
    struct sa_source_file (*file)(const void *reader, unsigned source, unsigned i);

    /* Tells the sink what changed since the last call, or all. */
    void (*save)(void *reader, bool all, const struct sa_bookmark_sink *sink);

    void (*close)(void *reader);
};

/* The kind's implementation. */
const struct sa_source_kind *sa_kind_find(enum sa_source_kind_number number);

#endif
