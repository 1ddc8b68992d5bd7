/*
 * A transaction in the making: rows to put and to delete, copied into one buffer that can cross to the
 * store's thread.  One that ran out of memory (buffer.failed) must not be committed.
 */
#ifndef SA_BATCH_H
#define SA_BATCH_H

#include "buffer.h"
#include "rows.h"

struct sa_batch {
    struct sa_buffer buffer;
};

void sa_batch_done(struct sa_batch *batch);
bool sa_batch_empty(const struct sa_batch *batch);

/* row: the struct of the table. */
void sa_batch_put(struct sa_batch *batch, enum sa_table table, const void *row);

/* Only the key columns of the row are looked at. */
void sa_batch_delete(struct sa_batch *batch, enum sa_table table, const void *row);

/* Empties a table. */
void sa_batch_clear(struct sa_batch *batch, enum sa_table table);

#endif
