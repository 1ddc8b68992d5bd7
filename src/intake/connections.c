#include "connections.h"
#include "clock.h"
#include "condition.h"
#include "lang.h"
#include "text.h"
#include "turn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES   65536
#define DRAIN_READS  128   /* slices of a connection that is cut off: more than its socket buffer holds */
#define TURN         64    /* connections accepted in one turn of the loop */
#define SPEAKING_MS  1000  /* who said something so lately, or came so lately, is in the middle of it */
#define CHANCE_MS    5000  /* who was asked to go has so long to do it, after the last byte */
#define WAIT_MS      5000  /* newcomers wait so long before one of those that are speaking has to go */
#define RETRY_MS     250   /* while newcomers wait */
#define TOLD_MS      60000 /* between two log lines about closed connections */
#define SPARE        32    /* descriptors that are left to the rest of the daemon */
#define IDLE_PROBE_S 300   /* a peer that is gone without a word is found after some such time */

struct connection {
    struct sa_connections *owner;
    TAILQ_ENTRY(connection) entry;
    int fd;
    bool spoke;
    bool asked;      /* to go */
    int64_t last_ms; /* when the last byte came, or it was asked to go, or it came itself */
    struct sa_watch *readable;
    struct sa_framing framing;
};

TAILQ_HEAD(queue, connection);

struct sa_connections {
    struct sa_intake_host host;
    int fd;
    int next;       /* let in by the kernel, waits for a place; -1: nobody */
    int fd_ceiling; /* a descriptor from here on is one of the last */
    struct sa_watch *acceptable, *retry;
    bool waiting;               /* newcomers are left in the kernel's queue */
    int64_t waiting_since_ms;   /* 0: nobody has to wait */
    struct queue kept, leaving; /* each in the order of last_ms */
    unsigned n_kept, n_leaving;
    struct sa_senders *senders;
    sa_frame_fn fn;
    void *arg;
    uint64_t closed; /* for want of a place, not told yet */
    uint64_t cut;    /* of these, while they may have had more to say */
    int64_t told_ms;
    char buf[READ_BYTES];
};

static int64_t
now_ms(void)
{
    return sa_clock_now().mono_ms;
}

static struct queue *
queue_of(struct connection *connection)
{
    return connection->asked ? &connection->owner->leaving : &connection->owner->kept;
}

static unsigned *
length_of(struct connection *connection)
{
    return connection->asked ? &connection->owner->n_leaving : &connection->owner->n_kept;
}

static void
lose(struct sa_connections *connections, const char *why)
{
    connections->host.events->lost(connections->host.arg, 1, why);
}

/* Newcomers that wait for a place or a descriptor are looked at again. */
static void
stop_waiting(struct sa_connections *connections)
{
    if (!connections->waiting)
        return;
    connections->waiting = false;
    sa_watch_resume(connections->acceptable);
}

/* An unfinished line is taken as it is; of an unfinished counted frame there is nothing to take. */
static void
close_connection(struct connection *connection)
{
    struct sa_connections *owner = connection->owner;

    (void)sa_watch_free(connection->readable);
    if (sa_framing_end(&connection->framing, owner->fn, owner->arg))
        lose(owner, N_("a connection ended in the middle of a message"));
    sa_framing_done(&connection->framing);
    (void)close(connection->fd);
    TAILQ_REMOVE(queue_of(connection), connection, entry);
    --*length_of(connection);
    free(connection);
    stop_waiting(owner);
}

/* Returns the bytes that were read, 0 at the end of the connection, or negative errno. */
static ssize_t
read_slice(struct connection *connection)
{
    struct sa_connections *owner = connection->owner;
    ssize_t n = recv(connection->fd, owner->buf, sizeof owner->buf, MSG_DONTWAIT);

    if (n == -1)
        return -errno;
    if (n == 0)
        return 0;
    sa_framing_feed(&connection->framing, owner->buf, (size_t)n, owner->fn, owner->arg);
    connection->spoke = true;
    connection->last_ms = now_ms();
    TAILQ_REMOVE(queue_of(connection), connection, entry);
    TAILQ_INSERT_TAIL(queue_of(connection), connection, entry);
    return n;
}

static void
on_stream(void *arg)
{
    struct connection *connection = arg;
    struct sa_connections *owner = connection->owner;
    ssize_t n = read_slice(connection);

    if (n == -EAGAIN || n == -EINTR)
        return;
    if (n <= 0)
        close_connection(connection);
    owner->host.events->read_some(owner->host.arg);
}

/* The sender sees the end of the connection, and what it says until it ends its half is read. */
static void
ask_to_go(struct connection *connection)
{
    struct sa_connections *owner = connection->owner;

    (void)shutdown(connection->fd, SHUT_WR);
    TAILQ_REMOVE(&owner->kept, connection, entry);
    owner->n_kept--;
    connection->asked = true;
    connection->last_ms = now_ms();
    TAILQ_INSERT_TAIL(&owner->leaving, connection, entry);
    owner->n_leaving++;
    owner->closed++;
}

static int64_t
silent_ms(const struct connection *connection)
{
    return now_ms() - connection->last_ms;
}

/*
 * Whether it has to expect to be cut off: a stranger that never said a word, or one that was asked to go and
 * neither went nor said more.
 */
static bool
is_over(const struct connection *connection)
{
    if (!connection->spoke)
        return silent_ms(connection) >= SPEAKING_MS;
    return connection->asked && silent_ms(connection) >= CHANCE_MS;
}

/* Takes what is there, and then the place.  Who ended it by itself had nothing more to say, nor a stranger.
 */
static void
cut_off(struct connection *connection)
{
    struct sa_connections *owner = connection->owner;
    ssize_t n = 1;

    for (int i = 0; i < DRAIN_READS && n > 0; i++)
        n = read_slice(connection);
    if (!connection->asked)
        owner->closed++;
    if ((n > 0 || n == -EAGAIN) && (connection->spoke || !is_over(connection))) {
        owner->cut++;
        lose(owner, N_("a TCP sender that may have had more to say was cut off, all places were taken"));
    }
    close_connection(connection);
    owner->host.events->read_some(owner->host.arg);
}

static struct connection *
first_over(const struct queue *queue)
{
    struct connection *connection;

    TAILQ_FOREACH (connection, queue, entry)
        if (is_over(connection))
            break;
    return connection;
}

/* Who has to go: one of which nothing more is expected, in a hurry the one that has been silent longest. */
static struct connection *
choose(const struct sa_connections *connections, bool hurry)
{
    struct connection *connection = first_over(&connections->leaving);

    if (connection == NULL)
        connection = first_over(&connections->kept);
    if (connection == NULL && hurry)
        connection = TAILQ_FIRST(&connections->leaving);
    if (connection == NULL && hurry)
        connection = TAILQ_FIRST(&connections->kept);
    return connection;
}

/* Asks those that have been silent longest, as long as more than so many are kept. */
static void
ask_silent(struct sa_connections *connections, unsigned keep)
{
    struct connection *connection;

    while (connections->n_kept > keep) {
        connection = TAILQ_FIRST(&connections->kept);
        if (silent_ms(connection) < SPEAKING_MS)
            return;
        ask_to_go(connection);
    }
}

/* Cuts one off.  Returns whether there is room now; else those that could go are asked to. */
static bool
make_room(struct sa_connections *connections, bool hurry, unsigned keep)
{
    struct connection *connection = choose(connections, hurry);

    if (connection != NULL)
        cut_off(connection);
    else
        ask_silent(connections, keep);
    return connection != NULL;
}

/*
 * The last descriptors are the daemon's own: it has to save and to answer.  A connection that got one of them
 * moves to the place of one that is cut off.  Returns whether it could.
 */
static bool
spare_descriptors(struct sa_connections *connections, int *fd, bool hurry)
{
    int lower;

    if (*fd < connections->fd_ceiling)
        return true;
    if (!make_room(connections, hurry, 0))
        return false;
    lower = fcntl(*fd, F_DUPFD_CLOEXEC, 0);
    if (lower != -1) {
        (void)close(*fd);
        *fd = lower;
    }
    return true;
}

static void
watch_peer(int fd)
{
    int yes = 1, idle = IDLE_PROBE_S;

    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
}

/* Takes the descriptor. */
static int
add(struct sa_connections *connections, int fd)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (connection != NULL) {
        *connection = (struct connection){.owner = connections, .fd = fd, .last_ms = now_ms()};
        connection->readable = sa_loop_input(connections->host.loop, fd, on_stream, connection);
    }
    if (connection == NULL || connection->readable == NULL) {
        lose(connections, N_("a TCP sender could not be let in for want of memory"));
        free(connection);
        (void)close(fd);
        return -ENOMEM;
    }
    watch_peer(fd);
    sa_framing_init(&connection->framing, connections->host.line_limit + 1);
    ask_silent(connections, connections->host.max_connections - 1);
    TAILQ_INSERT_TAIL(&connections->kept, connection, entry);
    connections->n_kept++;
    return 0;
}

static bool
is_full(const struct sa_connections *connections)
{
    return connections->n_kept + connections->n_leaving >= 2 * connections->host.max_connections;
}

/* The next that is allowed is in `next`.  Returns false if nobody is left or, with an error, if the rest has
 * to wait. */
static bool
take_next(struct sa_connections *connections, bool hurry, int *ret_error)
{
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof from;
    int fd = accept4(connections->fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd == -1) {
        bool short_of_fds = errno == EMFILE || errno == ENFILE;

        if (short_of_fds && make_room(connections, hurry, 0))
            return true;
        if (short_of_fds || errno == ENOMEM || errno == ENOBUFS)
            *ret_error = -errno;
        return errno != EAGAIN && *ret_error == 0; /* other errors: this one has gone again */
    }
    if (sa_senders_allow(connections->senders, (const struct sockaddr *)&from))
        connections->next = fd;
    else
        (void)close(fd);
    return true;
}

/* Lets in one, or makes room for it.  Returns false if nobody is left or, with an error, if the rest has to
 * wait. */
static bool
accept_one(struct sa_connections *connections, bool hurry, int *ret_error)
{
    int fd;

    if (connections->next == -1 && !take_next(connections, hurry, ret_error))
        return false;
    if (connections->next == -1)
        return true;
    if (is_full(connections) && !make_room(connections, hurry, connections->host.max_connections - 1)) {
        *ret_error = -EUSERS;
        return false;
    }
    fd = connections->next;
    connections->next = -1;
    if (!spare_descriptors(connections, &fd, hurry))
        *ret_error = -EMFILE;
    if (add(connections, fd) < 0)
        *ret_error = -ENOMEM;
    return *ret_error == 0;
}

static const char *
reason(int error)
{
    if (error == -EUSERS)
        return N_("all places are taken and senders wait, raise max_connections");
    if (error == -EMFILE || error == -ENFILE)
        return N_("no descriptor is free and senders wait, raise LimitNOFILE or lower max_connections");
    return NULL;
}

/* Returns 0, or why the rest has to wait. */
static int
let_in(struct sa_connections *connections)
{
    struct sa_turn turn = sa_turn_begin();
    int64_t now = now_ms();
    bool hurry = connections->waiting_since_ms != 0 && now - connections->waiting_since_ms >= WAIT_MS;
    int error = 0;

    for (unsigned i = 0; i < TURN && !sa_turn_is_over(&turn); i++)
        if (!accept_one(connections, hurry && i == 0, &error))
            break;
    if (error == 0) {
        connections->waiting_since_ms = 0;
        return 0;
    }
    if (hurry || connections->waiting_since_ms == 0)
        connections->waiting_since_ms = now;
    connections->waiting = true;
    sa_watch_pause(connections->acceptable);
    sa_watch_arm(connections->retry, RETRY_MS);
    return error;
}

static void
tell_closed(struct sa_connections *connections)
{
    char text[256];
    int64_t now = now_ms();

    if (connections->closed == 0 || (connections->told_ms != 0 && now - connections->told_ms < TOLD_MS))
        return;
    (void)sa_text_format(text, sizeof text,
                         "connections closed to make room for others: %" PRIu64
                         " (max_connections = %u), %" PRIu64
                         " of them cut off though they may have had more to say",
                         connections->closed, connections->host.max_connections, connections->cut);
    connections->host.events->note(connections->host.arg, text);
    connections->closed = connections->cut = 0;
    connections->told_ms = now;
}

/* That newcomers have to wait is told at once, that they do not any more at the next look: no flapping. */
static void
on_acceptable(void *arg)
{
    struct sa_connections *connections = arg;
    int r = let_in(connections);

    if (r < 0)
        sa_intake_tell(&connections->host, r, reason(r));
    tell_closed(connections);
}

static void
on_retry(void *arg)
{
    stop_waiting(arg);
    on_acceptable(arg);
}

static void
rest(struct queue *queue, int64_t since_ms)
{
    struct connection *connection;

    TAILQ_FOREACH (connection, queue, entry)
        if (connection->last_ms <= since_ms)
            sa_framing_rest(&connection->framing);
}

void
sa_connections_look(struct sa_connections *connections)
{
    int64_t since_ms = now_ms() - SA_INTAKE_LOOK_MS;
    int r;

    stop_waiting(connections);
    r = let_in(connections);
    sa_intake_tell(&connections->host, r, reason(r));
    rest(&connections->kept, since_ms);
    rest(&connections->leaving, since_ms);
    tell_closed(connections);
}

static int
fd_ceiling(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur > INT_MAX)
        return INT_MAX;
    return limit.rlim_cur > 2 * SPARE ? (int)limit.rlim_cur - SPARE : (int)limit.rlim_cur / 2;
}

struct sa_connections *
sa_connections_new(const struct sa_intake_host *host, int fd, struct sa_senders *senders, sa_frame_fn fn,
                   void *arg)
{
    struct sa_connections *connections = calloc(1, sizeof *connections);

    if (connections == NULL)
        return NULL;
    connections->host = *host;
    connections->fd = fd;
    connections->next = -1;
    connections->senders = senders;
    connections->fd_ceiling = fd_ceiling();
    connections->fn = fn;
    connections->arg = arg;
    TAILQ_INIT(&connections->kept);
    TAILQ_INIT(&connections->leaving);
    connections->acceptable = sa_loop_input(host->loop, fd, on_acceptable, connections);
    connections->retry = sa_loop_timer(host->loop, on_retry, connections);
    return connections->acceptable == NULL || connections->retry == NULL ? sa_connections_free(connections)
                                                                         : connections;
}

struct sa_connections *
sa_connections_free(struct sa_connections *connections)
{
    if (connections == NULL)
        return NULL;
    connections->waiting = false;
    /* Each is taken from the queue that it is in: the analyzer does not know that `asked` says which. */
    while (!TAILQ_EMPTY(&connections->kept))
        close_connection(TAILQ_FIRST(&connections->kept)); // NOLINT(clang-analyzer-unix.Malloc)
    while (!TAILQ_EMPTY(&connections->leaving))
        close_connection(TAILQ_FIRST(&connections->leaving)); // NOLINT(clang-analyzer-unix.Malloc)
    (void)sa_watch_free(connections->acceptable);
    (void)sa_watch_free(connections->retry);
    if (connections->next != -1)
        (void)close(connections->next);
    free(connections);
    return NULL;
}
