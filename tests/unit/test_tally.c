/* Totals by code, direction and method against a naive recount. */
#include "check.h"
#include "tally.h"

static struct sa_response
response(unsigned code, enum sa_direction direction, const char *method, uint32_t repeat)
{
    struct sa_response r = {.code = (uint16_t)code, .direction = direction, .repeat = repeat};

    snprintf(r.method, sizeof r.method, "%s", method);
    return r;
}

static void
test_directions_and_repeat(void **state)
{
    struct sa_tally *tally = sa_tally_new(60);
    struct sa_response r;
    struct sa_tally_code *code;

    (void)state;
    assert_non_null(tally);
    assert_null(tally->codes[302]);
    r = response(302, SA_DIR_RECEIVED, "INVITE", 37);
    sa_tally_add(tally, &r, 100, 5000);
    r = response(302, SA_DIR_SENT, "INVITE", 1);
    sa_tally_add(tally, &r, 101, 6000);
    r = response(302, SA_DIR_UNKNOWN, "", 2);
    sa_tally_add(tally, &r, 102, 7000);
    code = tally->codes[302];
    assert_non_null(code);
    assert_int_equal(code->code, 302);
    assert_int_equal(code->count.responses, 40);
    assert_int_equal(code->count.received, 37);
    assert_int_equal(code->count.sent, 1);
    assert_int_equal(code->last_seen_ms, 7000);
    assert_int_equal(tally->responses, 40);
    assert_int_equal(tally->lost, 0);
    assert_int_equal(sa_window_sum(&code->window, 0, 102), 40);
    assert_int_equal(sa_window_sum(&code->window, 0, 159), 40);
    assert_int_equal(sa_window_sum(&code->window, 0, 160), 3);
    assert_null(tally->codes[301]);
    assert_null(sa_tally_free(tally));
}

static void
test_borders_of_codes(void **state)
{
    struct sa_tally *tally = sa_tally_new(0);
    struct sa_response r = response(100, SA_DIR_RECEIVED, "OPTIONS", 1);

    (void)state;
    sa_tally_add(tally, &r, 0, 0);
    r.code = 999;
    sa_tally_add(tally, &r, 0, 0);
    assert_int_equal(tally->codes[100]->count.responses, 1);
    assert_int_equal(tally->codes[999]->count.responses, 1);
    assert_int_equal(tally->responses, 2);
    sa_tally_free(tally);
}

static uint64_t
of_method(const struct sa_tally *tally, unsigned code, const char *method)
{
    for (unsigned i = 0; i < SA_TALLY_METHODS; i++)
        if (strcmp(tally->methods[i], method) == 0)
            return tally->codes[code]->by_method[i];
    return 0;
}

static void
test_methods(void **state)
{
    struct sa_tally *tally = sa_tally_new(0);
    struct sa_response r = response(200, SA_DIR_RECEIVED, "INVITE", 3);

    (void)state;
    sa_tally_add(tally, &r, 0, 0);
    r = response(200, SA_DIR_RECEIVED, "REGISTER", 2);
    sa_tally_add(tally, &r, 0, 0);
    assert_int_equal(of_method(tally, 200, "INVITE"), 3);
    assert_int_equal(of_method(tally, 200, "REGISTER"), 2);
    assert_int_equal(of_method(tally, 200, "BYE"), 0);
    sa_tally_free(tally);
}

#define REGISTERED 14

/* A stranger who invents methods fills the last slots, and takes no registered method's place. */
static void
test_invented_methods(void **state)
{
    struct sa_tally *tally = sa_tally_new(0);
    uint64_t sum = 0;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        char name[16];
        struct sa_response r;

        snprintf(name, sizeof name, "X%u", i);
        r = response(200, SA_DIR_RECEIVED, name, 1);
        sa_tally_add(tally, &r, 0, 0);
    }
    {
        struct sa_response r = response(200, SA_DIR_RECEIVED, "PUBLISH", 3);

        sa_tally_add(tally, &r, 0, 0);
        r = response(200, SA_DIR_RECEIVED, "OTHER", 1);
        sa_tally_add(tally, &r, 0, 0);
    }
    assert_int_equal(of_method(tally, 200, "PUBLISH"), 3);
    assert_string_equal(tally->methods[SA_TALLY_METHODS - 1], "OTHER");
    assert_int_equal(of_method(tally, 200, "X0"), 1);
    assert_int_equal(of_method(tally, 200, "OTHER"), 1001 - (SA_TALLY_METHODS - 1 - REGISTERED));
    for (unsigned i = 0; i < SA_TALLY_METHODS; i++)
        sum += tally->codes[200]->by_method[i];
    assert_int_equal(sum, 1004);
    assert_int_equal(tally->codes[200]->count.responses, 1004);
    assert_int_equal(tally->lost, 0);
    sa_tally_free(tally);
}

static void
test_random_recount(void **state)
{
    static uint64_t by_code[SA_CODE_MAX + 1], received[SA_CODE_MAX + 1];
    struct sa_tally *tally = sa_tally_new(30);
    uint64_t all = 0;

    (void)state;
    srand(11);
    for (unsigned i = 0; i < 20000; i++) {
        struct sa_response r = response(100 + (unsigned)rand() % 900, (enum sa_direction)(rand() % 3),
                                        "INVITE", 1 + (unsigned)rand() % 4);

        sa_tally_add(tally, &r, i / 100, i);
        by_code[r.code] += r.repeat;
        all += r.repeat;
        if (r.direction == SA_DIR_RECEIVED)
            received[r.code] += r.repeat;
    }
    assert_int_equal(tally->responses, all);
    for (unsigned code = 0; code <= SA_CODE_MAX; code++) {
        assert_int_equal(tally->codes[code] == NULL ? 0 : tally->codes[code]->count.responses, by_code[code]);
        assert_int_equal(tally->codes[code] == NULL ? 0 : tally->codes[code]->count.received, received[code]);
    }
    sa_tally_free(tally);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directions_and_repeat),
        cmocka_unit_test(test_borders_of_codes),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_invented_methods),
        cmocka_unit_test(test_random_recount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
