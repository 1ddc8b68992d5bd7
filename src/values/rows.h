/*
 * What outlives the process, as plain rows: one struct for each table of the state database, its columns
 * described in tables.c.  Texts and blobs point to the caller's memory when a row is put into a batch, and to
 * the database's while it is loaded: copy what you keep.  Times are milliseconds of the wall clock unless the
 * name says mono.
 */
#ifndef SA_ROWS_H
#define SA_ROWS_H

#include <stddef.h>
#include <stdint.h>

enum sa_table {
    SA_TABLE_DAEMON,    /* one row */
    SA_TABLE_SOURCES,   /* counts of a source */
    SA_TABLE_BOOKMARKS, /* where reading goes on */
    SA_TABLE_COUNTS,    /* responses by source, code and method */
    SA_TABLE_GAUGES,    /* last-minutes windows by code */
    SA_TABLE_GROUPS,    /* rule states and their windows */
    SA_TABLE_ALARMS,
    SA_TABLE_EVENTS,  /* what receivers have not taken yet */
    SA_TABLE_RECENT,  /* responses that may be sent again */
    SA_TABLE_INDEXES, /* numbers of sources in the MIB */
    SA_TABLES
};

struct sa_blob {
    const void *p;
    size_t len;
};

struct sa_row_daemon {
    int64_t id;          /* always 1 */
    const char *version; /* of the program that wrote it, for people */
    const char *boot_id; /* the monotonic clock of another boot says nothing */
    int64_t mono_ms, wall_ms;
    int64_t counters_since_ms;
    int64_t last_alarm_id, alarms_changed_ms;
    int64_t sequence, sent, suppressed;
};

struct sa_row_source {
    const char *name;   /* key */
    const char *format; /* the preset that auto chose, or "" */
    int64_t lines, bytes, responses, matched, unmatched, oversize, nul_bytes, partial_dropped, lost;
    int64_t match_limit;
    int64_t rotations, truncations, undercount;
    int64_t distrusted_ms; /* when its file system was caught contradicting itself; 0: never */
    int64_t looked_ms;     /* until when its generations had been looked for; 0: until this was saved */
    int64_t last_line_ms, last_response_ms;
};

struct sa_row_bookmark {
    const char *source, *key; /* key */
    const char *value;        /* the kind of the source knows its meaning (source.h) */
    struct sa_blob reader;    /* the SIP message that was being read (sa_stream_keep) */
};

/* method "": the code's totals; otherwise only responses and the two directions are not told apart. */
struct sa_row_count {
    const char *source; /* key; "": all sources */
    int64_t code;       /* key */
    const char *method; /* key */
    int64_t responses, received, sent;
    int64_t last_seen_ms;
};

struct sa_row_gauge {
    int64_t code; /* key */
    struct sa_blob window;
};

/* States of a rule's group, as rules.h numbers them. */
enum { SA_ROW_STATE_OK = 1, SA_ROW_STATE_FIRING = 3, SA_ROW_STATE_CLEARING = 4 };

struct sa_row_group {
    const char *rule, *source, *peer, *method; /* key; "": the rule does not tell these apart */
    int64_t code;                              /* key; 0: likewise */
    int64_t overflow; /* key; 1: the group of those that found no room in the rule's groups */
    int64_t counted;  /* fingerprint of what the rule counts; windows of another rule are not taken */
    int64_t state, level, since_mono_ms;
    int64_t below_mono_ms[4]; /* per level: since when it does not hold; 0: it holds */
    const char *evidence;
    struct sa_blob windows;
};

/* An alarm's columns, shared by active alarms and by events. */
struct sa_row_alarm {
    int64_t id; /* key of alarms */
    const char *identity;
    int64_t severity, kind;
    const char *rule, *source, *peer, *codes;
    int64_t value, unit, threshold, window_s, total;
    int64_t raised_ms, changed_ms;
    const char *text, *remediation, *evidence;
    const char *method; /* with rule, source and peer the key of the group (sa_row_group) */
    int64_t code, overflow;
};

struct sa_row_event {
    int64_t sequence; /* key */
    int64_t transition, wanted, taken;
    struct sa_row_alarm alarm;
};

struct sa_row_recent {
    const char *source; /* key */
    int64_t piece;      /* key */
    struct sa_blob responses;
};

/* The rows of sources that are not configured any more stay: their numbers are not given to others. */
struct sa_row_index {
    const char *name; /* key */
    int64_t number;
};

#endif
