/*
 * A state directory that something else wrote into, and the next life of the daemon that begins with it: all
 * of the daemon's counting half, without its threads.  For the unit test and the fuzz target of the state.
 */
#ifndef SA_EARLIER_LIFE_H
#define SA_EARLIER_LIFE_H

#include "state.h"

struct sa_life {
    struct sa_config *config;
    struct sa_loop *loop;
    struct sa_store *store;
    enum sa_store_found found;
    struct sa_state state;
    char text[SA_STORE_TEXT]; /* of the store */
    char said[512];           /* in the log, of rows that were left out, "" if none were */
    char fault[SA_TEXT_SIZE]; /* of the alarm stateLost, "" if it is not up */
};

/* An empty state database with its tables below the directory, and a log beside it. */
void sa_life_prepare(const char *directory);

/*
 * Loads the state below the directory, goes on with what it loaded (reads log lines in every stream that it
 * was in the middle of, judges rules and faults, shows status, snapshot, alarms and events), saves it, and
 * loads that again.  Aborts with a message if something does not hold, above all if the second time rows are
 * left out.
 */
void sa_life_go_on(struct sa_life *life, const char *directory);

#endif
