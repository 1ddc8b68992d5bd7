#include "fake_time.h"
#include "clock.h"
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define WATCHES 256
#define SPINS   1000000 /* calls at one moment: no scenario has so many */

enum kind { DESCRIPTOR, TIMER, SIGNAL, WORK };

struct sa_watch {
    struct sa_loop *loop;
    enum kind kind;
    bool urgent;  /* is done before work */
    bool on;      /* descriptor: looked at; timer: armed; signal and work: to be done */
    int number;   /* descriptor or signal */
    short events; /* of a descriptor */
    int64_t due_ms;
    uint64_t turn; /* when it was last called: who waited longest comes first */
    sa_loop_fn fn;
    void *arg;
};

struct sa_loop {
    struct sa_watch *watches[WATCHES];
    unsigned n;
    uint64_t turn;
    bool stopped;
};

int64_t (*fake_time_idle)(void);
static struct sa_time now;
static struct sa_loop *the_loop;

struct sa_time __wrap_sa_clock_now(void);
int64_t __wrap_sa_clock_mono_ns(void);

struct sa_time
__wrap_sa_clock_now(void)
{
    return now;
}

int64_t
__wrap_sa_clock_mono_ns(void)
{
    return now.mono_ms * 1000000;
}

void
fake_time_set(int64_t mono_ms, int64_t wall_ms)
{
    now = (struct sa_time){mono_ms, wall_ms};
}

int64_t
fake_time_mono_ms(void)
{
    return now.mono_ms;
}

void
fake_time_move_wall(int64_t ms)
{
    now.wall_ms += ms;
}

static void
go_on_to(int64_t mono_ms)
{
    now.wall_ms += mono_ms - now.mono_ms;
    now.mono_ms = mono_ms;
}

void
fake_time_signal(int number)
{
    for (unsigned i = 0; the_loop != NULL && i < the_loop->n; i++)
        if (the_loop->watches[i]->kind == SIGNAL && the_loop->watches[i]->number == number)
            the_loop->watches[i]->on = true;
}

struct sa_loop *
sa_loop_new(void)
{
    the_loop = calloc(1, sizeof *the_loop);
    return the_loop;
}

struct sa_loop *
sa_loop_free(struct sa_loop *loop)
{
    the_loop = NULL;
    free(loop);
    return NULL;
}

void
sa_loop_stop(struct sa_loop *loop)
{
    loop->stopped = true;
}

static struct sa_watch *
new_watch(struct sa_loop *loop, const struct sa_watch *wanted)
{
    struct sa_watch *watch = loop->n == WATCHES ? NULL : malloc(sizeof *watch);

    if (watch == NULL)
        return NULL;
    *watch = *wanted;
    watch->loop = loop;
    loop->watches[loop->n++] = watch;
    return watch;
}

struct sa_watch *
sa_loop_readable(struct sa_loop *loop, int fd, sa_loop_fn fn, void *arg)
{
    return new_watch(loop, &(struct sa_watch){.kind = DESCRIPTOR,
                                              .urgent = true,
                                              .on = true,
                                              .number = fd,
                                              .events = POLLIN,
                                              .fn = fn,
                                              .arg = arg});
}

struct sa_watch *
sa_loop_input(struct sa_loop *loop, int fd, sa_loop_fn fn, void *arg)
{
    struct sa_watch *watch = sa_loop_readable(loop, fd, fn, arg);

    if (watch != NULL)
        watch->urgent = false;
    return watch;
}

struct sa_watch *
sa_loop_writable(struct sa_loop *loop, int fd, sa_loop_fn fn, void *arg)
{
    return new_watch(
        loop, &(struct sa_watch){
                  .kind = DESCRIPTOR, .urgent = true, .number = fd, .events = POLLOUT, .fn = fn, .arg = arg});
}

struct sa_watch *
sa_loop_timer(struct sa_loop *loop, sa_loop_fn fn, void *arg)
{
    return new_watch(loop, &(struct sa_watch){.kind = TIMER, .urgent = true, .fn = fn, .arg = arg});
}

struct sa_watch *
sa_loop_signal(struct sa_loop *loop, int number, sa_loop_fn fn, void *arg)
{
    return new_watch(
        loop, &(struct sa_watch){.kind = SIGNAL, .urgent = true, .number = number, .fn = fn, .arg = arg});
}

struct sa_watch *
sa_loop_work(struct sa_loop *loop, sa_loop_fn fn, void *arg)
{
    return new_watch(loop, &(struct sa_watch){.kind = WORK, .fn = fn, .arg = arg});
}

struct sa_watch *
sa_watch_free(struct sa_watch *watch)
{
    struct sa_loop *loop = watch == NULL ? NULL : watch->loop;

    for (unsigned i = 0; loop != NULL && i < loop->n; i++)
        if (loop->watches[i] == watch) {
            loop->watches[i] = loop->watches[--loop->n];
            break;
        }
    free(watch);
    return NULL;
}

void
sa_watch_arm(struct sa_watch *watch, int64_t delay_ms)
{
    watch->due_ms = now.mono_ms + delay_ms;
    watch->on = true;
}

bool
sa_watch_armed(const struct sa_watch *watch)
{
    return watch->on;
}

void
sa_watch_resume(struct sa_watch *watch)
{
    watch->on = true;
}

void
sa_watch_pause(struct sa_watch *watch)
{
    watch->on = false;
}

void
sa_watch_activate(struct sa_watch *watch)
{
    watch->on = true;
}

/* ready[i] is set if the descriptor of watch i has something. */
static void
look_at_descriptors(const struct sa_loop *loop, bool ready[WATCHES])
{
    struct pollfd fds[WATCHES];

    for (unsigned i = 0; i < loop->n; i++) {
        const struct sa_watch *watch = loop->watches[i];

        fds[i] =
            (struct pollfd){watch->kind == DESCRIPTOR && watch->on ? watch->number : -1, watch->events, 0};
    }
    (void)poll(fds, loop->n, 0);
    for (unsigned i = 0; i < loop->n; i++)
        ready[i] = fds[i].revents != 0;
}

static bool
is_due(const struct sa_watch *watch, bool ready)
{
    switch (watch->kind) {
    case DESCRIPTOR:
        return ready;
    case TIMER:
        return watch->on && watch->due_ms <= now.mono_ms;
    case SIGNAL:
    case WORK:
        return watch->on;
    }
    return false;
}

/* What is urgent comes first, and of that what waited longest.  NULL: nothing is left to do now. */
static struct sa_watch *
choose(const struct sa_loop *loop)
{
    struct sa_watch *best = NULL;
    bool ready[WATCHES];

    look_at_descriptors(loop, ready);
    for (unsigned i = 0; i < loop->n; i++) {
        struct sa_watch *watch = loop->watches[i];

        if (is_due(watch, ready[i]) && (best == NULL || watch->urgent > best->urgent ||
                                        (watch->urgent == best->urgent && watch->turn < best->turn)))
            best = watch;
    }
    return best;
}

static void
settle(struct sa_loop *loop)
{
    struct sa_watch *watch;

    for (unsigned spins = 0; !loop->stopped && (watch = choose(loop)) != NULL; spins++) {
        if (spins == SPINS) {
            (void)fprintf(stderr, "the loop does not come to rest\n");
            abort();
        }
        if (watch->kind != DESCRIPTOR)
            watch->on = false;
        watch->turn = ++loop->turn;
        watch->fn(watch->arg);
    }
}

/* The next timer, or until_ms. */
static int64_t
next_ms(const struct sa_loop *loop, int64_t until_ms)
{
    int64_t next = until_ms;

    for (unsigned i = 0; i < loop->n; i++)
        if (loop->watches[i]->kind == TIMER && loop->watches[i]->on && loop->watches[i]->due_ms < next)
            next = loop->watches[i]->due_ms;
    return next;
}

int
sa_loop_run(struct sa_loop *loop)
{
    settle(loop);
    while (!loop->stopped) {
        int64_t until_ms = fake_time_idle();

        settle(loop);
        while (!loop->stopped && now.mono_ms < until_ms) {
            go_on_to(next_ms(loop, until_ms));
            settle(loop);
        }
    }
    return 0;
}
