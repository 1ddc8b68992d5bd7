/*
 * Where the main thread leaves the newest snapshot for the SNMP thread.  Ownership moves with the pointer:
 * published, the snapshot belongs to the board; taken, to the taker; one that nobody took is freed when a
 * newer one replaces it.  Never blocks for longer than a pointer takes to swap.
 */
#ifndef SA_BOARD_H
#define SA_BOARD_H

#include "snapshot.h"

struct sa_board;

struct sa_board *sa_board_new(void);
struct sa_board *sa_board_free(struct sa_board *board);

/* An empty snapshot with room for so many rows and last-minutes series.  NULL: out of memory. */
struct sa_snapshot *sa_snapshot_new(unsigned n_sources, unsigned n_codes, unsigned n_series,
                                    unsigned n_alarms);
struct sa_snapshot *sa_snapshot_free(struct sa_snapshot *snapshot);

void sa_board_publish(struct sa_board *board, struct sa_snapshot *snapshot);

/* The snapshot published since the last take, or NULL. */
struct sa_snapshot *sa_board_take(struct sa_board *board);

#endif
