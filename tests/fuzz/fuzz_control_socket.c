/*
 * The control socket itself: clients that send in pieces, stop in the midst, read late or never, and go away.
 * Each complete request is answered once and in order, or its connection is closed; whoever comes afterwards
 * is answered; and nothing stays behind.  Input: steps, see step().
 */
#include "control.h"
#include "fuzz.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PEERS     2
#define CONNECTS  20
#define KEPT      6      /* so many newcomers take nobody's place */
#define REQUEST   4096   /* longer ones are cut off */
#define LARGE     230000 /* more than a socket buffers, so that it is written in several turns */
#define WAIT_S    20
#define OK_STARTS "{\"sipalert\":1,\"ok\":"
#define OF_LARGE  "{\"sipalert\":1,\"ok\":true,\"result\":{\"text\":\"\"}}"
#define SMALL     200 /* the other answers are shorter */
#define LARGES    8   /* answers of the kind, which take their time, are asked for at most */

/* One client. */
struct peer {
    int fd; /* -1: none */
    unsigned number;
    bool may_be_dropped; /* it did what costs the connection */
    bool finished;       /* it sends no more */
    size_t line_len;     /* of the request that is not complete */
    unsigned lines;      /* complete requests that were sent */
    unsigned answers;    /* complete ones that were received */
    size_t answer_len;   /* of the one that is not complete */
    char last;
};

struct scene {
    const uint8_t *p, *end;
    struct sa_loop *loop;
    struct sa_control *control;
    struct sa_watch *turn;
    struct peer peers[PEERS], late;
    unsigned connects, larges;
    time_t until; /* by then the last client must have its answers */
};

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static char dir[64];

static void
remove_dir(void)
{
    (void)unlink(address.sun_path);
    (void)rmdir(dir);
}

static void
prepare(void)
{
    (void)snprintf(dir, sizeof dir, "/tmp/fuzz_control_socket.XXXXXX");
    FUZZ_CHECK(mkdtemp(dir) != NULL);
    (void)atexit(remove_dir);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/s", dir);
}

static time_t
now_s(void)
{
    struct timespec now;

    FUZZ_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return now.tv_sec;
}

static uint8_t
take_byte(struct scene *scene)
{
    return scene->p < scene->end ? *scene->p++ : 0;
}

static json_t *
command(void *arg, const char *name, const struct sa_caller *caller, char error[SA_PROTOCOL_ERROR])
{
    static char text[LARGE + 1];

    (void)arg;
    FUZZ_CHECK(caller->uid == geteuid() && caller->may_act);
    if (text[0] == '\0')
        memset(text, 'x', LARGE);
    if (strcmp(name, "large") == 0)
        return json_pack("{ss}", "text", text);
    if (strcmp(name, "status") == 0)
        return json_object();
    (void)snprintf(error, SA_PROTOCOL_ERROR, "unknown");
    return NULL;
}

static void
come(struct scene *scene, struct peer *peer)
{
    if (peer->fd != -1)
        return;
    *peer = (struct peer){.number = ++scene->connects};
    peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    FUZZ_CHECK(peer->fd >= 0);
    FUZZ_CHECK(connect(peer->fd, (const struct sockaddr *)&address, sizeof address) == 0);
}

static void
go(struct peer *peer)
{
    if (peer->fd != -1)
        (void)close(peer->fd);
    peer->fd = -1;
}

/* What the server cannot take at once stays unsaid. */
static void
say(struct peer *peer, const void *bytes, size_t len)
{
    ssize_t n = peer->fd == -1 ? 0 : send(peer->fd, bytes, len, MSG_NOSIGNAL);
    const char *p = bytes;

    for (ssize_t i = 0; i < n; i++) {
        peer->line_len = p[i] == '\n' ? 0 : peer->line_len + 1;
        peer->lines += p[i] == '\n';
        peer->may_be_dropped = peer->may_be_dropped || peer->line_len >= REQUEST;
    }
}

static void
say_call(struct peer *peer, const char *name)
{
    char call[64];

    say(peer, call, (size_t)snprintf(call, sizeof call, "{\"sipalert\":1,\"command\":\"%s\"}\n", name));
}

static void
say_long(struct peer *peer, size_t len)
{
    char bytes[64 * 255];

    memset(bytes, 'x', len);
    say(peer, bytes, len);
}

/* A part of an answer, up to its line feed or to the end of what came. */
static void
check_part(struct peer *peer, const char *p, size_t len)
{
    for (size_t i = 0; i < len && peer->answer_len + i < strlen(OK_STARTS); i++)
        FUZZ_CHECK(p[i] == OK_STARTS[peer->answer_len + i]);
    peer->answer_len += len;
    peer->last = len > 0 ? p[len - 1] : peer->last;
}

static void
check_answers(struct peer *peer, const char *p, size_t len)
{
    const char *end = p + len, *feed;

    for (; (feed = memchr(p, '\n', (size_t)(end - p))) != NULL; p = feed + 1) {
        check_part(peer, p, (size_t)(feed - p));
        FUZZ_CHECK(peer->answer_len > sizeof OK_STARTS && peer->last == '}');
        FUZZ_CHECK(peer->answer_len < SMALL || peer->answer_len == strlen(OF_LARGE) + LARGE);
        peer->answer_len = 0;
        peer->answers++;
        FUZZ_CHECK(peer->answers <= peer->lines);
    }
    check_part(peer, p, (size_t)(end - p));
}

/* Reads at most so much.  Returns false when nothing more can come. */
static bool
hear(struct peer *peer, size_t len)
{
    char bytes[65536];
    ssize_t n;

    if (peer->fd == -1)
        return false;
    n = recv(peer->fd, bytes, len < sizeof bytes ? len : sizeof bytes, 0);
    if (n > 0)
        check_answers(peer, bytes, (size_t)n);
    return n > 0 || (n == -1 && errno == EAGAIN);
}

/* Somebody removes the socket, and the daemon looks after it. */
static void
remake(struct scene *scene)
{
    FUZZ_CHECK(sa_control_look(scene->control) == 0);
    (void)unlink(address.sun_path);
    FUZZ_CHECK(sa_control_look(scene->control) == 1);
    for (size_t i = 0; i < PEERS; i++) /* who was not accepted yet */
        scene->peers[i].may_be_dropped = true;
}

/* A step is a byte for the client and the deed, and for some deeds a byte for how much. */
static void
step(struct scene *scene)
{
    uint8_t what = take_byte(scene), len;
    struct peer *peer = &scene->peers[what & 1];
    size_t left;

    if (scene->connects < CONNECTS)
        come(scene, peer);
    switch (what >> 1 & 15) {
    case 0: /* a piece */
        len = take_byte(scene);
        left = (size_t)(scene->end - scene->p);
        say(peer, scene->p, len < left ? len : left);
        scene->p += len < left ? len : left;
        break;
    case 1:
        say_call(peer, "status");
        break;
    case 2:
        say_call(peer, scene->larges++ < LARGES ? "large" : "status");
        break;
    case 3:
        say_call(peer, "none");
        break;
    case 4:
        say_long(peer, (size_t)take_byte(scene) * 64);
        break;
    case 5:
        say(peer, "\n", 1);
        break;
    case 6: /* half a call */
        say(peer, "{\"sipalert\":1,\"comm", 19);
        break;
    case 7:
        say(peer, "and\":\"status\"}\n", 15);
        break;
    case 8:
        (void)hear(peer, take_byte(scene));
        break;
    case 9:
        (void)hear(peer, (size_t)take_byte(scene) * 1024);
        break;
    case 10:
        if (peer->fd != -1)
            (void)shutdown(peer->fd, SHUT_WR);
        break;
    case 11:
        if (peer->fd != -1)
            (void)shutdown(peer->fd, SHUT_RD);
        peer->may_be_dropped = true;
        break;
    case 12:
        go(peer);
        break;
    case 13:
        remake(scene);
        break;
    default: /* the loop has a turn for itself */
        break;
    }
}

/* Every client that is left says no more and reads what is owed to it.  Returns whether there is none. */
static bool
finish(struct scene *scene)
{
    bool done = true;

    for (size_t i = 0; i < PEERS; i++) {
        struct peer *peer = &scene->peers[i];

        if (peer->fd == -1)
            continue;
        if (!peer->finished)
            (void)shutdown(peer->fd, SHUT_WR);
        peer->finished = true;
        if (hear(peer, SIZE_MAX)) {
            done = false;
            continue;
        }
        if (!peer->may_be_dropped && scene->connects - peer->number <= KEPT)
            FUZZ_CHECK(peer->answers == peer->lines && peer->answer_len == 0);
        go(peer);
    }
    return done;
}

/* A well-behaved client that comes last.  Returns whether it has its answers. */
static bool
attend(struct scene *scene)
{
    struct peer *late = &scene->late;

    if (late->fd == -1) {
        come(scene, late);
        say_call(late, "status");
        say_call(late, "large");
        FUZZ_CHECK(late->lines == 2);
    }
    FUZZ_CHECK(hear(late, SIZE_MAX));
    return late->answers == late->lines;
}

static void
on_turn(void *arg)
{
    struct scene *scene = arg;

    FUZZ_CHECK(now_s() <= scene->until);
    if (scene->p < scene->end)
        step(scene);
    else if (finish(scene) && attend(scene)) {
        sa_loop_stop(scene->loop);
        return;
    }
    sa_watch_arm(scene->turn, 0); /* behind what the server has to do now */
}

/* The lowest descriptor that is free: what stays behind takes it. */
static int
lowest_free(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    FUZZ_CHECK(fd >= 0);
    (void)close(fd);
    return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scene scene = {.p = data, .end = data + size, .late = {.fd = -1}};
    int before;

    if (dir[0] == '\0')
        prepare();
    before = lowest_free();
    for (size_t i = 0; i < PEERS; i++)
        scene.peers[i].fd = -1;
    scene.loop = sa_loop_new();
    FUZZ_CHECK(scene.loop != NULL);
    FUZZ_CHECK(sa_control_open(scene.loop, address.sun_path, command, NULL, &scene.control) == 0);
    scene.turn = sa_loop_timer(scene.loop, on_turn, &scene);
    FUZZ_CHECK(scene.turn != NULL);
    scene.until = now_s() + WAIT_S;
    sa_watch_arm(scene.turn, 0);
    FUZZ_CHECK(sa_loop_run(scene.loop) == 0);
    go(&scene.late);
    (void)sa_watch_free(scene.turn);
    (void)sa_control_close(scene.control);
    (void)sa_loop_free(scene.loop);
    FUZZ_CHECK(access(address.sun_path, F_OK) == -1 && lowest_free() == before);
    return 0;
}
