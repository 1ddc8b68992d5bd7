#include "keeper.h"
#include "mailbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMMIT_MS    1000
#define RETRY_MS     2000
#define RETRY_MAX_MS 60000

struct sa_keeper {
    struct sa_state *state;
    struct sa_store *store;
    struct sa_watch *timer, *outcome;
    sa_keeper_fn fn;
    void *arg;
    bool whole;   /* what is stored is not what we saved last */
    bool wanted;  /* something changed while a commit was under way */
    bool failing; /* the last commit failed, and fn was told */
    int64_t retry_ms;
};

static void
commit(struct sa_keeper *keeper)
{
    struct sa_batch batch = {0};

    if (sa_store_busy(keeper->store)) {
        keeper->wanted = true;
        return;
    }
    keeper->wanted = false;
    sa_state_save(keeper->state, keeper->whole, &batch);
    if (batch.buffer.failed) { /* what was marked as saved is not: next time everything */
        keeper->whole = true;
        sa_batch_done(&batch);
        sa_watch_arm(keeper->timer, RETRY_MS);
    } else if (sa_batch_empty(&batch)) {
        sa_batch_done(&batch);
    } else {
        sa_store_commit(keeper->store, &batch, keeper->whole);
    }
}

static void
judge(struct sa_keeper *keeper, const struct sa_store_outcome *outcome)
{
    if (outcome->error == 0) {
        keeper->whole = false;
        keeper->retry_ms = RETRY_MS;
        if (keeper->failing)
            keeper->fn(keeper->arg, 0, NULL);
        keeper->failing = false;
        if (keeper->wanted && !sa_watch_armed(keeper->timer))
            sa_watch_arm(keeper->timer, COMMIT_MS);
        return;
    }
    keeper->whole = true;
    if (outcome->error == -EEXIST) /* what could not be read at the start: its counts are added to ours */
        sa_state_merge(keeper->state, keeper->store);
    if (outcome->error == -EEXIST ||
        outcome->error == -ESTALE) { /* a new database: it gets everything at once */
        commit(keeper);
        return;
    }
    if (!keeper->failing)
        keeper->fn(keeper->arg, outcome->error, outcome->text);
    keeper->failing = true;
    sa_watch_arm(keeper->timer, keeper->retry_ms);
    keeper->retry_ms = keeper->retry_ms * 2 < RETRY_MAX_MS ? keeper->retry_ms * 2 : RETRY_MAX_MS;
}

static void
on_outcome(void *arg)
{
    struct sa_keeper *keeper = arg;
    struct sa_store_outcome outcome;

    if (sa_store_outcome(keeper->store, &outcome, 0))
        judge(keeper, &outcome);
}

static void
on_timer(void *arg)
{
    commit(arg);
}

struct sa_keeper *
sa_keeper_new(struct sa_loop *loop, struct sa_state *state, struct sa_store *store, bool whole,
              sa_keeper_fn fn, void *arg)
{
    struct sa_keeper *keeper = calloc(1, sizeof *keeper);

    if (keeper == NULL)
        return NULL;
    *keeper = (struct sa_keeper){
        .state = state, .store = store, .whole = whole, .fn = fn, .arg = arg, .retry_ms = RETRY_MS};
    keeper->timer = sa_loop_timer(loop, on_timer, keeper);
    keeper->outcome = sa_loop_readable(loop, sa_mailbox_fd(sa_store_outcomes(store)), on_outcome, keeper);
    if (keeper->timer != NULL && keeper->outcome != NULL)
        return keeper;
    (void)sa_watch_free(keeper->timer);
    (void)sa_watch_free(keeper->outcome);
    free(keeper);
    return NULL;
}

void
sa_keeper_soon(struct sa_keeper *keeper)
{
    if (!sa_watch_armed(keeper->timer) && !keeper->failing)
        sa_watch_arm(keeper->timer, COMMIT_MS);
}

void
sa_keeper_now(struct sa_keeper *keeper)
{
    if (!keeper->failing)
        commit(keeper);
}

bool
sa_keeper_settled(const struct sa_keeper *keeper)
{
    return !keeper->failing && !keeper->wanted && !sa_watch_armed(keeper->timer) &&
           !sa_store_busy(keeper->store);
}

void
sa_keeper_wait(struct sa_keeper *keeper, int timeout_ms)
{
    struct sa_store_outcome outcome;

    commit(keeper);
    for (int tries = 0; tries < 3 && sa_store_busy(keeper->store); tries++) {
        if (!sa_store_outcome(keeper->store, &outcome, timeout_ms))
            return;
        judge(keeper, &outcome);
        if (keeper->wanted)
            commit(keeper);
    }
}

bool
sa_keeper_free(struct sa_keeper *keeper, int timeout_ms)
{
    bool ended;

    if (keeper == NULL)
        return true;
    (void)sa_watch_free(keeper->timer);
    (void)sa_watch_free(keeper->outcome);
    /* A disk that has not answered so far is not waited for a second time. */
    ended = sa_store_close(keeper->store, sa_store_busy(keeper->store) ? 0 : timeout_ms);
    if (ended)
        free(keeper);
    return ended;
}
