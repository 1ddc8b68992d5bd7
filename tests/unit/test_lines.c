/* Bytes to lines: limits, NULs, endings, and that the cuts between reads do not matter. */
#include "check.h"
#include "lines.h"

#include <stdbool.h>

struct sink {
    char text[262144];
    size_t len;
    unsigned n, cuts;
    size_t longest;
};

static void
on_line(void *arg, const char *line, size_t len, bool cut)
{
    struct sink *sink = arg;

    assert_true(sink->len + len + 2 <= sizeof sink->text);
    memcpy(sink->text + sink->len, line, len);
    sink->len += len;
    sink->text[sink->len++] = '|';
    sink->text[sink->len] = '\0';
    sink->n++;
    sink->cuts += cut;
    if (len > sink->longest)
        sink->longest = len;
}

static struct sink sink;

static void
test_table(void **state)
{
    static const struct {
        const char *name, *in;
        size_t len;
        const char *fed, *finished;
        unsigned lines, oversize, nuls;
    } cases[] = {
#define IN(s) s, sizeof(s) - 1
        {"nothing", IN(""), "", "", 0, 0, 0},
        {"one", IN("a\n"), "a|", "a|", 1, 0, 0},
        {"two", IN("a\nbc\n"), "a|bc|", "a|bc|", 2, 0, 0},
        {"empty lines", IN("\n\n"), "||", "||", 2, 0, 0},
        {"CR is kept", IN("a\r\n"), "a\r|", "a\r|", 1, 0, 0},
        {"lone CR ends nothing", IN("a\rb\n"), "a\rb|", "a\rb|", 1, 0, 0},
        {"partial", IN("a\nb"), "a|", "a|b|", 2, 0, 0},
        {"exactly the limit", IN("12345678\n"), "12345678|", "12345678|", 1, 0, 0},
        {"one more", IN("123456789\n"), "12345678|", "12345678|", 1, 1, 0},
        {"much more", IN("1234567890123456789\nx\n"), "12345678|x|", "12345678|x|", 2, 1, 0},
        {"oversize without end", IN("123456789"), "", "12345678|", 1, 1, 0},
        {"NULs at the start", IN("\0\0\0ab\n"), "ab|", "ab|", 1, 0, 3},
        {"NULs at the start of the second", IN("a\n\0\0b\n"), "a|b|", "a|b|", 2, 0, 2},
        {"many NULs are no oversize", IN("\0\0\0\0\0\0\0\0\0\0\0\0ab\n"), "ab|", "ab|", 1, 0, 12},
#undef IN
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        for (size_t split = 0; split <= cases[i].len; split++) {
            struct sa_lines lines;

            memset(&sink, 0, sizeof sink);
            assert_int_equal(sa_lines_init(&lines, 8, NULL), 0);
            sa_lines_feed(&lines, cases[i].in, split, on_line, &sink);
            sa_lines_feed(&lines, cases[i].in + split, cases[i].len - split, on_line, &sink);
            CHECK_STR(cases[i].name, sink.text, cases[i].fed);
            sa_lines_finish(&lines, on_line, &sink);
            CHECK_STR(cases[i].name, sink.text, cases[i].finished);
            CHECK_INT(cases[i].name, lines.lines, cases[i].lines);
            CHECK_INT(cases[i].name, lines.oversize, cases[i].oversize);
            CHECK_INT(cases[i].name, lines.nul_bytes, cases[i].nuls);
            CHECK_INT(cases[i].name, sink.cuts, cases[i].oversize);
            sa_lines_done(&lines);
        }
    }
}

static void
test_nul_inside_is_a_byte(void **state)
{
    struct sa_lines lines;

    (void)state;
    memset(&sink, 0, sizeof sink);
    assert_int_equal(sa_lines_init(&lines, 64, NULL), 0);
    sa_lines_feed(&lines, "a\0b\n", 4, on_line, &sink);
    assert_int_equal(sink.n, 1);
    assert_memory_equal(sink.text, "a\0b|", 4);
    assert_int_equal(lines.nul_bytes, 0);
    sa_lines_done(&lines);
}

static void
test_random_slices_agree(void **state)
{
    enum { SIZE = 3000, LIMIT = 12 };
    static char bytes[SIZE];
    static struct sink whole;

    (void)state;
    srand(7);
    for (unsigned round = 0; round < 60; round++) {
        struct sa_lines a, b;

        for (unsigned i = 0; i < SIZE; i++)
            bytes[i] = "ab\0\r\n\n\xff"[rand() % 7];
        memset(&whole, 0, sizeof whole);
        memset(&sink, 0, sizeof sink);
        assert_int_equal(sa_lines_init(&a, LIMIT, NULL), 0);
        assert_int_equal(sa_lines_init(&b, LIMIT, NULL), 0);
        sa_lines_feed(&a, bytes, SIZE, on_line, &whole);
        for (size_t at = 0; at < SIZE;) {
            size_t n = round == 0 ? 1 : (size_t)rand() % 40;

            if (n > SIZE - at)
                n = SIZE - at;
            sa_lines_feed(&b, bytes + at, n, on_line, &sink);
            at += n;
        }
        sa_lines_finish(&a, on_line, &whole);
        sa_lines_finish(&b, on_line, &sink);
        assert_int_equal(sink.len, whole.len);
        assert_memory_equal(sink.text, whole.text, whole.len);
        assert_int_equal(a.lines, b.lines);
        assert_int_equal(a.oversize, b.oversize);
        assert_int_equal(a.nul_bytes, b.nul_bytes);
        assert_int_equal(sink.cuts, whole.cuts);
        assert_true(whole.longest <= LIMIT);
        sa_lines_done(&a);
        sa_lines_done(&b);
    }
}

static void
test_reset_drops_what_is_held(void **state)
{
    struct sa_lines lines;

    (void)state;
    memset(&sink, 0, sizeof sink);
    assert_int_equal(sa_lines_init(&lines, 8, NULL), 0);
    sa_lines_reset(&lines); /* nothing held, nothing dropped */
    assert_int_equal(lines.partial_dropped, 0);
    sa_lines_feed(&lines, "SIP/2", 5, on_line, &sink);
    sa_lines_reset(&lines);
    assert_int_equal(lines.partial_dropped, 1);
    sa_lines_feed(&lines, "new\n", 4, on_line, &sink);
    assert_string_equal(sink.text, "new|");
    sa_lines_feed(&lines, "0123456789", 10, on_line, &sink); /* oversize, then truncated */
    sa_lines_reset(&lines);
    sa_lines_feed(&lines, "x\n", 2, on_line, &sink);
    assert_string_equal(sink.text, "new|x|");
    sa_lines_finish(&lines, on_line, &sink);
    assert_string_equal(sink.text, "new|x|");
    sa_lines_done(&lines);
}

static void
test_a_mebibyte_without_end(void **state)
{
    static char block[65536];
    struct sa_lines lines;

    (void)state;
    memset(&sink, 0, sizeof sink);
    memset(block, 'x', sizeof block);
    assert_int_equal(sa_lines_init(&lines, 65536, NULL), 0);
    for (unsigned i = 0; i < 16; i++)
        sa_lines_feed(&lines, block, sizeof block, on_line, &sink);
    sa_lines_feed(&lines, "\nafter\n", 7, on_line, &sink);
    assert_int_equal(sink.n, 2);
    assert_int_equal(sink.longest, 65536);
    assert_int_equal(lines.oversize, 1);
    assert_string_equal(sink.text + 65537, "after|");
    sa_lines_done(&lines);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_nul_inside_is_a_byte),
        cmocka_unit_test(test_random_slices_agree),
        cmocka_unit_test(test_reset_drops_what_is_held),
        cmocka_unit_test(test_a_mebibyte_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
