/* sipAlertCodeTable (R.1.3): all registered status codes, and those that were seen besides. */
#include "clock.h"
#include "mib_table.h"
#include "oids.h"

static const oid root[] = {SA_OID_CODE_TABLE};

static unsigned
count(const struct sa_snapshot *snapshot)
{
    return snapshot->n_codes;
}

static uint32_t
key(const struct sa_snapshot *snapshot, unsigned i)
{
    return snapshot->codes[i].code;
}

/* Responses of the last `seconds` seconds, as of now and not as of the snapshot. */
static uint32_t
last_seconds(const struct sa_snapshot_code *code, int64_t seconds)
{
    int64_t now_s = sa_clock_now().mono_ms / 1000;
    uint64_t sum = 0;

    if (code->bucket == NULL)
        return 0;
    for (int64_t s = now_s - seconds + 1; s <= code->newest_s; s++)
        if (s > code->newest_s - SA_MINUTES_S && s >= 0)
            sum += code->bucket[s % SA_MINUTES_S];
    return sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

static void
get(const struct sa_snapshot *snapshot, unsigned i, unsigned column, netsnmp_variable_list *var)
{
    const struct sa_snapshot_code *code = &snapshot->codes[i];

    switch (column) {
    case SA_CODE_REASON_PHRASE:
        sa_view_text(var, code->phrase);
        break;
    case SA_CODE_RESPONSES:
        sa_view_counter64(var, code->responses);
        break;
    case SA_CODE_RECEIVED:
        sa_view_counter64(var, code->received);
        break;
    case SA_CODE_SENT:
        sa_view_counter64(var, code->sent);
        break;
    case SA_CODE_LAST_MINUTE:
        sa_view_unsigned(var, ASN_GAUGE, last_seconds(code, 60));
        break;
    case SA_CODE_LAST_5_MINUTES:
        sa_view_unsigned(var, ASN_GAUGE, last_seconds(code, 300));
        break;
    case SA_CODE_LAST_15_MINUTES:
        sa_view_unsigned(var, ASN_GAUGE, last_seconds(code, 900));
        break;
    case SA_CODE_LAST_SEEN:
        sa_view_time(var, code->last_seen_ms);
        break;
    case SA_CODE_MEANING:
        sa_view_text(var, code->meaning);
        break;
    case SA_CODE_REMEDIATION:
        sa_view_text(var, code->remediation);
        break;
    }
}

const struct sa_mib_table sa_mib_code_table = {
    "sipAlertCodeTable", root, OID_LENGTH(root), SA_CODE_REASON_PHRASE, SA_CODE_REMEDIATION, count, key, get};
