/*
 * The event loop in the daemon's own terms.  loop.c is the only file that knows libevent.
 * Callbacks run on the thread that runs the loop, urgent ones (descriptors, signals, timers) before work.
 * Pieces of work take turns, and after some of them the loop looks for what is urgent: a piece should be done
 * within SA_LOOP_PIECE_MS.
 */
#ifndef SA_LOOP_H
#define SA_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define SA_LOOP_PIECE_MS 50

struct sa_loop;
struct sa_watch; /* a descriptor, a timer, a signal or a piece of work */

typedef void (*sa_loop_fn)(void *arg);

/* NULL: the kernel or memory refused. */
struct sa_loop *sa_loop_new(void);
struct sa_loop *sa_loop_free(struct sa_loop *loop);

/* Runs until sa_loop_stop().  Returns 0, or -EIO if libevent gave up. */
int sa_loop_run(struct sa_loop *loop);
void sa_loop_stop(struct sa_loop *loop);

/* Each returns NULL if memory ran out.  Watches are freed by sa_watch_free(), a descriptor before it is
 * closed. */
struct sa_watch *sa_loop_readable(struct sa_loop *loop, int fd, sa_loop_fn fn, void *arg);
struct sa_watch *sa_loop_input(struct sa_loop *loop, int fd, sa_loop_fn fn,
                               void *arg); /* as readable, but what is done with it is work */
struct sa_watch *sa_loop_writable(struct sa_loop *loop, int fd, sa_loop_fn fn,
                                  void *arg);                                   /* paused at first */
struct sa_watch *sa_loop_timer(struct sa_loop *loop, sa_loop_fn fn, void *arg); /* not armed */
struct sa_watch *sa_loop_signal(struct sa_loop *loop, int signal, sa_loop_fn fn, void *arg);

/* Work that is done when nothing urgent waits; each sa_watch_activate() runs it once. */
struct sa_watch *sa_loop_work(struct sa_loop *loop, sa_loop_fn fn, void *arg);

struct sa_watch *sa_watch_free(struct sa_watch *watch);

/* Timers: fires once, `delay_ms` from now. */
void sa_watch_arm(struct sa_watch *watch, int64_t delay_ms);
bool sa_watch_armed(const struct sa_watch *watch);

/* Descriptors. */
void sa_watch_resume(struct sa_watch *watch);
void sa_watch_pause(struct sa_watch *watch);

void sa_watch_activate(struct sa_watch *watch);

#endif
