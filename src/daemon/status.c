#include "clock.h"
#include "present.h"
#include "report.h"

#define RECENT_STEP_S 15 /* 60 steps of the 15 minutes that the MIB shows */

static json_t *
file_json(struct sa_source_file file)
{
    return json_pack("{so ss sI}", "path", sa_report_text(file.path), "state", file.state, "offset",
                     (json_int_t)file.offset);
}

static json_t *
source_json(const struct sa_core *core, const struct sa_sources *sources, unsigned number)
{
    struct sa_core_source source = sa_core_source(core, number);
    const struct sa_stream_counts *counts = &source.counts;
    struct sa_source_status status;
    json_t *files = json_array();

    sa_sources_status(sources, number, &status);
    for (unsigned i = 0; i < status.n_files; i++)
        (void)json_array_append_new(files, file_json(sa_sources_file(sources, number, i)));
    return json_pack("{so ss so so sI sI sI sI sI sI sI sI sI sI sI sI sI sI so so}", "name",
                     sa_report_name(source.def->name), "state", sa_source_state_name(status.state), "text",
                     sa_report_text(status.text), "format", sa_report_name(source.format_text), "lines",
                     (json_int_t)counts->lines, "bytes", (json_int_t)counts->bytes, "responses",
                     (json_int_t)counts->responses, "unmatched", (json_int_t)counts->unmatched, "oversize",
                     (json_int_t)counts->oversize, "match_limit", (json_int_t)counts->match_limit,
                     "rotations", (json_int_t)status.rotations, "truncations", (json_int_t)status.truncations,
                     "nul_bytes", (json_int_t)counts->nul_bytes, "partial_dropped",
                     (json_int_t)counts->partial_dropped, "undercount", (json_int_t)source.undercount,
                     "refused", (json_int_t)source.refused, "forgotten", (json_int_t)source.forgotten,
                     "backlog_bytes", (json_int_t)status.backlog_bytes, "files", files, "codes",
                     sa_report_codes(source.tally));
}

static json_t *
alarm_json(const struct sa_alarm *alarm)
{
    return json_pack("{sI so ss ss so so so ss sI sI ss sI sI so so so ss}", "id", (json_int_t)alarm->id,
                     "identity", sa_report_text(alarm->identity), "severity",
                     sa_severity_name(alarm->severity), "kind", sa_alarm_kind_name(alarm->kind), "rule",
                     sa_report_name(alarm->rule), "source", sa_report_name(alarm->source), "peer",
                     sa_report_text(alarm->peer), "codes", alarm->codes, "value", (json_int_t)alarm->value,
                     "threshold", (json_int_t)alarm->threshold, "unit", sa_unit_name(alarm->unit), "window_s",
                     (json_int_t)alarm->window_s, "total", (json_int_t)alarm->total, "raised",
                     sa_report_time(alarm->raised_ms), "text", sa_report_name(alarm->text), "remediation",
                     sa_report_name(alarm->remediation), "evidence", alarm->evidence);
}

json_t *
sa_present_status(const struct sa_core *core, const struct sa_sources *sources, const char *snmp_mode,
                  const struct sa_agent_state *agent)
{
    struct sa_core_view view = sa_core_view(core);
    json_t *sources_json = json_array(), *alarms = json_array();

    for (unsigned i = 0; i < view.config->n_sources; i++)
        (void)json_array_append_new(sources_json, source_json(core, sources, i));
    for (unsigned i = 0; i < view.n_alarms; i++)
        (void)json_array_append_new(alarms, alarm_json(&view.alarms[i]));
    return json_pack("{ss so so so so so so s{ss sb so*} s{sI sI sI sI}}", "version", SIPALERT_VERSION,
                     "node", sa_report_name(view.config->node), "since", sa_report_time(view.since_ms),
                     "sources", sources_json, "codes", sa_report_codes(view.tally), "recent",
                     sa_report_recent(view.tally, sa_clock_now().mono_ms / 1000, RECENT_STEP_S), "alarms",
                     alarms, "snmp", "mode", snmp_mode, "connected", (int)agent->connected, "text",
                     agent->text[0] == '\0' ? NULL : sa_report_text(agent->text), "notifications", "sent",
                     (json_int_t)sa_outbox_sent(view.outbox), "queued",
                     (json_int_t)sa_outbox_queued(view.outbox, SA_SINK_SNMP), "suppressed",
                     (json_int_t)sa_outbox_suppressed(view.outbox), "sequence",
                     (json_int_t)sa_outbox_sequence(view.outbox));
}
