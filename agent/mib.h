/*
 * SIPALERT-MIB as a whole: its scalars and tables are registered together and show one snapshot together.
 * SNMP thread only.
 */
#ifndef SA_MIB_H
#define SA_MIB_H

#include "snapshot.h"

/* Registers scalars and tables.  Returns 0 or -ENOMEM. */
int sa_mib_register(void);

/* Shows this snapshot from now on: takes ownership, brings the rows of all tables into line. */
void sa_mib_show(struct sa_snapshot *snapshot);

/* Frees the last snapshot; after net-snmp was shut down. */
void sa_mib_done(void);

#endif
