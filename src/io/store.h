/*
 * What outlives the process.  The state directory belongs to one daemon at a time; positions and counters are
 * not kept over a restart yet, and when they are, this is the one place that knows how.
 */
#ifndef SA_STORE_H
#define SA_STORE_H

struct sa_store;

/*
 * Takes the directory for this process, making it if it is missing.  Returns 0; -EBUSY if another daemon has
 * it; another negative errno if the directory cannot be used, and then *ret_store is not set.
 */
int sa_store_open(const char *directory, struct sa_store **ret_store);
struct sa_store *sa_store_close(struct sa_store *store);

#endif
