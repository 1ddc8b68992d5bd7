/* The three ways over bytes give the same, and what a byte by byte reading gives. */
#include "check.h"
#include "find.h"

#include <stdlib.h>

static const char *const words[] = {"SIP/2.0 ", " method ", "\r\n", "\n",   "C", "Via: x",
                                    "  ",       "rsyslogd", "q",    "i: a", "\0"};

/* Random text of pieces that matter. */
static size_t
make(char *text, size_t size)
{
    size_t len = 0;

    while (len + 16 < size && rand() % 64 != 0) {
        unsigned i = (unsigned)rand() % (sizeof words / sizeof words[0]);
        size_t n = words[i][0] == '\0' ? 1 : strlen(words[i]);

        memcpy(text + len, words[i], n);
        len += n;
        if (rand() % 3 == 0)
            for (int k = rand() % 40; k > 0 && len + 16 < size; k--)
                text[len++] = (char)(' ' + rand() % 90);
    }
    return len;
}

static size_t
line_of(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n')
        at--;
    return at;
}

static void
test_literals(void **state)
{
    struct sa_literals set = {.n = 0};
    static char text[4096];

    (void)state;
    assert_true(sa_literals_add(&set, "SIP/2.0 ", 8));
    assert_true(sa_literals_add(&set, " method ", 8));
    assert_true(sa_literals_add(&set, "rsyslogd", 8));
    assert_false(sa_literals_add(&set, "x", 1));
    srand(3);
    for (int round = 0; round < 20000; round++) {
        size_t len = make(text, (size_t)(1 + rand() % (int)sizeof text)), wanted = len;

        for (unsigned i = 0; i < set.n; i++) {
            const char *at = memmem(text, len, set.text[i], set.len[i]);

            if (at != NULL && (size_t)(at - text) < wanted)
                wanted = (size_t)(at - text);
        }
        for (int way = SA_FIND_PLAIN; way <= SA_FIND_AVX2; way++) {
            size_t found;

            if (!sa_find_has((enum sa_find_way)way))
                continue;
            found = sa_find_literal_by((enum sa_find_way)way, &set, text, len);
            assert_int_equal(found == len, wanted == len);
            assert_int_equal(line_of(text, found), line_of(text, wanted));
        }
    }
}

static struct sa_passed
pass_slowly(const char *p, size_t len, unsigned flags, size_t limit)
{
    struct sa_passed passed = {0, 0};

    for (;;) {
        const char *line = p + passed.bytes, *end = memchr(line, '\n', len - passed.bytes);
        size_t n = end == NULL ? 0 : (size_t)(end - line);

        if (end == NULL || n > limit || line[0] == '\0')
            return passed;
        if (flags & SA_STOP_AT_BARE_LF && (n == 0 || line[n - 1] != '\r'))
            return passed;
        if (flags & SA_STOP_AT_HEADER && ((unsigned char)line[0] <= ' ' || strchr("cClLiI", line[0]) != NULL))
            return passed;
        passed.bytes += n + 1;
        passed.lines++;
    }
}

static void
test_lines(void **state)
{
    static char text[4096];

    (void)state;
    srand(4);
    for (int round = 0; round < 20000; round++) {
        size_t len = make(text, (size_t)(1 + rand() % (int)sizeof text));

        for (unsigned flags = 0; flags < 4; flags++) {
            struct sa_passed wanted = pass_slowly(text, len, flags, 64);

            for (int way = SA_FIND_PLAIN; way <= SA_FIND_AVX2; way++) {
                struct sa_passed passed;

                if (!sa_find_has((enum sa_find_way)way))
                    continue;
                passed = sa_pass_lines_by((enum sa_find_way)way, text, len, flags, 64);
                assert_int_equal(passed.bytes, wanted.bytes);
                assert_int_equal(passed.lines, wanted.lines);
            }
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_literals), cmocka_unit_test(test_lines)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
