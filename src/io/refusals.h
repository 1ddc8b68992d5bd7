/*
 * How often it is told that a user was refused something: at once for the first, and then at most once a
 * minute, with how many there were.  Of so many users apart; further ones share a row.  Pure, one thread.
 */
#ifndef SA_REFUSALS_H
#define SA_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SA_REFUSALS_USERS 16
#define SA_REFUSALS_MS    60000

struct sa_refusals {
    struct sa_refusals_row {
        bool used, shared;
        uid_t uid;       /* of the latest, if the row is shared */
        uint64_t held;   /* not told yet */
        int64_t told_ms; /* monotonic */
    } rows[SA_REFUSALS_USERS + 1];
};

/* Counts one; whether it has to be told at once, otherwise it is held. */
bool sa_refusals_add(struct sa_refusals *refusals, uid_t uid, int64_t now_ms);

/* A row with refusals that are held and due to be told, or NULL.  The caller tells it, and calls the other.
 */
const struct sa_refusals_row *sa_refusals_due(const struct sa_refusals *refusals, int64_t now_ms);
void sa_refusals_told(struct sa_refusals *refusals, const struct sa_refusals_row *row, int64_t now_ms);

#endif
