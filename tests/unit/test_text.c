/* Escaping and cutting of text that is shown. */
#include "check.h"
#include "text.h"

static void
test_escape(void **state)
{
    static const struct {
        const char *name, *in, *want;
    } cases[] = {
        {"plain", "302 Moved", "302 Moved"},
        {"empty", "", ""},
        {"quote", "a\"b", "a\\\"b"},
        {"backslash", "a\\b", "a\\\\b"},
        {"new line", "a\nb", "a\\x0Ab"},
        {"CR", "a\rb", "a\\x0Db"},
        {"ESC", "\033[31m", "\\x1B[31m"},
        {"DEL", "a\x7f", "a\\x7F"},
        {"valid UTF-8", "Gi\xe1\xbb\x9d \xd0\x9f", "Gi\xe1\xbb\x9d \xd0\x9f"},
        {"four bytes", "\xf0\x9f\x93\x9e", "\xf0\x9f\x93\x9e"},
        {"C1 control", "a\xc2\x85", "a\\xC2\\x85"},
        {"bare continuation", "\x80", "\\x80"},
        {"overlong slash", "\xc0\xaf", "\\xC0\\xAF"},
        {"surrogate", "\xed\xa0\x80", "\\xED\\xA0\\x80"},
        {"above U+10FFFF", "\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},
        {"cut sequence", "a\xe1\xbb", "a\\xE1\\xBB"},
        {"0xFF run", "\xff\xff", "\\xFF\\xFF"},
        {"right-to-left override",
         "a\xe2\x80\xae"
         "b",
         "a\\xE2\\x80\\xAE"
         "b"},
        {"isolate", "\xe2\x81\xa6", "\\xE2\\x81\\xA6"},
        {"Arabic letter mark", "\xd8\x9c", "\\xD8\\x9C"},
        {"neighbours of those", "\xe2\x80\xaf\xe2\x81\xa5", "\xe2\x80\xaf\xe2\x81\xa5"},
        {"zero width space", "\xe2\x80\x8b", "\\xE2\\x80\\x8B"},
        {"zero width no-break space", "\xef\xbb\xbf", "\\xEF\\xBB\\xBF"},
        {"line separator", "\xe2\x80\xa8", "\\xE2\\x80\\xA8"},
        {"paragraph separator", "\xe2\x80\xa9", "\\xE2\\x80\\xA9"},
        {"soft hyphen", "\xc2\xad", "\\xC2\\xAD"},
        {"tag", "\xf3\xa0\x81\x81", "\\xF3\\xA0\\x81\\x81"},
        {"first after C1", "\xc2\xa0", "\xc2\xa0"},
    };
    char out[128], upper[128];

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        size_t n = sa_text_escape(out, sizeof out, cases[i].in, strlen(cases[i].in));

        CHECK_INT(cases[i].name, n, strlen(out));
        memcpy(upper, out, sizeof upper);
        for (char *hex = strstr(upper, "\\x"); hex != NULL; hex = strstr(hex + 2, "\\x"))
            for (unsigned k = 2; k < 4; k++)
                if (hex[k] >= 'a' && hex[k] <= 'f')
                    hex[k] -= 32; /* the case of the digits is free */
        CHECK_STR(cases[i].name, upper, cases[i].want);
    }
    assert_int_equal(sa_text_escape(out, sizeof out, "a\0b", 3), 6);
    assert_string_equal(out, "a\\x00b");
}

/* UTF-8 of a code point, surrogates too; returns the length. */
static size_t
encode(char *dst, uint32_t point)
{
    size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = n; i-- > 1; point >>= 6)
        dst[i] = (char)(0x80 | (point & 0x3f));
    dst[0] = (char)(leads[n] | point);
    return n;
}

/* Of all code points: those that stay as they are, and how many do not. */
static void
test_escape_every_code_point(void **state)
{
    unsigned escaped = 0;

    (void)state;
    for (uint32_t point = 0; point < 0x110000; point++) {
        char in[4], out[32];
        size_t n = encode(in, point), len = sa_text_escape(out, sizeof out, in, n);

        if (len == n && memcmp(in, out, n) == 0)
            continue;
        escaped++;
        if (point != '"' && point != '\\')
            CHECK_INT("length", len, 4 * n);
    }
    /* C0 and DEL, C1, '"' and '\\', surrogates, Cf of Unicode 15, Zl and Zp */
    assert_int_equal(escaped, 33 + 32 + 2 + 2048 + 170 + 2);
}

/* What was escaped once stays as it is; the rest is escaped as elsewhere. */
static void
test_printable(void **state)
{
    char out[64], again[64];

    (void)state;
    assert_int_equal(sa_text_printable(out, sizeof out, "\"a\\x1b\" \033[2J\xff \xe2\x80\xaeг"), 34);
    assert_string_equal(out, "\"a\\x1b\" \\x1b[2J\\xff \\xe2\\x80\\xaeг");
    assert_int_equal(sa_text_printable(again, sizeof again, out), 34);
    assert_string_equal(again, out);
    assert_int_equal(sa_text_printable(out, 5, "abc\n"), 3);
    assert_string_equal(out, "abc");
}

/* Whatever comes in, what comes out is printable, whole, and fits. */
static void
test_escape_random(void **state)
{
    char in[64], out[96];

    (void)state;
    srand(3);
    for (unsigned round = 0; round < 20000; round++) {
        size_t len = (size_t)rand() % sizeof in, size = (size_t)rand() % sizeof out, n;

        for (size_t i = 0; i < len; i++)
            in[i] = (char)(rand() % 3 == 0 ? rand() : "a\"\\\n\xc2\x85\xe1\xbb\x9d"[rand() % 9]);
        memset(out, 'Z', sizeof out);
        n = sa_text_escape(out, size, in, len);
        if (size == 0) {
            assert_int_equal(out[0], 'Z');
            continue;
        }
        assert_true(n < size);
        assert_int_equal(out[n], '\0');
        if (size < sizeof out)
            assert_int_equal(out[size], 'Z');
        assert_int_equal(strlen(out), n);
        assert_int_equal(sa_text_utf8_prefix(out, n, n), n);
        for (size_t i = 0; i < n; i++) {
            assert_true((unsigned char)out[i] >= 0x20 && out[i] != 0x7f);
            assert_true(out[i] != '"');
            if (out[i] == '\\') {
                assert_true(i + 1 < n);
                if (out[i + 1] == 'x') {
                    assert_true(i + 3 < n);
                    i += 3;
                } else {
                    assert_true(out[i + 1] == '"' || out[i + 1] == '\\');
                    i++;
                }
            }
        }
    }
}

static void
test_utf8_prefix(void **state)
{
    const char *s = "a\xd0\x9f\xe1\xbb\x9d\xf0\x9f\x93\x9ez"; /* borders 0 1 3 6 10 11 */
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

    (void)state;
    for (size_t max = 0; max < ROWS(want); max++)
        assert_int_equal(sa_text_utf8_prefix(s, 11, max), want[max]);
    assert_int_equal(sa_text_utf8_prefix("", 0, 5), 0);
    assert_int_equal(sa_text_utf8_prefix("abc", 2, 5), 2);
}

static void
test_copy_slice_format(void **state)
{
    char out[5];

    (void)state;
    assert_int_equal(sa_text_copy(out, sizeof out, "abc"), 3);
    assert_string_equal(out, "abc");
    assert_int_equal(sa_text_copy(out, sizeof out, "abc\xe1\xbb\x9d"), 3);
    assert_string_equal(out, "abc");
    assert_int_equal(sa_text_copy(out, sizeof out, "abcdef"), 4);
    assert_string_equal(out, "abcd");
    assert_int_equal(sa_text_slice(out, sizeof out, "abcdef", 2), 2);
    assert_string_equal(out, "ab");
    assert_int_equal(sa_text_slice(out, sizeof out, "abcdef", 6), 4);
    assert_string_equal(out, "abcd");
    assert_int_equal(sa_text_format(out, sizeof out, "%d%s", 12, "3\xe1\xbb\x9d"), 3);
    assert_string_equal(out, "123");
}

static void
test_format_long(void **state)
{
    static char in[4096], out[4096];
    size_t n;

    (void)state;
    memset(in, 'y', sizeof in - 1);
    n = sa_text_format(out, sizeof out, "%s", in);
    assert_int_equal(n, 2047);
    assert_int_equal(strlen(out), 2047);
}

static void
test_hash_is_fnv1a(void **state)
{
    (void)state;
    assert_int_equal(sa_text_hash("", 0), 0x811c9dc5u);
    assert_int_equal(sa_text_hash("a", 1), 0xe40c292cu);
    assert_int_equal(sa_text_hash("foobar", 6), 0xbf9cf968u);
}

static void
test_time(void **state)
{
    char out[SA_TIME_TEXT_SIZE];

    (void)state;
    sa_text_time(out, 0);
    assert_string_equal(out, "");
    sa_text_time(out, 1795193213391);
    assert_string_equal(out, "2026-11-20T16:46:53.391Z");
    sa_text_time(out, 951782400001);
    assert_string_equal(out, "2000-02-29T00:00:00.001Z");
    sa_text_time(out, 253402300799999);
    assert_string_equal(out, "9999-12-31T23:59:59.999Z");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape),      cmocka_unit_test(test_escape_every_code_point),
        cmocka_unit_test(test_printable),   cmocka_unit_test(test_escape_random),
        cmocka_unit_test(test_utf8_prefix), cmocka_unit_test(test_copy_slice_format),
        cmocka_unit_test(test_format_long), cmocka_unit_test(test_hash_is_fnv1a),
        cmocka_unit_test(test_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
