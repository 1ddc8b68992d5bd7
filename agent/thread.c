#include "agent.h"
#include "log.h"
#include "mib.h"
#include "notify.h"
#include "oids.h"
#include "thread.h"

#include <errno.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/agent/agent_sysORTable.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define APPLICATION      "sipalertd-agent" /* net-snmp's configuration type; no file of ours has this name */
#define AGENTX_VERSION_1 0xC1
#define LINK_TIMEOUT_US  500000 /* of each AgentX operation; they block this thread */
#define PING_S           5      /* more than (3 + registrations) operations can take, or pings never end */
#define INBOX            64
#define REPORTS          1024

/* From libnetsnmpmibs, which declares them in headers that are not installed. */
void init_usmUser(void);
void init_vacm_vars(void);
void init_vacm_conf(void);

struct sa_agent {
    struct sa_agent_def def;
    struct sa_board *board;
    struct sa_mailbox *inbox, *reports;
    struct sa_notify *notify;
    pthread_t thread;
    atomic_bool stop, connected;
};

/* net-snmp frees the client argument of a callback when it shuts down, so callbacks get none and find this.
 */
static struct sa_agent *the_agent;

static void
on_log_line(const char *message, int priority)
{
    size_t len =
        strcspn(message, "\n"); /* usually there, not always; more lines would be advice for others */

    sa_log(priority <= LOG_WARNING ? LOG_WARNING : LOG_DEBUG, "net-snmp", "%.*s", (int)len, message);
}

static int
on_log(int major, int minor, void *server_arg, void *client_arg)
{
    const struct snmp_log_message *message = server_arg;

    (void)major;
    (void)minor;
    (void)client_arg;
    on_log_line(message->msg, message->priority);
    return 0;
}

/* Every session as it is made: bound what AgentX does synchronously. */
static int
on_session_init(int major, int minor, void *server_arg, void *client_arg)
{
    netsnmp_session *session = server_arg;

    (void)major;
    (void)minor;
    (void)client_arg;
    if (session->version == AGENTX_VERSION_1) {
        session->timeout = LINK_TIMEOUT_US;
        session->retries = 0;
    }
    return 0;
}

/* The main thread shows the link in its status. */
static void
set_connected(struct sa_agent *agent, bool connected)
{
    const struct sa_agent_report changed = {.outcome = SA_AGENT_LINK};

    atomic_store(&agent->connected, connected);
    (void)sa_mailbox_post(agent->reports, &changed);
}

static int
on_link_up(int major, int minor, void *server_arg, void *client_arg)
{
    netsnmp_session *session = server_arg;
    struct sa_agent *agent = the_agent;
    netsnmp_transport *transport = snmp_sess_transport(snmp_sess_pointer(session));
    const struct timeval timeout = {.tv_usec = LINK_TIMEOUT_US};

    (void)major;
    (void)minor;
    (void)client_arg;
    if (transport != NULL) /* a master that does not read makes sends fail instead of hang */
        (void)setsockopt(transport->sock, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    set_connected(agent, true);
    sa_notify_link(agent->notify, session);
    sa_log(LOG_NOTICE, "snmp", "connected to the master agent at %s", agent->def.master);
    return 0;
}

static int
on_link_down(int major, int minor, void *server_arg, void *client_arg)
{
    struct sa_agent *agent = the_agent;

    (void)major;
    (void)minor;
    (void)server_arg;
    (void)client_arg;
    if (atomic_load(&agent->connected)) {
        set_connected(agent, false);
        sa_log(LOG_WARNING, "snmp", "lost the master agent, retrying every %d s; counting goes on", PING_S);
    }
    sa_notify_link(agent->notify, NULL);
    return 0;
}

/* The mailbox woke us: everything is done in the turn of the loop. */
static void
on_wake(int fd, void *arg)
{
    struct sa_agent *agent = arg;

    (void)fd;
    sa_mailbox_acknowledge(agent->inbox);
}

static void
remember_access(const char *path)
{
    char line[1024];
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        sa_log(LOG_ERR, "snmp", "cannot read %s: %s; nobody may read the MIB", path, strerror(errno));
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[strspn(line, " \t")] != '\0' && line[strspn(line, " \t")] != '#')
            netsnmp_config_remember(line);
    }
    (void)fclose(file);
}

static void
set_ports(char *const *listen)
{
    char ports[1024] = "";

    for (; *listen != NULL; listen++) {
        size_t len = strlen(ports);

        (void)snprintf(ports + len, sizeof ports - len, "%s%s", len != 0 ? "," : "", *listen);
    }
    (void)netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_PORTS, ports);
}

static void
set_up_library(struct sa_agent *agent)
{
    snmp_disable_log();
    snmp_enable_calllog();
    (void)snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, NULL);
    if (agent->def.mode == SA_AGENT_SUBAGENT) {
        netsnmp_enable_subagent();
        (void)netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, agent->def.master);
    } else if (agent->def.mode == SA_AGENT_STANDALONE) {
        set_ports(agent->def.listen);
    }
    (void)netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    (void)netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    (void)netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS, 1);
    (void)netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_DONT_LOG_TCPWRAPPERS_CONNECTS,
                                 1);
    (void)snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SESSION_INIT, on_session_init, NULL);
    (void)snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_link_up, NULL);
    (void)snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_link_down, NULL);
}

/* The order matters; each step that is out of place fails silently somewhere else. */
static int
set_up(struct sa_agent *agent)
{
    static const oid root[] = {SA_OID_ROOT};

    set_up_library(agent);
    if (init_agent(APPLICATION) != 0)
        return -EIO;
    (void)netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, PING_S);
    if (agent->def.mode == SA_AGENT_STANDALONE) {
        init_usmUser();
        init_vacm_vars();
        init_vacm_conf();
        if (agent->def.access != NULL)
            remember_access(agent->def.access);
        else
            sa_log(LOG_WARNING, "snmp", "no access file is configured, so nobody may read the MIB");
    }
    if (agent->def.mode != SA_AGENT_NO_AGENT) {
        if (sa_mib_register() < 0)
            return -ENOMEM;
        sa_mib_show(sa_board_take(agent->board)); /* requests may come in while init_snmp() connects */
    }
    init_snmp(APPLICATION); /* connects to the master */
    if (agent->def.mode == SA_AGENT_SUBAGENT)
        (void)register_sysORTable((oid *)(uintptr_t)root, OID_LENGTH(root),
                                  "SIPALERT-MIB: SIP response counters and alarms");
    if (agent->def.mode == SA_AGENT_STANDALONE) {
        char no_smux[] = "-smux"; /* else a master listens for SMUX peers at 0.0.0.0:199 */

        add_to_init_list(no_smux);
        if (init_master_agent() != 0)
            sa_log(LOG_ERR, "snmp", "cannot listen at the configured addresses; the MIB is not served");
        else
            set_connected(agent, true);
    }
    return register_readfd(sa_mailbox_fd(agent->inbox), on_wake, agent) == FD_REGISTERED_OK ? 0 : -EIO;
}

static void
turn(struct sa_agent *agent)
{
    struct sa_snapshot *snapshot = sa_board_take(agent->board);
    struct sa_alarm_event event;

    if (snapshot != NULL && agent->def.mode != SA_AGENT_NO_AGENT)
        sa_mib_show(snapshot);
    else
        (void)sa_snapshot_free(snapshot);
    while (sa_notify_has_room(agent->notify) && sa_mailbox_take(agent->inbox, &event))
        sa_notify_add(agent->notify, &event);
    sa_notify_pump(agent->notify);
}

static void *
run(void *arg)
{
    struct sa_agent *agent = the_agent = arg;

    if (set_up(agent) < 0) {
        sa_log(LOG_ERR, "snmp", "net-snmp could not be set up; no SNMP, counting goes on");
        return NULL;
    }
    while (!atomic_load(&agent->stop)) {
        turn(agent);
        (void)agent_check_and_process(1);
    }
    (void)unregister_readfd(sa_mailbox_fd(agent->inbox));
    agent->notify = sa_notify_free(agent->notify);
    snmp_shutdown(APPLICATION);
    sa_mib_done();
    return NULL;
}

static void
free_agent(struct sa_agent *agent)
{
    (void)sa_notify_free(agent->notify);
    (void)sa_mailbox_free(agent->inbox);
    (void)sa_mailbox_free(agent->reports);
    free(agent);
}

int
sa_agent_start(const struct sa_agent_def *def, struct sa_board *board, struct sa_agent **ret_agent)
{
    struct sa_agent *agent = calloc(1, sizeof *agent);
    int r;

    if (agent == NULL)
        return -ENOMEM;
    agent->def = *def;
    agent->board = board;
    agent->inbox = sa_mailbox_new(sizeof(struct sa_alarm_event), INBOX);
    agent->reports = sa_mailbox_new(sizeof(struct sa_agent_report), REPORTS);
    agent->notify = agent->reports == NULL ? NULL : sa_notify_new(&agent->def, agent->reports);
    if (agent->inbox == NULL || agent->notify == NULL) {
        free_agent(agent);
        return -ENOMEM;
    }
    (void)setenv("MIBS", "", 1); /* no MIB files are parsed; before there is a second thread */
    r = sa_thread_start(&agent->thread, run, agent);
    if (r < 0) {
        free_agent(agent);
        return r;
    }
    *ret_agent = agent;
    return 0;
}

bool
sa_agent_stop(struct sa_agent *agent, int timeout_ms)
{
    if (agent == NULL)
        return true;
    atomic_store(&agent->stop, true);
    sa_mailbox_wake(agent->inbox);
    if (!sa_thread_join(agent->thread, timeout_ms))
        return false;
    free_agent(agent);
    return true;
}

int
sa_agent_post(struct sa_agent *agent, const struct sa_alarm_event *event)
{
    return sa_mailbox_post(agent->inbox, event);
}

void
sa_agent_wake(struct sa_agent *agent)
{
    sa_mailbox_wake(agent->inbox);
}

struct sa_mailbox *
sa_agent_reports(struct sa_agent *agent)
{
    return agent->reports;
}

bool
sa_agent_connected(const struct sa_agent *agent)
{
    return atomic_load(&agent->connected);
}
