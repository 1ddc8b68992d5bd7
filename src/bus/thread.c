#include "thread.h"

#include <signal.h>
#include <time.h>

int
sa_thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg)
{
    sigset_t all, old;
    int r;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    r = pthread_create(ret_thread, NULL, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -r;
}

bool
sa_thread_join(pthread_t thread, int timeout_ms)
{
    struct timespec deadline;

    (void)clock_gettime(CLOCK_REALTIME,
                        &deadline); /* a deadline for pthread_timedjoin_np(3), not a time to show */
    deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    deadline.tv_sec += timeout_ms / 1000 + deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    return pthread_timedjoin_np(thread, NULL, &deadline) == 0;
}
