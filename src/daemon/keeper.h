/*
 * When the state is saved: a second after something changed, at once after an alarm, at the start before
 * anybody is answered, and at the end.  What cannot be saved is tried again later and later, and then as a
 * whole.  Main thread; the disk is waited for only at the start and at the end, and not for long.
 */
#ifndef SA_KEEPER_H
#define SA_KEEPER_H

#include "loop.h"
#include "state.h"

struct sa_keeper;

/* The state cannot be saved (error, negative errno, and text say why), or can again (0, NULL).  Called on
 * each change. */
typedef void (*sa_keeper_fn)(void *arg, int error, const char *text);

/* store: started, owned by the keeper from here.  whole: what the store holds is not what was loaded.
 */
struct sa_keeper *sa_keeper_new(struct sa_loop *loop, struct sa_state *state, struct sa_store *store,
                                bool whole, sa_keeper_fn fn, void *arg);

/* Something changed: saved within a second. */
void sa_keeper_soon(struct sa_keeper *keeper);

/* Something changed that should not wait. */
void sa_keeper_now(struct sa_keeper *keeper);

/* Whether everything that is counted is saved. */
bool sa_keeper_settled(const struct sa_keeper *keeper);

/* Saves and waits for it, at most so long. */
void sa_keeper_wait(struct sa_keeper *keeper, int timeout_ms);

/* False: the disk blocks the store's thread, which was left behind. */
bool sa_keeper_free(struct sa_keeper *keeper, int timeout_ms);

#endif
