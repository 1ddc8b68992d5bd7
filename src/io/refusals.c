#include "refusals.h"

#include <stddef.h>

static bool
is_quiet(const struct sa_refusals_row *row, int64_t now_ms)
{
    return !row->used || (row->held == 0 && now_ms - row->told_ms >= SA_REFUSALS_MS);
}

/* The user's row, or one of which nothing is to be told any more, or the one that is shared. */
static struct sa_refusals_row *
find(struct sa_refusals *refusals, uid_t uid, int64_t now_ms)
{
    struct sa_refusals_row *row = &refusals->rows[SA_REFUSALS_USERS];

    row->shared = true;
    for (unsigned i = 0; i < SA_REFUSALS_USERS; i++) {
        if (refusals->rows[i].used && refusals->rows[i].uid == uid)
            return &refusals->rows[i];
        if (row->shared && is_quiet(&refusals->rows[i], now_ms))
            row = &refusals->rows[i];
    }
    return row;
}

bool
sa_refusals_add(struct sa_refusals *refusals, uid_t uid, int64_t now_ms)
{
    struct sa_refusals_row *row = find(refusals, uid, now_ms);
    bool at_once = is_quiet(row, now_ms);

    row->uid = uid;
    if (at_once) {
        row->used = true;
        row->told_ms = now_ms;
    } else {
        row->held++;
    }
    return at_once;
}

const struct sa_refusals_row *
sa_refusals_due(const struct sa_refusals *refusals, int64_t now_ms)
{
    for (unsigned i = 0; i <= SA_REFUSALS_USERS; i++)
        if (refusals->rows[i].held > 0 && now_ms - refusals->rows[i].told_ms >= SA_REFUSALS_MS)
            return &refusals->rows[i];
    return NULL;
}

void
sa_refusals_told(struct sa_refusals *refusals, const struct sa_refusals_row *told, int64_t now_ms)
{
    struct sa_refusals_row *row = &refusals->rows[told - refusals->rows];

    row->held = 0;
    row->told_ms = now_ms;
}
