/* The sipAlertAgent scalars (R.1.1).  SNMP thread only. */
#ifndef SA_MIB_AGENT_H
#define SA_MIB_AGENT_H

/* Returns 0 or -ENOMEM. */
int sa_mib_agent_register(void);

#endif
