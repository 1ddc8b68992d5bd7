/* How often refusals are told. */
#include "check.h"
#include "refusals.h"

/* Tells what is due; returns how many lines that were, and how many refusals they told of. */
static unsigned
tell(struct sa_refusals *refusals, int64_t now_ms, uint64_t *ret_refusals)
{
    const struct sa_refusals_row *row;
    unsigned lines = 0;

    while ((row = sa_refusals_due(refusals, now_ms)) != NULL) {
        *ret_refusals += row->held;
        sa_refusals_told(refusals, row, now_ms);
        lines++;
    }
    return lines;
}

static void
test_one_user(void **state)
{
    struct sa_refusals refusals = {0};
    uint64_t told = 0;
    unsigned at_once = 0, later = 0;

    (void)state;
    for (int64_t ms = 0; ms < 10 * SA_REFUSALS_MS; ms += 10) { /* ten minutes, a hundred a second */
        at_once += sa_refusals_add(&refusals, 1000, ms);
        later += tell(&refusals, ms, &told);
    }
    assert_int_equal(at_once, 1);
    assert_int_equal(later, 9);
    later += tell(&refusals, 11 * SA_REFUSALS_MS, &told);
    assert_int_equal(later, 10);
    assert_int_equal(told + at_once, 60000); /* none is forgotten */
    assert_false(sa_refusals_add(&refusals, 1000, 11 * SA_REFUSALS_MS + 1));
    assert_int_equal(tell(&refusals, 12 * SA_REFUSALS_MS, &told), 1);
    assert_true(sa_refusals_add(&refusals, 1000, 13 * SA_REFUSALS_MS)); /* after a quiet minute it is news */
}

static void
test_users_apart(void **state)
{
    struct sa_refusals refusals = {0};
    uint64_t told = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        (void)sa_refusals_add(&refusals, 1000, 0);
    assert_true(sa_refusals_add(&refusals, 1001, 0)); /* one user's noise does not hide another */
    assert_int_equal(tell(&refusals, SA_REFUSALS_MS, &told), 1);
    assert_int_equal(told, 999);
}

/* More users than there is room for: what is told stays bounded, and all are counted. */
static void
test_many_users(void **state)
{
    struct sa_refusals refusals = {0};
    uint64_t told = 0;
    unsigned lines = 0;

    (void)state;
    for (uid_t uid = 0; uid < 5000; uid++)
        for (int i = 0; i < 2; i++)
            lines += sa_refusals_add(&refusals, uid, 5);
    assert_int_equal(lines, SA_REFUSALS_USERS + 1);
    assert_int_equal(tell(&refusals, SA_REFUSALS_MS + 5, &told), SA_REFUSALS_USERS + 1);
    assert_int_equal(told + lines, 10000);
    assert_true(sa_refusals_add(&refusals, 70000, 3 * SA_REFUSALS_MS)); /* rows are given back */
    assert_false(sa_refusals_add(&refusals, 70000, 3 * SA_REFUSALS_MS));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_user), cmocka_unit_test(test_users_apart),
                                       cmocka_unit_test(test_many_users)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
