#include "catalog.h"
#include "lang.h"
#include "present.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static void
fill_source(const struct sa_core *core, const struct sa_sources *sources, unsigned number,
            struct sa_snapshot_source *row)
{
    struct sa_core_source source = sa_core_source(core, number);
    struct sa_source_status status;
    char *const *items = NULL;
    size_t n = sa_config_locations(source.def, &items), len = 0;

    sa_sources_status(sources, number, &status);
    row->index = source.index;
    row->kind = source.def->kind;
    (void)sa_text_copy(row->name, sizeof row->name, source.def->name);
    for (size_t i = 0; i < n; i++)
        len += sa_text_format(row->location + len, sizeof row->location - len, "%s%s", len != 0 ? " " : "",
                              items[i]);
    (void)sa_text_copy(row->format, sizeof row->format, source.format_text);
    row->state = status.state;
    (void)sa_text_copy(row->state_text, sizeof row->state_text, status.text);
    row->lines = source.counts.lines;
    row->bytes = source.counts.bytes;
    row->responses = source.counts.responses;
    row->unmatched = source.counts.unmatched;
    row->oversize = source.counts.oversize;
    row->rotations = status.rotations;
    row->truncations = status.truncations;
    row->backlog_bytes = status.backlog_bytes;
    row->last_line_ms = source.last_line_ms;
    row->last_response_ms = source.last_response_ms;
}

static void
fill_agent(const struct sa_core_view *view, struct sa_snapshot_agent *agent)
{
    (void)sa_text_copy(agent->node, sizeof agent->node, view->config->node);
    agent->start_ms = view->start_ms;
    agent->counters_since_ms = view->since_ms;
    agent->config_ms = view->config_ms;
    agent->alarms_changed_ms = view->alarms_changed_ms;
    agent->lines = view->totals.lines;
    agent->bytes = view->totals.bytes;
    agent->responses = view->totals.responses;
    agent->unmatched = view->totals.unmatched;
    agent->worst_severity = view->worst;
    agent->notifications_sent = sa_outbox_sent(view->outbox);
    agent->notifications_suppressed = sa_outbox_suppressed(view->outbox);
    agent->notifications_queued = sa_outbox_queued(view->outbox, SA_SINK_SNMP);
    agent->sequence = sa_outbox_sequence(view->outbox);
}

static void
fill_codes(const struct sa_tally *tally, struct sa_snapshot *snapshot)
{
    uint32_t *buckets = snapshot->buckets;
    unsigned n = 0;

    for (unsigned code = SA_CODE_MIN; code <= SA_CODE_MAX; code++) {
        const struct sa_tally_code *seen = sa_tally_seen(tally, code);
        struct sa_snapshot_code *row = &snapshot->codes[n];
        struct sa_catalog_entry entry;

        if (seen == NULL && sa_catalog_find(code) == NULL)
            continue;
        n++;
        entry = sa_catalog_explain(code);
        row->code = (uint16_t)code;
        row->phrase = entry.phrase;
        row->meaning = _(entry.meaning);
        row->remediation = _(entry.remediation);
        if (seen == NULL)
            continue;
        row->responses = seen->count.responses;
        row->received = seen->count.received;
        row->sent = seen->count.sent;
        row->last_seen_ms = seen->last_seen_ms;
        row->newest_s = sa_tally_copy(tally, code, buckets);
        row->bucket = buckets;
        buckets += SA_MINUTES_S;
    }
}

static int
by_index(const void *a, const void *b)
{
    const struct sa_snapshot_source *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

struct sa_snapshot *
sa_present_snapshot(const struct sa_core *core, const struct sa_sources *sources)
{
    struct sa_core_view view = sa_core_view(core);
    unsigned n_codes = 0, n_seen = 0;
    struct sa_snapshot *snapshot;

    for (unsigned code = SA_CODE_MIN; code <= SA_CODE_MAX; code++) {
        bool seen = sa_tally_seen(view.tally, code) != NULL;

        n_seen += seen;
        n_codes += seen || sa_catalog_find(code) != NULL;
    }
    snapshot = sa_snapshot_new(view.config->n_sources, n_codes, n_seen, view.n_alarms);
    if (snapshot == NULL)
        return NULL;
    for (unsigned i = 0; i < view.config->n_sources; i++)
        fill_source(core, sources, i, &snapshot->sources[i]);
    qsort(snapshot->sources, view.config->n_sources, sizeof *snapshot->sources, by_index);
    fill_codes(view.tally, snapshot);
    if (view.n_alarms != 0)
        memcpy(snapshot->alarms, view.alarms, view.n_alarms * sizeof *view.alarms);
    fill_agent(&view, &snapshot->agent);
    return snapshot;
}
