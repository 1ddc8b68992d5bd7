/* What wraps a record: transports, the proxies' own prefixes, and time stamps. */
#include "check.h"
#include "envelope.h"

/* 2026-11-20T17:00:00Z, a little after the stamps below. */
#define REFERENCE_MS 1795194000000

static bool
same(struct sa_slice got, const char *want)
{
    return got.len == strlen(want) && (got.len == 0 || memcmp(got.p, want, got.len) == 0);
}

#define CHECK_SLICE(name, got, want)                                                                         \
    do {                                                                                                     \
        struct sa_slice check_slice = (got);                                                                 \
        if (!same(check_slice, (want)))                                                                      \
            fail_msg("%s: %s is \"%.*s\", not \"%s\"", (name), #got, (int)check_slice.len,                   \
                     check_slice.len == 0 ? "" : check_slice.p, (want));                                     \
    } while (0)

static void
test_table(void **state)
{
    static const struct {
        const char *line, *payload, *host, *module;
        enum sa_proxy proxy;
        bool enveloped;
        uint32_t repeat;
        int64_t time_ms;
    } cases[] = {
        {"Nov 20 16:46:53 sbc01 kamailio[33]: INFO: <script>: [a@b] 100 Trying from 127.0.0.1:5060 method "
         "INVITE",
         "[a@b] 100 Trying from 127.0.0.1:5060 method INVITE", "sbc01", "", SA_PROXY_KAMAILIO, true, 1,
         1795193213000},
        {"<134>1 2026-11-20T16:46:53.346691+00:00 sbc01 kamailio 34 - -  INFO: <script>: [6@b] 100 Trying",
         "[6@b] 100 Trying", "sbc01", "", SA_PROXY_KAMAILIO, true, 1, 1795193213346},
        {"2026-11-20T16:46:53.346691+00:00 sbc01 kamailio[34]: INFO: <script>: hello", "hello", "sbc01", "",
         SA_PROXY_KAMAILIO, true, 1, 1795193213346},
        {"2026-11-20T19:46:53.346+03:00 sbc01 kamailio[34]: INFO: <script>: hello", "hello", "sbc01", "",
         SA_PROXY_KAMAILIO, true, 1, 1795193213346},
        {"Nov 20 16:43:50 sbc01 kamailio[34]: INFO: acc [acc.c:287]: acc_log_request(): ACC: call missed: "
         "x=1",
         "ACC: call missed: x=1", "sbc01", "acc", SA_PROXY_KAMAILIO, true, 1, 1795193030000},
        {"Nov 20 16:45:32 sbc01 kamailio[33]: message repeated 37 times: [ NOTICE: <script>: reply 302 "
         "Moved]",
         "reply 302 Moved", "sbc01", "", SA_PROXY_KAMAILIO, true, 37, 1795193132000},
        {"Nov 20 16:45:17 sbc01 /usr/sbin/opensips[35]: INFO:reply 408 Request Timeout",
         "reply 408 Request Timeout", "sbc01", "", SA_PROXY_OPENSIPS, true, 1, 1795193117000},
        {"Nov 20 16:45:17 sbc01 /usr/sbin/opensips[35]: NOTICE:ACC: call missed: x=1",
         "ACC: call missed: x=1", "sbc01", "", SA_PROXY_OPENSIPS, true, 1, 1795193117000},
    };
    struct sa_peeler cache = {.stamps.reference_ms = REFERENCE_MS};

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_slice line = {cases[i].line, strlen(cases[i].line)};
        struct sa_record record;

        sa_envelope_peel(&cache, line, &record);
        CHECK_SLICE(cases[i].line, record.payload, cases[i].payload);
        CHECK_SLICE(cases[i].line, record.host, cases[i].host);
        CHECK_SLICE(cases[i].line, record.module, cases[i].module);
        CHECK_INT(cases[i].line, record.proxy, cases[i].proxy);
        CHECK_INT(cases[i].line, record.enveloped, cases[i].enveloped);
        CHECK_INT(cases[i].line, record.repeat, cases[i].repeat);
        CHECK_INT(cases[i].line, record.time_ms, cases[i].time_ms);
    }
}

static void
test_log_prefix(void **state)
{
    struct sa_peeler cache = {.stamps.reference_ms = REFERENCE_MS};
    struct sa_record record;
    const char *line =
        "Nov 20 16:45:50 sbc01 kamailio[34]: INFO: {2 1 INVITE 2-49@127.11.0.3} <script>: incoming reply "
        "300 Multiple Choices (udp:127.11.1.1:5080)";

    (void)state;
    sa_envelope_peel(&cache, (struct sa_slice){line, strlen(line)}, &record);
    CHECK_SLICE("log_prefix", record.payload, "incoming reply 300 Multiple Choices (udp:127.11.1.1:5080)");
    CHECK_SLICE("log_prefix", record.method, "INVITE");
    CHECK_SLICE("log_prefix", record.call_id, "2-49@127.11.0.3");
}

/* Core records are a module's: they quote the network. */
static void
test_core_is_a_module(void **state)
{
    static const char *const lines[] = {
        "Nov 20 16:47:26 sbc01 kamailio[33]: ERROR: <core> [core/parser/msg_parser.c:749]: parse_msg(): "
        "ERROR: parse_msg: "
        "message=<SIP/2.0 301#015#012Via: SIP/2.0/UDP 127.11.0.1#015#012>",
        "Nov 20 16:47:26 sbc01 kamailio[33]: WARNING: <core> [core/dset.c:689]: print_dset(): no r-uri or "
        "branches",
        "Nov 20 16:43:37 sbc01 kam-edge[46]: ERROR: tm [../../core/forward.h:261]: msg_send_buffer(): "
        "tcp_send failed",
    };
    struct sa_peeler cache = {.stamps.reference_ms = REFERENCE_MS};

    (void)state;
    for (unsigned i = 0; i < ROWS(lines); i++) {
        struct sa_record record;

        sa_envelope_peel(&cache, (struct sa_slice){lines[i], strlen(lines[i])}, &record);
        CHECK_INT(lines[i], record.module.len > 0, true);
        CHECK_INT(lines[i], record.enveloped, true);
    }
}

static void
test_nothing_to_peel(void **state)
{
    static const char *const lines[] = {"",
                                        " ",
                                        "SIP/2.0 302 Moved",
                                        "Via: SIP/2.0/UDP 192.0.2.1",
                                        "v=0",
                                        "Nov",
                                        "Nov 20",
                                        "Nov 20 16:46:5",
                                        "<",
                                        "<134>",
                                        "<134>1",
                                        "<999999999999999999999>1 ",
                                        "2026-11-20T",
                                        "{",
                                        "message repeated 5 times: [",
                                        "\r"};
    struct sa_peeler cache = {.stamps.reference_ms = REFERENCE_MS};

    (void)state;
    for (unsigned i = 0; i < ROWS(lines); i++) {
        struct sa_record record;

        sa_envelope_peel(&cache, (struct sa_slice){lines[i], strlen(lines[i])}, &record);
        CHECK_INT(lines[i], record.enveloped, false);
        CHECK_INT(lines[i], record.time_ms, 0);
        CHECK_INT(lines[i], record.repeat, 1);
    }
}

/* Slices point into the line, whatever the line is. */
static void
test_random(void **state)
{
    static const char *const pieces[] = {"Nov 20 16:46:53",
                                         " ",
                                         "sbc01",
                                         "kamailio[33]:",
                                         "INFO:",
                                         "<script>:",
                                         "<core>",
                                         "[core/a.c:1]:",
                                         "f():",
                                         "message repeated 3 times: [",
                                         "]",
                                         "<134>1",
                                         "2026-11-20T16:46:53.346691+00:00",
                                         "- -",
                                         "{2 1 INVITE x}",
                                         "opensips[1]: INFO:",
                                         "ACC:",
                                         "message repeated 99999999999999999999 times: [",
                                         "\r",
                                         "\xff",
                                         "{",
                                         "["};
    struct sa_peeler cache = {.stamps.reference_ms = REFERENCE_MS};

    (void)state;
    srand(21);
    for (unsigned round = 0; round < 50000; round++) {
        char text[512] = "", *line;
        size_t len;
        struct sa_record record;

        for (unsigned n = (unsigned)rand() % 10; n > 0; n--) {
            strcat(text, pieces[(unsigned)rand() % ROWS(pieces)]);
            if (rand() % 2 == 0)
                strcat(text, " ");
        }
        len = strlen(text);
        line = malloc(len + 1); /* exactly as long as the line: reading past it is seen */
        assert_non_null(line);
        memcpy(line, text, len);
        line = realloc(line, len == 0 ? 1 : len);
        sa_envelope_peel(&cache, (struct sa_slice){line, len}, &record);
        assert_true(record.repeat >= 1);
        assert_true(record.payload.len <= len);
        if (record.payload.len > 0)
            assert_true(record.payload.p >= line && record.payload.p + record.payload.len <= line + len);
        if (record.host.len > 0)
            assert_true(record.host.p >= line && record.host.p + record.host.len <= line + len);
        free(line);
    }
}

static void
test_iso(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        int64_t ms;
    } cases[] = {
        {"2026-11-20T16:46:53.346691+00:00 x", 32, 1795193213346},
        {"2026-11-20T16:46:53Z x", 20, 1795193213000},
        {"2026-11-20T16:46:53.5Z", 22, 1795193213500},
        {"2026-11-20 16:46:53", 19, 1795193213000},
        {"2026-11-20T18:46:53+02:00", 25, 1795193213000},
        {"2026-11-20T11:16:53-05:30", 25, 1795193213000},
        {"2024-02-29T00:00:00Z", 20, 1709164800000},
        {"1970-01-02T00:00:00Z", 20, 86400000},
    };
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-11-20",
                                      "2026-13-20T16:46:53Z",
                                      "2026-00-20T16:46:53Z",
                                      "2026-11-32T16:46:53Z",
                                      "2026-11-00T16:46:53Z",
                                      "2026-11-20T24:46:53Z",
                                      "2026-11-20T16:60:53Z",
                                      "2026-11-20T16:46",
                                      "2026-11-20T16:46:",
                                      "x026-11-20T16:46:53Z"};
    struct sa_peeler cache = {.stamps.reference_ms = REFERENCE_MS};

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        int64_t ms = -1;

        CHECK_INT(
            cases[i].text,
            sa_timestamp_iso(&cache.stamps, (struct sa_slice){cases[i].text, strlen(cases[i].text)}, &ms),
            cases[i].len);
        CHECK_INT(cases[i].text, ms, cases[i].ms);
    }
    for (unsigned i = 0; i < ROWS(bad); i++) {
        int64_t ms = -1;

        CHECK_INT(bad[i], sa_timestamp_iso(&cache.stamps, (struct sa_slice){bad[i], strlen(bad[i])}, &ms), 0);
    }
}

static void
test_bsd(void **state)
{
    static const struct {
        const char *text;
        int64_t reference_ms, ms;
    } cases[] = {
        {"Nov 20 16:46:53 x", REFERENCE_MS, 1795193213000},
        {"Nov  2 16:46:50 x", REFERENCE_MS, 1793638010000},
        {"Dec 31 23:59:59 x", 1798761600000 /* 2027-01-01 */, 1798761599000},
        {"Jan  1 00:00:00 x", 1798761599000 /* 2026-12-31 */, 1798761600000},
        {"Feb 29 00:00:00 x", 1709251200000 /* 2024-03-01 */, 1709164800000},
    };
    static const char *const bad[] = {"",
                                      "Nov",
                                      "Nov 20",
                                      "Nov 20 16:46:5",
                                      "Nox 20 16:46:53",
                                      "nov 20 16:46:53",
                                      "Nov 32 16:46:53",
                                      "Nov  0 16:46:53",
                                      "Nov 20 24:46:53",
                                      "Nov 20 16:60:53",
                                      "Nov 20T16:46:53",
                                      "Nov 2  16:46:53",
                                      "Nov xx 16:46:53",
                                      "Nov 20 1:46:53 "};

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_peeler cache = {.stamps.reference_ms = cases[i].reference_ms};
        int64_t ms = -1;

        for (unsigned again = 0; again < 2; again++) {
            CHECK_INT(
                cases[i].text,
                sa_timestamp_bsd(&cache.stamps, (struct sa_slice){cases[i].text, strlen(cases[i].text)}, &ms),
                15);
            CHECK_INT(cases[i].text, ms, cases[i].ms);
        }
    }
    for (unsigned i = 0; i < ROWS(bad); i++) {
        struct sa_peeler cache = {.stamps.reference_ms = REFERENCE_MS};
        int64_t ms = -1;

        CHECK_INT(bad[i], sa_timestamp_bsd(&cache.stamps, (struct sa_slice){bad[i], strlen(bad[i])}, &ms), 0);
    }
}

/* The cache gives what no cache gives. */
static void
compare_with_cold_cache(bool with_iso, bool moving_reference)
{
    static const char *const months[] = {"Oct", "Nov", "Dec"};
    struct sa_peeler warm = {.stamps.reference_ms = REFERENCE_MS};

    srand(4);
    for (unsigned i = 0; i < 20000; i++) {
        struct sa_timestamp_cache cold;
        char text[48];
        int64_t warm_ms = -1, cold_ms = -2;
        size_t warm_len, cold_len;
        bool iso = with_iso && rand() % 2 == 0;
        unsigned month = (unsigned)rand() % 3;
        int day = rand() % 3 + 1, hour = rand() % 3, minute = rand() % 60, second = rand() % 60;
        struct sa_slice stamp;

        if (moving_reference)
            warm.stamps.reference_ms = REFERENCE_MS + (rand() % 3) * 86400000LL * 300;
        cold = (struct sa_timestamp_cache){.reference_ms = warm.stamps.reference_ms};
        if (iso)
            snprintf(text, sizeof text, "%04d-%02u-%02dT%02d:%02d:%02d", 2025 + rand() % 3, month + 10, day,
                     hour, minute, second);
        else
            snprintf(text, sizeof text, "%s %2d %02d:%02d:%02d", months[month], day, hour, minute, second);
        stamp = (struct sa_slice){text, strlen(text)};
        warm_len = iso ? sa_timestamp_iso(&warm.stamps, stamp, &warm_ms)
                       : sa_timestamp_bsd(&warm.stamps, stamp, &warm_ms);
        cold_len = iso ? sa_timestamp_iso(&cold, stamp, &cold_ms) : sa_timestamp_bsd(&cold, stamp, &cold_ms);
        CHECK_INT(text, warm_len, stamp.len);
        CHECK_INT(text, cold_len, stamp.len);
        CHECK_INT(text, warm_ms, cold_ms);
    }
}

static void
test_cache_of_bsd(void **state)
{
    (void)state;
    compare_with_cold_cache(false, false);
}

/* A year that a stamp names says nothing of a stamp without one. */
static void
test_cache_of_both(void **state)
{
    (void)state;
    compare_with_cold_cache(true, false);
}

/* The clock is set, or a year passes. */
static void
test_cache_when_reference_moves(void **state)
{
    (void)state;
    compare_with_cold_cache(false, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_log_prefix),
        cmocka_unit_test(test_core_is_a_module),
        cmocka_unit_test(test_nothing_to_peel),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_iso),
        cmocka_unit_test(test_bsd),
        cmocka_unit_test(test_cache_of_bsd),
        cmocka_unit_test(test_cache_of_both),
        cmocka_unit_test(test_cache_when_reference_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
