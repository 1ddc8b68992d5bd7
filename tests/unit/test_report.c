/* Counters as JSON. */
#include "check.h"
#include "report.h"

static struct sa_response
response(unsigned code, enum sa_direction direction, const char *method, const char *peer, uint32_t repeat)
{
    struct sa_response r = {.code = (uint16_t)code, .direction = direction, .repeat = repeat};

    snprintf(r.method, sizeof r.method, "%s", method);
    snprintf(r.peer, sizeof r.peer, "%s", peer);
    return r;
}

static void
expect(json_t *got, const char *want)
{
    json_error_t error;
    json_t *wanted = json_loads(want, JSON_DECODE_ANY, &error);

    assert_non_null(got);
    if (wanted == NULL)
        fail_msg("%s: %s", want, error.text);
    if (!json_equal(got, wanted)) {
        char *text = json_dumps(got, JSON_ENCODE_ANY);

        print_error("got %s\nnot %s\n", text, want);
        free(text);
        fail();
    }
    json_decref(got);
    json_decref(wanted);
}

static void
test_codes(void **state)
{
    struct sa_tally *tally = sa_tally_new(0);
    struct sa_response r = response(302, SA_DIR_RECEIVED, "INVITE", "", 3);

    (void)state;
    expect(sa_report_codes(tally), "{}");
    sa_tally_add(tally, &r, 0, 0);
    r = response(302, SA_DIR_SENT, "BYE", "", 1);
    sa_tally_add(tally, &r, 0, 0);
    r = response(999, SA_DIR_UNKNOWN, "BYE", "", 2);
    sa_tally_add(tally, &r, 0, 0);
    expect(sa_report_codes(tally),
           "{\"302\":{\"responses\":4,\"received\":3,\"sent\":1,\"methods\":{\"INVITE\":3,\"BYE\":1}},"
           "\"999\":{\"responses\":2,\"received\":0,\"sent\":0,\"methods\":{\"BYE\":2}}}");
    sa_tally_free(tally);
}

static void
test_peers(void **state)
{
    struct sa_peers *peers = sa_peers_new();
    struct sa_response r = response(302, SA_DIR_RECEIVED, "INVITE", "192.0.2.1", 3);

    (void)state;
    expect(sa_report_peers(peers), "[]");
    sa_peers_add(peers, &r);
    r = response(430, SA_DIR_RECEIVED, "INVITE", "2001:db8::1", 5);
    sa_peers_add(peers, &r);
    r = response(302, SA_DIR_RECEIVED, "INVITE", "2001:db8::1", 1);
    sa_peers_add(peers, &r);
    expect(sa_report_peers(peers),
           "[{\"peer\":\"2001:db8::1\",\"responses\":6,\"codes\":{\"302\":1,\"430\":5}},"
           "{\"peer\":\"192.0.2.1\",\"responses\":3,\"codes\":{\"302\":3}}]");
    sa_peers_free(peers);
}

/* Whatever a log or a file name holds, the JSON is valid and the text printable. */
static void
test_text_and_time(void **state)
{
    json_t *json;

    (void)state;
    expect(sa_report_text("/var/log/k.log"), "\"/var/log/k.log\"");
    expect(sa_report_text(""), "\"\"");
    json = sa_report_text("a\xff\n\033");
    assert_true(json_is_string(json));
    for (const char *c = json_string_value(json); *c != '\0'; c++)
        assert_in_range((unsigned char)*c, 0x20, 0x7e);
    json_decref(json);
    expect(sa_report_time(0), "\"\"");
    expect(sa_report_time(1795193213391), "\"2026-11-20T16:46:53.391Z\"");
}

static json_int_t
step(const json_t *recent, size_t i)
{
    return json_integer_value(json_array_get(json_object_get(json_object_get(recent, "codes"), "302"), i));
}

/* Steps end with the second that is asked for; what has left the window, or its ring was used again for, is
 * gone. */
static void
test_recent(void **state)
{
    struct sa_tally *tally = sa_tally_new(60);
    struct sa_response r = response(302, SA_DIR_SENT, "INVITE", "", 1);
    json_t *recent;

    (void)state;
    sa_tally_add(tally, &r, 101, 0); /* the first second of the window that ends with 160 */
    sa_tally_add(tally, &r, 115, 0);
    sa_tally_add(tally, &r, 116, 0);
    r.repeat = 3;
    sa_tally_add(tally, &r, 160, 0);
    recent = sa_report_recent(tally, 160, 15);
    assert_int_equal(json_integer_value(json_object_get(recent, "step_s")), 15);
    assert_int_equal(json_array_size(json_object_get(json_object_get(recent, "codes"), "302")), 4);
    assert_int_equal(step(recent, 0), 2);
    assert_int_equal(step(recent, 1), 1);
    assert_int_equal(step(recent, 2), 0);
    assert_int_equal(step(recent, 3), 3);
    json_decref(recent);
    recent = sa_report_recent(tally, 175, 15); /* nothing came since */
    assert_int_equal(step(recent, 0), 1);
    assert_int_equal(step(recent, 2), 3);
    assert_int_equal(step(recent, 3), 0);
    json_decref(recent);
    recent = sa_report_recent(tally, 100000, 15);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(step(recent, i), 0);
    json_decref(recent);
    recent = sa_report_recent(tally, 130, 15); /* from before the newest second, and before the clock began */
    assert_int_equal(step(recent, 0) + step(recent, 1), 0);
    json_decref(recent);
    recent = sa_report_recent(tally, 5, 15);
    assert_int_equal(step(recent, 3), 0);
    json_decref(recent);
    (void)sa_tally_free(tally);
    tally = sa_tally_new(0); /* without windows there is nothing recent */
    sa_tally_add(tally, &r, -1, 0);
    recent = sa_report_recent(tally, 10, 15);
    assert_int_equal(json_object_size(json_object_get(recent, "codes")), 0);
    json_decref(recent);
    (void)sa_tally_free(tally);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_recent),
        cmocka_unit_test(test_text_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
