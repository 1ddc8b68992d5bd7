#include "mib_agent.h"
#include "oids.h"
#include "view.h"

#include <errno.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

static const oid root[] = {SA_OID_AGENT};

static void
get(unsigned object, netsnmp_variable_list *var)
{
    const struct sa_snapshot *snapshot = sa_view();
    const struct sa_snapshot_agent *agent = &snapshot->agent;

    switch (object) {
    case SA_AGENT_VERSION:
        sa_view_text(var, SIPALERT_VERSION);
        break;
    case SA_AGENT_START_TIME:
        sa_view_time(var, agent->start_ms);
        break;
    case SA_AGENT_COUNTERS_SINCE:
        sa_view_time(var, agent->counters_since_ms);
        break;
    case SA_AGENT_CONFIG_TIME:
        sa_view_time(var, agent->config_ms);
        break;
    case SA_AGENT_LINES:
        sa_view_counter64(var, agent->lines);
        break;
    case SA_AGENT_BYTES:
        sa_view_counter64(var, agent->bytes);
        break;
    case SA_AGENT_RESPONSES:
        sa_view_counter64(var, agent->responses);
        break;
    case SA_AGENT_UNMATCHED:
        sa_view_counter64(var, agent->unmatched);
        break;
    case SA_AGENT_WORST_SEVERITY:
        sa_view_integer(var, (int)agent->worst_severity);
        break;
    case SA_AGENT_ACTIVE_ALARMS:
        sa_view_unsigned(var, ASN_GAUGE, snapshot->n_alarms);
        break;
    case SA_AGENT_ALARMS_LAST_CHANGE:
        sa_view_time(var, agent->alarms_changed_ms);
        break;
    case SA_AGENT_NOTIFICATIONS_SENT:
        sa_view_counter64(var, agent->notifications_sent);
        break;
    case SA_AGENT_NOTIFICATIONS_QUEUED:
        sa_view_unsigned(var, ASN_GAUGE, agent->notifications_queued);
        break;
    case SA_AGENT_NOTIFICATIONS_SUPPRESSED:
        sa_view_counter64(var, agent->notifications_suppressed);
        break;
    case SA_AGENT_NOTIFICATION_SEQUENCE:
        sa_view_unsigned(var, ASN_UNSIGNED, agent->sequence);
        break;
    case SA_AGENT_NODE:
        sa_view_text(var, agent->node);
        break;
    }
}

static int
handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
       netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
    (void)handler;
    (void)registration;
    if (info->mode != MODE_GET)
        return SNMP_ERR_NOERROR;
    for (netsnmp_request_info *request = requests; request != NULL; request = request->next)
        if (!request->processed)
            get((unsigned)request->requestvb->name[OID_LENGTH(root)], request->requestvb);
    return SNMP_ERR_NOERROR;
}

int
sa_mib_agent_register(void)
{
    netsnmp_handler_registration *registration = netsnmp_create_handler_registration(
        "sipAlertAgent", handle, root, OID_LENGTH(root), HANDLER_CAN_RONLY);

    if (registration == NULL ||
        netsnmp_register_scalar_group(registration, SA_AGENT_VERSION, SA_AGENT_NODE) != SNMPERR_SUCCESS)
        return -ENOMEM;
    return 0;
}
