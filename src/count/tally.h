/*
 * Totals by method, code and direction for one source (or for all of them), and per-code windows for the
 * last-minutes gauges.  Bounded: codes are 100..999, methods at most SA_TALLY_METHODS: the
 * registered ones have their places, and of others what does not fit is counted in the last place, "OTHER".
 * Pure, one thread.
 */
#ifndef SA_TALLY_H
#define SA_TALLY_H

#include "types.h"

#include <stdbool.h>
#include <stddef.h>

#define SA_TALLY_METHODS 48

struct sa_count {
    uint64_t responses, received, sent;
};

/* What was counted of a code. */
struct sa_tally_code {
    struct sa_count count;
    int64_t last_seen_ms;                 /* wall clock given with the response */
    uint64_t by_method[SA_TALLY_METHODS]; /* responses, by the number of the method (sa_tally_method_name) */
};

struct sa_tally;

/* window_s: length of the per-code windows, by the second; 0 for none. */
struct sa_tally *sa_tally_new(uint32_t window_s);
struct sa_tally *sa_tally_free(struct sa_tally *tally);

/*
 * Counts response->repeat responses.  now_s: monotonic second for the windows, negative: in no window;
 * seen_ms: wall clock to show.
 */
void sa_tally_add(struct sa_tally *tally, const struct sa_response *response, int64_t now_s, int64_t seen_ms);

/* Adds what another tally counted; windows are left alone. */
void sa_tally_merge(struct sa_tally *tally, const struct sa_tally *other);

/* As others see it */

/* NULL: the code was not seen.  Valid until the tally is freed. */
const struct sa_tally_code *sa_tally_seen(const struct sa_tally *tally, unsigned code);

/* Sum over all codes. */
uint64_t sa_tally_responses(const struct sa_tally *tally);

/* Responses that could not be stored for want of memory. */
uint64_t sa_tally_lost(const struct sa_tally *tally);

/* "": nobody's number yet; the last one is "OTHER". */
const char *sa_tally_method_name(const struct sa_tally *tally, unsigned method);

uint32_t sa_tally_window_s(const struct sa_tally *tally);

/* What a code that was seen counted in a second, as far as that is in its window. */
uint32_t sa_tally_at(const struct sa_tally *tally, unsigned code, int64_t s);

/* The window of a code that was seen, as sa_window_copy(). */
int64_t sa_tally_copy(const struct sa_tally *tally, unsigned code, uint32_t *steps);

/* Over a restart */

/* Where rows of a tally go; what they point to is valid during the call. */
struct sa_tally_rows {
    void (*code)(void *arg, unsigned code, const struct sa_tally_code *seen);
    void (*method)(void *arg, unsigned code, const char *method, uint64_t responses);
    void (*window)(void *arg, unsigned code, const void *bytes, size_t len); /* of a tally that has them */
    void *arg;
};

/* The rows of codes that changed since the last call, or of all. */
void sa_tally_save(struct sa_tally *tally, bool all, const struct sa_tally_rows *rows);

/*
 * Rows are added to what is there, in any order, but a window only to a code that was seen.  For a code
 * without memory, or that there is not, nothing happens.  The sums over all codes are of no row: who keeps
 * them gives them back.
 */
void sa_tally_load_sums(struct sa_tally *tally, uint64_t responses, uint64_t lost);
void sa_tally_load_code(struct sa_tally *tally, unsigned code, const struct sa_count *count,
                        int64_t last_seen_ms);
void sa_tally_load_method(struct sa_tally *tally, unsigned code, const char *method, uint64_t responses);

/* shift_s is added to its seconds, for a clock that started anew.  False: sa_tally_save() did not write these
 * bytes, or they tell of seconds after the latest that there can be; nothing is taken of them. */
bool sa_tally_load_window(struct sa_tally *tally, unsigned code, const void *bytes, size_t len,
                          int64_t latest_s, int64_t shift_s);

#endif
