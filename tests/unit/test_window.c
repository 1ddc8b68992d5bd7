/* Sliding windows against a naive recount. */
#include "window.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void
test_sum_equals_recount(void **state)
{
    enum { SECONDS = 7, STEPS = 20000 };
    static uint32_t added[STEPS * 4];
    struct sa_window window;
    int64_t now = 0;

    (void)state;
    srand(1);
    assert_int_equal(sa_window_init(&window, SECONDS), 0);
    for (int step = 0; step < STEPS; step++) {
        uint64_t expected = 0;
        uint32_t n = (uint32_t)rand() % 5;

        now += rand() % 4;
        sa_window_add(&window, now, n);
        added[now] += n;
        for (int64_t s = now - SECONDS + 1; s <= now; s++)
            expected += s < 0 ? 0 : added[s];
        assert_int_equal(sa_window_sum(&window, now), expected);
    }
    sa_window_done(&window);
}

static void
test_edges(void **state)
{
    struct sa_window window;

    (void)state;
    assert_int_equal(sa_window_init(&window, 60), 0);
    sa_window_add(&window, 100, 5);
    assert_int_equal(sa_window_sum(&window, 159), 5); /* the last second that still holds it */
    assert_int_equal(sa_window_sum(&window, 160), 0);
    sa_window_add(&window, 150, 3); /* time that goes back changes nothing but the count */
    assert_int_equal(sa_window_sum(&window, 160), 3);
    assert_int_equal(sa_window_sum(&window, 100000), 0);
    sa_window_done(&window);
}

/* Responses that come late count in their own second, in any order; against all that was ever added. */
static void
test_late_adds(void **state)
{
    (void)state;
    srand(2);
    for (int round = 0; round < 30; round++) {
        enum { STEPS = 500 };
        static uint32_t added[STEPS * 4];
        uint32_t seconds = 1 + (uint32_t)rand() % 20;
        struct sa_window window;
        int64_t now = 0;

        memset(added, 0, sizeof added);
        assert_int_equal(sa_window_init(&window, seconds), 0);
        for (int step = 0; step < STEPS; step++) {
            uint64_t expected = 0;

            now += rand() % 4;
            for (int n = rand() % 4; n >= 0; n--) {
                int64_t at = now - rand() % 30;
                uint32_t how_many = (uint32_t)rand() % 5;

                sa_window_add(&window, at, how_many);
                if (at >= 0)
                    added[at] += how_many;
            }
            for (int64_t s = now < seconds ? 0 : now - seconds + 1; s <= now; s++)
                expected += added[s];
            assert_int_equal(sa_window_sum(&window, now), expected);
        }
        sa_window_done(&window);
    }
}

/* A window that was saved and loaded, its clock shifted, is the window: what it has and what falls out when.
 */
static void
test_save_and_load(void **state)
{
    static const int64_t shifts[] = {0, 1, -1, 5000, -5000, 1000000000, -9000};

    (void)state;
    srand(3);
    for (int round = 0; round < 300; round++) {
        uint32_t seconds = 1 + (uint32_t)rand() % 40;
        int64_t shift = shifts[rand() % 7], now = 10000;
        struct sa_buffer buffer = {0};
        struct sa_buffer_reader reader;
        struct sa_window window, copy;

        assert_int_equal(sa_window_init(&window, seconds), 0);
        assert_int_equal(sa_window_init(&copy, seconds), 0);
        for (int n = rand() % 30; n > 0; n--) {
            now += rand() % 5;
            sa_window_add(&window, now - rand() % 3, rand() % 3 ? (uint32_t)rand() % 9 : (uint32_t)rand());
        }
        sa_buffer_number(&buffer, 4711); /* it reads its own bytes and no others */
        sa_window_save(&window, &buffer);
        sa_buffer_number(&buffer, 4712);
        reader = (struct sa_buffer_reader){buffer.bytes, buffer.bytes + buffer.len, false};
        assert_int_equal(sa_buffer_read(&reader), 4711);
        sa_window_load(&copy, &reader, shift);
        assert_int_equal(sa_buffer_read(&reader), 4712);
        assert_false(reader.failed);
        for (uint32_t later = 0; later <= seconds + 1; later += 1 + (uint32_t)rand() % 3) {
            assert_int_equal(sa_window_sum(&copy, now + shift + later), sa_window_sum(&window, now + later));
            if (rand() % 4 == 0) {
                sa_window_add(&window, now + later, 3);
                sa_window_add(&copy, now + shift + later, 3);
            }
        }
        sa_buffer_done(&buffer);
        sa_window_done(&window);
        sa_window_done(&copy);
    }
}

/* Few bytes where few seconds have something; an hour that is empty takes next to nothing. */
static void
test_saved_small(void **state)
{
    struct sa_window window, copy;
    struct sa_buffer buffer = {0};
    struct sa_buffer_reader reader;

    (void)state;
    assert_int_equal(sa_window_init(&window, 3600), 0);
    assert_int_equal(sa_window_init(&copy, 3600), 0);
    sa_window_save(&window, &buffer);
    assert_true(buffer.len <= 2);
    reader = (struct sa_buffer_reader){buffer.bytes, buffer.bytes + buffer.len, false};
    sa_window_load(&copy, &reader, 77);
    assert_int_equal(sa_window_sum(&copy, 100), 0);
    buffer.len = 0;
    sa_window_add(&window, 100000, UINT32_MAX);
    sa_window_add(&window, 103599, 1);
    sa_window_save(&window, &buffer);
    assert_true(buffer.len < 40);
    reader = (struct sa_buffer_reader){buffer.bytes, buffer.bytes + buffer.len, false};
    sa_window_load(&copy, &reader, 0);
    assert_int_equal(sa_window_sum(&copy, 103599), (uint64_t)UINT32_MAX + 1);
    assert_int_equal(sa_window_sum(&copy, 103600), 1);
    sa_buffer_done(&buffer);
    sa_window_done(&window);
    sa_window_done(&copy);
}

/* What was cut or is garbage does no harm. */
static void
test_load_garbage(void **state)
{
    (void)state;
    srand(4);
    for (int round = 0; round < 2000; round++) {
        size_t len = (size_t)(rand() % 40);
        uint8_t *bytes = malloc(len + 1);
        struct sa_buffer_reader reader = {bytes, bytes + len, false};
        struct sa_window window;

        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(rand() % 2 ? rand() : rand() % 4);
        assert_int_equal(sa_window_init(&window, 60), 0);
        sa_window_load(&window, &reader, round % 2 ? INT32_MIN : 0);
        assert_true(reader.p <= reader.end);
        (void)sa_window_sum(&window, INT64_C(1) << 50);
        assert_int_equal(sa_window_sum(&window, (INT64_C(1) << 50) + 60), 0);
        sa_window_done(&window);
        free(bytes);
    }
}

static void
test_clear(void **state)
{
    struct sa_window window;

    (void)state;
    assert_int_equal(sa_window_init(&window, 10), 0);
    for (int64_t s = 50; s < 70; s++)
        sa_window_add(&window, s, 7);
    sa_window_clear(&window);
    assert_int_equal(sa_window_sum(&window, 70), 0);
    sa_window_add(&window, 70, 2);
    sa_window_add(&window, 69, 1);
    assert_int_equal(sa_window_sum(&window, 78), 3);
    assert_int_equal(sa_window_sum(&window, 79), 2);
    sa_window_done(&window);
}

/* More in one second than its bucket holds must not stay behind when the second has left. */
static void
test_huge_second(void **state)
{
    struct sa_window window;

    (void)state;
    assert_int_equal(sa_window_init(&window, 10), 0);
    sa_window_add(&window, 100, UINT32_MAX);
    sa_window_add(&window, 100, UINT32_MAX);
    assert_true(sa_window_sum(&window, 105) >= UINT32_MAX);
    sa_window_add(&window, 105, 1);
    assert_int_equal(sa_window_sum(&window, 110), 1);
    sa_window_done(&window);
}

/* Seconds of the wall clock, also after 2038. */
static void
test_save_far_seconds(void **state)
{
    struct sa_buffer buffer = {0};
    struct sa_buffer_reader reader;
    struct sa_window window, copy;

    (void)state;
    assert_int_equal(sa_window_init(&window, 10), 0);
    assert_int_equal(sa_window_init(&copy, 10), 0);
    sa_window_add(&window, INT64_C(5000000000), 3);
    sa_window_save(&window, &buffer);
    reader = (struct sa_buffer_reader){buffer.bytes, buffer.bytes + buffer.len, false};
    sa_window_load(&copy, &reader, 0);
    assert_int_equal(sa_window_sum(&copy, INT64_C(5000000009)), 3);
    sa_buffer_done(&buffer);
    sa_window_done(&window);
    sa_window_done(&copy);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum_equals_recount),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_late_adds),
        cmocka_unit_test(test_save_and_load),
        cmocka_unit_test(test_saved_small),
        cmocka_unit_test(test_load_garbage),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_huge_second),
        cmocka_unit_test(test_save_far_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
