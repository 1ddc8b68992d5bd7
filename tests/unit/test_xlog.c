/* xlog templates and regular expressions against payloads that strangers wrote. */
#include "check.h"
#include "envelope.h"
#include "pattern.h"
#include "xlog_template.h"

#include <errno.h>

#define STOCK "[$ci] $rs $rr from $si:$sp method $rm"

/* One pattern, one payload behind a script's envelope. */
static enum sa_payload_outcome
match(struct sa_pattern *pattern, const char *payload, struct sa_response *response)
{
    struct sa_peeler cache = {.stamps.reference_ms = 1795194000000};
    struct sa_record record;
    static char
        line[4096]; /* static: JIT code looks at whole words, and valgrind at what is behind the end */

    memset(response, 0, sizeof *response);
    snprintf(line, sizeof line, "Nov 20 16:46:53 sbc01 kamailio[33]: INFO: <script>: %s", payload);
    sa_envelope_peel(&cache, (struct sa_slice){line, strlen(line)}, &record);
    return sa_pattern_match(pattern, &record, response);
}

struct row {
    const char *template, *payload;
    unsigned code; /* 0: a miss */
    const char *method, *peer, *call_id;
};

static void
run(const struct row *rows, unsigned n, bool regex)
{
    for (unsigned i = 0; i < n; i++) {
        char error[SA_PATTERN_ERROR_SIZE] = "";
        struct sa_pattern *pattern = regex ? sa_pattern_new_regex(rows[i].template, error)
                                           : sa_pattern_new_xlog(rows[i].template, SA_DIR_RECEIVED, error);
        struct sa_response r;
        enum sa_payload_outcome result;

        if (pattern == NULL)
            fail_msg("%s: %s", rows[i].template, error);
        result = match(pattern, rows[i].payload, &r);
        CHECK_INT(rows[i].payload, result, rows[i].code == 0 ? SA_PAYLOAD_NOTHING : SA_PAYLOAD_RESPONSE);
        if (rows[i].code != 0) {
            CHECK_INT(rows[i].payload, r.code, rows[i].code);
            CHECK_STR(rows[i].payload, r.method, rows[i].method);
            CHECK_STR(rows[i].payload, r.peer, rows[i].peer);
            CHECK_STR(rows[i].payload, r.call_id, rows[i].call_id);
            CHECK_INT(rows[i].payload, r.direction, regex ? SA_DIR_UNKNOWN : SA_DIR_RECEIVED);
        }
        assert_null(sa_pattern_free(pattern));
    }
}

static void
test_templates(void **state)
{
    static const struct row rows[] = {
        {STOCK, "[a@b] 302 Moved Temporarily from 192.0.2.1:5060 method INVITE", 302, "INVITE", "192.0.2.1",
         "a@b"},
        {STOCK, "[6]301[48@h] 100 Trying from 127.11.1.1:5080 method INVITE", 100, "INVITE", "127.11.1.1",
         "6]301[48@h"},
        {STOCK, "[a@b] 302 Moved from [2001:db8::1]:5060 method INVITE", 302, "INVITE", "2001:db8::1", "a@b"},
        {STOCK, "[a@b] 302 Moved from 2001:db8::1:5060 method INVITE", 302, "INVITE", "2001:db8::1", "a@b"},
        {STOCK, "[a@b] 200  from 192.0.2.1:5060 method INVITE", 200, "INVITE", "192.0.2.1", "a@b"},
        {STOCK "\\n", "[a@b] 302 Moved from 192.0.2.1:5060 method INVITE", 302, "INVITE", "192.0.2.1", "a@b"},
        {"reply $rs", "reply 999", 999, "", "", ""},
        {"reply $rs ($rr)", "reply 404 (Not Found)", 404, "", "", ""},
        {"a.b*c+ $rs [x] (y) {z} ^ | ?", "a.b*c+ 404 [x] (y) {z} ^ | ?", 404, "", "", ""},
        {"a.b $rs", "axb 404", 0, NULL, NULL, NULL},
        {"100$$ $rs", "100$ 404", 404, "", "", ""},
        {"$var(x) $rs", "anything at all 404", 404, "", "", ""},
        /* The whole payload, nothing less. */
        {"reply $rs", "reply 302 x", 0, NULL, NULL, NULL},
        {"reply $rs", "x reply 302", 0, NULL, NULL, NULL},
        {"reply $rs", "Reply 302", 0, NULL, NULL, NULL},
        {STOCK, "[a@b] 302 Moved from 192.0.2.1:5060 method", 0, NULL, NULL, NULL},
        /* Codes that are none. */
        {"reply $rs", "reply 099", 0, NULL, NULL, NULL},
        {"reply $rs", "reply 000", 0, NULL, NULL, NULL},
        {"reply $rs", "reply 1000", 0, NULL, NULL, NULL},
        {"reply $rs", "reply 20", 0, NULL, NULL, NULL},
        {"reply $rs", "reply <null>", 0, NULL, NULL, NULL},
        {"reply $rs", "reply 3O2", 0, NULL, NULL, NULL},
        /* A Call-ID, an address, a port cannot hold spaces. */
        {STOCK, "[a b] 302 Moved from 192.0.2.1:5060 method INVITE", 0, NULL, NULL, NULL},
        {STOCK, "[a@b] 302 Moved from 192.0.2.1 x:5060 method INVITE", 0, NULL, NULL, NULL},
        {STOCK, "[a@b] 302 Moved from 192.0.2.1:50 60 method INVITE", 0, NULL, NULL, NULL},
        {STOCK, "[a@b] 302 Moved from 192.0.2.1:x method INVITE", 0, NULL, NULL, NULL},
    };

    (void)state;
    run(rows, ROWS(rows), false);
}

/* Reason phrases that imitate the template: the code is the one the proxy wrote. */
static void
test_imitations(void **state)
{
    static const struct row rows[] = {
        {STOCK, "[a@b] 404 x] 302 Moved from 10.9.9.9:5060 method INVITE from 192.0.2.1:5060 method INVITE",
         404, "INVITE", "192.0.2.1", "a@b"},
        {STOCK, "[a@b] 404 [c@d] 302 Moved from 192.0.2.1:5060 method INVITE", 404, "INVITE", "192.0.2.1",
         "a@b"},
        {STOCK, "[a]_301_[48@h] 486 302 Moved from 192.0.2.1:5060 method INVITE", 486, "INVITE", "192.0.2.1",
         "a]_301_[48@h"},
        {STOCK,
         "[a@b] request INVITE from 127.11.0.2:5062 to sip:x ua=Nov 20 16:00:00 sbc01 kamailio[74]: INFO: "
         "<script>: "
         "[spoof@1] 301 Moved Permanently from 10.9.9.9:5060 method INVITE",
         0, NULL, NULL, NULL},
        {STOCK, "[a@b] request INVITE ua=[spoof@1] 301 Moved Permanently from 10.9.9.9:5060 method INVITE", 0,
         NULL, NULL, NULL},
    };

    (void)state;
    run(rows, ROWS(rows), false);
}

static void
test_regexes(void **state)
{
    static const struct row rows[] = {
        {"status=(?<code>\\d{3}) method=(?<method>\\w+) peer=(?<peer>\\S+)",
         "x status=302 method=INVITE peer=192.0.2.1:5060 y", 302, "INVITE", "192.0.2.1", ""},
        {"status=(?<code>\\d+)", "status=1000", 0, NULL, NULL, NULL},
        {"status=(?<code>\\d+)", "status=099", 0, NULL, NULL, NULL},
        {"status=(?<code>\\d+)", "nothing", 0, NULL, NULL, NULL},
        {"c=(?<code>\\d{3})( m=(?<method>\\w+))?", "c=430", 430, "", "", ""},
        {"c=(?<code>\\d{3}) id=(?<callid>\\S+)", "c=430 id=a@b", 430, "", "", "a@b"},
    };

    (void)state;
    run(rows, ROWS(rows), true);
}

static void
test_refused(void **state)
{
    static const char *const templates[] = {"", "no variable", "$ci $si:$sp", "$$rs", "$rr"};
    static const char *const regexes[] = {"",  "(",       "(\\d{3})", "(?<kode>\\d{3})", "(?<method>\\w+)",
                                          "[", "(?<code>"};
    char error[SA_PATTERN_ERROR_SIZE];

    (void)state;
    for (unsigned i = 0; i < ROWS(templates); i++) {
        error[0] = '\0';
        if (sa_pattern_new_xlog(templates[i], SA_DIR_SENT, error) != NULL)
            fail_msg("template \"%s\" was taken", templates[i]);
        CHECK_INT(templates[i], error[0] != '\0', true);
    }
    for (unsigned i = 0; i < ROWS(regexes); i++) {
        error[0] = '\0';
        if (sa_pattern_new_regex(regexes[i], error) != NULL)
            fail_msg("regex \"%s\" was taken", regexes[i]);
        CHECK_INT(regexes[i], error[0] != '\0', true);
    }
    assert_null(sa_pattern_free(NULL));
}

static void
test_direction(void **state)
{
    char error[SA_PATTERN_ERROR_SIZE];
    struct sa_pattern *pattern = sa_pattern_new_xlog("replying $rs", SA_DIR_SENT, error);
    struct sa_response r;

    (void)state;
    assert_non_null(pattern);
    assert_int_equal(match(pattern, "replying 302", &r), SA_PAYLOAD_RESPONSE);
    assert_int_equal(r.direction, SA_DIR_SENT);
    assert_int_equal(r.repeat, 1);
    assert_int_equal(r.time_ms, 1795193213000);
    sa_pattern_free(pattern);
}

/* A template is what the script prints; a module that quotes the same words quotes a stranger. */
static void
test_modules_are_no_script(void **state)
{
    static char line[] =
        "Nov 20 16:47:26 sbc01 kamailio[33]: ERROR: <core> [core/parser/msg_parser.c:749]: parse_msg(): "
        "[a@b] 302 Moved from 192.0.2.1:5060 method INVITE\0";
    struct sa_peeler cache = {.stamps.reference_ms = 1795194000000};
    char error[SA_PATTERN_ERROR_SIZE];
    struct sa_pattern *pattern = sa_pattern_new_xlog(STOCK, SA_DIR_RECEIVED, error);
    struct sa_record record;
    struct sa_response r;

    (void)state;
    assert_non_null(pattern);
    sa_envelope_peel(&cache, (struct sa_slice){line, strlen(line)}, &record);
    assert_int_equal(sa_pattern_match(pattern, &record, &r), SA_PAYLOAD_NOTHING);
    sa_pattern_free(pattern);
}

static void
test_compiler(void **state)
{
    static char big[2 * SA_TEMPLATE_TEXT], many[4 * SA_TEMPLATE_PARTS + 8] = "$rs ";
    struct sa_template template;
    struct sa_slice literal;

    (void)state;
    assert_int_equal(sa_template_compile(STOCK, &template), 0);
    literal = sa_template_literal(&template);
    assert_int_equal(literal.len, strlen(" method "));
    assert_memory_equal(literal.p, " method ", literal.len);
    assert_int_equal(sa_template_compile("nothing", &template), -EINVAL);
    memset(big, 'x', sizeof big - 1);
    memcpy(big, "$rs ", 4);
    assert_int_equal(sa_template_compile(big, &template), -ENAMETOOLONG);
    for (size_t i = 4; i + 4 < sizeof many; i += 4)
        memcpy(many + i, "$rr ", 4);
    assert_int_equal(sa_template_compile(many, &template), -ENAMETOOLONG);
    /* What JSON would escape is no part of the literal that is searched for in the raw line. */
    assert_int_equal(sa_template_compile("a/b\"long \\ one$rs", &template), 0);
    literal = sa_template_literal(&template);
    assert_memory_equal(literal.p, "long ", literal.len);
}

/* A template made of anything compiles or is refused, and what it compiles to is a pattern. */
static void
test_random_templates(void **state)
{
    static const char *const pieces[] = {
        "$rs", "$ci", "$rr", "$si", "$rm", "$",  "$(", "$(rs)", "$hdr(CSeq)",          "$var(", "(",
        ")",   "[",   "\\",  "\\n", "{",   "$$", " ",  "$x",    "$(hdr(From){s.len})", "*",     "$rs{"};

    (void)state;
    srand(9);
    for (unsigned round = 0; round < 400; round++) {
        char template[256] = "", error[SA_PATTERN_ERROR_SIZE] = "";
        struct sa_pattern *pattern;
        struct sa_response r;

        for (unsigned n = 1 + (unsigned)rand() % 6; n > 0; n--)
            strcat(template, pieces[(unsigned)rand() % ROWS(pieces)]);
        pattern = sa_pattern_new_xlog(template, SA_DIR_RECEIVED, error);
        if (pattern == NULL) {
            CHECK_INT(template, error[0] != '\0', true);
            continue;
        }
        if (match(pattern, "302 a@b (x) [y] 192.0.2.1", &r) != SA_PAYLOAD_NOTHING)
            assert_in_range(r.code, 100, 999);
        sa_pattern_free(pattern);
    }
}

/* A pattern that explodes is a miss of its own kind. */
static void
test_limits(void **state)
{
    char error[SA_PATTERN_ERROR_SIZE], payload[2048] = "";
    struct sa_pattern *pattern = sa_pattern_new_regex("^(a+)+(b+)+(a+)+$(?<code>\\d{3})?", error);
    struct sa_response r;

    (void)state;
    assert_non_null(pattern);
    memset(payload, 'a', 1000);
    payload[1000] = 'c';
    assert_int_equal(match(pattern, payload, &r), SA_PAYLOAD_LIMIT);
    sa_pattern_free(pattern);

    pattern = sa_pattern_new_regex("(x+x+)+y(?<code>\\d{3})", error);
    assert_non_null(pattern);
    memset(payload, 'x', 1000);
    strcpy(payload + 1000, "y30");
    assert_int_equal(match(pattern, payload, &r), SA_PAYLOAD_LIMIT);
    sa_pattern_free(pattern);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_imitations),
        cmocka_unit_test(test_regexes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_direction),
        cmocka_unit_test(test_compiler),
        cmocka_unit_test(test_modules_are_no_script),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_random_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
