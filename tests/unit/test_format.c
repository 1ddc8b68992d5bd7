/* Presets, user patterns, and how "auto" makes up its mind. */
#include "check.h"
#include "stream.h"

#include <errno.h>

static void
test_presets(void **state)
{
    unsigned n = 0;

    (void)state;
    for (const struct sa_preset *preset = sa_presets; preset->name != NULL; preset++, n++) {
        char error[SA_PATTERN_ERROR_SIZE] = "";
        struct sa_format *format = sa_format_new();

        assert_non_null(format);
        assert_true(preset->name[0] != '\0' && preset->description != NULL);
        for (const struct sa_preset *other = sa_presets; other != preset; other++)
            assert_string_not_equal(other->name, preset->name);
        CHECK_INT(preset->name, sa_format_add_preset(format, preset->name, error), 0);
        CHECK_STR(preset->name, sa_format_describe(format), preset->name);
        assert_null(sa_format_free(format));
    }
    assert_true(n >= 3 && n <= SA_FORMAT_PARTS);
}

static void
test_refused(void **state)
{
    char *none[] = {NULL}, *no_code[] = {(char *)"reply $rr", NULL}, *broken[] = {(char *)"(?<code>", NULL};
    char *many[SA_FORMAT_PARTS + 2];
    const struct {
        const char *name;
        struct sa_format_def def;
        int result;
    } cases[] = {
        {"template without a code", {"f", no_code, none, none, NULL}, -EINVAL},
        {"sent template without a code", {"f", none, no_code, none, NULL}, -EINVAL},
        {"broken regex", {"f", none, none, broken, NULL}, -EINVAL},
        {"too many", {"f", many, none, none, NULL}, -E2BIG},
    };
    char error[SA_PATTERN_ERROR_SIZE];

    (void)state;
    for (unsigned i = 0; i <= SA_FORMAT_PARTS; i++)
        many[i] = (char *)"reply $rs";
    many[SA_FORMAT_PARTS + 1] = NULL;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_format *format = sa_format_new();

        error[0] = '\0';
        CHECK_INT(cases[i].name, sa_format_add_user(format, &cases[i].def, error), cases[i].result);
        if (cases[i].result == -EINVAL)
            CHECK_INT(cases[i].name, error[0] != '\0', 1);
        sa_format_free(format);
    }
    {
        struct sa_format *format = sa_format_new();

        assert_int_equal(sa_format_add_preset(format, "nothing-such", error), -ENOENT);
        assert_int_equal(sa_format_add_preset(format, "", error), -ENOENT);
        sa_format_free(format);
    }
    assert_null(sa_format_free(NULL));
}

static unsigned counted;

static void
on_response(void *arg, const struct sa_response *response)
{
    (void)arg;
    counted += response->repeat;
}

#define ACC                                                                                                  \
    "Nov 20 16:43:50 sbc01 kamailio[34]: INFO: acc [acc.c:287]: acc_log_request(): ACC: transaction "        \
    "answered: "                                                                                             \
    "timestamp=1795193030;method=INVITE;from_tag=f;to_tag=t;call_id=c@h;code=302;reason=x\n"
#define OPENSIPS_ACC                                                                                         \
    "Nov 20 16:45:18 sbc01 /usr/sbin/opensips[36]: NOTICE:ACC: transaction answered: timestamp=1795193118;"  \
    "created=0;setuptime=1795193117;method=INVITE;from_tag=f;to_tag=t;call_id=c@h;code=302;reason=x\n"
#define MESSAGE                                                                                              \
    "Nov 20 16:47:25 sbc01 kamailio[34]: INFO: <script>: received udp reply from "                           \
    "127.11.1.1:5080#012SIP/2.0 302 "                                                                        \
    "Moved#015#012Via: SIP/2.0/UDP h#015#012CSeq: 1 INVITE#015#012Content-Length: 0#015#012#015#012\n"

static void
test_auto(void **state)
{
    static const struct {
        const char *line, *preset;
    } cases[] = {{ACC, "kamailio-acc"}, {OPENSIPS_ACC, "opensips-acc"}, {MESSAGE, "sip-message"}};

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        char error[SA_PATTERN_ERROR_SIZE] = "";
        struct sa_format *format = sa_format_new();
        struct sa_stream stream;
        uint64_t before;

        CHECK_INT(cases[i].preset, sa_format_add_preset(format, "auto", error), 0);
        assert_int_equal(strncmp(sa_format_describe(format), "auto", 4), 0);
        counted = 0;
        assert_int_equal(sa_stream_init(&stream, format, 65536, on_response, NULL), 0);
        for (unsigned k = 0; k < 200; k++)
            sa_stream_feed(&stream, cases[i].line, strlen(cases[i].line), 1795194000000);
        CHECK_INT(cases[i].preset, counted, 200); /* from the first on */
        CHECK_STR(cases[i].preset, sa_format_describe(format), cases[i].preset);
        before = stream.counts.responses; /* one payload per source: the others no longer count */
        sa_stream_feed(&stream, cases[(i + 1) % 3].line, strlen(cases[(i + 1) % 3].line), 1795194000000);
        sa_stream_finish(&stream);
        CHECK_INT(cases[i].preset, stream.counts.responses, before);
        sa_stream_done(&stream);
        sa_format_free(format);
    }
}

/* A log whose format changes is found out about again, and what auto saw of several is said. */
static void
test_auto_again(void **state)
{
    static const char xlog[] = "INFO: <script>: [a@b] 302 Moved from 192.0.2.1:5060 method INVITE\n",
                      got[] = "-- Got SIP response 503 \"x\" back from 192.0.2.5:5060\n",
                      nothing[] = "INFO: nothing\n";
    struct sa_format *format = sa_format_new();
    char error[SA_PATTERN_ERROR_SIZE];
    struct sa_stream stream;

    (void)state;
    assert_int_equal(sa_format_add_preset(format, "auto", error), 0);
    assert_int_equal(sa_stream_init(&stream, format, 65536, on_response, NULL), 0);
    counted = 0;
    for (int i = 0; i < 2; i++) {
        sa_stream_feed(&stream, xlog, strlen(xlog), 1795194000000);
        sa_stream_feed(&stream, got, strlen(got), 1795194000000);
    }
    assert_string_equal(sa_format_describe(format), "auto: kamailio-xlog 2, asterisk-got-response 2");
    for (int i = 0; i < 5; i++)
        sa_stream_feed(&stream, xlog, strlen(xlog), 1795194000000);
    assert_string_equal(sa_format_describe(format), "kamailio-xlog");
    for (int i = 0; i < 20001; i++)
        sa_stream_feed(&stream, nothing, strlen(nothing), 1795194000000);
    for (int i = 0; i < 3; i++)
        sa_stream_feed(&stream, got, strlen(got), 1795194000000);
    assert_string_equal(sa_format_describe(format), "asterisk-got-response");
    assert_int_equal(counted, 12);
    sa_stream_done(&stream);
    sa_format_free(format);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_auto),
        cmocka_unit_test(test_auto_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
