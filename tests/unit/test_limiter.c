/* The limit on own log lines: the first few of a kind pass, the others are told together, none is forgotten.
 */
#include "check.h"
#include "limiter.h"

static uint64_t
told(struct sa_limiter *limiter, int64_t now_ms, bool at_once)
{
    const struct sa_limiter_kind *kind;
    uint64_t sum = 0;

    while ((kind = sa_limiter_due(limiter, now_ms, at_once)) != NULL) {
        sum += kind->held;
        sa_limiter_told(limiter, kind, now_ms);
    }
    return sum;
}

static void
test_the_first_few_pass(void **state)
{
    struct sa_limiter limiter = {0};
    unsigned passed = 0;
    char line[64];

    (void)state;
    for (unsigned i = 0; i < 1000; i++) { /* alike but for their numbers */
        (void)snprintf(line, sizeof line, "control: refused to uid %u pid %u", i % 3, i);
        passed += sa_limiter_pass(&limiter, 4, line, i);
    }
    assert_int_equal(passed, SA_LIMITER_BURST);
    assert_int_equal(limiter.holding, 1);
    assert_int_equal(told(&limiter, 999, false), 0);
    assert_int_equal(told(&limiter, SA_LIMITER_MS + 4, false), 1000 - SA_LIMITER_BURST);
    assert_int_equal(limiter.holding, 0);
    assert_int_equal(told(&limiter, SA_LIMITER_MS * 9, true), 0);
}

static void
test_pass_again_after_a_pause(void **state)
{
    struct sa_limiter limiter = {0};

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        (void)sa_limiter_pass(&limiter, 4, "store: busy", 0);
    assert_false(sa_limiter_pass(&limiter, 4, "store: busy", SA_LIMITER_MS - 1));
    assert_int_equal(told(&limiter, SA_LIMITER_MS, false), 20 - SA_LIMITER_BURST + 1);
    assert_true(sa_limiter_pass(&limiter, 4, "store: busy", 3 * SA_LIMITER_MS));
    assert_true(sa_limiter_pass(&limiter, 4, "another line", 3 * SA_LIMITER_MS));
}

/* More kinds than there is room for: what passed and what was told together is what was said. */
static void
test_many_kinds(void **state)
{
    struct sa_limiter limiter = {0};
    uint64_t passed = 0, sum = 0;

    (void)state;
    for (unsigned i = 0; i < 50000; i++) {
        char line[64];

        (void)snprintf(line, sizeof line, "line %c%c", 'a' + (int)(i % 26), 'a' + (int)(i / 26 % 26));
        passed += sa_limiter_pass(&limiter, 4, line, i / 100);
        if (i % 5000 == 0)
            sum += told(&limiter, i / 100 + SA_LIMITER_MS, false);
    }
    sum += told(&limiter, 0, true);
    assert_int_equal(passed + sum, 50000);
    assert_int_equal(limiter.holding, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_few_pass),
        cmocka_unit_test(test_pass_again_after_a_pause),
        cmocka_unit_test(test_many_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
