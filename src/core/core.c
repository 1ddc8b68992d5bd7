#include "inside.h"
#include "lang.h"
#include "snapshot.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNDERCOUNT_MS 300000 /* how long the alarm stays up after the last loss */

static struct sa_rules *
make_rules(const struct sa_core *core, const struct sa_rule_def *defs, unsigned n_defs)
{
    return sa_rules_new(defs, n_defs, core->names, core->config->n_sources);
}

/* Every group can be raised, changed and cleared before a receiver answers, as far as an outbox goes. */
static unsigned
outbox_room(const struct sa_rules *rules)
{
    return SA_OUTBOX_ROOM + 3 * sa_rules_room(rules);
}

static bool
make_sources(struct sa_core *core, char error[SA_PATTERN_ERROR_SIZE])
{
    const struct sa_config *config = core->config;

    core->sources = calloc(config->n_sources + 1, sizeof *core->sources);
    for (unsigned i = 0; core->sources != NULL && i < config->n_sources; i++) {
        struct core_source *source = &core->sources[i];

        source->def = &config->sources[i];
        core->names[i] = source->def->name;
        source->tally = sa_tally_new(0);
        source->format = sa_config_format(config, source->def->formats, error);
        if (source->tally == NULL || source->format == NULL)
            return false;
    }
    return core->sources != NULL;
}

static bool
make_rooms(struct sa_core *core)
{
    core->tally = sa_tally_new(SA_MINUTES_S);
    core->nothing = sa_format_new();
    core->faults = sa_faults_new(core->names, core->config->n_sources);
    core->rules = make_rules(core, core->config->rules, core->config->n_rules);
    if (core->tally == NULL || core->nothing == NULL || core->faults == NULL || core->rules == NULL)
        return false;
    sa_format_want_nothing(core->nothing);
    core->alarms = sa_alarms_new(core->config->node);
    core->outbox = sa_outbox_new(outbox_room(core->rules));
    return core->alarms != NULL && core->outbox != NULL;
}

struct sa_core *
sa_core_new(struct sa_config *config, unsigned sinks, struct sa_time now, char error[SA_PATTERN_ERROR_SIZE])
{
    struct sa_core *core = calloc(1, sizeof *core);

    (void)sa_text_copy(error, SA_PATTERN_ERROR_SIZE, "out of memory");
    if (core == NULL)
        return NULL;
    core->config = config;
    core->sinks = sinks;
    core->start_ms = core->since_ms = core->config_ms = now.wall_ms;
    return make_sources(core, error) && make_rooms(core) ? core : sa_core_free(core);
}

struct sa_core *
sa_core_free(struct sa_core *core)
{
    if (core == NULL)
        return NULL;
    for (unsigned i = 0; core->sources != NULL && i < core->config->n_sources; i++) {
        (void)sa_format_free(core->sources[i].format);
        (void)sa_tally_free(core->sources[i].tally);
        (void)sa_recent_free(core->sources[i].recent);
    }
    free(core->sources);
    free(core->indexes);
    (void)sa_format_free(core->nothing);
    (void)sa_tally_free(core->tally);
    (void)sa_rules_free(core->rules);
    (void)sa_faults_free(core->faults);
    (void)sa_alarms_free(core->alarms);
    (void)sa_outbox_free(core->outbox);
    sa_batch_done(&core->repair);
    free(core);
    return NULL;
}

int
sa_core_source_number(const struct sa_core *core, const char *name)
{
    for (unsigned i = 0; i < core->config->n_sources; i++)
        if (strcmp(core->names[i], name) == 0)
            return (int)i;
    return -1;
}

void
sa_core_lost(struct sa_core *core, unsigned number, uint64_t lines, const char *why, struct sa_time now)
{
    struct core_source *source = &core->sources[number];
    char text[SA_TEXT_SIZE];

    source->undercount += lines;
    source->changed = true;
    (void)sa_text_format(text, sizeof text, _("%llu log lines of source %s were lost so far: %s"),
                         (unsigned long long)source->undercount, source->def->name, why);
    sa_faults_event(core->faults, SA_FAULT_UNDERCOUNT, number, lines, text, 0, UNDERCOUNT_MS, now.mono_ms);
    core->due = true;
}

void
sa_core_refused(struct sa_core *core, unsigned source, uint64_t n)
{
    core->sources[source].refused += n;
}

void
sa_core_set_seeing(struct sa_core *core, unsigned source, bool seeing, const char *text, int error,
                   struct sa_time now)
{
    sa_rules_set_blind(core->rules, source, !seeing);
    sa_faults_set(core->faults, SA_FAULT_BLIND, source, !seeing, text, error, now.mono_ms);
    core->sources[source].changed = true;
}

void
sa_core_set_saving(struct sa_core *core, bool saving, const char *text, int error, struct sa_time now)
{
    sa_faults_set(core->faults, SA_FAULT_STATE, 0, !saving, text, error, now.mono_ms);
}

void
sa_core_state_lost(struct sa_core *core, uint64_t n, const char *text, int error, int64_t hold_ms,
                   struct sa_time now)
{
    sa_faults_event(core->faults, SA_FAULT_STATE, 0, n, text, error, hold_ms, now.mono_ms);
}

void
sa_core_push(struct sa_core *core, const struct sa_alarm_event *event)
{
    sa_outbox_push(core->outbox, event, core->sinks);
    core->alarms_changed = true;
}

static void
on_verdict(void *arg, const struct sa_verdict *verdict)
{
    struct sa_core *core = arg;
    struct sa_alarm_event event;

    if (sa_alarms_apply(core->alarms, verdict, core->now.wall_ms, &event) > 0)
        sa_core_push(core, &event);
}

static void
on_fault(void *arg, const struct sa_fault *fault)
{
    struct sa_core *core = arg;
    struct sa_alarm_event event;

    if (sa_alarms_fault(core->alarms, fault, core->now.wall_ms, &event) > 0)
        sa_core_push(core, &event);
}

bool
sa_core_is_due(const struct sa_core *core)
{
    return core->due;
}

struct sa_core_turn
sa_core_turn(struct sa_core *core, struct sa_time now)
{
    bool pending;

    core->now = now;
    core->due = false;
    pending = sa_faults_evaluate(core->faults, now.mono_ms, on_fault, core);
    pending = sa_rules_evaluate(core->rules, now.mono_ms, on_verdict, core) || pending;
    return (struct sa_core_turn){pending ? now.mono_ms + SA_CORE_TURN_MS : INT64_MAX, core->alarms_changed};
}

void
sa_core_test(struct sa_core *core, const char *text, unsigned sinks, struct sa_time now)
{
    struct sa_alarm_event event;

    sa_alarms_test(core->alarms, text, now.wall_ms, &event);
    sa_outbox_push(core->outbox, &event, sinks);
}

struct sa_outbox *
sa_core_outbox(struct sa_core *core)
{
    return core->outbox;
}

static void
swap_rules(struct sa_config *config, struct sa_config *fresh)
{
    struct sa_rule_def *defs = config->rules;
    unsigned n_defs = config->n_rules;

    config->rules = fresh->rules;
    config->n_rules = fresh->n_rules;
    fresh->rules = defs;
    fresh->n_rules = n_defs;
}

int
sa_core_reload(struct sa_core *core, struct sa_config *fresh, struct sa_time now)
{
    struct sa_rules *rules = make_rules(core, fresh->rules, fresh->n_rules);

    if (rules == NULL || sa_outbox_reserve(core->outbox, outbox_room(rules)) < 0) {
        (void)sa_rules_free(rules);
        return -ENOMEM;
    }
    core->now = now;
    sa_rules_adopt(rules, core->rules, now.mono_ms, on_verdict, core);
    (void)sa_rules_free(core->rules);
    core->rules = rules;
    core->config_ms = now.wall_ms;
    swap_rules(core->config, fresh);
    return 0;
}
