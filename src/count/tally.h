/*
 * Totals by method, code and direction for one source (or for all of them), and per-code windows for the
 * last-minutes gauges.  Bounded: codes are 100..999, methods at most SA_TALLY_METHODS: the
 * registered ones have their places, and of others what does not fit is counted in the last place, "OTHER".
 * Pure, one thread.
 */
#ifndef SA_TALLY_H
#define SA_TALLY_H

#include "types.h"
#include "window.h"

#define SA_TALLY_METHODS 48

struct sa_count {
    uint64_t responses, received, sent;
};

struct sa_tally_code {
    uint16_t code;
    struct sa_count count;
    int64_t last_seen_ms;                 /* wall clock given with the response */
    uint64_t by_method[SA_TALLY_METHODS]; /* responses; index into the tally's methods */
    struct sa_window window;              /* of one column, by the second; only with windows */
    bool changed;                         /* set with each response; whoever keeps the counts resets it */
};

struct sa_tally {
    struct sa_tally_code *codes[SA_CODE_MAX + 1];   /* NULL until the code is seen */
    char methods[SA_TALLY_METHODS][SA_METHOD_SIZE]; /* "": nobody's place yet */
    uint32_t window_s;                              /* 0: no windows */
    uint64_t responses;                             /* sum over all codes */
    uint64_t lost; /* responses that could not be stored for want of memory */
};

/* window_s: length of the per-code windows, 0 for none. */
struct sa_tally *sa_tally_new(uint32_t window_s);
struct sa_tally *sa_tally_free(struct sa_tally *tally);

/* The slot of a code, made if it is missing; NULL: out of memory. */
struct sa_tally_code *sa_tally_slot(struct sa_tally *tally, unsigned code);

/* The number of a method in by_method; "OTHER" when there is no room for it. */
unsigned sa_tally_method(struct sa_tally *tally, const char *method);

/*
 * Counts response->repeat responses.  now_s: monotonic second for the windows, negative: in no window;
 * seen_ms: wall clock to show.
 */
void sa_tally_add(struct sa_tally *tally, const struct sa_response *response, int64_t now_s, int64_t seen_ms);

/* Adds what another tally counted; windows are left alone. */
void sa_tally_merge(struct sa_tally *tally, const struct sa_tally *other);

#endif
