/*
 * Keeps the daemon's own log lines from flooding: of lines that are alike but for their numbers the first few
 * pass, and the others are counted and told together.  Fixed room.  Pure, one thread.
 */
#ifndef SA_LIMITER_H
#define SA_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SA_LIMITER_KINDS 64
#define SA_LIMITER_BURST 5     /* of one kind, then they are told together */
#define SA_LIMITER_MS    10000 /* as often as that; so long without any, and the first few pass again */
#define SA_LIMITER_LINE  200

struct sa_limiter {
    struct sa_limiter_kind {
        uint32_t key; /* 0: free */
        unsigned passed;
        uint64_t held;            /* not written and not told yet */
        int64_t last_ms, told_ms; /* monotonic */
        int priority;             /* of the latest that was held */
        char line[SA_LIMITER_LINE];
    } kinds[SA_LIMITER_KINDS];
    uint64_t holding; /* kinds with lines that are not told yet */
};

/* Whether the line may be written now; otherwise it is held and counted. */
bool sa_limiter_pass(struct sa_limiter *limiter, int priority, const char *line, int64_t now_ms);

/*
 * A kind of which lines were held and that is due to be told, or NULL; `at_once`: due or not.  The caller
 * tells held and the latest line, and calls sa_limiter_told().
 */
const struct sa_limiter_kind *sa_limiter_due(const struct sa_limiter *limiter, int64_t now_ms, bool at_once);
void sa_limiter_told(struct sa_limiter *limiter, const struct sa_limiter_kind *kind, int64_t now_ms);

#endif
