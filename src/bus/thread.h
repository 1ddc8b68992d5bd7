/*
 * Threads beside the main one: started with all signals blocked, because signals belong to the main thread,
 * and ended within a bounded time, because a thread may be blocked in a library for ever.
 */
#ifndef SA_THREAD_H
#define SA_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Returns 0 or negative errno. */
int sa_thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg);

/* Waits at most timeout_ms; false: the thread goes on, and what it uses must not be freed. */
bool sa_thread_join(pthread_t thread, int timeout_ms);

#endif
