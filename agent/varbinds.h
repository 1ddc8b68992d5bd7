/* An alarm event as the varbinds of its notification (contract order).  Any thread. */
#ifndef SA_VARBINDS_H
#define SA_VARBINDS_H

#include "alarm.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

/* Adds snmpTrapOID.0 and all objects; returns 0 or -ENOMEM (the PDU is still the caller's). */
int sa_varbinds_add(netsnmp_pdu *pdu, const struct sa_alarm_event *event);

#endif
