#include "framing.h"
#include "intake.h"
#include "record.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BATCH          16    /* datagrams taken in one call */
#define DATAGRAM_BYTES 65536 /* the most that UDP carries */
#define RECEIVE_BUFFER (8 << 20)
#define CONNECTIONS    64
#define RETRY_MS       1000

struct connection {
    struct sa_listener *listener;
    int fd; /* -1: free */
    uint64_t number;
    struct sa_watch *readable;
    struct sa_framing framing;
};

struct sa_listener {
    struct sa_intake_host host;
    int fd, type;
    struct sa_watch *readable, *retry;
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* of a unix socket, ours to remove */
    void *stream;
    uint32_t dropped; /* by the kernel, as it last said */
    uint64_t accepted;
    struct connection connections[CONNECTIONS];
    char *datagrams; /* BATCH times DATAGRAM_BYTES */
    char *record;
};

static void
on_message(void *arg, const char *message, size_t len)
{
    struct sa_listener *listener = arg;
    size_t n = sa_intake_record(listener->record, message, len);

    listener->host.events->lines(listener->host.arg, listener->stream, listener->record, n, false);
}

/* SO_RXQ_OVFL: how many datagrams the kernel has dropped since the socket was made. */
static void
note_drops(struct sa_listener *listener, struct msghdr *header)
{
    uint32_t dropped = listener->dropped;

    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
         control = CMSG_NXTHDR(header, control))
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_RXQ_OVFL)
            memcpy(&dropped, CMSG_DATA(control), sizeof dropped);
    if (dropped != listener->dropped)
        listener->host.events->lost(listener->host.arg, listener->host.source, dropped - listener->dropped,
                                    "the kernel dropped datagrams, the socket buffer was full");
    listener->dropped = dropped;
}

static void
on_datagrams(void *arg)
{
    struct sa_listener *listener = arg;
    struct mmsghdr messages[BATCH] = {0};
    struct iovec parts[BATCH];
    _Alignas(struct cmsghdr) char controls[BATCH][64];
    int n;

    for (unsigned i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){listener->datagrams + (size_t)i * DATAGRAM_BYTES, DATAGRAM_BYTES};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
                                              .msg_iovlen = 1,
                                              .msg_control = controls[i],
                                              .msg_controllen = sizeof controls[i]};
    }
    n = recvmmsg(listener->fd, messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        note_drops(listener, &messages[i].msg_hdr);
        on_message(listener, parts[i].iov_base, messages[i].msg_len);
    }
    if (n > 0)
        listener->host.events->read_some(listener->host.arg);
}

static void
drop_connection(struct connection *connection)
{
    if (connection->fd == -1)
        return;
    connection->readable = sa_watch_free(connection->readable);
    (void)sa_framing_end(&connection->framing, on_message, connection->listener);
    sa_framing_done(&connection->framing);
    (void)close(connection->fd);
    connection->fd = -1;
}

static void
on_stream(void *arg)
{
    struct connection *connection = arg;
    struct sa_listener *listener = connection->listener;
    ssize_t n = recv(connection->fd, listener->datagrams, DATAGRAM_BYTES, MSG_DONTWAIT);

    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        drop_connection(connection);
    else
        sa_framing_feed(&connection->framing, listener->datagrams, (size_t)n, on_message, listener);
    listener->host.events->read_some(listener->host.arg);
}

/* A free place; when all are taken the one that has been there longest gives way. */
static struct connection *
connection_place(struct sa_listener *listener)
{
    struct connection *oldest = &listener->connections[0];

    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (listener->connections[i].fd == -1)
            return &listener->connections[i];
        if (listener->connections[i].number < oldest->number)
            oldest = &listener->connections[i];
    }
    drop_connection(oldest);
    return oldest;
}

static void
on_retry(void *arg)
{
    struct sa_listener *listener = arg;

    sa_watch_resume(listener->readable);
}

static void
on_acceptable(void *arg)
{
    struct sa_listener *listener = arg;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct connection *connection;

    if (fd == -1) {
        if (errno == EMFILE || errno == ENFILE) { /* it stays pending: do not spin on it */
            sa_watch_pause(listener->readable);
            sa_watch_arm(listener->retry, RETRY_MS);
        }
        return;
    }
    connection = connection_place(listener);
    *connection = (struct connection){.listener = listener, .fd = fd, .number = ++listener->accepted};
    sa_framing_init(&connection->framing, DATAGRAM_BYTES);
    connection->readable = sa_loop_readable(listener->host.loop, fd, on_stream, connection);
    if (connection->readable == NULL)
        drop_connection(connection);
}

static int
bind_unix(struct sa_listener *listener, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;

    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    listener->type = SOCK_DGRAM;
    listener->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd == -1)
        return -errno;
    if (lstat(path, &status) == 0 &&
        S_ISSOCK(status.st_mode)) /* the state directory's lock keeps others out */
        (void)unlink(path);
    if (bind(listener->fd, (const struct sockaddr *)&address, sizeof address) == -1)
        return -errno;
    memcpy(listener->path, path, strlen(path) + 1);
    return chmod(path, 0666) == 0 ? 0 : -errno; /* as /dev/log: whoever logs may write */
}

static int
bind_inet(struct sa_listener *listener, const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_socktype = listener->type};
    struct addrinfo *address = NULL;
    int yes = 1, r = 0;

    if (getaddrinfo(host, port, &hints, &address) != 0)
        return -EINVAL;
    listener->fd =
        socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);
    if (listener->fd == -1)
        r = -errno;
    if (r == 0 && listener->type == SOCK_STREAM)
        (void)setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (r == 0 && bind(listener->fd, address->ai_addr, address->ai_addrlen) == -1)
        r = -errno;
    if (r == 0 && listener->type == SOCK_STREAM && listen(listener->fd, CONNECTIONS) == -1)
        r = -errno;
    freeaddrinfo(address);
    return r;
}

/* "udp:HOST:PORT", "tcp:[HOST]:PORT", "unix:/PATH" */
static int
bind_spec(struct sa_listener *listener, const char *spec)
{
    char host[256];
    const char *port = strrchr(spec, ':'), *start = spec + 4;
    size_t len;

    if (strncmp(spec, "unix:", 5) == 0)
        return bind_unix(listener, spec + 5);
    if (strncmp(spec, "udp:", 4) != 0 && strncmp(spec, "tcp:", 4) != 0)
        return -EINVAL;
    listener->type = spec[0] == 'u' ? SOCK_DGRAM : SOCK_STREAM;
    if (port == NULL || port < start)
        return -EINVAL;
    len = (size_t)(port - start);
    if (len >= 2 && start[0] == '[' && start[len - 1] == ']') {
        start++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof host)
        return -EINVAL;
    memcpy(host, start, len);
    host[len] = '\0';
    return bind_inet(listener, host, port + 1);
}

static void
ask_for_buffer(int fd)
{
    int bytes = RECEIVE_BUFFER, yes = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == -1)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &yes, sizeof yes);
}

int
sa_listener_open(const struct sa_intake_host *host, const char *spec, struct sa_listener **ret_listener)
{
    struct sa_listener *listener = calloc(1, sizeof *listener);
    int r;

    if (listener == NULL)
        return -ENOMEM;
    listener->host = *host;
    listener->fd = -1;
    for (size_t i = 0; i < CONNECTIONS; i++)
        listener->connections[i].fd = -1;
    listener->datagrams = malloc((size_t)BATCH * DATAGRAM_BYTES);
    listener->record = malloc(SA_RECORD_ROOM(DATAGRAM_BYTES));
    listener->stream = host->events->opened(host->arg, host->source);
    r = listener->datagrams == NULL || listener->record == NULL || listener->stream == NULL
            ? -ENOMEM
            : bind_spec(listener, spec);
    if (r == 0) {
        ask_for_buffer(listener->fd);
        listener->retry = sa_loop_timer(host->loop, on_retry, listener);
        listener->readable = sa_loop_readable(
            host->loop, listener->fd, listener->type == SOCK_DGRAM ? on_datagrams : on_acceptable, listener);
        r = listener->readable == NULL || listener->retry == NULL ? -ENOMEM : 0;
    }
    if (r < 0) {
        (void)sa_listener_close(listener);
        return r;
    }
    host->events->state(host->arg, host->source, SA_SOURCE_FOLLOWING, "");
    *ret_listener = listener;
    return 0;
}

struct sa_listener *
sa_listener_close(struct sa_listener *listener)
{
    if (listener == NULL)
        return NULL;
    for (size_t i = 0; i < CONNECTIONS; i++)
        drop_connection(&listener->connections[i]);
    (void)sa_watch_free(listener->readable);
    (void)sa_watch_free(listener->retry);
    if (listener->stream != NULL)
        listener->host.events->closed(listener->host.arg, listener->stream);
    if (listener->fd != -1)
        (void)close(listener->fd);
    if (listener->path[0] != '\0')
        (void)unlink(listener->path);
    free(listener->datagrams);
    free(listener->record);
    free(listener);
    return NULL;
}
