#include "replay_summary.h"
#include "lang.h"
#include "layout.h"
#include "report.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS     86400000.0
#define PLOT_CELLS 60

/* What a rule, or a fault of a source, did over the whole log. */
struct record {
    char name[SA_NAME_SIZE];
    unsigned raised, active; /* times; that are up at the moment */
    int64_t longest_ms, sum_ms;
};

/* From a raise or a change to the next event of the same alarm: what the plot draws. */
struct stretch {
    uint32_t id;
    size_t record;
    enum sa_severity severity;
    int64_t raised_ms, from_ms, to_ms; /* to: INT64_MAX while it lasts */
};

static const char *
transition_name(enum sa_transition transition)
{
    return transition == SA_RAISED || transition == SA_FAULT ? "raised"
           : transition == SA_CHANGED                        ? "changed"
                                                             : "cleared";
}

static struct record *
record_of(struct sa_summary *summary, const char *name)
{
    struct record *grown;

    for (size_t i = 0; i < summary->n_records; i++)
        if (strcmp(summary->records[i].name, name) == 0)
            return &summary->records[i];
    grown = realloc(summary->records, (summary->n_records + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    summary->records = grown;
    grown[summary->n_records] = (struct record){0};
    (void)sa_text_copy(grown[summary->n_records].name, SA_NAME_SIZE, name);
    return &grown[summary->n_records++];
}

static bool
begin_stretch(struct sa_summary *summary, const struct sa_alarm *alarm, size_t record)
{
    struct stretch *grown = realloc(summary->stretches, (summary->n_stretches + 1) * sizeof *grown);

    if (grown == NULL)
        return false;
    summary->stretches = grown;
    grown[summary->n_stretches++] = (struct stretch){.id = alarm->id,
                                                     .record = record,
                                                     .severity = alarm->severity,
                                                     .raised_ms = alarm->raised_ms,
                                                     .from_ms = alarm->changed_ms,
                                                     .to_ms = INT64_MAX};
    return true;
}

static void
end_stretch(struct sa_summary *summary, uint32_t id, int64_t at_ms)
{
    for (size_t i = summary->n_stretches; i > 0; i--)
        if (summary->stretches[i - 1].id == id && summary->stretches[i - 1].to_ms == INT64_MAX) {
            summary->stretches[i - 1].to_ms = at_ms;
            return;
        }
}

static void
end_alarm(struct record *record, const struct sa_alarm *alarm)
{
    int64_t lasted_ms = alarm->changed_ms - alarm->raised_ms;

    record->active--;
    record->sum_ms += lasted_ms;
    if (lasted_ms > record->longest_ms)
        record->longest_ms = lasted_ms;
}

void
sa_summary_add(struct sa_summary *summary, const struct sa_alarm_event *event)
{
    const struct sa_alarm *alarm = &event->alarm;
    bool raised = event->transition == SA_RAISED || event->transition == SA_FAULT;
    struct record *record =
        record_of(summary, alarm->rule[0] != '\0' ? alarm->rule : sa_alarm_kind_name(alarm->kind));

    if (record == NULL) {
        summary->failed = true;
        return;
    }
    record->raised += raised;
    record->active += raised;
    if (!raised)
        end_stretch(summary, alarm->id, alarm->changed_ms);
    if (raised || event->transition == SA_CHANGED)
        summary->failed |= !begin_stretch(summary, alarm, (size_t)(record - summary->records));
    else
        end_alarm(record, alarm);
}

/* "2h5m", "40s". */
static const char *
duration(int64_t ms, char text[32])
{
    int64_t s = (ms + 500) / 1000;

    if (s >= 86400)
        (void)snprintf(text, 32, "%lldd%lldh", (long long)(s / 86400), (long long)(s % 86400 / 3600));
    else if (s >= 3600)
        (void)snprintf(text, 32, "%lldh%lldm", (long long)(s / 3600), (long long)(s % 3600 / 60));
    else if (s >= 60)
        (void)snprintf(text, 32, "%lldm%llds", (long long)(s / 60), (long long)(s % 60));
    else
        (void)snprintf(text, 32, "%llds", (long long)s);
    return text;
}

static void
print_event(const struct sa_alarm_event *event)
{
    const struct sa_alarm *alarm = &event->alarm;
    json_t *time = sa_report_time(alarm->changed_ms);
    char lasted[32];

    (void)printf("%s %-7s %s severity=%s", json_string_value(time), transition_name(event->transition),
                 alarm->identity, sa_severity_name(alarm->severity));
    if (alarm->rule[0] != '\0')
        (void)printf(" value=%u threshold=%u total=%u window=%us codes=%s", alarm->value, alarm->threshold,
                     alarm->total, alarm->window_s, alarm->codes);
    if (event->transition == SA_CLEARED || event->transition == SA_RESTORED)
        (void)printf(" lasted=%s", duration(alarm->changed_ms - alarm->raised_ms, lasted));
    (void)printf(" text=\"%s\"\n", alarm->text);
    json_decref(time);
}

static void
print_event_json(const struct sa_alarm_event *event)
{
    const struct sa_alarm *alarm = &event->alarm;

    (void)sa_report_print(
        json_pack("{so ss so ss ss so so ss sI sI ss sI sI so so so}", "time",
                  sa_report_time(alarm->changed_ms), "event", transition_name(event->transition), "identity",
                  sa_report_text(alarm->identity), "severity", sa_severity_name(alarm->severity), "kind",
                  sa_alarm_kind_name(alarm->kind), "rule", sa_report_name(alarm->rule), "source",
                  sa_report_name(alarm->source), "codes", alarm->codes, "value", (json_int_t)alarm->value,
                  "threshold", (json_int_t)alarm->threshold, "unit", sa_unit_name(alarm->unit), "window_s",
                  (json_int_t)alarm->window_s, "total", (json_int_t)alarm->total, "raised",
                  sa_report_time(alarm->raised_ms), "text", sa_report_name(alarm->text), "remediation",
                  sa_report_name(alarm->remediation)),
        true);
}

/* What is still up at the end of the log lasts at least until there. */
void
sa_summary_end(struct sa_summary *summary, int64_t last_ms)
{
    for (size_t i = 0; i < summary->n_stretches; i++) {
        struct stretch *stretch = &summary->stretches[i];
        struct record *record = &summary->records[stretch->record];

        if (stretch->to_ms != INT64_MAX)
            continue;
        stretch->to_ms = last_ms;
        record->sum_ms += last_ms - stretch->raised_ms;
        if (last_ms - stretch->raised_ms > record->longest_ms)
            record->longest_ms = last_ms - stretch->raised_ms;
    }
}

void
sa_summary_table(const struct sa_summary *summary, int64_t first_ms, int64_t last_ms)
{
    const struct sa_layout_column columns[] = {{_("rule"), 32, false},  {_("raised"), 8, true},
                                               {_("per day"), 9, true}, {_("longest"), 9, true},
                                               {_("in all"), 9, true},  {_("up at the end"), 15, true}};
    double days = (double)(last_ms - first_ms) / DAY_MS;
    char longest[32], sum[32];

    sa_layout_headings(columns, 6);
    for (size_t i = 0; i < summary->n_records; i++) {
        const struct record *record = &summary->records[i];

        (void)printf("%-32s %7u %8.1f %8s %8s %14u\n", record->name, record->raised,
                     days < 1 ? record->raised : record->raised / days, duration(record->longest_ms, longest),
                     duration(record->sum_ms, sum), record->active);
    }
}

/* A line for each rule: how severe its alarms were over the time of the log, the worst of each cell. */
void
sa_summary_plot(const struct sa_summary *summary, int64_t first_ms, int64_t last_ms)
{
    static const char marks[] = " ..-=#"; /* by gravity */
    int64_t span_ms = last_ms - first_ms + 1;

    for (size_t i = 0; i < summary->n_records; i++) {
        int worst[PLOT_CELLS] = {0};
        char row[PLOT_CELLS + 1] = "";

        for (size_t k = 0; k < summary->n_stretches; k++) {
            const struct stretch *stretch = &summary->stretches[k];
            int64_t from = (stretch->from_ms - first_ms) * PLOT_CELLS / span_ms,
                    to = (stretch->to_ms - first_ms) * PLOT_CELLS / span_ms;

            for (int64_t c = from < 0 ? 0 : from; stretch->record == i && c <= to && c < PLOT_CELLS; c++)
                if (sa_severity_gravity(stretch->severity) > worst[c])
                    worst[c] = sa_severity_gravity(stretch->severity);
        }
        for (unsigned c = 0; c < PLOT_CELLS; c++)
            row[c] = marks[worst[c]];
        (void)printf("%-32s |%s|\n", summary->records[i].name, row);
    }
}

void
sa_summary_print(const struct sa_alarm_event *event, bool json)
{
    if (json)
        print_event_json(event);
    else
        print_event(event);
}

void
sa_summary_done(struct sa_summary *summary)
{
    free(summary->records);
    free(summary->stretches);
}

void
sa_summary_expect(struct sa_summary *summary, const char *rule)
{
    summary->failed |= record_of(summary, rule) == NULL;
}
