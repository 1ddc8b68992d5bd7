/* What the files of the core share and nobody else sees. */
#ifndef SA_CORE_INSIDE_H
#define SA_CORE_INSIDE_H

#include "core.h"
#include "faults.h"
#include "recent.h"
#include "rules.h"

/* One source: what its streams have in common. */
struct core_source {
    const struct sa_source_def *def;
    struct sa_format *format;
    struct sa_tally *tally;
    struct sa_recent *recent;       /* NULL: nobody counts transactions */
    struct sa_stream_counts closed; /* sums of the streams that are closed, and of earlier lives */
    struct sa_core_stream *streams; /* open ones */
    int64_t last_line_ms, last_response_ms;
    struct sa_core_place place; /* as an earlier life left it */
    uint64_t undercount, refused;
    bool known;   /* it has a past */
    bool gave_up; /* on a line with too many ways to match */
    bool changed; /* since it was last saved */
};

struct sa_core_stream {
    struct sa_core *core;
    struct sa_stream stream;
    unsigned source;
    struct sa_when when;                                                /* of the bytes that are being read */
    struct sa_core_stream *next;                                        /* of the source */
    bool (*is_counted)(void *arg, const struct sa_core_stream *stream); /* of one that is only watched */
    void *arg;
};

/* Names that have a number in the MIB, or had one: it is not given to others. */
#define CORE_INDEXES   4096
#define CORE_INDEX_MAX INT32_MAX /* what the MIB and the column of the table can hold */
struct core_index {
    char name[SA_NAME_SIZE];
    uint32_t number;
};

struct sa_core {
    struct sa_config *config;
    struct core_index *indexes;
    unsigned n_indexes;
    uint32_t last_index;         /* the highest number that was ever given */
    bool indexes_changed;        /* since they were last saved */
    struct core_source *sources; /* config->n_sources */
    struct sa_tally *tally;      /* of all sources */
    struct sa_rules *rules;
    struct sa_faults *faults;
    const char *names[SA_CONFIG_SOURCES]; /* of the sources */
    struct sa_format *nothing;            /* of what is only watched */
    struct sa_alarms *alarms;
    struct sa_outbox *outbox;
    struct sa_stream_counts absent; /* of sources that are not configured any more: totals never fall */
    struct sa_batch repair;         /* what removes rows of an earlier life that cannot be true; owned */
    unsigned dropped[SA_TABLES];    /* such rows */
    struct sa_core_past past;
    int64_t start_ms, since_ms, config_ms;
    unsigned sinks;
    struct sa_time now;  /* of the turn, while the rules call back */
    bool due;            /* something came that can change a verdict */
    bool alarms_changed; /* since they were last saved */
};

/* The number of a source, or -1. */
int sa_core_source_number(const struct sa_core *core, const char *name);

void sa_core_add_counts(struct sa_stream_counts *sum, const struct sa_stream_counts *counts);

/* The number of a source in the MIB; 0: it has none. */
uint32_t sa_core_index(const struct sa_core *core, const char *name);

/* A number that an earlier life gave; false: there is no room, or another has it. */
bool sa_core_index_load(struct sa_core *core, const char *name, uint32_t number);

/* Gives each source that has none the next number, in the order of the configuration. */
void sa_core_index_all(struct sa_core *core);

/* Of all its streams that ever were. */
struct sa_stream_counts sa_core_counts(const struct core_source *source);

/* An event on its way to the sinks. */
void sa_core_push(struct sa_core *core, const struct sa_alarm_event *event);

#endif
