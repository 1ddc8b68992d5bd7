/*
 * When rules would have spoken: the core of the daemon on the clock of the logs.  Files are read side by side
 * and their responses taken in the order of their times, so that sources meet as they did.  No clock is read.
 * One thread.
 */
#ifndef SA_REPLAY_H
#define SA_REPLAY_H

#include "alarm.h"
#include "config.h"

struct sa_replay;

struct sa_replay_events {
    /* An alarm was raised, changed or cleared; alarm.changed_ms says when. */
    void (*event)(void *arg, const struct sa_alarm_event *event);
    /* A file cannot be read on. */
    void (*failed)(void *arg, const char *path, const char *packing, int error);
    /* Every so often; total 0: not known.  NULL: nobody wants to know. */
    void (*progress)(void *arg, uint64_t taken, uint64_t total);
};

/* The time of the log that is of interest, in milliseconds since 1970: from since on, and before until. */
struct sa_replay_span {
    int64_t since_ms, until_ms;
};

/*
 * config: valid until sa_replay_free().  NULL: out of memory, or a format that cannot be used, and the error
 * says which.
 */
struct sa_replay *sa_replay_new(struct sa_config *config, const struct sa_replay_span *span,
                                const struct sa_replay_events *events, void *arg,
                                char error[SA_PATTERN_ERROR_SIZE]);
struct sa_replay *sa_replay_free(struct sa_replay *replay);

/*
 * The source whose log a file is: the path matches its patterns, or the name is of a file or a rotated
 * generation of it, or there is no other source.  -1: none, or more than one.
 */
int sa_replay_source_of(const struct sa_config *config, const char *path);

/* A file to be read as a log of the source; "-" is standard input.  Returns 0 or negative errno. */
int sa_replay_add(struct sa_replay *replay, unsigned source, const char *path);

/*
 * Reads all files to their ends.  failed is told of each that cannot be read, or not to its end: what it is
 * packed in (NULL: not known) and why, as sa_input_read() says it; the others are read all the same.
 */
void sa_replay_run(struct sa_replay *replay);

struct sa_replay_totals {
    uint64_t lines, responses, unmatched;
    uint64_t untimed;          /* responses without a time: counted when the one before them was */
    uint64_t outside;          /* of another time than the one that is of interest */
    int64_t first_ms, last_ms; /* of the responses that were taken; 0: there was none */
};
struct sa_replay_totals sa_replay_totals(const struct sa_replay *replay);

#endif
