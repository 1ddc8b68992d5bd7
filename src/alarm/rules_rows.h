/*
 * The groups of the rules as rows of the store (rows.h), and back.  Everybody may have written into the store
 * meanwhile: a row that cannot be true is refused.
 */
#ifndef SA_RULES_ROWS_H
#define SA_RULES_ROWS_H

#include "rows.h"
#include "rules.h"

/* Where rows go; they are valid during the call.  Only the key of a row that is gone is filled. */
struct sa_group_rows {
    void (*clear)(void *arg); /* whatever was stored before is to go */
    void (*gone)(void *arg, const struct sa_row_group *row);
    void (*put)(void *arg, const struct sa_row_group *row);
    void *arg;
};

/* Saves the groups that changed since the last call and those that were reclaimed; or all, after which the
 * store is expected to hold nothing else. */
void sa_rules_save(struct sa_rules *rules, bool all, const struct sa_group_rows *to);

/*
 * Gives a group its row back.  latest_ms: on the clock that the row was saved by, nothing is later.  shift_s
 * is added to its times, for a clock that started anew, and then the group counts as changed.  Returns 0;
 * -EBADMSG: it cannot be true; -ENOENT: its rule is gone, counts other responses now or has no room, so
 * nobody needs it any more; -ENOMEM.
 */
int sa_rules_load(struct sa_rules *rules, const struct sa_row_group *row, int64_t latest_ms, int64_t shift_s);

#endif
