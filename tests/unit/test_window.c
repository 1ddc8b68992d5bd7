/* Sliding windows against a naive recount. */
#include "window.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum_equals_recount),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
