/* Sliding windows against a naive recount. */
#include "window.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* One column by the second. */
static void
init(struct sa_window *window, uint32_t seconds)
{
    sa_window_init(window, seconds, 1);
    assert_int_equal(sa_window_widen(window), 0);
}

static void
test_sum_equals_recount(void **state)
{
    enum { SECONDS = 7, STEPS = 20000 };
    static uint32_t added[STEPS * 4];
    struct sa_window window;
    int64_t now = 0;

    (void)state;
    srand(1);
    init(&window, SECONDS);
    for (int step = 0; step < STEPS; step++) {
        uint64_t expected = 0;
        uint32_t n = (uint32_t)rand() % 5;

        now += rand() % 4;
        sa_window_add(&window, 0, now, n);
        added[now] += n;
        for (int64_t s = now - SECONDS + 1; s <= now; s++)
            expected += s < 0 ? 0 : added[s];
        assert_int_equal(sa_window_sum(&window, 0, now), expected);
    }
    sa_window_done(&window);
}

static void
test_edges(void **state)
{
    struct sa_window window;

    (void)state;
    init(&window, 60);
    sa_window_add(&window, 0, 100, 5);
    assert_int_equal(sa_window_sum(&window, 0, 159), 5); /* the last second that still holds it */
    assert_int_equal(sa_window_sum(&window, 0, 160), 0);
    sa_window_add(&window, 0, 150, 3); /* time that goes back changes nothing but the count */
    assert_int_equal(sa_window_sum(&window, 0, 160), 3);
    assert_int_equal(sa_window_sum(&window, 0, 100000), 0);
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
        init(&window, seconds);
        for (int step = 0; step < STEPS; step++) {
            uint64_t expected = 0;

            now += rand() % 4;
            for (int n = rand() % 4; n >= 0; n--) {
                int64_t at = now - rand() % 30;
                uint32_t how_many = (uint32_t)rand() % 5;

                sa_window_add(&window, 0, at, how_many);
                if (at >= 0)
                    added[at] += how_many;
            }
            for (int64_t s = now < seconds ? 0 : now - seconds + 1; s <= now; s++)
                expected += added[s];
            assert_int_equal(sa_window_sum(&window, 0, now), expected);
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

        init(&window, seconds);
        init(&copy, seconds);
        for (int n = rand() % 30; n > 0; n--) {
            now += rand() % 5;
            sa_window_add(&window, 0, now - rand() % 3, rand() % 3 ? (uint32_t)rand() % 9 : (uint32_t)rand());
        }
        sa_buffer_number(&buffer, 4711); /* it reads its own bytes and no others */
        sa_window_save(&window, 0, &buffer);
        sa_buffer_number(&buffer, 4712);
        reader = (struct sa_buffer_reader){buffer.bytes, buffer.bytes + buffer.len, false};
        assert_int_equal(sa_buffer_read(&reader), 4711);
        sa_window_load(&copy, 0, &reader, shift);
        assert_int_equal(sa_buffer_read(&reader), 4712);
        assert_false(reader.failed);
        for (uint32_t later = 0; later <= seconds + 1; later += 1 + (uint32_t)rand() % 3) {
            assert_int_equal(sa_window_sum(&copy, 0, now + shift + later),
                             sa_window_sum(&window, 0, now + later));
            if (rand() % 4 == 0) {
                sa_window_add(&window, 0, now + later, 3);
                sa_window_add(&copy, 0, now + shift + later, 3);
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
    init(&window, 3600);
    init(&copy, 3600);
    sa_window_save(&window, 0, &buffer);
    assert_true(buffer.len <= 2);
    reader = (struct sa_buffer_reader){buffer.bytes, buffer.bytes + buffer.len, false};
    sa_window_load(&copy, 0, &reader, 77);
    assert_int_equal(sa_window_sum(&copy, 0, 100), 0);
    buffer.len = 0;
    sa_window_add(&window, 0, 100000, UINT32_MAX);
    sa_window_add(&window, 0, 103599, 1);
    sa_window_save(&window, 0, &buffer);
    assert_true(buffer.len < 40);
    reader = (struct sa_buffer_reader){buffer.bytes, buffer.bytes + buffer.len, false};
    sa_window_load(&copy, 0, &reader, 0);
    assert_int_equal(sa_window_sum(&copy, 0, 103599), (uint64_t)UINT32_MAX + 1);
    assert_int_equal(sa_window_sum(&copy, 0, 103600), 1);
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
        init(&window, 60);
        sa_window_load(&window, 0, &reader, round % 2 ? INT32_MIN : 0);
        assert_true(reader.p <= reader.end);
        (void)sa_window_sum(&window, 0, INT64_C(1) << 50);
        assert_int_equal(sa_window_sum(&window, 0, (INT64_C(1) << 50) + 60), 0);
        sa_window_done(&window);
        free(bytes);
    }
}

/* What two bytes cannot hold takes four from then on, in whatever column and step it comes: against a
 * recount.
 */
static void
test_large_steps(void **state)
{
    enum { COLUMNS = 3, SECONDS = 20, END = 400 };
    static const uint32_t amounts[] = {0, 1, 65534, 65535, 65536, 131071, 1 << 30};

    (void)state;
    srand(7);
    for (int round = 0; round < 60; round++) {
        uint64_t added[COLUMNS][END] = {{0}};
        uint32_t steps[SECONDS];
        struct sa_window window;

        sa_window_init(&window, SECONDS, 1);
        assert_int_equal(sa_window_widen(&window), 0);
        for (int64_t now = 0; now < END; now += rand() % 3) {
            unsigned column = (unsigned)rand() % window.inside.columns,
                     kind = now < 30 ? 2 : 1 + (unsigned)rand() % 7;
            int64_t at = now - rand() % 3;
            uint32_t n = amounts[(unsigned)rand() % kind];

            if (window.inside.columns < COLUMNS && rand() % 40 == 0)
                assert_true(sa_window_widen(&window) > 0);
            if (at >= 0 && added[column][at] + n <= UINT32_MAX) {
                sa_window_add(&window, column, at, n);
                added[column][at] += n;
            }
            for (column = 0; column < window.inside.columns; column++) {
                uint64_t sum = 0;

                for (int64_t s = now < SECONDS ? 0 : now - SECONDS + 1; s <= now; s++)
                    sum += added[column][s];
                assert_int_equal(sa_window_sum(&window, column, now), sum);
                assert_int_equal(sa_window_copy(&window, column, steps), now);
                for (int64_t s = now < SECONDS ? 0 : now - SECONDS + 1; s <= now; s++) {
                    assert_int_equal(steps[s % SECONDS], added[column][s]);
                    assert_int_equal(sa_window_at(&window, column, s), added[column][s]);
                }
                assert_int_equal(sa_window_at(&window, column, now - SECONDS), 0);
                assert_int_equal(sa_window_at(&window, column, now + 1), 0);
            }
        }
        sa_window_done(&window);
    }
}

static void
test_clear(void **state)
{
    struct sa_window window;

    (void)state;
    init(&window, 10);
    for (int64_t s = 50; s < 70; s++)
        sa_window_add(&window, 0, s, 7);
    sa_window_clear(&window, 0);
    assert_int_equal(sa_window_sum(&window, 0, 70), 0);
    sa_window_add(&window, 0, 70, 2);
    sa_window_add(&window, 0, 69, 1);
    assert_int_equal(sa_window_sum(&window, 0, 78), 3);
    assert_int_equal(sa_window_sum(&window, 0, 79), 2);
    sa_window_done(&window);
}

/* More in one second than its bucket holds must not stay behind when the second has left. */
static void
test_huge_second(void **state)
{
    struct sa_window window;

    (void)state;
    init(&window, 10);
    sa_window_add(&window, 0, 100, UINT32_MAX);
    sa_window_add(&window, 0, 100, UINT32_MAX);
    assert_true(sa_window_sum(&window, 0, 105) >= UINT32_MAX);
    sa_window_add(&window, 0, 105, 1);
    assert_int_equal(sa_window_sum(&window, 0, 110), 1);
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
    init(&window, 10);
    init(&copy, 10);
    sa_window_add(&window, 0, INT64_C(5000000000), 3);
    sa_window_save(&window, 0, &buffer);
    reader = (struct sa_buffer_reader){buffer.bytes, buffer.bytes + buffer.len, false};
    sa_window_load(&copy, 0, &reader, 0);
    assert_int_equal(sa_window_sum(&copy, 0, INT64_C(5000000009)), 3);
    sa_buffer_done(&buffer);
    sa_window_done(&window);
    sa_window_done(&copy);
}

/* At most 60 steps whatever the length, and by the second as long as that goes. */
static void
test_steps(void **state)
{
    static const struct {
        uint32_t seconds, step_s, steps;
    } cases[] = {{1, 1, 1},    {2, 1, 2},    {59, 1, 59},    {60, 1, 60},      {61, 2, 31},
                 {120, 3, 41}, {300, 6, 51}, {3600, 62, 60}, {86400, 1465, 60}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sa_window window;

        assert_int_equal(sa_window_step_s(cases[i].seconds), cases[i].step_s);
        sa_window_init(&window, cases[i].seconds, sa_window_step_s(cases[i].seconds));
        assert_int_equal(window.inside.steps, cases[i].steps);
        sa_window_done(&window);
    }
    for (uint32_t seconds = 1; seconds < 100000; seconds += 1 + seconds / 100) {
        struct sa_window window;

        sa_window_init(&window, seconds, sa_window_step_s(seconds));
        assert_true(window.inside.steps <= SA_WINDOW_STEPS);
        assert_true(window.inside.step_s <= 1 + seconds / (SA_WINDOW_STEPS - 1));
        sa_window_done(&window);
    }
}

/* With longer steps: all that is in the window, and of what has left it at most what left within a step. */
static void
test_coarse_is_never_too_small(void **state)
{
    static uint32_t added[100000];

    (void)state;
    srand(6);
    for (int round = 0; round < 60; round++) {
        uint32_t seconds = 61 + (uint32_t)rand() % (round % 2 ? 300 : 4000),
                 step_s = sa_window_step_s(seconds);
        struct sa_window window;
        int64_t now = rand() % 1000;

        sa_window_init(&window, seconds, step_s);
        assert_int_equal(sa_window_widen(&window), 0);
        memset(added, 0, sizeof added);
        for (int turn = 0; turn < 400; turn++) {
            uint64_t inside = 0, at_most = 0, sum;

            now += rand() % 20 == 0 ? rand() % 3000 : rand() % 50;
            if (now >= 90000)
                break;
            for (int n = rand() % 3; n > 0; n--) {
                int64_t at = now - (rand() % 4 == 0 ? rand() % 200 : 0);

                sa_window_add(&window, 0, at, 3);
                if (at >= 0)
                    added[at] += 3;
            }
            for (int64_t s = now; s > now - seconds - step_s + 1; s--) {
                at_most += s < 0 ? 0 : added[s];
                inside += s < 0 || s <= now - seconds ? 0 : added[s];
            }
            sum = sa_window_sum(&window, 0, now);
            assert_true(sum >= inside);
            assert_true(sum <= at_most);
        }
        sa_window_done(&window);
    }
}

/* Columns share their clock and nothing else; a new one disturbs none. */
static void
test_columns(void **state)
{
    struct sa_window window, alone[5];

    (void)state;
    srand(7);
    for (int round = 0; round < 40; round++) {
        uint32_t seconds = 1 + (uint32_t)rand() % 200, step_s = sa_window_step_s(seconds);
        int64_t now = 1000;
        int columns = 0;

        sa_window_init(&window, seconds, step_s);
        assert_null(window.inside.sum); /* nothing was counted: no memory */
        assert_true(sa_window_is_empty(&window, now));
        for (int i = 0; i < 5; i++) {
            sa_window_init(&alone[i], seconds, step_s);
            assert_int_equal(sa_window_widen(&alone[i]), 0);
        }
        for (int turn = 0; turn < 300; turn++) {
            int column = rand() % 5;
            uint64_t all = 0;

            now += rand() % 10 == 0 ? rand() % 300 : rand() % 2;
            while (columns <= column)
                assert_int_equal(sa_window_widen(&window), columns++);
            sa_window_add(&window, (unsigned)column, now, (uint32_t)rand() % 9);
            sa_window_clear(&window, (unsigned)column);
            sa_window_add(&window, (unsigned)column, now, 2);
            sa_window_clear(&alone[column], 0);
            sa_window_add(&alone[column], 0, now, 2);
            column = rand() % 5;
            if (column < columns) {
                sa_window_add(&window, (unsigned)column, now - 3, 5);
                (void)sa_window_sum(&alone[column], 0, now);
                sa_window_add(&alone[column], 0, now - 3, 5);
            }
            for (int i = 0; i < columns; i++) {
                assert_int_equal(sa_window_sum(&window, (unsigned)i, now), sa_window_sum(&alone[i], 0, now));
                all += sa_window_sum(&alone[i], 0, now);
            }
            assert_int_equal(sa_window_is_empty(&window, now), all == 0);
        }
        assert_true(sa_window_is_empty(&window, now + seconds + step_s));
        sa_window_done(&window);
        for (int i = 0; i < 5; i++)
            sa_window_done(&alone[i]);
    }
}

/* Saved and loaded it is the same to the second on the same clock; on another it may leave a step later, and
 * never earlier, also where the steps are others. */
static void
test_save_and_load_coarse(void **state)
{
    (void)state;
    srand(8);
    for (int round = 0; round < 300; round++) {
        uint32_t seconds = 61 + (uint32_t)rand() % 4000, step_s = sa_window_step_s(seconds);
        int64_t shift = round % 3 == 0 ? 0 : rand() % 5000, now = 10000 + rand() % 100;
        struct sa_buffer buffer = {0};
        struct sa_buffer_reader reader;
        struct sa_window exact, window, copy;

        init(&exact, seconds);
        sa_window_init(&window, seconds, step_s);
        sa_window_init(&copy, seconds, step_s);
        assert_int_equal(sa_window_widen(&window), 0);
        assert_int_equal(sa_window_widen(&copy), 0);
        for (int n = rand() % 40; n > 0; n--) {
            now += rand() % 200;
            sa_window_add(&window, 0, now, 1 + (uint32_t)rand() % 9);
            sa_window_add(&exact, 0, now, 1);
        }
        sa_window_save(round % 2 ? &window : &exact, 0, &buffer);
        reader = (struct sa_buffer_reader){buffer.bytes, buffer.bytes + buffer.len, false};
        assert_true(sa_window_is_sound(&reader, now));
        reader.p = buffer.bytes;
        sa_window_load(&copy, 0, &reader, shift);
        assert_true(copy.inside.newest_s <= now + shift);
        for (uint32_t later = 0; later <= seconds + 2 * step_s; later++) {
            uint64_t had = sa_window_sum(&copy, 0, now + shift + later);

            assert_true(had >= sa_window_sum(&exact, 0, now + later));
            if (round % 2 && shift == 0)
                assert_int_equal(had, sa_window_sum(&window, 0, now + later));
        }
        assert_int_equal(sa_window_sum(&copy, 0, now + shift + seconds + 2 * step_s), 0);
        sa_buffer_done(&buffer);
        sa_window_done(&exact);
        sa_window_done(&window);
        sa_window_done(&copy);
    }
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
        cmocka_unit_test(test_large_steps),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_huge_second),
        cmocka_unit_test(test_save_far_seconds),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_coarse_is_never_too_small),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_save_and_load_coarse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
