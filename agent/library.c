#include "library.h"
#include "agentx.h"
#include "clock.h"
#include "log.h"
#include "master_link.h"
#include "text.h"

#include <errno.h>
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPLICATION     "sipalertd-agent" /* net-snmp's configuration type; no file of ours has this name */
#define LINK_TIMEOUT_US 500000            /* of each AgentX operation; they block the SNMP thread */
#define SAME_LINE_MS    60000

/* From libnetsnmpmibs and libnetsnmpagent, which declare them in headers that are not installed. */
void init_usmUser(void);
void init_vacm_vars(void);
void init_vacm_conf(void);
SNMPCallback subagent_startup;

/* Anybody who can reach the agent can make net-snmp say something; true: it said the same a moment ago. */
static bool
is_repeated(const char *message)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char last[256];
    static int64_t last_ms;
    int64_t now_ms = sa_clock_now().mono_ms;
    bool repeated;

    (void)pthread_mutex_lock(&lock);
    repeated = strncmp(message, last, sizeof last - 1) == 0 && now_ms - last_ms < SAME_LINE_MS;
    if (!repeated) {
        (void)sa_text_copy(last, sizeof last, message);
        last_ms = now_ms;
    }
    (void)pthread_mutex_unlock(&lock);
    return repeated;
}

/*
 * Called by whichever thread net-snmp is used in, and so not through its callbacks, which are not made for
 * that.  Lines that go on with a message are left out, as they may be hundreds; and access is read from a
 * file of ours, later than net-snmp looks for it.
 */
static int
on_log(netsnmp_log_handler *handler, int priority, const char *message)
{
    (void)handler;
    if (message[0] != ' ' && strncmp(message, "Warning: no access control", 26) != 0 && !is_repeated(message))
        sa_log(priority <= LOG_WARNING ? LOG_WARNING : LOG_DEBUG, "net-snmp", "%.*s",
               (int)strcspn(message, "\n"), message);
    return 1;
}

/* Every session as it is made: bound what AgentX does synchronously. */
static int
on_session_init(int major, int minor, void *server_arg, void *client_arg)
{
    netsnmp_session *session = server_arg;

    (void)major;
    (void)minor;
    (void)client_arg;
    if (session->version == SA_AGENTX_VERSION_1) {
        session->timeout = LINK_TIMEOUT_US;
        session->retries = 0;
    }
    return 0;
}

static void
set_up_log(void)
{
    netsnmp_log_handler *handler = netsnmp_register_loghandler(NETSNMP_LOGHANDLER_NONE, LOG_DEBUG);

    if (handler != NULL)
        handler->handler = on_log;
}

static void
set_defaults(void)
{
    static const int library[] = {NETSNMP_DS_LIB_DONT_PERSIST_STATE, NETSNMP_DS_LIB_DONT_READ_CONFIGS,
                                  NETSNMP_DS_LIB_DONT_LOAD_HOST_FILES};
    static const int agent[] = {NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS,
                                NETSNMP_DS_AGENT_DONT_LOG_TCPWRAPPERS_CONNECTS};

    (void)setenv("MIBS", "", 1); /* no MIB files are parsed */
    for (size_t i = 0; i < sizeof library / sizeof library[0]; i++)
        (void)netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, library[i], 1);
    for (size_t i = 0; i < sizeof agent / sizeof agent[0]; i++)
        (void)netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, agent[i], 1);
    (void)netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_PORTS, "none"); /* listen.h */
}

/* The order matters; each step that is out of place fails silently somewhere else. */
int
sa_library_set_up(const struct sa_agent_def *def)
{
    netsnmp_session first;
    int r = 0;

    set_up_log();
    set_defaults();
    snmp_sess_init(&first); /* the transports, which ours joins */
    (void)snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SESSION_INIT, on_session_init, NULL);
    if (def->mode == SA_AGENT_SUBAGENT) {
        netsnmp_enable_subagent();
        r = sa_master_link_set_up(def->master);
    }
    if (r == 0 && def->mode != SA_AGENT_NO_AGENT && init_agent(APPLICATION) != 0)
        r = -EIO;
    if (r < 0)
        return r;
    if (def->mode == SA_AGENT_STANDALONE) {
        init_usmUser();
        init_vacm_vars();
        init_vacm_conf();
    }
    /* The SNMP thread connects, and sees to it that the master is there. */
    (void)netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, 0);
    (void)snmp_unregister_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_POST_READ_CONFIG, subagent_startup,
                                   NULL, 1);
    init_snmp(APPLICATION);
    return 0;
}

void
sa_library_read_access(const char *path)
{
    char line[1024];
    FILE *file = fopen(path, "re");
    unsigned n = 0;

    if (file == NULL) {
        sa_log(LOG_ERR, "snmp", "cannot read %s: %s; nobody may read the MIB", path, strerror(errno));
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[strspn(line, " \t")] == '\0' || line[strspn(line, " \t")] == '#')
            continue;
        (void)netsnmp_config(line);
        n++;
    }
    (void)fclose(file);
    if (n == 0)
        sa_log(LOG_WARNING, "snmp", "%s grants nothing, so nobody may read the MIB", path);
}

void
sa_library_shut_down(void)
{
    snmp_shutdown(APPLICATION);
    sa_master_link_done();
}
