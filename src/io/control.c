#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS       (SA_CONTROL_OF_OTHERS + 2 * SA_CONTROL_OF_USER) /* root and the own user besides */
#define QUEUE         64 /* that the kernel keeps until they are accepted */
#define REQUEST_BYTES 4096
#define RETRY_MS      1000

struct client {
    struct sa_control *control;
    int fd;          /* -1: free */
    uint64_t number; /* in order of arrival */
    struct sa_caller caller;
    struct sa_watch *readable, *writable;
    char request[REQUEST_BYTES];
    size_t request_len;
    char *answer; /* what is still to be written, owned */
    size_t answer_len, answer_sent;
};

struct sa_control {
    struct sa_loop *loop;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    int fd;     /* listening; -1: not */
    bool bound; /* its socket is at the path, under this number */
    dev_t dev;
    ino_t ino;
    struct sa_watch *acceptable, *retry;
    sa_control_fn fn;
    void *arg;
    struct client clients[CLIENTS];
    uint64_t accepted;
};

static void
drop_client(struct client *client)
{
    client->readable = sa_watch_free(client->readable);
    client->writable = sa_watch_free(client->writable);
    (void)close(client->fd);
    client->fd = -1;
    free(client->answer);
    client->answer = NULL;
}

/* Answers the first request that is complete; one at a time, the next waits until the answer is written. */
static void
serve(struct client *client)
{
    char *end = memchr(client->request, '\n', client->request_len);

    if (end == NULL) {
        if (client->request_len == sizeof client->request)
            drop_client(client); /* no request is that long */
        return;
    }
    client->answer = sa_protocol_answer(client->request, (size_t)(end - client->request), &client->caller,
                                        client->control->fn, client->control->arg);
    if (client->answer == NULL) {
        drop_client(client);
        return;
    }
    client->answer_len = strlen(client->answer);
    client->answer_sent = 0;
    end++;
    client->request_len -= (size_t)(end - client->request);
    memmove(client->request, end, client->request_len);
    sa_watch_pause(client->readable);
    sa_watch_resume(client->writable);
}

static void
on_writable(void *arg)
{
    struct client *client = arg;
    ssize_t n = send(client->fd, client->answer + client->answer_sent,
                     client->answer_len - client->answer_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n == -1) {
        drop_client(client);
        return;
    }
    client->answer_sent += (size_t)n;
    if (client->answer_sent < client->answer_len)
        return;
    free(client->answer);
    client->answer = NULL;
    sa_watch_pause(client->writable);
    sa_watch_resume(client->readable);
    serve(client);
}

static void
on_readable(void *arg)
{
    struct client *client = arg;
    ssize_t n = recv(client->fd, client->request + client->request_len,
                     sizeof client->request - client->request_len, MSG_DONTWAIT);

    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop_client(client);
        return;
    }
    client->request_len += (size_t)n;
    serve(client);
}

static bool
is_of_user(const struct client *client, const struct sa_caller *caller)
{
    return client->caller.uid == caller->uid;
}

/* Together, whoever they are. */
static bool
is_of_others(const struct client *client, const struct sa_caller *caller)
{
    return !client->caller.may_act && !caller->may_act;
}

/* Makes room for a newcomer under a limit of those that `counts` tells. */
static void
keep_limit(struct sa_control *control, const struct sa_caller *caller, unsigned limit,
           bool (*counts)(const struct client *, const struct sa_caller *))
{
    struct client *oldest = NULL;
    unsigned n = 0;

    for (size_t i = 0; i < CLIENTS; i++) {
        struct client *client = &control->clients[i];

        if (client->fd == -1 || !counts(client, caller))
            continue;
        n++;
        if (oldest == NULL || client->number < oldest->number)
            oldest = client;
    }
    if (n >= limit && oldest != NULL)
        drop_client(oldest);
}

/* A free place: under both limits there is one. */
static struct client *
client_place(struct sa_control *control, const struct sa_caller *caller)
{
    size_t i = 0;

    keep_limit(control, caller, SA_CONTROL_OF_USER, is_of_user);
    keep_limit(control, caller, SA_CONTROL_OF_OTHERS, is_of_others);
    while (i < CLIENTS - 1 && control->clients[i].fd != -1)
        i++;
    return &control->clients[i];
}

static void
on_retry(void *arg)
{
    struct sa_control *control = arg;

    if (control->acceptable != NULL)
        sa_watch_resume(control->acceptable);
}

/* Who is at the other end; nobody, if the kernel does not say. */
static struct sa_caller
caller_of(int fd)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
        return (struct sa_caller){.uid = (uid_t)-1};
    return (struct sa_caller){peer.uid, peer.pid, peer.uid == 0 || peer.uid == geteuid()};
}

static void
on_acceptable(void *arg)
{
    struct sa_control *control = arg;
    int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct sa_caller caller;
    struct client *client;

    if (fd == -1) {
        if (errno == EMFILE || errno == ENFILE) { /* the connection stays pending: do not spin on it */
            sa_watch_pause(control->acceptable);
            sa_watch_arm(control->retry, RETRY_MS);
        }
        return;
    }
    caller = caller_of(fd);
    client = client_place(control, &caller);
    *client = (struct client){.control = control, .fd = fd, .number = ++control->accepted, .caller = caller};
    client->readable = sa_loop_readable(control->loop, fd, on_readable, client);
    client->writable = sa_loop_writable(control->loop, fd, on_writable, client);
    if (client->readable == NULL || client->writable == NULL)
        drop_client(client);
}

/* A socket file that nobody answers at is a leftover. */
static int
bind_path(int fd, const struct sockaddr_un *address)
{
    struct stat status;
    int probe, r;

    if (bind(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return -errno;
    if (lstat(address->sun_path, &status) == -1 || !S_ISSOCK(status.st_mode))
        return -EEXIST; /* somebody's file */
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe == -1)
        return -errno;
    r = connect(probe, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN
            ? -EADDRINUSE
            : 0;
    (void)close(probe);
    if (r < 0)
        return r;
    (void)unlink(address->sun_path);
    return bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : -errno;
}

/* /run/sipalert may be missing when the daemon is started by hand. */
static void
make_parent(const char *path)
{
    char parent[sizeof((struct sockaddr_un *)0)->sun_path];
    char *slash;

    (void)snprintf(parent, sizeof parent, "%s", path);
    slash = strrchr(parent, '/');
    if (slash != NULL && slash != parent) {
        *slash = '\0';
        (void)mkdir(parent, 0750);
    }
}

/* A listening socket at the path.  Returns 0 or negative errno. */
static int
listen_at_path(struct sa_control *control)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    mode_t mask;
    int r;

    memcpy(address.sun_path, control->path, strlen(control->path));
    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->fd == -1)
        return -errno;
    mask = umask(0027); /* the group may look: 0750 for the directory */
    make_parent(control->path);
    (void)umask(0117); /* and 0660 for the socket, both from the first moment */
    r = bind_path(control->fd, &address);
    (void)umask(mask);
    if (r < 0)
        return r;
    control->bound = true; /* from here on the file is ours to remove */
    if (lstat(control->path, &status) == -1 || listen(control->fd, QUEUE) == -1)
        return -errno;
    control->dev = status.st_dev;
    control->ino = status.st_ino;
    control->acceptable = sa_loop_readable(control->loop, control->fd, on_acceptable, control);
    return control->acceptable == NULL ? -ENOMEM : 0;
}

static void
stop_listening(struct sa_control *control)
{
    control->acceptable = sa_watch_free(control->acceptable);
    if (control->fd != -1)
        (void)close(control->fd);
    control->fd = -1;
    control->bound = false;
}

int
sa_control_open(struct sa_loop *loop, const char *path, sa_control_fn fn, void *arg,
                struct sa_control **ret_control)
{
    struct sa_control *control;
    int r;

    if (strlen(path) >= sizeof control->path)
        return -ENAMETOOLONG;
    control = calloc(1, sizeof *control);
    if (control == NULL)
        return -ENOMEM;
    control->loop = loop;
    control->fn = fn;
    control->arg = arg;
    memcpy(control->path, path, strlen(path) + 1);
    for (size_t i = 0; i < CLIENTS; i++)
        control->clients[i].fd = -1;
    control->retry = sa_loop_timer(loop, on_retry, control);
    r = control->retry == NULL ? -ENOMEM : listen_at_path(control);
    if (r < 0) {
        (void)sa_control_close(control);
        return r;
    }
    *ret_control = control;
    return 0;
}

/* Whether the socket at the path is still ours: somebody may have removed it, and made something else. */
static bool
is_at_path(const struct sa_control *control)
{
    struct stat status;

    return control->bound && lstat(control->path, &status) == 0 && status.st_dev == control->dev &&
           status.st_ino == control->ino;
}

int
sa_control_look(struct sa_control *control)
{
    int r;

    if (is_at_path(control))
        return 0;
    stop_listening(control);
    r = listen_at_path(control);
    if (r < 0)
        stop_listening(control);
    return r < 0 ? r : 1;
}

struct sa_control *
sa_control_close(struct sa_control *control)
{
    if (control == NULL)
        return NULL;
    for (size_t i = 0; i < CLIENTS; i++)
        if (control->clients[i].fd != -1)
            drop_client(&control->clients[i]);
    (void)sa_watch_free(control->retry);
    if (is_at_path(control))
        (void)unlink(control->path);
    stop_listening(control);
    free(control);
    return NULL;
}
