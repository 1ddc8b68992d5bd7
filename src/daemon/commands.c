#include "commands.h"
#include "clock.h"
#include "lang.h"
#include "log.h"
#include "present.h"
#include "sdnotify.h"
#include "text.h"

#include <string.h>

bool
sa_daemon_reload(struct sa_daemon *daemon, char *text, size_t size)
{
    static struct sa_config_errors errors;
    struct sa_config *fresh = NULL;
    bool done = false;

    sa_sdnotify_reloading();
    if (sa_config_load(daemon->config->path, &fresh, &errors) < 0)
        (void)sa_text_format(text, size, "%u errors, keeping the configuration in force: %.*s", errors.count,
                             (int)strcspn(errors.text, "\n"), errors.text);
    else if (!sa_config_differs_in_rules_only(daemon->config, fresh))
        (void)sa_text_format(
            text, size,
            "more than rules has changed, keeping the configuration in force; restart sipalertd to apply it");
    else if (sa_core_reload(daemon->core, fresh, sa_clock_now()) < 0)
        (void)sa_text_format(text, size, "out of memory, keeping the configuration in force");
    else
        done = true;
    if (done) {
        (void)sa_text_format(text, size, "%u rules are in force", daemon->config->n_rules);
        sa_daemon_judge(daemon);
    }
    sa_log(done ? LOG_NOTICE : LOG_ERR, "config", "%s", text);
    (void)sa_config_free(fresh);
    sa_sdnotify_ready(done ? "running" : "running; the changed configuration is not in force");
    return done;
}

static json_t *
answer_status(struct sa_daemon *daemon, const struct sa_caller *caller, char error[SA_PROTOCOL_ERROR])
{
    struct sa_agent_state agent;
    json_t *status;

    (void)caller;
    (void)error;
    sa_agent_state(daemon->agent, &agent);
    status = sa_present_status(daemon->core, daemon->sources, sa_daemon_snmp_mode(daemon), &agent);
    (void)json_object_set_new(status, "saved", json_boolean(sa_keeper_settled(daemon->keeper)));
    return status;
}

static json_t *
answer_reload(struct sa_daemon *daemon, const struct sa_caller *caller, char error[SA_PROTOCOL_ERROR])
{
    sa_log(LOG_NOTICE, "control", "reload, asked for by uid %u pid %d", caller->uid, caller->pid);
    return sa_daemon_reload(daemon, error, SA_PROTOCOL_ERROR) ? json_pack("{ss}", "text", error) : NULL;
}

static json_t *
answer_test_notify(struct sa_daemon *daemon, const struct sa_caller *caller, char error[SA_PROTOCOL_ERROR])
{
    unsigned sinks = sa_daemon_sinks(daemon);
    char text[SA_TEXT_SIZE];

    if (sinks == 0) {
        (void)sa_text_format(
            error, SA_PROTOCOL_ERROR,
            "there is no receiver: no notify section, no snmpd to notify, and syslog is off");
        return NULL;
    }
    sa_log(LOG_NOTICE, "control", "test notification, asked for by uid %u pid %d", caller->uid, caller->pid);
    (void)sa_text_format(text, sizeof text, _("Test notification, asked for by user %u"), caller->uid);
    sa_core_test(daemon->core, text, sinks, sa_clock_now());
    sa_daemon_deliver(daemon);
    sa_keeper_now(daemon->keeper);
    sa_daemon_publish_soon(daemon);
    return json_pack("{sI sb sb}", "sequence", (json_int_t)sa_outbox_sequence(sa_core_outbox(daemon->core)),
                     "snmp", (sinks & SA_SINK_SNMP) != 0, "syslog", (sinks & SA_SINK_SYSLOG) != 0);
}

/* The rest of the commands (ack, silence) belongs here too. */
static const struct {
    const char *name;
    bool acts;
    json_t *(*answer)(struct sa_daemon *, const struct sa_caller *, char error[SA_PROTOCOL_ERROR]);
} commands[] = {
    {"status", false, answer_status},
    {"reload", true, answer_reload},
    {"test-notify", true, answer_test_notify},
};

/* Any member of the socket's group can make these lines, as fast as it asks. */
static void
refuse(struct sa_daemon *daemon, const char *command, const struct sa_caller *caller,
       char error[SA_PROTOCOL_ERROR])
{
    if (sa_refusals_add(&daemon->refusals, caller->uid, sa_clock_now().mono_ms))
        sa_log(LOG_WARNING, "control", "%s refused to uid %u pid %d", command, caller->uid, caller->pid);
    (void)sa_text_format(error, SA_PROTOCOL_ERROR, "only root and the daemon's own user may %s", command);
}

void
sa_daemon_tell_refusals(struct sa_daemon *daemon)
{
    int64_t now_ms = sa_clock_now().mono_ms;
    const struct sa_refusals_row *row;

    while ((row = sa_refusals_due(&daemon->refusals, now_ms)) != NULL) {
        sa_log(LOG_WARNING, "control", "%llu more commands refused to uid %u%s",
               (unsigned long long)row->held, row->uid, row->shared ? " and others" : "");
        sa_refusals_told(&daemon->refusals, row, now_ms);
    }
}

json_t *
sa_daemon_command(void *arg, const char *command, const struct sa_caller *caller,
                  char error[SA_PROTOCOL_ERROR])
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(command, commands[i].name) != 0)
            continue;
        if (!commands[i].acts || caller->may_act)
            return commands[i].answer(arg, caller, error);
        refuse(arg, command, caller, error);
        return NULL;
    }
    (void)sa_text_format(error, SA_PROTOCOL_ERROR, "unknown command");
    return NULL;
}
