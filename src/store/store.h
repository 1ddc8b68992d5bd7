/*
 * Keeps what outlives the process.  The state directory belongs to one daemon at a time.  Loading happens at
 * the start, in the caller's thread; commits happen in a thread of the store's own, one at a time, so that a
 * stalled disk stalls nobody: the caller hands over a batch when none is under way and hears of its outcome.
 */
#ifndef SA_STORE_H
#define SA_STORE_H

#include "batch.h"

#include <stdbool.h>

#define SA_STORE_TEXT 256

struct sa_store;
struct sa_mailbox;

/* What was there when the store was opened. */
enum sa_store_found {
    SA_STORE_NEW,       /* nothing: a first start */
    SA_STORE_KEPT,      /* a state to go on from */
    SA_STORE_DAMAGED,   /* something that could not be read; it was set aside and the text says where */
    SA_STORE_READ_ONLY, /* a state to go on from on a disk that cannot be written; the text says why */
    SA_STORE_UNUSABLE   /* the directory cannot be used; the text says why.  Commits try again. */
};

/*
 * Takes the directory for this process, making it if it is missing and closing it to others.  Returns 0 and
 * what was found; -EBUSY if another daemon has it; -EPROTO with a text if a newer version wrote the state,
 * which stays as it is; -ENOMEM or -EMFILE without a text.
 */
int sa_store_open(const char *directory, struct sa_store **ret_store, enum sa_store_found *ret_found,
                  char text[SA_STORE_TEXT]);

/* Who could get into the directory when it was opened; the mode is what it had. */
enum sa_store_privacy {
    SA_STORE_PRIVATE,
    SA_STORE_CLOSED, /* others could, and cannot any more */
    SA_STORE_OPEN    /* others can: it is not ours to close */
};
enum sa_store_privacy sa_store_privacy(const struct sa_store *store, unsigned *ret_mode);

/* Before the first commit, or after -EEXIST: calls fn with every row of a table in the order of its key.  0
 * or negative errno.
 */
int sa_store_load(struct sa_store *store, enum sa_table table,
                  void (*fn)(void *arg, enum sa_table table, const void *row), void *arg);

/* How many rows the last load of the table left out because they cannot be true (database.h). */
unsigned sa_store_dropped(const struct sa_store *store, enum sa_table table);

/* What the table is called in the database. */
const char *sa_store_table(enum sa_table table);

/* Starts the thread.  Returns 0 or negative errno. */
int sa_store_start(struct sa_store *store);

/* Whether a commit is under way: no other can be handed over then. */
bool sa_store_busy(const struct sa_store *store);

/*
 * Hands over a batch, whose content moves to the store.  whole: it begins with clearing every table, so it
 * can be the first of a new database. Its outcome arrives in the mailbox of outcomes.
 */
void sa_store_commit(struct sa_store *store, struct sa_batch *batch, bool whole);

struct sa_store_outcome {
    /*
     * 0; -ESTALE: the database is a new one, hand over the whole state; -EEXIST: it holds the state of an
     * earlier life that could not be read at the start, load it first; other negative errno.
     */
    int error;
    char text[SA_STORE_TEXT];
};

/* Readable when a commit has ended. */
struct sa_mailbox *sa_store_outcomes(struct sa_store *store);

/* Takes the outcome; false: none yet.  wait_ms: how long to wait for one that is under way, 0: not at all. */
bool sa_store_outcome(struct sa_store *store, struct sa_store_outcome *ret_outcome, int wait_ms);

/* Ends the thread, waiting at most timeout_ms.  False: the disk blocks it and it was left behind. */
bool sa_store_close(struct sa_store *store, int timeout_ms);

#endif
