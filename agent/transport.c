#include "transport.h"
#include "clock.h"
#include "guard.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEER_WAIT_MS 100 /* how long a peer that does not read may keep this thread from the others */

/* Kept in the data of net-snmp's structure, which frees it. */
struct link {
    enum sa_transport_loss loss;
    struct sa_endpoint to; /* of datagrams */
    struct sa_guard guard; /* of what comes on a connection */
    bool connecting;
    int error;
};

static struct link *
link_of(const netsnmp_transport *transport)
{
    return transport->data;
}

static int
on_receive(netsnmp_transport *transport, void *buf, int size, void **opaque, int *olength)
{
    struct link *link = link_of(transport);
    ssize_t n = recv(transport->sock, buf, (size_t)size, MSG_DONTWAIT);
    enum sa_guard_kind kind = link->loss == SA_TRANSPORT_STRICT ? SA_GUARD_AGENTX : SA_GUARD_SNMP;

    *opaque = NULL;
    *olength = 0;
    if (n <= 0 || (transport->flags & NETSNMP_TRANSPORT_FLAG_STREAM) == 0 ||
        sa_guard_pass(&link->guard, kind, buf, (size_t)n) == 0)
        return (int)n;
    link->error = EMSGSIZE;
    return -1;
}

/* Waits until there is room in the socket; false: not in time. */
static bool
wait_for_room(int sock, int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms - sa_clock_now().mono_ms;
    struct pollfd wanted = {.fd = sock, .events = POLLOUT};

    return left_ms > 0 && poll(&wanted, 1, (int)left_ms) == 1;
}

static int
send_all(netsnmp_transport *transport, const char *buf, size_t size, int wait_ms)
{
    int64_t deadline_ms = sa_clock_now().mono_ms + wait_ms;
    size_t sent = 0;

    while (sent < size) {
        ssize_t n = send(transport->sock, buf + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0)
            sent += (size_t)n;
        else if (errno != EAGAIN || !wait_for_room(transport->sock, deadline_ms))
            return -errno;
    }
    return 0;
}

/* A datagram, or a message on a connection that has to take it whole. */
static int
send_at_once(netsnmp_transport *transport, const char *buf, size_t size)
{
    struct link *link = link_of(transport);
    bool stream = (transport->flags & NETSNMP_TRANSPORT_FLAG_STREAM) != 0;
    ssize_t n = sendto(transport->sock, buf, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                       stream ? NULL : &link->to.to.any, stream ? 0 : link->to.len);

    if (n < 0)
        return -errno;
    return (size_t)n == size ? 0 : -ENOBUFS;
}

/* Half a message on a connection makes the rest of it unreadable: it is ended, which its reader sees. */
static int
on_send(netsnmp_transport *transport, const void *buf, int size, void **opaque, int *olength)
{
    struct link *link = link_of(transport);
    bool strict = link->loss == SA_TRANSPORT_STRICT;
    int r;

    (void)opaque;
    (void)olength;
    if (transport->sock == -1) /* what is sent again while there is no connection */
        return strict ? -1 : size;
    r = strict ? send_all(transport, buf, (size_t)size, SA_TRANSPORT_WAIT_MS)
               : send_at_once(transport, buf, (size_t)size);
    link->error = -r;
    if (r < 0 && (transport->flags & NETSNMP_TRANSPORT_FLAG_STREAM) != 0)
        (void)shutdown(transport->sock, SHUT_RDWR);
    return r < 0 && strict ? -1 : size;
}

int
sa_transport_send_or_end(netsnmp_transport *transport, const void *buf, int size, void **opaque, int *olength)
{
    (void)opaque;
    (void)olength;
    if (send_all(transport, buf, (size_t)size, PEER_WAIT_MS) == 0)
        return size;
    (void)shutdown(transport->sock, SHUT_RDWR);
    return -1;
}

static int
on_close(netsnmp_transport *transport)
{
    if (transport->sock != -1)
        (void)close(transport->sock);
    transport->sock = -1;
    link_of(transport)->connecting = false;
    return 0;
}

netsnmp_transport *
sa_transport_new(enum sa_transport_loss loss)
{
    netsnmp_transport *transport = calloc(1, sizeof *transport);
    struct link *link = calloc(1, sizeof *link);

    if (transport == NULL || link == NULL) {
        free(transport);
        free(link);
        return NULL;
    }
    link->loss = loss;
    transport->data = link;
    transport->data_length = (int)sizeof *link;
    transport->sock = -1;
    transport->msgMaxSize = SNMP_MAX_PACKET_LEN;
    transport->f_recv = on_receive;
    transport->f_send = on_send;
    transport->f_close = on_close;
    return transport;
}

/* Binding to an interface and connecting, as far as that goes without waiting. */
static int
begin(netsnmp_transport *transport, const char *interface)
{
    struct link *link = link_of(transport);

    if (interface[0] != '\0' && setsockopt(transport->sock, SOL_SOCKET, SO_BINDTODEVICE, interface,
                                           (socklen_t)strlen(interface) + 1) == -1)
        return -errno;
    if ((transport->flags & NETSNMP_TRANSPORT_FLAG_STREAM) == 0)
        return 0;
    if (connect(transport->sock, &link->to.to.any, link->to.len) == 0)
        return 0;
    link->connecting = errno == EINPROGRESS;
    return link->connecting ? 0 : -errno;
}

int
sa_transport_open(netsnmp_transport *transport, enum sa_address_kind kind, const struct sa_endpoint *endpoint,
                  const char *interface)
{
    struct link *link = link_of(transport);
    bool datagrams = kind == SA_ADDRESS_UDP;
    int r;

    (void)on_close(transport);
    link->to = *endpoint;
    link->guard = (struct sa_guard){0};
    link->error = 0;
    transport->flags = datagrams ? 0 : NETSNMP_TRANSPORT_FLAG_STREAM;
    transport->sock = socket(endpoint->to.any.sa_family,
                             (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (transport->sock == -1)
        return -errno;
    r = begin(transport, interface);
    if (r < 0)
        (void)on_close(transport);
    return r;
}

int
sa_transport_connect(netsnmp_transport *transport, int wait_ms)
{
    struct link *link = link_of(transport);
    struct pollfd decided = {.fd = transport->sock, .events = POLLOUT};
    socklen_t len = sizeof(int);
    int error = 0;

    if (transport->sock == -1)
        return -ENOTCONN;
    if (!link->connecting)
        return 0;
    if (poll(&decided, 1, wait_ms) == 0)
        return -EINPROGRESS;
    if (getsockopt(transport->sock, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
        error = errno;
    link->connecting = false;
    if (error != 0)
        (void)on_close(transport);
    return -error;
}

bool
sa_transport_connecting(const netsnmp_transport *transport)
{
    return link_of(transport)->connecting;
}

void
sa_transport_close(netsnmp_transport *transport)
{
    (void)on_close(transport);
}

int
sa_transport_error(const netsnmp_transport *transport)
{
    return link_of(transport)->error;
}
