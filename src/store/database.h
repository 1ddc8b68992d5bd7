/*
 * The state database: one SQLite file, opened, loaded and written.  Blocks on the disk, so after the start
 * only the store's thread calls it.  Errors are negative errno with a text of what SQLite said.
 */
#ifndef SA_DATABASE_H
#define SA_DATABASE_H

#include "batch.h"

#define SA_DATABASE_TEXT 256

struct sa_database;

enum sa_database_mode {
    SA_DATABASE_WRITE,  /* nobody else may have it open */
    SA_DATABASE_SHARED, /* reading beside another program */
    SA_DATABASE_AS_IS   /* reading without the journal, for a disk that cannot be written */
};

/*
 * Opens the file; to write, makes it or brings its schema up to date.  Returns 0; -EUCLEAN if it is not a
 * sound state database; -EPROTO if a newer version wrote it; -ETXTBSY if another program has it open;
 * otherwise what the disk said.
 */
int sa_database_open(const char *path, enum sa_database_mode mode, struct sa_database **ret_database,
                     char text[SA_DATABASE_TEXT]);
struct sa_database *sa_database_close(struct sa_database *database);

/* No row has been written yet. */
bool sa_database_empty(struct sa_database *database);

/* Whether the file is not at its path any more: somebody removed or replaced it. */
bool sa_database_moved(struct sa_database *database);

/*
 * Calls fn with each row of a table, as the table's struct, in the order of its key.  Everybody may have
 * written into the file, so a row of which a column has another type or a value that it cannot have is left
 * out, counted, and removed by the next sa_database_apply().
 */
int sa_database_load(struct sa_database *database, enum sa_table table,
                     void (*fn)(void *arg, enum sa_table table, const void *row), void *arg,
                     char text[SA_DATABASE_TEXT]);

/* How many rows the last load of the table left out. */
unsigned sa_database_dropped(const struct sa_database *database, enum sa_table table);

/* Applies the batch as one transaction: all of it or, on an error, nothing. */
int sa_database_apply(struct sa_database *database, const struct sa_batch *batch,
                      char text[SA_DATABASE_TEXT]);

#endif
