/* Fields of a response, each checked, and the acc lines of Kamailio and OpenSIPS. */
#include "check.h"
#include "payload.h"

static struct sa_slice
slice(const char *text)
{
    return (struct sa_slice){text, strlen(text)};
}

static void
test_code(void **state)
{
    static const char *const bad[] = {"",
                                      "1",
                                      "30",
                                      "099",
                                      "000",
                                      "1000",
                                      "2000",
                                      "20",
                                      "3020",
                                      " 302",
                                      "302 ",
                                      "30x",
                                      "3.2",
                                      "-30",
                                      "+30",
                                      "302\r",
                                      "\xd9\xa3\x30\x32",
                                      "0302"};
    struct sa_response r = {.code = 200};

    (void)state;
    for (unsigned code = 100; code <= 999; code++) {
        char text[8];

        snprintf(text, sizeof text, "%u", code);
        assert_true(sa_payload_set_code(&r, slice(text)));
        assert_int_equal(r.code, code);
    }
    r.code = 200;
    for (unsigned i = 0; i < ROWS(bad); i++) {
        CHECK_INT(bad[i], sa_payload_set_code(&r, slice(bad[i])), false);
        CHECK_INT(bad[i], r.code, 200);
    }
    assert_false(sa_payload_set_code(&r, SLICE("30\0")));
    assert_true(sa_payload_set_code(&r, (struct sa_slice){"302999", 3}));
    assert_int_equal(r.code, 302);
}

static void
test_method(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"INVITE", "INVITE"},
        {"JSip0NOTIFY", "JSip0NOTIFY"},
        {"-.!%*_+`'~", "-.!%*_+`'~"},
        {"", ""},
        {"IN VITE", ""},
        {"INVITE\r", ""},
        {"IN\"VITE", ""},
        {"INV;ITE", ""},
        {"INVIT\xc3\x89", ""},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", ""},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_response r = {.code = 200};

        sa_payload_set_method(&r, slice(cases[i].text));
        if (strcasecmp(r.method, cases[i].want) != 0)
            fail_msg("%s: method is \"%s\"", cases[i].text, r.method);
    }
}

static void
test_peer(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1:5060", "192.0.2.1"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:5060", "2001:db8::1"},
        {"[::1]:5060", "::1"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"fe80::1%eth0", "fe80::1"},
        {"[fe80::1%eth0]:5060", "fe80::1"},
        {"", ""},
        {"x y", ""},
        {"<null>", ""},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_response r = {.code = 200};

        sa_payload_set_peer(&r, slice(cases[i].text));
        CHECK_STR(cases[i].text, r.peer, cases[i].want);
    }
}

static void
test_call_id(void **state)
{
    struct sa_response r = {.code = 200};
    char longest[400];

    (void)state;
    sa_payload_set_call_id(&r, slice("2-49@127.11.0.3"));
    assert_string_equal(r.call_id, "2-49@127.11.0.3");
    memset(longest, 'c', sizeof longest);
    sa_payload_set_call_id(&r, (struct sa_slice){longest, sizeof longest});
    assert_int_equal(strlen(r.call_id), SA_CALLID_SIZE - 1);
}

#define KAMAILIO "Nov 20 16:43:50 sbc01 kamailio[34]: INFO: acc [acc.c:287]: acc_log_request(): "
#define OPENSIPS "Nov 20 16:45:18 sbc01 /usr/sbin/opensips[36]: NOTICE:"
#define ANSWERED "ACC: transaction answered: timestamp=1795193030;"

static enum sa_payload_outcome
read_acc(const char *line, struct sa_response *response)
{
    struct sa_peeler cache = {.stamps.reference_ms = 1795194000000};
    struct sa_record record;

    memset(response, 0, sizeof *response);
    sa_envelope_peel(&cache, slice(line), &record);
    return sa_payload_acc(&record, response);
}

static void
test_acc_hits(void **state)
{
    static const struct {
        const char *line;
        unsigned code;
        const char *method, *call_id, *peer;
    } cases[] = {
        {KAMAILIO ANSWERED
         "method=INVITE;from_tag=f;to_tag=t;call_id=4-49@127.11.0.3;code=200;reason=OK;src_user=alice;"
         "src_domain=example.net;src_ip=127.11.0.3;dst_ouser=x;dst_user=x;dst_domain=127.11.0.1",
         200, "INVITE", "4-49@127.11.0.3", "127.11.0.3"},
        {OPENSIPS ANSWERED
         "created=0;setuptime=1795193117;method=MESSAGE;from_tag=f;to_tag=;call_id=2-51@h;code=302;"
         "reason=Moved Temporarily;src_ip=127.11.0.3;dst_user=r302",
         302, "MESSAGE", "2-51@h", "127.11.0.3"},
        {KAMAILIO ANSWERED "method=INVITE;from_tag=f;to_tag=t;call_id=a b@h;code=430;reason=Flow Failed", 430,
         "INVITE", "a b@h", ""},
        /* The reason phrase comes from a stranger and must not take the code's place. */
        {KAMAILIO ANSWERED
         "method=INVITE;from_tag=f;to_tag=t;call_id=c@h;code=404;reason=x;code=302;reason=Moved",
         404, "INVITE", "c@h", ""},
        {KAMAILIO ANSWERED "method=INVITE;from_tag=f;to_tag=t;call_id=c@h;code=404;reason=", 404, "INVITE",
         "c@h", ""},
        {KAMAILIO ANSWERED "method=BYE;from_tag=f;to_tag=t;call_id=c@h;code=999;reason=z", 999, "BYE", "c@h",
         ""},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_response r;

        CHECK_INT(cases[i].line, read_acc(cases[i].line, &r), SA_PAYLOAD_RESPONSE);
        CHECK_INT(cases[i].line, r.code, cases[i].code);
        CHECK_INT(cases[i].line, r.direction, SA_DIR_SENT);
        CHECK_INT(cases[i].line, r.repeat, 1);
        CHECK_STR(cases[i].line, r.method, cases[i].method);
        CHECK_STR(cases[i].line, r.call_id, cases[i].call_id);
        CHECK_STR(cases[i].line, r.peer, cases[i].peer);
    }
}

static void
test_acc_others(void **state)
{
    static const char *const lines[] = {
        KAMAILIO "ACC: call missed: "
                 "timestamp=1795193030;method=INVITE;from_tag=f;to_tag=t;call_id=c@h;code=500;reason=x",
        KAMAILIO "ACC: request acknowledged: "
                 "timestamp=1795193030;method=ACK;from_tag=f;to_tag=t;call_id=c@h;code=200;reason=OK",
        KAMAILIO ANSWERED "method=INVITE;from_tag=f;to_tag=t;call_id=c@h;code=099;reason=x",
        KAMAILIO ANSWERED "method=INVITE;from_tag=f;to_tag=t;call_id=c@h;code=000;reason=x",
        KAMAILIO ANSWERED "method=INVITE;from_tag=f;to_tag=t;call_id=c@h;code=1000;reason=x",
        KAMAILIO ANSWERED "method=INVITE;from_tag=f;to_tag=t;call_id=c@h;code=20;reason=x",
        KAMAILIO ANSWERED "method=INVITE;from_tag=f;to_tag=t;call_id=c@h",
        KAMAILIO ANSWERED,
        KAMAILIO "ACC: transaction answered:",
        /* The script's text that looks like it. */
        "Nov 20 16:43:50 sbc01 kamailio[34]: INFO: <script>: ua=" ANSWERED
        "method=INVITE;from_tag=f;to_tag=t;call_id=c@h;code=302;reason=x",
        /* Another module that quotes it. */
        "Nov 20 16:43:50 sbc01 kamailio[34]: ERROR: <core> [core/parser/msg_parser.c:749]: parse_msg(): "
        "message=<" ANSWERED "method=INVITE;from_tag=f;to_tag=t;call_id=c@h;code=302;reason=x>",
        "",
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(lines); i++) {
        struct sa_response r;

        CHECK_INT(lines[i], read_acc(lines[i], &r) == SA_PAYLOAD_RESPONSE, false);
    }
}

static void
test_acc_repeated(void **state)
{
    struct sa_response r;

    (void)state;
    assert_int_equal(
        read_acc("Nov 20 16:43:50 sbc01 kamailio[34]: message repeated 5 times: [ INFO: acc [acc.c:287]: "
                 "acc_log_request(): " ANSWERED
                 "method=INVITE;from_tag=f;to_tag=t;call_id=c@h;code=302;reason=Moved]",
                 &r),
        SA_PAYLOAD_RESPONSE);
    assert_int_equal(r.repeat, 5);
    assert_int_equal(r.code, 302);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code),         cmocka_unit_test(test_method),
        cmocka_unit_test(test_peer),         cmocka_unit_test(test_call_id),
        cmocka_unit_test(test_acc_hits),     cmocka_unit_test(test_acc_others),
        cmocka_unit_test(test_acc_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
