/*
 * net-snmp as a whole: what it is told before its first use, and its end.  One thread at a time.
 */
#ifndef SA_LIBRARY_H
#define SA_LIBRARY_H

#include "agent.h"

/*
 * Makes net-snmp ready for all threads that will use it, with the agent of this mode in it.  Nothing is
 * waited for: no master, no DNS.  Returns 0 or negative errno.
 */
int sa_library_set_up(const struct sa_agent_def *def);

/* Reads the file that says who may read the MIB (standalone); names in it are looked up on the spot. */
void sa_library_read_access(const char *path);

/* Closes what is open; afterwards only sessions may be closed. */
void sa_library_shut_down(void);

#endif
