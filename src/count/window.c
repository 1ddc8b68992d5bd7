#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint32_t
sa_window_step_s(uint32_t seconds)
{
    if (seconds <= SA_WINDOW_STEPS)
        return 1;
    return (seconds + SA_WINDOW_STEPS - 2) /
           (SA_WINDOW_STEPS - 1); /* one more step is in part in the window */
}

void
sa_window_init(struct sa_window *window, uint32_t seconds, uint32_t step_s)
{
    *window = (struct sa_window){.inside = {.seconds = seconds,
                                            .step_s = step_s,
                                            .steps = 1 + (seconds - 1 + step_s - 1) / step_s,
                                            .newest_s = -1}};
}

void
sa_window_done(struct sa_window *window)
{
    free(window->inside.sum);
    *window = (struct sa_window){0};
}

static size_t
column_size(const struct sa_window *window)
{
    return window->inside.steps * (window->inside.large ? sizeof(uint32_t) : sizeof(uint16_t));
}

static uint32_t
bucket_at(const struct sa_window *window, unsigned column, size_t at)
{
    size_t i = (size_t)column * window->inside.steps + at;

    return window->inside.large ? ((const uint32_t *)window->inside.bucket)[i]
                                : ((const uint16_t *)window->inside.bucket)[i];
}

static void
empty_bucket(struct sa_window *window, unsigned column, size_t at)
{
    size_t i = (size_t)column * window->inside.steps + at;

    if (window->inside.large)
        ((uint32_t *)window->inside.bucket)[i] = 0;
    else
        ((uint16_t *)window->inside.bucket)[i] = 0;
}

/* One block, because there are thousands of windows: the sums move up when there is one more. */
int
sa_window_widen(struct sa_window *window)
{
    size_t old = window->inside.columns, size = column_size(window);
    uint64_t *sum = malloc((old + 1) * (sizeof *sum + size));
    char *bucket;

    if (sum == NULL)
        return -ENOMEM;
    bucket = (char *)(sum + old + 1);
    if (old > 0) {
        memcpy(sum, window->inside.sum, old * sizeof *sum);
        memcpy(bucket, window->inside.bucket, old * size);
    }
    sum[old] = 0;
    memset(bucket + old * size, 0, size);
    free(window->inside.sum);
    window->inside.sum = sum;
    window->inside.bucket = bucket;
    window->inside.columns++;
    return (int)old;
}

void
sa_window_clear(struct sa_window *window, unsigned column)
{
    memset((char *)window->inside.bucket + column * column_size(window), 0, column_size(window));
    window->inside.sum[column] = 0;
}

/* From two bytes for each step to four.  False: out of memory. */
static bool
enlarge(struct sa_window *window)
{
    size_t n = (size_t)window->inside.columns * window->inside.steps;
    uint64_t *sum = malloc(window->inside.columns * sizeof *sum + n * sizeof(uint32_t));
    uint32_t *bucket;

    if (sum == NULL)
        return false;
    memcpy(sum, window->inside.sum, window->inside.columns * sizeof *sum);
    bucket = (uint32_t *)(sum + window->inside.columns);
    for (size_t i = 0; i < n; i++)
        bucket[i] = ((const uint16_t *)window->inside.bucket)[i];
    free(window->inside.sum);
    window->inside.sum = sum;
    window->inside.bucket = bucket;
    window->inside.large = true;
    return true;
}

void
sa_window_add_large(struct sa_window *window, unsigned column, uint32_t at, uint32_t n)
{
    uint32_t has = bucket_at(window, column, at), most;
    size_t i = (size_t)column * window->inside.steps + at;

    most = window->inside.large || enlarge(window) ? UINT32_MAX : UINT16_MAX;
    if (n > most - has) /* the sum must not keep what the bucket cannot give back */
        n = most - has;
    if (window->inside.large)
        ((uint32_t *)window->inside.bucket)[i] = has + n;
    else
        ((uint16_t *)window->inside.bucket)[i] = (uint16_t)(has + n);
    window->inside.sum[column] += n;
}

/* The number of the oldest step of a window that ends with now_s. */
static int64_t
oldest_step(const struct sa_window *window, int64_t now_s)
{
    return now_s < window->inside.seconds ? 0 : (now_s - window->inside.seconds + 1) / window->inside.step_s;
}

static void
drop_step(struct sa_window *window, int64_t step)
{
    uint32_t at = (uint32_t)(step % window->inside.steps);

    for (unsigned column = 0; column < window->inside.columns; column++) {
        window->inside.sum[column] -= bucket_at(window, column, at);
        empty_bucket(window, column, at);
    }
}

/* Moves the window forward to now_s, emptying the steps that fall out. */
static void
advance(struct sa_window *window, int64_t now_s)
{
    int64_t first = oldest_step(window, window->inside.newest_s), end = oldest_step(window, now_s);

    if (end - first >= window->inside.steps || window->inside.newest_s < 0) {
        for (unsigned column = 0; column < window->inside.columns; column++)
            if (window->inside.sum[column] != 0)
                sa_window_clear(window, column);
    } else {
        for (; first < end; first++)
            drop_step(window, first);
    }
    window->inside.newest_s = now_s;
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): sa_window_init() makes at least one step of a second */
    window->inside.newest_at = (uint32_t)(now_s / window->inside.step_s % window->inside.steps);
}

/* The place of a second that is not the newest, or -1 if it has left the window. */
static int64_t
place_of_older(const struct sa_window *window, int64_t s)
{
    int64_t step = s / window->inside.step_s;

    if (step < oldest_step(window, window->inside.newest_s))
        return -1;
    return step % window->inside.steps;
}

void
sa_window_add_other(struct sa_window *window, unsigned column, int64_t now_s, uint32_t n)
{
    int64_t at;

    if (now_s < 0)
        return;
    if (now_s > window->inside.newest_s)
        advance(window, now_s);
    at = now_s == window->inside.newest_s ? window->inside.newest_at : place_of_older(window, now_s);
    if (at >= 0)
        sa_window_add_at(window, column, (uint32_t)at, n);
}

uint64_t
sa_window_sum(struct sa_window *window, unsigned column, int64_t now_s)
{
    if (now_s > window->inside.newest_s)
        advance(window, now_s);
    return window->inside.sum[column];
}

bool
sa_window_is_empty(struct sa_window *window, int64_t now_s)
{
    if (now_s > window->inside.newest_s)
        advance(window, now_s);
    for (unsigned column = 0; column < window->inside.columns; column++)
        if (window->inside.sum[column] != 0)
            return false;
    return true;
}

int64_t
sa_window_copy(const struct sa_window *window, unsigned column, uint32_t *steps)
{
    for (uint32_t i = 0; i < window->inside.steps; i++)
        steps[i] = bucket_at(window, column, i);
    return window->inside.newest_s;
}

uint32_t
sa_window_at(const struct sa_window *window, unsigned column, int64_t s)
{
    int64_t at = s < 0 || s > window->inside.newest_s ? -1 : place_of_older(window, s);

    return at < 0 ? 0 : bucket_at(window, column, (size_t)at);
}

/* The last second that what lies in a step can be of: so it never leaves too early. */
static int64_t
last_second(const struct sa_window *window, int64_t step)
{
    int64_t s = step * window->inside.step_s + window->inside.step_s - 1;

    return s < window->inside.newest_s ? s : window->inside.newest_s;
}

void
sa_window_save(const struct sa_window *window, unsigned column, struct sa_buffer *buffer)
{
    uint64_t n = 0;
    int64_t last_s = 0;

    for (uint32_t i = 0; i < window->inside.steps && window->inside.sum[column] != 0; i++)
        n += bucket_at(window, column, i) != 0;
    sa_buffer_number(buffer, n);
    for (int64_t step = oldest_step(window, window->inside.newest_s); n > 0; step++) {
        uint32_t count = bucket_at(window, column, (size_t)(step % window->inside.steps));
        int64_t s = last_second(window, step);

        if (count == 0)
            continue;
        sa_buffer_number(buffer, (uint64_t)(s - last_s));
        sa_buffer_number(buffer, count);
        last_s = s;
        n--;
    }
}

void
sa_window_load(struct sa_window *window, unsigned column, struct sa_buffer_reader *reader, int64_t shift_s)
{
    uint64_t n = sa_buffer_read(reader);
    int64_t s = 0;

    for (; n > 0 && !reader->failed; n--) {
        s += (int64_t)(sa_buffer_read(reader) & ((UINT64_C(1) << 40) - 1));
        sa_window_add(window, column, s + shift_s, (uint32_t)sa_buffer_read(reader));
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
