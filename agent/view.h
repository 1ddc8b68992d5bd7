/*
 * The snapshot that MIB handlers answer from.  SNMP thread only.  It is exchanged between turns of the agent,
 * never while a request is being answered.
 */
#ifndef SA_VIEW_H
#define SA_VIEW_H

#include "snapshot.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

/* Never NULL once the first one was set, which has to be before requests can come. */
const struct sa_snapshot *sa_view(void);

/* Takes ownership of the snapshot (or NULL) and frees the one before. */
void sa_view_replace(struct sa_snapshot *snapshot);

/* Values as SMIv2 wants them; each fills the varbind.  Any thread. */
void sa_view_text(netsnmp_variable_list *var, const char *text);
void sa_view_counter64(netsnmp_variable_list *var, uint64_t value);
void sa_view_unsigned(netsnmp_variable_list *var, u_char type, uint32_t value);
void sa_view_integer(netsnmp_variable_list *var, int value);
void sa_view_time(netsnmp_variable_list *var, int64_t wall_ms);

/* DateAndTime (RFC 2579) in UTC, 11 octets; 8 zero octets for "never". Returns the length. */
#define SA_DATE_AND_TIME_SIZE 11
size_t sa_view_date_and_time(unsigned char octets[SA_DATE_AND_TIME_SIZE], int64_t wall_ms);

#endif
