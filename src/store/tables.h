/*
 * The tables as data: columns by name, kind, place in their row struct and the values that they can have;
 * statements are made from it, and every row is checked against it when it is loaded.
 */
#ifndef SA_TABLES_H
#define SA_TABLES_H

#include "rows.h"

#include <stdbool.h>

enum sa_column_kind { SA_INTEGER, SA_TEXT, SA_BLOB };

struct sa_column {
    const char *name; /* NULL ends a list */
    size_t offset;
    enum sa_column_kind kind;
    bool key;
    int64_t min, max; /* of an integer; of a text or a blob its length in bytes */
};

struct sa_table_def {
    const char *name;
    const struct sa_column *columns;
    size_t row_size;
    bool (*is_sound)(const void *row); /* what the columns say of each other; NULL: nothing */
};

extern const struct sa_table_def sa_tables[SA_TABLES];

/* From user_version i to i + 1. */
extern const char *const sa_schema_steps[];
extern const int sa_schema_version;

#endif
