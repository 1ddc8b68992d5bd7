#include "board.h"

#include <pthread.h>
#include <stdlib.h>

struct sa_board {
    pthread_mutex_t lock;
    struct sa_snapshot *newest;
};

struct sa_board *
sa_board_new(void)
{
    struct sa_board *board = calloc(1, sizeof *board);

    if (board != NULL)
        (void)pthread_mutex_init(&board->lock, NULL);
    return board;
}

struct sa_board *
sa_board_free(struct sa_board *board)
{
    if (board == NULL)
        return NULL;
    (void)sa_snapshot_free(board->newest);
    (void)pthread_mutex_destroy(&board->lock);
    free(board);
    return NULL;
}

struct sa_snapshot *
sa_snapshot_new(unsigned n_sources, unsigned n_codes, unsigned n_series, unsigned n_alarms)
{
    struct sa_snapshot *snapshot = calloc(1, sizeof *snapshot);

    if (snapshot == NULL)
        return NULL;
    snapshot->n_sources = n_sources;
    snapshot->n_codes = n_codes;
    snapshot->n_alarms = n_alarms;
    snapshot->sources = calloc(n_sources + 1, sizeof *snapshot->sources);
    snapshot->codes = calloc(n_codes + 1, sizeof *snapshot->codes);
    snapshot->alarms = calloc(n_alarms + 1, sizeof *snapshot->alarms);
    snapshot->buckets = calloc((size_t)n_series * SA_MINUTES_S + 1, sizeof *snapshot->buckets);
    if (snapshot->sources == NULL || snapshot->codes == NULL || snapshot->alarms == NULL ||
        snapshot->buckets == NULL)
        return sa_snapshot_free(snapshot);
    return snapshot;
}

struct sa_snapshot *
sa_snapshot_free(struct sa_snapshot *snapshot)
{
    if (snapshot == NULL)
        return NULL;
    free(snapshot->sources);
    free(snapshot->codes);
    free(snapshot->alarms);
    free(snapshot->buckets);
    free(snapshot);
    return NULL;
}

void
sa_board_publish(struct sa_board *board, struct sa_snapshot *snapshot)
{
    struct sa_snapshot *old;

    (void)pthread_mutex_lock(&board->lock);
    old = board->newest;
    board->newest = snapshot;
    (void)pthread_mutex_unlock(&board->lock);
    (void)sa_snapshot_free(old);
}

struct sa_snapshot *
sa_board_take(struct sa_board *board)
{
    struct sa_snapshot *taken;

    (void)pthread_mutex_lock(&board->lock);
    taken = board->newest;
    board->newest = NULL;
    (void)pthread_mutex_unlock(&board->lock);
    return taken;
}
