#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
sa_window_init(struct sa_window *window, uint32_t seconds)
{
    uint32_t *bucket = calloc(seconds, sizeof *bucket);

    if (bucket == NULL)
        return -ENOMEM;
    *window = (struct sa_window){.bucket = bucket, .seconds = seconds, .newest_s = -1};
    return 0;
}

void
sa_window_done(struct sa_window *window)
{
    free(window->bucket);
    *window = (struct sa_window){0};
}

void
sa_window_clear(struct sa_window *window)
{
    memset(window->bucket, 0, window->seconds * sizeof *window->bucket);
    window->sum = 0;
}

/* Moves the ring forward to now_s, emptying the buckets that fall out. */
static void
advance(struct sa_window *window, int64_t now_s)
{
    if (window->newest_s < 0 || now_s - window->newest_s >= window->seconds) {
        if (window->sum != 0)
            memset(window->bucket, 0, window->seconds * sizeof *window->bucket);
        window->sum = 0;
        window->newest_s = now_s;
        return;
    }
    while (window->newest_s < now_s) {
        uint32_t *oldest = &window->bucket[++window->newest_s % window->seconds];

        window->sum -= *oldest;
        *oldest = 0;
    }
}

void
sa_window_add(struct sa_window *window, int64_t now_s, uint32_t n)
{
    uint32_t *bucket;

    if (now_s > window->newest_s)
        advance(window, now_s);
    else if (now_s < 0 || now_s <= window->newest_s - window->seconds)
        return;
    bucket = &window->bucket[now_s % window->seconds];
    if (n >
        UINT32_MAX - *bucket) /* more than it holds: the sum must not keep what the bucket cannot give back */
        n = UINT32_MAX - *bucket;
    *bucket += n;
    window->sum += n;
}

uint64_t
sa_window_sum(struct sa_window *window, int64_t now_s)
{
    if (now_s > window->newest_s)
        advance(window, now_s);
    return window->sum;
}

void
sa_window_save(const struct sa_window *window, struct sa_buffer *buffer)
{
    uint64_t n = 0;
    int64_t oldest_s = window->newest_s - window->seconds + 1, last_s;

    if (oldest_s < 0)
        oldest_s = 0;
    for (uint32_t i = 0; i < window->seconds && window->sum != 0; i++)
        n += window->bucket[i] != 0;
    sa_buffer_number(buffer, n);
    last_s = 0;
    for (int64_t s = oldest_s; n > 0 && s <= window->newest_s; s++) {
        uint32_t count = window->bucket[s % window->seconds];

        if (count == 0)
            continue;
        sa_buffer_number(buffer, (uint64_t)(s - last_s));
        sa_buffer_number(buffer, count);
        last_s = s;
    }
}

void
sa_window_load(struct sa_window *window, struct sa_buffer_reader *reader, int64_t shift_s)
{
    uint64_t n = sa_buffer_read(reader);
    int64_t s = 0;

    for (; n > 0 && !reader->failed; n--) {
        s += (int64_t)(sa_buffer_read(reader) & ((UINT64_C(1) << 40) - 1));
        sa_window_add(window, s + shift_s, (uint32_t)sa_buffer_read(reader));
    }
}

bool
sa_window_is_sound(struct sa_buffer_reader *reader, int64_t latest_s)
{
    uint64_t n = sa_buffer_read(reader), s = 0;

    for (; n > 0 && !reader->failed; n--) {
        uint64_t step = sa_buffer_read(reader);

        if (latest_s < 0 || step > (uint64_t)latest_s - s || sa_buffer_read(reader) > UINT32_MAX)
            return false;
        s += step;
    }
    return !reader->failed;
}
