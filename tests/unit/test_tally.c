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
    const struct sa_tally_code *code;
    uint32_t steps[60];

    (void)state;
    assert_non_null(tally);
    assert_null(sa_tally_seen(tally, 302));
    r = response(302, SA_DIR_RECEIVED, "INVITE", 37);
    sa_tally_add(tally, &r, 100, 5000);
    r = response(302, SA_DIR_SENT, "INVITE", 1);
    sa_tally_add(tally, &r, 101, 6000);
    r = response(302, SA_DIR_UNKNOWN, "", 2);
    sa_tally_add(tally, &r, 102, 7000);
    code = sa_tally_seen(tally, 302);
    assert_non_null(code);
    assert_int_equal(code->count.responses, 40);
    assert_int_equal(code->count.received, 37);
    assert_int_equal(code->count.sent, 1);
    assert_int_equal(code->last_seen_ms, 7000);
    assert_int_equal(sa_tally_responses(tally), 40);
    assert_int_equal(sa_tally_lost(tally), 0);
    assert_int_equal(sa_tally_copy(tally, 302, steps), 102);
    assert_int_equal(steps[100 % 60], 37);
    assert_int_equal(steps[101 % 60], 1);
    assert_int_equal(steps[102 % 60], 2);
    assert_int_equal(sa_tally_at(tally, 302, 100), 37);
    assert_int_equal(sa_tally_at(tally, 302, 99), 0);
    assert_int_equal(sa_tally_at(tally, 302, 103), 0);
    assert_null(sa_tally_seen(tally, 301));
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
    assert_int_equal(sa_tally_seen(tally, 100)->count.responses, 1);
    assert_int_equal(sa_tally_seen(tally, 999)->count.responses, 1);
    assert_int_equal(sa_tally_responses(tally), 2);
    sa_tally_free(tally);
}

static uint64_t
of_method(const struct sa_tally *tally, unsigned code, const char *method)
{
    for (unsigned i = 0; i < SA_TALLY_METHODS; i++)
        if (strcmp(sa_tally_method_name(tally, i), method) == 0)
            return sa_tally_seen(tally, code)->by_method[i];
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
    assert_string_equal(sa_tally_method_name(tally, SA_TALLY_METHODS - 1), "OTHER");
    assert_int_equal(of_method(tally, 200, "X0"), 1);
    assert_int_equal(of_method(tally, 200, "OTHER"), 1001 - (SA_TALLY_METHODS - 1 - REGISTERED));
    for (unsigned i = 0; i < SA_TALLY_METHODS; i++)
        sum += sa_tally_seen(tally, 200)->by_method[i];
    assert_int_equal(sum, 1004);
    assert_int_equal(sa_tally_seen(tally, 200)->count.responses, 1004);
    assert_int_equal(sa_tally_lost(tally), 0);
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
    assert_int_equal(sa_tally_responses(tally), all);
    for (unsigned code = 0; code <= SA_CODE_MAX; code++) {
        assert_int_equal(sa_tally_seen(tally, code) == NULL ? 0 : sa_tally_seen(tally, code)->count.responses,
                         by_code[code]);
        assert_int_equal(sa_tally_seen(tally, code) == NULL ? 0 : sa_tally_seen(tally, code)->count.received,
                         received[code]);
    }
    sa_tally_free(tally);
}

/* What a store would hold, and the tally that it goes back into. */
struct kept {
    struct sa_tally *into;
    unsigned n_codes, n_methods, n_windows;
    int64_t latest_s, shift_s;
};

static void
on_code(void *arg, unsigned code, const struct sa_tally_code *seen)
{
    struct kept *kept = arg;

    kept->n_codes++;
    sa_tally_load_code(kept->into, code, &seen->count, seen->last_seen_ms);
    sa_tally_load_sums(kept->into, seen->count.responses, 0);
}

static void
on_method(void *arg, unsigned code, const char *method, uint64_t responses)
{
    struct kept *kept = arg;

    kept->n_methods++;
    sa_tally_load_method(kept->into, code, method, responses);
}

static void
on_window(void *arg, unsigned code, const void *bytes, size_t len)
{
    struct kept *kept = arg;

    kept->n_windows++;
    assert_true(sa_tally_load_window(kept->into, code, bytes, len, kept->latest_s, kept->shift_s));
    assert_false(sa_tally_load_window(kept->into, code, bytes, len, kept->latest_s - 1, kept->shift_s));
    assert_false(sa_tally_load_window(kept->into, code, bytes, len - 1, kept->latest_s, kept->shift_s));
}

static struct kept
save(struct sa_tally *tally, bool all, struct sa_tally *into, int64_t latest_s, int64_t shift_s)
{
    struct kept kept = {.into = into, .latest_s = latest_s, .shift_s = shift_s};

    sa_tally_save(tally, all, &(struct sa_tally_rows){on_code, on_method, on_window, &kept});
    return kept;
}

/* A tally that was saved and loaded, its clock shifted, is the tally: by code, direction, method and second.
 */
static void
test_save_and_load(void **state)
{
    enum { SECONDS = 50, END = 130 };
    static const int64_t shifts[] = {0, 7, -40};

    (void)state;
    srand(12);
    for (unsigned round = 0; round < 30; round++) {
        struct sa_tally *tally = sa_tally_new(SECONDS), *again = sa_tally_new(SECONDS),
                        *nothing = sa_tally_new(0);
        int64_t shift_s = shifts[round % 3];
        struct kept kept;

        for (unsigned code = 300; code < 310; code++) { /* each in the last second, too */
            struct sa_response r = response(code, SA_DIR_UNKNOWN, "", 1);

            sa_tally_add(tally, &r, END, code);
        }
        for (unsigned i = 0; i < 200; i++) {
            struct sa_response r = response(300 + (unsigned)rand() % 10, (enum sa_direction)(rand() % 3),
                                            i % 3 ? "BYE" : "INVENTED", 1 + (unsigned)rand() % 90000);

            sa_tally_add(tally, &r, END - rand() % 60, 1000 + rand() % 1000);
        }
        kept = save(tally, false, again, END, shift_s);
        assert_int_equal(kept.n_codes, 10);
        assert_int_equal(kept.n_windows, 10);
        assert_in_range(kept.n_methods, 10, 20);
        assert_int_equal(sa_tally_responses(again), sa_tally_responses(tally));
        for (unsigned code = 300; code < 310; code++) {
            const struct sa_tally_code *a = sa_tally_seen(tally, code), *b = sa_tally_seen(again, code);

            assert_memory_equal(a, b, sizeof *a);
            for (int64_t s = END - 60; s <= END; s++)
                assert_int_equal(sa_tally_at(tally, code, s), sa_tally_at(again, code, s + shift_s));
        }
        assert_int_equal(save(tally, false, nothing, END, 0).n_codes, 0); /* nothing changed since */
        assert_int_equal(save(tally, true, nothing, END, 0).n_codes, 10);
        assert_int_equal(save(again, false, nothing, END + shift_s, 0).n_codes, shift_s == 0 ? 0 : 10);
        sa_tally_load_code(again, 99, &(struct sa_count){1, 0, 0}, 1); /* no code */
        sa_tally_load_method(again, 1000, "INVITE", 1);
        assert_int_equal(save(again, true, nothing, END + shift_s, 0).n_codes, 10);
        sa_tally_free(tally);
        sa_tally_free(again);
        sa_tally_free(nothing);
    }
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
        cmocka_unit_test(test_save_and_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
