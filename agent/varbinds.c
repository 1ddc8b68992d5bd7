#include "varbinds.h"
#include "alarm_columns.h"
#include "oids.h"

#include <errno.h>

static const oid snmp_trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};

int
sa_varbinds_add(netsnmp_pdu *pdu, const struct sa_alarm_event *event)
{
    const oid notification[] = {SA_OID_NOTIFICATIONS, (oid)event->transition};
    const oid sequence[] = {SA_OID_AGENT, SA_AGENT_NOTIFICATION_SEQUENCE, 0};
    netsnmp_variable_list *var;

    if (snmp_pdu_add_variable(pdu, snmp_trap_oid, OID_LENGTH(snmp_trap_oid), ASN_OBJECT_ID, notification,
                              sizeof notification) == NULL)
        return -ENOMEM;
    var = snmp_pdu_add_variable(pdu, sequence, OID_LENGTH(sequence), ASN_NULL, NULL, 0);
    if (var == NULL)
        return -ENOMEM;
    sa_view_unsigned(var, ASN_UNSIGNED, event->sequence);
    for (unsigned column = SA_ALARM_IDENTITY; column <= SA_ALARM_REMEDIATION; column++) {
        const oid name[] = {SA_OID_ALARM_TABLE, 1, column, event->alarm.id};

        var = snmp_pdu_add_variable(pdu, name, OID_LENGTH(name), ASN_NULL, NULL, 0);
        if (var == NULL)
            return -ENOMEM;
        sa_alarm_column(&event->alarm, column, var);
    }
    return 0;
}
