/* Durations, sizes and shares of the configuration. */
#include "check.h"
#include "units.h"

#include <syslog.h>

static void
test_duration(void **state)
{
    static const struct {
        const char *text;
        uint32_t s;
    } good[] = {{"90s", 90}, {"5m", 300}, {"2h", 7200}, {"7d", 604800}, {"0s", 0}, {"1s", 1}};
    static const char *const bad[] = {"",          "s",      "-1s",  "+1s",
                                      " 1s",       "1s ",    "1.5m", "1w",
                                      "1S",        "1ms",    "m5",   "99999999999999999999s",
                                      "5 m",       "1h30m",  "0x5s", "4294967296s",
                                      "71582789m", "49711d", "1e3s"};

    (void)state;
    for (unsigned i = 0; i < ROWS(good); i++) {
        uint32_t s = 77;

        CHECK_INT(good[i].text, sa_units_duration(good[i].text, &s), 0);
        CHECK_INT(good[i].text, s, good[i].s);
    }
    for (unsigned i = 0; i < ROWS(bad); i++) {
        uint32_t s = 77;

        if (sa_units_duration(bad[i], &s) >= 0)
            fail_msg("\"%s\" was taken for %u s", bad[i], s);
    }
}

static void
test_size(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
    } good[] = {{"512", 512}, {"64KiB", 65536}, {"10MiB", 10485760}, {"1KiB", 1024}};
    static const char *const bad[] = {"",
                                      "KiB",
                                      "-1",
                                      "+5",
                                      " 5",
                                      "5 ",
                                      "5.5KiB",
                                      "5KB",
                                      "5kib",
                                      "5K",
                                      "0x10",
                                      "5KiBs",
                                      "99999999999999999999",
                                      "18446744073709551615KiB",
                                      "5 KiB"};

    (void)state;
    for (unsigned i = 0; i < ROWS(good); i++) {
        size_t bytes = 77;

        CHECK_INT(good[i].text, sa_units_size(good[i].text, &bytes), 0);
        CHECK_INT(good[i].text, bytes, good[i].bytes);
    }
    for (unsigned i = 0; i < ROWS(bad); i++) {
        size_t bytes = 77;

        if (sa_units_size(bad[i], &bytes) >= 0)
            fail_msg("\"%s\" was taken for %zu bytes", bad[i], bytes);
    }
}

static void
test_share(void **state)
{
    static const struct {
        const char *text;
        uint32_t per_mille;
    } good[] = {{"5%", 50},   {"2.5%", 25},   {"100%", 1000}, {"0.1%", 1},
                {"80%", 800}, {"99.9%", 999}, {"1.0%", 10}};
    static const char *const bad[] = {"",    "%",    "5",           "-5%",  "101%",  "100.1%",
                                      "5%%", "5 %",  " 5%",         "5% ",  "five%", "1e1%",
                                      ".%",  "5.%x", "4294967297%", "0x5%", "nan%",  "inf%"};

    (void)state;
    for (unsigned i = 0; i < ROWS(good); i++) {
        uint32_t share = 7777;

        CHECK_INT(good[i].text, sa_units_share(good[i].text, &share), 0);
        CHECK_INT(good[i].text, share, good[i].per_mille);
    }
    for (unsigned i = 0; i < ROWS(bad); i++) {
        uint32_t share = 7777;

        if (sa_units_share(bad[i], &share) >= 0)
            fail_msg("\"%s\" was taken for %u per mille", bad[i], share);
    }
}

static void
test_facility(void **state)
{
    (void)state;
    assert_int_equal(sa_units_facility("daemon"), LOG_DAEMON);
    assert_int_equal(sa_units_facility("local0"), LOG_LOCAL0);
    assert_int_equal(sa_units_facility("local7"), LOG_LOCAL7);
    assert_int_equal(sa_units_facility("nowhere"), -1);
    assert_int_equal(sa_units_facility(""), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_facility),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
