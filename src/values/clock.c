#include "clock.h"

#include <time.h>

static int64_t
read_ns(clockid_t id)
{
    struct timespec ts = {0, 0};

    (void)clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

struct sa_time
sa_clock_now(void)
{
    struct sa_time now = {
        .mono_ms = read_ns(CLOCK_MONOTONIC) / 1000000,
        .wall_ms = read_ns(CLOCK_REALTIME) / 1000000,
    };
    return now;
}

int64_t
sa_clock_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}
