#include "running.h"
#include "clock.h"
#include "scribe.h"

#define JUDGE_MS   1000 /* how often an active rule is looked at */
#define PUBLISH_MS 500  /* how long a change may take to reach the MIB */

const char *
sa_daemon_snmp_mode(const struct sa_daemon *daemon)
{
    static const char *const modes[] = {"agentx", "standalone", "off"};

    return modes[daemon->config->snmp.mode];
}

unsigned
sa_daemon_sinks(const struct sa_daemon *daemon)
{
    const struct sa_config *config = daemon->config;
    bool master = config->snmp.mode == SA_SNMP_AGENTX && config->snmp.notify_master;

    return (master ? SA_SINK_MASTER : 0u) | (config->n_notifies > 0 ? SA_SINK_RECEIVERS : 0u) |
           (config->syslog.enabled ? SA_SINK_SYSLOG : 0u);
}

unsigned
sa_daemon_sink(enum sa_agent_way way)
{
    return way == SA_AGENT_MASTER ? SA_SINK_MASTER : SA_SINK_RECEIVERS;
}

static void
deliver_by(struct sa_daemon *daemon, enum sa_agent_way way)
{
    struct sa_outbox *outbox = sa_core_outbox(daemon->core);
    unsigned sink = sa_daemon_sink(way);
    const struct sa_alarm_event *event;

    while ((event = sa_outbox_next(outbox, sink)) != NULL && sa_agent_post(daemon->agent, way, event) == 0)
        sa_outbox_handed(outbox, sink, event->sequence);
}

void
sa_daemon_deliver(struct sa_daemon *daemon)
{
    struct sa_outbox *outbox = sa_core_outbox(daemon->core);
    const struct sa_alarm_event *event;

    while ((event = sa_outbox_next(outbox, SA_SINK_SYSLOG)) != NULL) {
        uint32_t sequence = event->sequence;

        if (sa_scribe_alarm(event) < 0)
            break;
        sa_outbox_finished(outbox, SA_SINK_SYSLOG, sequence, true);
    }
    for (unsigned way = 0; way < SA_AGENT_WAYS && daemon->agent != NULL; way++)
        deliver_by(daemon, way);
}

void
sa_daemon_publish_soon(struct sa_daemon *daemon)
{
    if (!sa_watch_armed(daemon->publish))
        sa_watch_arm(daemon->publish, PUBLISH_MS);
}

void
sa_daemon_judge(struct sa_daemon *daemon)
{
    struct sa_core_turn turn = sa_core_turn(daemon->core, sa_clock_now());

    sa_daemon_deliver(daemon);
    sa_daemon_publish_soon(daemon);
    if (turn.alarms_changed)
        sa_keeper_now(daemon->keeper);
    if (turn.due_ms != INT64_MAX || sa_outbox_next(sa_core_outbox(daemon->core), SA_SINK_SYSLOG) != NULL)
        sa_watch_arm(daemon->judge, JUDGE_MS);
}

void
sa_daemon_judge_soon(struct sa_daemon *daemon)
{
    if (!sa_watch_armed(daemon->judge))
        sa_watch_arm(daemon->judge, JUDGE_MS);
}
