/*
 * The counting half of the daemon as one value: sources with their streams and counters, rules, alarms,
 * outbox. No logic of its own; it holds the rooms together so that status, snapshot and wiring see the same
 * thing. Main thread.
 */
#ifndef SA_ENGINE_H
#define SA_ENGINE_H

#include "alarms.h"
#include "batch.h"
#include "clock.h"
#include "config.h"
#include "follow.h"
#include "intake.h"
#include "outbox.h"
#include "stream.h"
#include "recent.h"
#include "tally.h"

/* One source: what its streams have in common. */
struct sa_engine_source {
    const struct sa_source_def *def;
    struct sa_format *format;
    char told_format[SA_NAME_SIZE]; /* of auto, as the log was told */
    uint64_t told_forgotten;
    bool gave_up, told_gave_up; /* on a line with too many ways to match */
    struct sa_tally *tally;
    struct sa_recent *recent;       /* NULL: nobody counts transactions */
    struct sa_stream_counts closed; /* sums of the streams whose files are gone, and of earlier lives */
    int64_t last_line_ms, last_response_ms;
    uint64_t rotations, truncations; /* of earlier lives */
    int64_t distrusted_ms; /* of an earlier life: when its file system contradicted itself; 0: never */
    int64_t looked_ms; /* of an earlier life: until when generations had been looked for; 0: until its end */
    int64_t behind_ms; /* as sa_follower_behind_ms said when it was last kept */
    bool known;        /* it has a past */
    struct file_stream *streams;    /* open ones */
    struct sa_follow_status intake; /* state of a source that is not a file */
    struct sa_journal *journal;     /* NULL: none, or not open */
    char cursor[256];               /* of the journal, from an earlier life */
    uint64_t refused;    /* datagrams and connections of senders that are not allowed, of this life */
    uint64_t undercount; /* lines that were lost before they could be counted */
    bool changed;        /* since it was last kept */
};

struct sa_engine {
    struct sa_config *config;
    struct sa_engine_source *sources; /* config->n_sources */
    struct sa_tally *tally;           /* of all sources, with the last-minutes windows */
    struct sa_rules *rules;
    struct sa_faults *faults;
    const char *names[SA_CONFIG_SOURCES]; /* of the sources */
    struct sa_format *nothing;            /* of watched files */
    unsigned watches[SA_CONFIG_SOURCES];  /* the sources whose log daemons' files are watched */
    unsigned n_watches;
    struct sa_alarms *alarms;
    struct sa_outbox *outbox;
    struct sa_follower *follower;
    struct sa_stream_counts absent; /* of sources that are not configured any more: totals never fall */
    struct sa_recall *recall;       /* messages of an earlier life, until their streams are opened */
    struct sa_batch repair;         /* what removes rows of an earlier life that cannot be true; owned */
    struct sa_time now;             /* of the slice that is being read */
    bool late;                      /* it was written before we looked: its own time counts */
    int64_t last_file_id;           /* of the earlier life */
    int64_t last_alive_ms;          /* when the earlier life was last saved; 0: there was none */
    int64_t start_ms, since_ms, config_ms; /* since: when counting began, over all restarts */
    unsigned sinks;                        /* where alarm events go */
    bool limit_crossed;                    /* a response came that can have crossed a limit: evaluate */
    bool alarms_changed;                   /* since they were last kept */
};

/* Returns 0, or negative errno with a message. */
int sa_engine_init(struct sa_engine *engine, struct sa_config *config, unsigned sinks, int64_t wall_ms,
                   char error[SA_PATTERN_ERROR_SIZE]);
void sa_engine_done(struct sa_engine *engine);

/*
 * The follower numbers the sources as the configuration does, and behind them the files that are watched for
 * what log daemons lost.  The name under which positions of a number are kept, and the number of a name or
 * -1.
 */
#define SA_ENGINE_KEY (SA_NAME_SIZE + 48)
const char *sa_engine_key(const struct sa_engine *engine, unsigned number, char key[SA_ENGINE_KEY]);
int sa_engine_number(const struct sa_engine *engine, const char *key);

/* The source that a number of the follower belongs to. */
unsigned sa_engine_owner(const struct sa_engine *engine, unsigned number);

/* The stream of one followed file; the handlers of sa_follow_events call these. */
void *sa_engine_open(struct sa_engine *engine, unsigned source);
size_t sa_engine_feed(struct sa_engine *engine, void *stream, const char *buf, size_t len, bool late);
void sa_engine_hole(struct sa_engine *engine, void *stream, int64_t len);
void sa_engine_restart(struct sa_engine *engine, void *stream);
void sa_engine_close(struct sa_engine *engine, void *stream);

/* Judges the rules and queues what they say.  Returns whether something is active, so has to be judged again.
 */
bool sa_engine_judge(struct sa_engine *engine);

/*
 * Puts the rules of fresh in force and leaves the old ones in it; counts, windows and alarms of rules that
 * stay are kept, an alarm whose rule is gone is cleared.  Returns 0, or -ENOMEM with nothing changed.
 */
int sa_engine_change_rules(struct sa_engine *engine, struct sa_config *fresh);

/* Lines of a source were lost, so its counts are too low. */
void sa_engine_lost(struct sa_engine *engine, unsigned source, uint64_t lines, const char *why);

/* State, text and files of a source, of whatever kind. */
void sa_engine_status(const struct sa_engine *engine, unsigned source, struct sa_follow_status *status);

/* Responses that were forgotten for want of room: sent again, they count again. */
uint64_t sa_engine_forgotten(const struct sa_engine *engine, unsigned source);

/* Bytes of unfinished lines: of them nothing is counted yet. */
uint64_t sa_engine_held(const struct sa_engine *engine, unsigned source);

/* The counts of a source over all its files, and of all sources that ever were. */
struct sa_stream_counts sa_engine_counts(const struct sa_engine *engine, unsigned source);
struct sa_stream_counts sa_engine_totals(const struct sa_engine *engine);

void sa_engine_add_counts(struct sa_stream_counts *sum, const struct sa_stream_counts *counts);

/* The stream of lines behind a stream of the follower. */
struct sa_stream *sa_engine_stream(void *stream);

#endif
