/*
 * The counting half as one value: what is read becomes responses, counters, windows, verdicts and alarm
 * events.  It is told everything, the time as well: no function below reads a clock, a file or a socket, and
 * none waits.  The daemon, a replay of old logs and the scenarios of the tests run the same one.
 *
 * What is behind the pointers is seen by src/core alone.  One thread at a time.
 */
#ifndef SA_CORE_H
#define SA_CORE_H

#include "alarms.h"
#include "batch.h"
#include "clock.h"
#include "config.h"
#include "outbox.h"
#include "stream.h"
#include "tally.h"

struct sa_core;
struct sa_core_stream; /* a log, a connection, the journal: bytes that come one after the other */

/* When something came, and whether it was written before anybody looked: then its own time counts. */
struct sa_when {
    struct sa_time now;
    bool late;
};

/*
 * config: valid until sa_core_free(), changed by sa_core_reload() alone.  sinks: bits of outbox.h, where
 * alarm events go.  NULL: out of memory, or a format that cannot be used, and the error says which.
 */
struct sa_core *sa_core_new(struct sa_config *config, unsigned sinks, struct sa_time now,
                            char error[SA_PATTERN_ERROR_SIZE]);

/* Streams that are open are left to be closed first. */
struct sa_core *sa_core_free(struct sa_core *core);

/* What is read */

/* NULL: out of memory. */
struct sa_core_stream *sa_core_open(struct sa_core *core, unsigned source);

/*
 * A stream of which nothing counts but the losses that log daemons tell in it.  is_counted is asked when one
 * is told: whether a stream of the source brings the same lines, so that the loss is counted there.
 */
struct sa_core_stream *sa_core_open_watch(struct sa_core *core, unsigned source,
                                          bool (*is_counted)(void *arg, const struct sa_core_stream *stream),
                                          void *arg);

/* Returns how many bytes at the end are of a line that is not complete: of these nothing is counted yet. */
size_t sa_core_feed(struct sa_core_stream *stream, const char *buf, size_t len, struct sa_when when);

/* So many NUL bytes were skipped between two lines. */
void sa_core_hole(struct sa_core_stream *stream, int64_t len);

/* The log was truncated: the rest of its last line will not come. */
void sa_core_restart(struct sa_core_stream *stream);

/* The last line gets its verdict.  Frees the stream. */
void sa_core_close(struct sa_core_stream *stream, struct sa_time now);

/* A response of a source that delivers responses and not lines. */
void sa_core_response(struct sa_core *core, unsigned source, const struct sa_response *response,
                      struct sa_when when);

/* Lines of a source were lost, so its counts are too low; why: translated, as a part of a sentence. */
void sa_core_lost(struct sa_core *core, unsigned source, uint64_t lines, const char *why, struct sa_time now);

/* Datagrams and connections of senders that are not allowed. */
void sa_core_refused(struct sa_core *core, unsigned source, uint64_t n);

/*
 * Whether the source can be seen at all; text: translated, the whole sentence of the alarm if it cannot,
 * error: negative errno that says why, or 0.
 */
void sa_core_set_seeing(struct sa_core *core, unsigned source, bool seeing, const char *text, int error,
                        struct sa_time now);

/* Whether the state can be saved; otherwise as above. */
void sa_core_set_saving(struct sa_core *core, bool saving, const char *text, int error, struct sa_time now);

/* Something of the saved state was lost, n pieces: the alarm stays up for hold_ms. */
void sa_core_state_lost(struct sa_core *core, uint64_t n, const char *text, int error, int64_t hold_ms,
                        struct sa_time now);

/* What follows from it */

/* A response or a loss came that can change a verdict: sa_core_turn() is due now. */
bool sa_core_is_due(const struct sa_core *core);

#define SA_CORE_TURN_MS 1000 /* how often what is not at rest is judged */

/* What a turn has changed, and when the next is due. */
struct sa_core_turn {
    int64_t due_ms;      /* monotonic; INT64_MAX: not before something comes */
    bool alarms_changed; /* since they were last saved */
};

/* Judges the rules and faults; events that come of it wait in the outbox. */
struct sa_core_turn sa_core_turn(struct sa_core *core, struct sa_time now);

/* An event that only says that the way to its reader works. */
void sa_core_test(struct sa_core *core, const char *text, unsigned sinks, struct sa_time now);

/* The events that were not delivered yet; owned by the core. */
struct sa_outbox *sa_core_outbox(struct sa_core *core);

/*
 * Puts the rules of fresh in force and leaves the old ones in it; counts, windows and alarms of rules that
 * stay are kept, an alarm whose rule is gone is cleared.  Returns 0, or -ENOMEM with nothing changed.
 */
int sa_core_reload(struct sa_core *core, struct sa_config *fresh, struct sa_time now);

/* As others see it */

/* Valid until the core is told something. */
struct sa_core_view {
    const struct sa_config *config;
    int64_t start_ms, since_ms, config_ms; /* wall clock; since: when counting began, over all restarts */
    struct sa_stream_counts totals;        /* of all sources that ever were */
    const struct sa_tally *tally;          /* of all sources, with the windows of the last minutes */
    const struct sa_alarm *alarms;         /* active ones */
    unsigned n_alarms;
    enum sa_severity worst;
    int64_t alarms_changed_ms;
    const struct sa_outbox *outbox;
};

struct sa_core_source {
    const struct sa_source_def *def;
    uint32_t index; /* in the MIB: stays with the name, over restarts and changes of the configuration */
    const struct sa_format *format;
    const char *format_text; /* sa_format_describe() */
    const struct sa_tally *tally;
    struct sa_stream_counts counts;
    int64_t last_line_ms, last_response_ms; /* wall clock; 0: never */
    uint64_t undercount;                    /* lines that were lost before they could be counted */
    uint64_t refused;                       /* of senders that are not allowed, of this life */
    uint64_t forgotten; /* responses that were forgotten for want of room: sent again, they count again */
    bool gave_up;       /* on a line with too many ways to match */
};

struct sa_core_view sa_core_view(const struct sa_core *core);
struct sa_core_source sa_core_source(const struct sa_core *core, unsigned source);

/* Over a restart */

/* What only the owner of a source knows of its place; kept and given back, without a meaning here. */
struct sa_core_place {
    uint64_t rotations, truncations;
    int64_t distrusted_ms, looked_ms;
};

/* The source's row has to be saved: what its owner knows has changed. */
void sa_core_touch(struct sa_core *core, unsigned source);

/* Puts what changed since the last call, or everything, into the batch.  place tells of each source. */
void sa_core_save(struct sa_core *core, bool all, struct sa_time now, struct sa_batch *batch,
                  void (*place)(void *arg, unsigned source, struct sa_core_place *ret_place), void *arg);

/* Fills in what the core knows of the row of the daemon. */
void sa_core_save_numbers(const struct sa_core *core, struct sa_row_daemon *row);

/*
 * From the monotonic clock of the earlier life to ours, and until when that life can have seen something, on
 * its own clock.
 */
struct sa_core_past {
    int64_t shift_s, latest_ms;
};

/*
 * Loading, after sa_core_new() and before anything is told: begin, then every row of the tables in the order
 * of sa_core_tables, then end.  row: of the daemon; NULL if there is none, and then every row of alarms and
 * events is shown to load_number() first, so that nothing new gets a number that is in use.  A row that
 * cannot be true is left out, counted, and removed by the next save.
 */
void sa_core_load_begin(struct sa_core *core, const struct sa_row_daemon *row,
                        const struct sa_core_past *past);
void sa_core_load_number(struct sa_core *core, enum sa_table table, const void *row);
void sa_core_load_row(struct sa_core *core, enum sa_table table, const void *row, struct sa_time now);
void sa_core_load_end(struct sa_core *core);
#define SA_CORE_TABLES 8
extern const enum sa_table sa_core_tables[SA_CORE_TABLES];

/* An earlier life that could not be read at the start comes later: rows of sources and counts are added by
 * sa_core_load_row(), and this says when counting began. */
void sa_core_set_since(struct sa_core *core, int64_t since_ms);

/* How many rows were left out until now. */
unsigned sa_core_dropped(const struct sa_core *core, enum sa_table table);

/* What the place of a source was; false: the source has no past. */
bool sa_core_past_place(const struct sa_core *core, unsigned source, struct sa_core_place *ret_place);

/* The message that a stream is in the middle of, as a later life takes it (sa_stream_keep). */
void sa_core_keep(const struct sa_core_stream *stream, struct sa_buffer *buffer);
void sa_core_recall(struct sa_core_stream *stream, const void *kept, size_t len);

#endif
