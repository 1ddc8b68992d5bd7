/*
 * The way to the AgentX master: what net-snmp's subagent connects through, in place of its own transports,
 * which wait in connect(2) for a master that does not accept, and for DNS.  SNMP thread, once set up.
 */
#ifndef SA_MASTER_LINK_H
#define SA_MASTER_LINK_H

#include <stddef.h>

/* Makes net-snmp's subagent connect to this address, which stays valid, through here.  0 or -ENOMEM. */
int sa_master_link_set_up(const char *master);

/* After the last use of net-snmp. */
void sa_master_link_done(void);

/* Why there was no connection the last time one was tried; "": there was one. */
const char *sa_master_link_reason(void);

#endif
