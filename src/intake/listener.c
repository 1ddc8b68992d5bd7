#include "bind.h"
#include "condition.h"
#include "connections.h"
#include "lang.h"
#include "record.h"
#include "senders.h"
#include "turn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH          16    /* datagrams taken in one call */
#define DATAGRAM_BYTES 65536 /* the most that UDP carries; a unix socket may carry more */
#define RECEIVE_BUFFER (8 << 20)

struct sa_listener {
    struct sa_intake_host host;
    const char *spec;
    struct sa_senders senders;
    struct sa_bound bound; /* fd -1: not open */
    void *stream;          /* NULL: not made yet */
    char *record;          /* of one message, SA_RECORD_ROOM of the longest */
    /* Datagrams. */
    struct sa_watch *readable;
    char *datagrams;       /* BATCH times datagram_bytes */
    size_t datagram_bytes; /* one more than the longest that is read whole */
    size_t lengths[BATCH]; /* of those that were taken */
    bool refused[BATCH];   /* their senders are not allowed */
    int n_taken, n_read;   /* those behind n_read wait for the next turn */
    uint32_t dropped;      /* by the kernel, as it last said */
    /* TCP. */
    struct sa_connections *connections;
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
        listener->host.events->lost(listener->host.arg, dropped - listener->dropped,
                                    N_("the kernel dropped datagrams, the socket buffer was full"));
    listener->dropped = dropped;
}

/* Takes what is there, at most BATCH; returns how many. */
static int
take_datagrams(struct sa_listener *listener)
{
    struct mmsghdr messages[BATCH] = {0};
    struct iovec parts[BATCH];
    struct sockaddr_storage from[BATCH];
    bool limited = sa_senders_are_limited(&listener->senders);
    _Alignas(struct cmsghdr) char controls[BATCH][64];
    int n;

    for (unsigned i = 0; i < BATCH; i++) {
        parts[i] =
            (struct iovec){listener->datagrams + i * listener->datagram_bytes, listener->datagram_bytes};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
                                              .msg_iovlen = 1,
                                              .msg_name = limited ? &from[i] : NULL,
                                              .msg_namelen = limited ? sizeof from[i] : 0,
                                              .msg_control = controls[i],
                                              .msg_controllen = sizeof controls[i]};
    }
    n = recvmmsg(listener->bound.fd, messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        note_drops(listener, &messages[i].msg_hdr);
        listener->refused[i] =
            limited && !sa_senders_allow(&listener->senders, (const struct sockaddr *)&from[i]);
        listener->lengths[i] = messages[i].msg_len;
    }
    listener->n_read = 0;
    listener->n_taken = n > 0 ? n : 0;
    return listener->n_taken;
}

/* Reads what was taken, as far as the turn allows. */
static void
read_datagrams(struct sa_listener *listener, const struct sa_turn *turn)
{
    while (listener->n_read < listener->n_taken && (turn == NULL || !sa_turn_is_over(turn))) {
        int i = listener->n_read++;

        if (!listener->refused[i])
            on_message(listener, listener->datagrams + (size_t)i * listener->datagram_bytes,
                       listener->lengths[i]);
    }
}

static void
on_datagrams(void *arg)
{
    struct sa_listener *listener = arg;
    struct sa_turn turn = sa_turn_begin();

    if (listener->n_read == listener->n_taken && take_datagrams(listener) == 0)
        return;
    read_datagrams(listener, &turn);
    if (listener->n_read < listener->n_taken)
        sa_watch_activate(listener->readable);
    listener->host.events->read_some(listener->host.arg);
}

static void
ask_for_buffer(int fd)
{
    int bytes = RECEIVE_BUFFER, yes = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == -1)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &yes, sizeof yes);
}

/* What was there before the socket lost its path is read; who still sends to it learns that it is closed. */
static void
retire(struct sa_listener *listener)
{
    listener->readable = sa_watch_free(listener->readable);
    listener->connections = sa_connections_free(listener->connections);
    if (listener->bound.fd == -1)
        return;
    (void)shutdown(listener->bound.fd, SHUT_RD);
    read_datagrams(listener, NULL);
    while (listener->bound.path != NULL && take_datagrams(listener) > 0)
        read_datagrams(listener, NULL);
    sa_bound_release(&listener->bound);
}

static int
serve(struct sa_listener *listener)
{
    ask_for_buffer(listener->bound.fd);
    listener->dropped = 0;
    if (listener->bound.type == SOCK_STREAM)
        listener->connections =
            sa_connections_new(&listener->host, listener->bound.fd, &listener->senders, on_message, listener);
    else
        listener->readable = sa_loop_input(listener->host.loop, listener->bound.fd, on_datagrams, listener);
    if (listener->connections != NULL || listener->readable != NULL)
        return 0;
    sa_bound_release(&listener->bound);
    return -ENOMEM;
}

static void
open_address(struct sa_listener *listener)
{
    struct sa_bound bound;
    const char *why;
    bool again = listener->bound.fd != -1;
    int r = sa_bound_open(listener->spec, &bound, &why);

    if (r == 0) {
        retire(listener);
        listener->bound = bound;
        r = serve(listener);
    }
    if (r == 0 && again)
        listener->host.events->note(listener->host.arg,
                                    "the socket's file was removed or replaced, listening at a new one");
    sa_intake_tell(&listener->host, r, why);
}

void
sa_listener_look(struct sa_listener *listener)
{
    const char *why = NULL;
    int r = listener->bound.fd == -1 ? -ESTALE : sa_bound_check(&listener->bound, &why);

    if (r == -ESTALE)
        open_address(listener);
    else if (r < 0 || listener->connections == NULL)
        sa_intake_tell(&listener->host, r, why);
    if (listener->connections != NULL && r != -EADDRNOTAVAIL)
        sa_connections_look(listener->connections);
    sa_senders_look(&listener->senders);
}

struct sa_listener *
sa_listener_new(const struct sa_intake_host *host, const char *spec)
{
    struct sa_listener *listener = calloc(1, sizeof *listener);
    size_t longest = host->line_limit > DATAGRAM_BYTES ? host->line_limit : DATAGRAM_BYTES;

    if (listener == NULL)
        return NULL;
    listener->host = *host;
    listener->senders.host = &listener->host;
    listener->spec = spec;
    listener->bound.fd = -1;
    listener->datagram_bytes = longest + 1;
    listener->record = malloc(SA_RECORD_ROOM(longest + 1));
    listener->stream = host->events->opened(host->arg);
    if (strncmp(spec, "tcp:", 4) != 0)
        listener->datagrams = malloc(BATCH * listener->datagram_bytes);
    if (listener->record == NULL || listener->stream == NULL ||
        (listener->datagrams == NULL && strncmp(spec, "tcp:", 4) != 0))
        return sa_listener_close(listener);
    return listener;
}

struct sa_listener *
sa_listener_close(struct sa_listener *listener)
{
    if (listener == NULL)
        return NULL;
    retire(listener);
    if (listener->stream != NULL)
        listener->host.events->closed(listener->host.arg, listener->stream);
    free(listener->datagrams);
    free(listener->record);
    free(listener);
    return NULL;
}
