/* sipAlertAlarmTable (R.1.7): the active alarms. */
#include "alarm_columns.h"
#include "mib_table.h"
#include "oids.h"

static const oid root[] = {SA_OID_ALARM_TABLE};

void
sa_alarm_column(const struct sa_alarm *alarm, unsigned column, netsnmp_variable_list *var)
{
    switch (column) {
    case SA_ALARM_IDENTITY:
        sa_view_text(var, alarm->identity);
        break;
    case SA_ALARM_SEVERITY:
        sa_view_integer(var, (int)alarm->severity);
        break;
    case SA_ALARM_KIND:
        sa_view_integer(var, (int)alarm->kind);
        break;
    case SA_ALARM_RULE:
        sa_view_text(var, alarm->rule);
        break;
    case SA_ALARM_SOURCE:
        sa_view_text(var, alarm->source);
        break;
    case SA_ALARM_PEER:
        sa_view_text(var, alarm->peer);
        break;
    case SA_ALARM_CODES:
        sa_view_text(var, alarm->codes);
        break;
    case SA_ALARM_VALUE:
        sa_view_unsigned(var, ASN_UNSIGNED, alarm->value);
        break;
    case SA_ALARM_UNIT:
        sa_view_integer(var, (int)alarm->unit);
        break;
    case SA_ALARM_THRESHOLD:
        sa_view_unsigned(var, ASN_UNSIGNED, alarm->threshold);
        break;
    case SA_ALARM_WINDOW:
        sa_view_unsigned(var, ASN_UNSIGNED, alarm->window_s);
        break;
    case SA_ALARM_TOTAL:
        sa_view_unsigned(var, ASN_UNSIGNED, alarm->total);
        break;
    case SA_ALARM_RAISED:
        sa_view_time(var, alarm->raised_ms);
        break;
    case SA_ALARM_CHANGED:
        sa_view_time(var, alarm->changed_ms);
        break;
    case SA_ALARM_TEXT:
        sa_view_text(var, alarm->text);
        break;
    case SA_ALARM_REMEDIATION:
        sa_view_text(var, alarm->remediation);
        break;
    case SA_ALARM_EVIDENCE:
        sa_view_text(var, alarm->evidence);
        break;
    case SA_ALARM_ACKNOWLEDGED:
        sa_view_integer(var, 2); /* TruthValue false: nothing acknowledges yet */
        break;
    }
}

static unsigned
count(const struct sa_snapshot *snapshot)
{
    return snapshot->n_alarms;
}

static uint32_t
key(const struct sa_snapshot *snapshot, unsigned i)
{
    return snapshot->alarms[i].id;
}

static void
get(const struct sa_snapshot *snapshot, unsigned i, unsigned column, netsnmp_variable_list *var)
{
    sa_alarm_column(&snapshot->alarms[i], column, var);
}

const struct sa_mib_table sa_mib_alarm_table = {
    "sipAlertAlarmTable", root, OID_LENGTH(root), SA_ALARM_IDENTITY, SA_ALARM_ACKNOWLEDGED, count, key, get};
