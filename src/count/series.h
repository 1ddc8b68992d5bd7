/*
 * Responses by code and time: how many of each code there were in each minute of the log.  Bounded; what does
 * not fit is counted as lost.  Pure, one thread.
 */
#ifndef SA_SERIES_H
#define SA_SERIES_H

#include "types.h"

#define SA_SERIES_CELLS 65536 /* pairs of minute and code */

struct sa_series_cell {
    int64_t minute; /* since 1970 */
    uint16_t code;  /* 0: free */
    uint64_t responses;
};

struct sa_series {
    struct sa_series_cell *cells; /* open addressing, twice as many as can be taken; owned */
    unsigned n;
    uint64_t lost;
};

/* Returns 0 or -ENOMEM. */
int sa_series_init(struct sa_series *series);
void sa_series_done(struct sa_series *series);

/* Times of 0 are not known and not counted. */
void sa_series_add(struct sa_series *series, unsigned code, int64_t time_ms, uint64_t responses);

/* The cells that are taken, by minute and code, in memory of the caller's; the caller gives room for n. */
void sa_series_sorted(const struct sa_series *series, struct sa_series_cell *sorted);

#endif
