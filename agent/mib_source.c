/* sipAlertSourceTable (R.1.2): one row per configured source. */
#include "mib_table.h"
#include "oids.h"

static const oid root[] = {SA_OID_SOURCE_TABLE};

static unsigned
count(const struct sa_snapshot *snapshot)
{
    return snapshot->n_sources;
}

static uint32_t
key(const struct sa_snapshot *snapshot, unsigned i)
{
    return snapshot->sources[i].index;
}

static void
get(const struct sa_snapshot *snapshot, unsigned i, unsigned column, netsnmp_variable_list *var)
{
    const struct sa_snapshot_source *source = &snapshot->sources[i];

    switch (column) {
    case SA_SOURCE_NAME:
        sa_view_text(var, source->name);
        break;
    case SA_SOURCE_KIND:
        sa_view_integer(var, (int)source->kind);
        break;
    case SA_SOURCE_LOCATION:
        sa_view_text(var, source->location);
        break;
    case SA_SOURCE_FORMAT:
        sa_view_text(var, source->format);
        break;
    case SA_SOURCE_STATE:
        sa_view_integer(var, (int)source->state);
        break;
    case SA_SOURCE_STATE_TEXT:
        sa_view_text(var, source->state_text);
        break;
    case SA_SOURCE_LINES:
        sa_view_counter64(var, source->lines);
        break;
    case SA_SOURCE_BYTES:
        sa_view_counter64(var, source->bytes);
        break;
    case SA_SOURCE_RESPONSES:
        sa_view_counter64(var, source->responses);
        break;
    case SA_SOURCE_UNMATCHED:
        sa_view_counter64(var, source->unmatched);
        break;
    case SA_SOURCE_OVERSIZE:
        sa_view_counter64(var, source->oversize);
        break;
    case SA_SOURCE_ROTATIONS:
        sa_view_counter64(var, source->rotations);
        break;
    case SA_SOURCE_TRUNCATIONS:
        sa_view_counter64(var, source->truncations);
        break;
    case SA_SOURCE_BACKLOG_BYTES:
        sa_view_counter64(var, source->backlog_bytes);
        break;
    case SA_SOURCE_LAST_LINE:
        sa_view_time(var, source->last_line_ms);
        break;
    case SA_SOURCE_LAST_RESPONSE:
        sa_view_time(var, source->last_response_ms);
        break;
    }
}

const struct sa_mib_table sa_mib_source_table = {
    "sipAlertSourceTable", root, OID_LENGTH(root), SA_SOURCE_NAME, SA_SOURCE_LAST_RESPONSE, count, key, get};
