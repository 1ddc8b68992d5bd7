#include "loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

enum { PRIORITY_URGENT, PRIORITY_WORK, PRIORITIES };

/*
 * Pieces of work until the loop looks for urgent things again: each look costs a system call, and more of
 * them the more connections have something to read.
 */
#define PIECES 16
static const struct timeval pieces_time = {0, 10000};

struct sa_loop {
    struct event_base *base;
};

struct sa_watch {
    struct event *event;
    sa_loop_fn fn;
    void *arg;
};

static void
discard_log(int severity, const char *message)
{
    (void)severity;
    (void)message;
}

struct sa_loop *
sa_loop_new(void)
{
    struct sa_loop *loop = calloc(1, sizeof *loop);
    struct event_config *config;

    if (loop == NULL)
        return NULL;
    event_set_log_callback(discard_log); /* what fails is returned to the caller, who logs it */
    /* Work that asks for more of itself must not keep the loop from its descriptors and timers. */
    config = event_config_new();
    if (config != NULL &&
        event_config_set_max_dispatch_interval(config, &pieces_time, PIECES, PRIORITY_WORK) == 0)
        loop->base = event_base_new_with_config(config);
    if (config != NULL)
        event_config_free(config);
    if (loop->base == NULL || event_base_priority_init(loop->base, PRIORITIES) == -1)
        return sa_loop_free(loop);
    return loop;
}

struct sa_loop *
sa_loop_free(struct sa_loop *loop)
{
    if (loop == NULL)
        return NULL;
    if (loop->base != NULL)
        event_base_free(loop->base);
    free(loop);
    return NULL;
}

int
sa_loop_run(struct sa_loop *loop)
{
    return event_base_dispatch(loop->base) == -1 ? -EIO : 0;
}

void
sa_loop_stop(struct sa_loop *loop)
{
    (void)event_base_loopbreak(loop->base);
}

static void
dispatch(evutil_socket_t fd, short what, void *arg)
{
    struct sa_watch *watch = arg;

    (void)fd;
    (void)what;
    watch->fn(watch->arg);
}

static struct sa_watch *
new_watch(struct sa_loop *loop, evutil_socket_t fd, short what, int priority, bool add, sa_loop_fn fn,
          void *arg)
{
    struct sa_watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL)
        return NULL;
    watch->fn = fn;
    watch->arg = arg;
    watch->event = event_new(loop->base, fd, what, dispatch, watch);
    if (watch->event == NULL || event_priority_set(watch->event, priority) == -1 ||
        (add && event_add(watch->event, NULL) == -1))
        return sa_watch_free(watch);
    return watch;
}

struct sa_watch *
sa_loop_readable(struct sa_loop *loop, int fd, sa_loop_fn fn, void *arg)
{
    return new_watch(loop, fd, EV_READ | EV_PERSIST, PRIORITY_URGENT, true, fn, arg);
}

struct sa_watch *
sa_loop_input(struct sa_loop *loop, int fd, sa_loop_fn fn, void *arg)
{
    return new_watch(loop, fd, EV_READ | EV_PERSIST, PRIORITY_WORK, true, fn, arg);
}

struct sa_watch *
sa_loop_writable(struct sa_loop *loop, int fd, sa_loop_fn fn, void *arg)
{
    return new_watch(loop, fd, EV_WRITE | EV_PERSIST, PRIORITY_URGENT, false, fn, arg);
}

struct sa_watch *
sa_loop_timer(struct sa_loop *loop, sa_loop_fn fn, void *arg)
{
    return new_watch(loop, -1, 0, PRIORITY_URGENT, false, fn, arg);
}

struct sa_watch *
sa_loop_signal(struct sa_loop *loop, int signal, sa_loop_fn fn, void *arg)
{
    return new_watch(loop, signal, EV_SIGNAL | EV_PERSIST, PRIORITY_URGENT, true, fn, arg);
}

struct sa_watch *
sa_loop_work(struct sa_loop *loop, sa_loop_fn fn, void *arg)
{
    return new_watch(loop, -1, 0, PRIORITY_WORK, false, fn, arg);
}

struct sa_watch *
sa_watch_free(struct sa_watch *watch)
{
    if (watch == NULL)
        return NULL;
    if (watch->event != NULL)
        event_free(watch->event);
    free(watch);
    return NULL;
}

void
sa_watch_arm(struct sa_watch *watch, int64_t delay_ms)
{
    const struct timeval delay = {delay_ms / 1000, delay_ms % 1000 * 1000};

    (void)event_add(watch->event, &delay);
}

bool
sa_watch_armed(const struct sa_watch *watch)
{
    return event_pending(watch->event, EV_TIMEOUT, NULL) != 0;
}

void
sa_watch_resume(struct sa_watch *watch)
{
    (void)event_add(watch->event, NULL);
}

void
sa_watch_pause(struct sa_watch *watch)
{
    (void)event_del(watch->event);
}

void
sa_watch_activate(struct sa_watch *watch)
{
    event_active(watch->event, EV_TIMEOUT, 0);
}
