/*
 * How a batch lies in its buffer: a header for each entry, behind it the values of its columns in the order
 * of the table.  Between batch.c, which writes it, and store.c, which reads it in the same process.
 */
#ifndef SA_ENTRY_H
#define SA_ENTRY_H

#include "batch.h"
#include "tables.h"

enum sa_entry_kind { SA_ENTRY_PUT, SA_ENTRY_DELETE, SA_ENTRY_CLEAR };

struct sa_entry_header {
    enum sa_entry_kind kind;
    enum sa_table table;
};

struct sa_entry_value {
    int64_t integer;
    struct sa_blob blob; /* also texts; inside the buffer */
};

/* Steps to the next entry; false at the end. */
bool sa_entry_next(const struct sa_batch *batch, size_t *at, struct sa_entry_header *ret_header);

/* Steps over one value. */
struct sa_entry_value sa_entry_value(const struct sa_batch *batch, size_t *at, enum sa_column_kind kind);

#endif
