/* Status codes as a rule names them. */
#include "check.h"
#include "code_set.h"

#include <errno.h>

static unsigned
members(const struct sa_code_set *set)
{
    unsigned n = 0;

    for (unsigned code = 0; code <= SA_CODE_MAX; code++)
        n += sa_code_set_has(set, code);
    return n;
}

static void
test_words(void **state)
{
    static const struct {
        const char *words[4];
        unsigned n, has, has_not;
    } cases[] = {
        {{"302"}, 1, 302, 301},
        {{"300-302"}, 3, 302, 303},
        {{"3xx"}, 100, 399, 400},
        {{"3xx", "!302"}, 99, 301, 302},
        {{"300-399", "!300-398"}, 1, 399, 398},
        {{"100"}, 1, 100, 101},
        {{"999"}, 1, 999, 998},
        {{"100-999"}, 900, 430, 99},
        {{"302", "302"}, 1, 302, 300},
        {{"302-302"}, 1, 302, 303},
        {{"6xx", "!6xx"}, 0, 0, 600},
        {{"1xx"}, 100, 100, 200},
        {{"9xx"}, 100, 999, 899},
        {{"302", "!302", "302"}, 1, 302, 0},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_code_set set = {{0}};

        for (unsigned w = 0; w < 4 && cases[i].words[w] != NULL; w++)
            CHECK_INT(cases[i].words[w], sa_code_set_add_word(&set, cases[i].words[w]), 0);
        CHECK_INT(cases[i].words[0], members(&set), cases[i].n);
        if (cases[i].has != 0)
            CHECK_INT(cases[i].words[0], sa_code_set_has(&set, cases[i].has), true);
        CHECK_INT(cases[i].words[0], sa_code_set_has(&set, cases[i].has_not), false);
        CHECK_INT(cases[i].words[0], sa_code_set_empty(&set), cases[i].n == 0);
    }
}

static void
test_refused(void **state)
{
    static const char *const words[] = {"",
                                        "!",
                                        "30",
                                        "099",
                                        "99",
                                        "000",
                                        "1000",
                                        "3020",
                                        "302x",
                                        "x02",
                                        "xxx",
                                        "0xx",
                                        "3x2",
                                        "3xxx",
                                        "302-",
                                        "-302",
                                        "302-300",
                                        "99-302",
                                        "300-1000",
                                        "300-302-305",
                                        "300 302",
                                        " 302",
                                        "302 ",
                                        "!!302",
                                        "+302",
                                        "-1",
                                        "300--302",
                                        "3\xd9\xa0",
                                        "0x12E",
                                        "4294967598",
                                        "18446744073709551918",
                                        "300-4xx"};

    (void)state;
    for (unsigned i = 0; i < ROWS(words); i++) {
        struct sa_code_set set = {{0}}, before;

        sa_code_set_add_range(&set, 430, 440, true);
        before = set;
        CHECK_INT(words[i], sa_code_set_add_word(&set, words[i]), -EINVAL);
        assert_memory_equal(&set, &before, sizeof set);
    }
}

static void
test_ranges_and_subsets(void **state)
{
    struct sa_code_set a = {{0}}, b = {{0}};

    (void)state;
    assert_true(sa_code_set_empty(&a));
    assert_true(sa_code_set_subset(&a, &b));
    sa_code_set_add_range(&a, 100, 999, true);
    assert_int_equal(members(&a), 900);
    sa_code_set_add_range(&a, 302, 302, false);
    assert_int_equal(members(&a), 899);
    sa_code_set_add_range(&b, 300, 301, true);
    assert_true(sa_code_set_subset(&b, &a));
    assert_false(sa_code_set_subset(&a, &b));
    sa_code_set_add_range(&b, 302, 302, true);
    assert_false(sa_code_set_subset(&b, &a));
    assert_false(sa_code_set_has(&a, 1000));
    assert_false(sa_code_set_has(&a, 65535));
    assert_false(sa_code_set_has(&a, UINT32_MAX));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_ranges_and_subsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
