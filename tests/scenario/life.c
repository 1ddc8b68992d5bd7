#include "life.h"
#include "agent.h"
#include "config.h"
#include "daemon.h"
#include "fake_time.h"
#include "log.h"
#include "mailbox.h"
#include "scribe.h"
#include "store.h"
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMIT_WAIT_MS 20000

/* What the player asks of the process, one datagram each; it is at rest again when the order is carried out.
 */
enum order_kind { PASS, SNMP, WALL, TERMINATE };

struct order {
    enum order_kind what;
    int64_t number;
};

/* What the process says. */
struct message {
    bool at_rest; /* nothing is left to do: no item */
    struct life_item item;
};

struct life {
    pid_t pid;
    int fd;
    struct life_options options;
};

/* ---- in the daemon's process ---- */

static int player_fd;
static int64_t born_ms;
static bool snmp_up;

static void
say(const struct message *message)
{
    if (send(player_fd, message, sizeof *message, MSG_NOSIGNAL) == -1)
        _exit(3);
}

static void
tell(const struct life_item *item)
{
    const struct message message = {.item = *item};

    say(&message);
}

static void
put(struct life_item *item, const char *key, const char *value)
{
    struct life_field *field = &item->fields[item->n++];

    (void)sa_text_copy(field->key, sizeof field->key, key);
    (void)sa_text_copy(field->value, sizeof field->value, value);
}

static void
put_number(struct life_item *item, const char *key, int64_t number)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%" PRId64, number);
    put(item, key, text);
}

static void
tell_event(enum life_kind kind, const struct sa_alarm_event *event)
{
    static const char *const transitions[] = {
        [SA_RAISED] = "raised", [SA_CLEARED] = "cleared",   [SA_CHANGED] = "changed",
        [SA_FAULT] = "fault",   [SA_RESTORED] = "restored", [SA_TEST] = "test"};
    const struct sa_alarm *alarm = &event->alarm;
    struct life_item item = {.kind = kind, .at_ms = fake_time_mono_ms() - born_ms};

    put(&item, "transition", transitions[event->transition]);
    put(&item, "rule", alarm->rule);
    put(&item, "severity", sa_severity_name(alarm->severity));
    put(&item, "source", alarm->source);
    put(&item, "kind", sa_alarm_kind_name(alarm->kind));
    put_number(&item, "value", alarm->value);
    put_number(&item, "total", alarm->total);
    put_number(&item, "threshold", alarm->threshold);
    put(&item, "unit", sa_unit_name(alarm->unit));
    put_number(&item, "window", alarm->window_s);
    put(&item, "codes", alarm->codes);
    put(&item, "identity", alarm->identity);
    put_number(&item, "id", alarm->id);
    put_number(&item, "sequence", event->sequence);
    put(&item, "evidence", alarm->evidence);
    put(&item, "text", alarm->text);
    put(&item, "remediation", alarm->remediation);
    tell(&item);
}

/* The syslog: it takes everything at once. */
int
sa_scribe_alarm(const struct sa_alarm_event *event)
{
    tell_event(LIFE_EVENT, event);
    return 0;
}

void
sa_scribe_line(int priority, const char *line)
{
    struct life_item item = {.kind = LIFE_LINE, .at_ms = fake_time_mono_ms() - born_ms};

    (void)priority;
    put(&item, "line", line);
    tell(&item);
}

int
sa_scribe_start(int facility, enum sa_scribe_log own_lines)
{
    (void)facility;
    (void)own_lines;
    return 0;
}

bool
sa_scribe_stop(int timeout_ms)
{
    (void)timeout_ms;
    return true;
}

enum sa_scribe_log
sa_scribe_choose(void)
{
    return SA_SCRIBE_STDERR;
}

/* The SNMP agent: while it is up each event is taken at once, otherwise it is held. */
#define HELD 64
struct sa_agent {
    struct sa_mailbox *reports[SA_AGENT_WAYS];
    struct sa_alarm_event held[SA_AGENT_WAYS][HELD];
    unsigned n_held[SA_AGENT_WAYS];
};
static struct sa_agent the_agent;

static void
hand_out(enum sa_agent_way way)
{
    unsigned n = 0;

    for (; snmp_up && n < the_agent.n_held[way]; n++) {
        const struct sa_alarm_event *event = &the_agent.held[way][n];
        const struct sa_agent_report report = {SA_AGENT_DONE, event->sequence};

        if (sa_mailbox_post(the_agent.reports[way], &report) < 0)
            break;
        tell_event(LIFE_NOTIFIED, event);
    }
    the_agent.n_held[way] -= n;
    memmove(the_agent.held[way], the_agent.held[way] + n,
            the_agent.n_held[way] * sizeof(struct sa_alarm_event));
}

int
sa_agent_start(const struct sa_agent_def *def, struct sa_board *board, struct sa_agent **ret_agent)
{
    (void)board;
    the_agent.reports[SA_AGENT_MASTER] = sa_mailbox_new(sizeof(struct sa_agent_report), HELD);
    if (def->n_receivers > 0)
        the_agent.reports[SA_AGENT_OWN] = sa_mailbox_new(sizeof(struct sa_agent_report), HELD);
    *ret_agent = &the_agent;
    return 0;
}

bool
sa_agent_stop(struct sa_agent *agent, int timeout_ms)
{
    (void)timeout_ms;
    for (unsigned way = 0; agent != NULL && way < SA_AGENT_WAYS; way++)
        agent->reports[way] = sa_mailbox_free(agent->reports[way]);
    return true;
}

int
sa_agent_post(struct sa_agent *agent, enum sa_agent_way way, const struct sa_alarm_event *event)
{
    if (agent->reports[way] == NULL || agent->n_held[way] == HELD)
        return -ENOBUFS;
    agent->held[way][agent->n_held[way]++] = *event;
    hand_out(way);
    return 0;
}

void
sa_agent_wake(struct sa_agent *agent, enum sa_agent_way way)
{
    (void)agent;
    hand_out(way);
}

struct sa_mailbox *
sa_agent_reports(struct sa_agent *agent, enum sa_agent_way way)
{
    return agent->reports[way];
}

void
sa_agent_state(const struct sa_agent *agent, struct sa_agent_state *ret_state)
{
    *ret_state = (struct sa_agent_state){.connected = agent != NULL && snmp_up};
}

/* The store commits in a thread of its own; here the disk answers before anything else happens. */
void __real_sa_store_commit(struct sa_store *store, struct sa_batch *batch, bool whole);
void __wrap_sa_store_commit(struct sa_store *store, struct sa_batch *batch, bool whole);

void
__wrap_sa_store_commit(struct sa_store *store, struct sa_batch *batch, bool whole)
{
    struct pollfd outcome = {.fd = sa_mailbox_fd(sa_store_outcomes(store)), .events = POLLIN};

    __real_sa_store_commit(store, batch, whole);
    if (poll(&outcome, 1, COMMIT_WAIT_MS) != 1)
        abort();
}

static void
set_snmp(bool up)
{
    snmp_up = up;
    for (unsigned way = 0; way < SA_AGENT_WAYS; way++)
        if (the_agent.reports[way] != NULL)
            hand_out((enum sa_agent_way)way);
}

/* The daemon is at rest: says so, and takes the next order. */
static int64_t
on_idle(void)
{
    struct order order;

    say(&(struct message){.at_rest = true});
    if (recv(player_fd, &order, sizeof order, 0) != (ssize_t)sizeof order)
        _exit(3);
    if (order.what == SNMP)
        set_snmp(order.number != 0);
    else if (order.what == WALL)
        fake_time_move_wall(order.number);
    else if (order.what == TERMINATE)
        fake_time_signal(SIGTERM);
    return fake_time_mono_ms() + (order.what == PASS ? order.number : 0);
}

/* As main.c of the daemon does it. */
static int
live(const struct life_options *options)
{
    static struct sa_config_errors errors;
    struct sa_config *config = NULL;

    (void)signal(SIGXFSZ, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    fake_time_set(options->mono_ms, options->wall_ms);
    fake_time_idle = on_idle;
    born_ms = options->mono_ms;
    snmp_up = options->snmp_up;
    if (sa_config_load(options->config, &config, &errors) < 0) {
        sa_scribe_line(LOG_ERR, errors.text);
        return 1;
    }
    (void)umask(0077);
    return sa_daemon_run(config);
}

/* ---- in the player's process ---- */

/* Hands on what the daemon says until it is at rest.  False: it is dead. */
static bool
listen_to(struct life *life)
{
    struct message message;

    while (recv(life->fd, &message, sizeof message, 0) == (ssize_t)sizeof message) {
        if (message.at_rest)
            return true;
        life->options.said(life->options.arg, &message.item);
    }
    return false;
}

static bool
give_order(struct life *life, enum order_kind what, int64_t number)
{
    const struct order order = {what, number};

    return send(life->fd, &order, sizeof order, MSG_NOSIGNAL) == (ssize_t)sizeof order && listen_to(life);
}

/* Returns whether it left by itself with 0. */
static bool
bury(struct life *life)
{
    int status = -1;

    (void)waitpid(life->pid, &status, 0);
    (void)close(life->fd);
    free(life);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct life *
life_begin(const struct life_options *options)
{
    struct life *life = calloc(1, sizeof *life);
    int fds[2];

    if (life == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
        abort();
    (void)fflush(NULL);
    life->options = *options;
    life->fd = fds[0];
    life->pid = fork();
    if (life->pid == 0) {
        (void)close(fds[0]);
        player_fd = fds[1];
        exit(live(options));
    }
    (void)close(fds[1]);
    if (life->pid != -1 && listen_to(life))
        return life;
    (void)bury(life);
    return NULL;
}

bool
life_turn(struct life *life, int64_t ms)
{
    return give_order(life, PASS, ms);
}

bool
life_set_snmp(struct life *life, bool up)
{
    return give_order(life, SNMP, up);
}

void
life_set_disk(struct life *life, bool full)
{
    const struct rlimit limit = {full ? 0 : RLIM_INFINITY, RLIM_INFINITY};

    if (prlimit(life->pid, RLIMIT_FSIZE, &limit, NULL) == -1)
        abort();
}

bool
life_move_wall(struct life *life, int64_t ms)
{
    return give_order(life, WALL, ms);
}

static char *
read_answer(struct life *life, int fd)
{
    size_t len = 0, room = 1 << 20;
    char *answer = malloc(room);
    ssize_t n;

    while (answer != NULL && len < room - 1 && life_turn(life, 0) &&
           (n = recv(fd, answer + len, room - 1 - len, MSG_DONTWAIT)) > 0) {
        len += (size_t)n;
        if (answer[len - 1] == '\n') {
            answer[len] = '\0';
            return answer;
        }
    }
    free(answer);
    return NULL;
}

char *
life_ask(struct life *life, const char *command)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char request[128], *answer = NULL;
    int n = snprintf(request, sizeof request, "{\"sipalert\":1,\"command\":\"%s\"}\n", command);

    (void)sa_text_copy(address.sun_path, sizeof address.sun_path, life->options.control);
    if (fd != -1 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, request, (size_t)n, MSG_NOSIGNAL) == n)
        answer = read_answer(life, fd);
    (void)close(fd);
    (void)life_turn(life, 0); /* that the client has left */
    return answer;
}

void
life_kill(struct life *life)
{
    (void)kill(life->pid, SIGKILL);
    (void)bury(life);
}

bool
life_stop(struct life *life)
{
    if (give_order(life, TERMINATE, 0)) /* it did not end */
        (void)kill(life->pid, SIGKILL);
    return bury(life);
}
