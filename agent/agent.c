#include "agent.h"
#include "library.h"
#include "receivers.h"
#include "responder.h"

#include <errno.h>
#include <stdlib.h>

struct sa_agent {
    struct sa_responder *responder; /* NULL: there is none */
    struct sa_receivers *receivers; /* NULL: there are none */
};

static struct sa_mailbox *
inbox_of(struct sa_agent *agent, enum sa_agent_way way)
{
    if (way == SA_AGENT_MASTER)
        return agent->responder == NULL ? NULL : sa_responder_inbox(agent->responder);
    return agent->receivers == NULL ? NULL : sa_receivers_inbox(agent->receivers);
}

/* net-snmp has to be shut down before: then its sessions are closed while nobody else uses it. */
static void
free_agent(struct sa_agent *agent)
{
    (void)sa_receivers_free(agent->receivers);
    (void)sa_responder_free(agent->responder);
    free(agent);
}

/* Everything that the threads share is there before either starts. */
static int
make(struct sa_agent *agent, const struct sa_agent_def *def, struct sa_board *board)
{
    int r = sa_library_set_up(def);

    if (r < 0)
        return r;
    if (def->mode != SA_AGENT_NO_AGENT && (agent->responder = sa_responder_new(def, board)) == NULL)
        return -ENOMEM;
    if (def->n_receivers > 0 && (agent->receivers = sa_receivers_new(def)) == NULL)
        return -ENOMEM;
    return 0;
}

static int
start_threads(struct sa_agent *agent)
{
    int r = agent->receivers == NULL ? 0 : sa_receivers_start(agent->receivers);

    if (r < 0 || agent->responder == NULL)
        return r;
    r = sa_responder_start(agent->responder);
    if (r < 0 && agent->receivers != NULL)
        (void)sa_receivers_stop(agent->receivers, 1000);
    return r;
}

int
sa_agent_start(const struct sa_agent_def *def, struct sa_board *board, struct sa_agent **ret_agent)
{
    struct sa_agent *agent = calloc(1, sizeof *agent);
    int r;

    if (agent == NULL)
        return -ENOMEM;
    r = make(agent, def, board);
    if (r == 0)
        r = start_threads(agent);
    if (r == 0) {
        *ret_agent = agent;
        return 0;
    }
    sa_library_shut_down();
    free_agent(agent);
    return r;
}

bool
sa_agent_stop(struct sa_agent *agent, int timeout_ms)
{
    if (agent == NULL)
        return true;
    if (agent->receivers != NULL && !sa_receivers_stop(agent->receivers, timeout_ms))
        return false;
    if (agent->responder == NULL)
        sa_library_shut_down();
    else if (!sa_responder_stop(agent->responder, timeout_ms))
        return false;
    free_agent(agent);
    return true;
}

int
sa_agent_post(struct sa_agent *agent, enum sa_agent_way way, const struct sa_alarm_event *event)
{
    struct sa_mailbox *inbox = inbox_of(agent, way);

    return inbox == NULL ? -ENOBUFS : sa_mailbox_post(inbox, event);
}

void
sa_agent_wake(struct sa_agent *agent, enum sa_agent_way way)
{
    struct sa_mailbox *inbox = inbox_of(agent, way);

    if (inbox != NULL)
        sa_mailbox_wake(inbox);
}

struct sa_mailbox *
sa_agent_reports(struct sa_agent *agent, enum sa_agent_way way)
{
    if (way == SA_AGENT_MASTER)
        return agent->responder == NULL ? NULL : sa_responder_reports(agent->responder);
    return agent->receivers == NULL ? NULL : sa_receivers_reports(agent->receivers);
}

void
sa_agent_state(const struct sa_agent *agent, struct sa_agent_state *ret_state)
{
    *ret_state = (struct sa_agent_state){0};
    if (agent != NULL && agent->responder != NULL)
        sa_responder_state(agent->responder, ret_state);
}
