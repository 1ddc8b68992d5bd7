/* Syslog over TCP: both framings of RFC 6587, however the bytes are cut, and messages as lines of the log. */
#include "check.h"
#include "framing.h"
#include "record.h"

#define LIMIT 65536

/* What was delivered: every message with its length in front, one behind the other. */
struct seen {
    char *bytes;
    size_t len, room;
    unsigned n;
    uint64_t oversize;
};

static void
on_message(void *arg, const char *message, size_t len)
{
    struct seen *seen = arg;
    size_t need = seen->len + sizeof len + len;

    assert_true(len > 0);
    assert_true(len <= LIMIT);
    if (need > seen->room) {
        seen->room = need * 2;
        seen->bytes = realloc(seen->bytes, seen->room);
        assert_non_null(seen->bytes);
    }
    memcpy(seen->bytes + seen->len, &len, sizeof len);
    memcpy(seen->bytes + seen->len + sizeof len, message, len);
    seen->len = need;
    seen->n++;
}

/* slice: bytes per call; 0: at once; below 0: random up to its absolute value. */
static struct seen
feed(const char *buf, size_t len, int slice, bool end)
{
    struct sa_framing framing;
    struct seen seen = {0};
    size_t at = 0;

    sa_framing_init(&framing, LIMIT);
    while (at < len) {
        size_t n = slice == 0 ? len : slice > 0 ? (size_t)slice : 1 + (size_t)(rand() % -slice);
        char *copy;

        if (n > len - at)
            n = len - at;
        copy = malloc(n); /* exactly as long: a byte too far is found */
        assert_non_null(copy);
        memcpy(copy, buf + at, n);
        sa_framing_feed(&framing, copy, n, on_message, &seen);
        free(copy);
        at += n;
    }
    if (end)
        sa_framing_end(&framing, on_message, &seen);
    seen.oversize = framing.oversize;
    sa_framing_done(&framing);
    return seen;
}

/* The i-th message, "" if there is none. */
static size_t
message(const struct seen *seen, unsigned i, const char **ret)
{
    size_t at = 0, len;

    *ret = "";
    if (i >= seen->n)
        return 0;
    for (;; i--) {
        memcpy(&len, seen->bytes + at, sizeof len);
        if (i == 0)
            break;
        at += sizeof len + len;
    }
    *ret = seen->bytes + at + sizeof len;
    return len;
}

static void
check_message(const char *name, const struct seen *seen, unsigned i, const char *want)
{
    const char *got;
    size_t len = message(seen, i, &got);

    if (len != strlen(want) || memcmp(got, want, len) != 0)
        fail_msg("%s: message %u is \"%.*s\", not \"%s\"", name, i, (int)len, got, want);
}

static void
test_table(void **state)
{
    static const struct {
        const char *name, *in;
        bool end;
        const char *out[5];
    } cases[] = {
        {"nothing", "", true, {NULL}},
        {"a line", "<1>one\n", false, {"<1>one"}},
        {"two lines", "<1>one\n<2>two\n", false, {"<1>one", "<2>two"}},
        {"empty lines are no messages", "\n\n<1>one\n\n", true, {"<1>one"}},
        {"a line without a priority", "hello\n", false, {"hello"}},
        {"an unfinished line is held", "<1>one\n<2>tw", false, {"<1>one"}},
        {"an unfinished line at the end", "<1>one\n<2>tw", true, {"<1>one", "<2>tw"}},
        {"a counted frame", "6 <1>one", false, {"<1>one"}},
        {"two counted frames", "6 <1>one8 <2>three", false, {"<1>one", "<2>three"}},
        {"a short counted frame", "7 <1>one", false, {NULL}},
        {"an unfinished counted frame is none", "7 <1>one", true, {NULL}},
        {"line breaks inside a frame", "12 <1>one\n<2>tw3 <3>", false, {"<1>one\n<2>tw", "<3>"}},
        {"frames inside a frame", "14 <1>a\n6 <2>two\n7 <3>four", false, {"<1>a\n6 <2>two\n", "<3>four"}},
        {"frame and line", "6 <1>one<2>two\n6 <3>thr<4>x\n", false, {"<1>one", "<2>two", "<3>thr", "<4>x"}},
        {"a frame with a line end behind it", "7 <1>one\n6 <2>two", false, {"<1>one\n", "<2>two"}},
        {"a number without a space", "12a\n6 <1>one", false, {"12a", "<1>one"}},
        {"a number at the end of a line", "12\n<1>one\n", false, {"12", "<1>one"}},
        {"only a number", "12", true, {"12"}},
        {"zero is no length", "0 <1>one\n<2>two\n", false, {"0 <1>one", "<2>two"}},
        {"leading zeros are no length", "06 <1>one\n", false, {"06 <1>one"}},
        {"negative", "-6 <1>one\n", false, {"-6 <1>one"}},
        {"signed", "+6 <1>one\n", false, {"+6 <1>one"}},
        {"too long a number",
         "99999999999999999999999999 <1>x\n6 <1>one",
         false,
         {"99999999999999999999999999 <1>x", "<1>one"}},
        {"2^64 and six",
         "18446744073709551622 <1>one\n<2>two\n",
         false,
         {"18446744073709551622 <1>one", "<2>two"}},
        {"a line that begins with a number", "302 Moved\n6 <1>one", false, {"302 Moved", "<1>one"}},
        {"a line that begins with a space", " 6 <1>one\n", false, {" 6 <1>one"}},
        {"a year", "2026-11-20 x\n", false, {"2026-11-20 x"}},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++)
        for (int slice = 0; slice <= 3; slice++) {
            struct seen seen = feed(cases[i].in, strlen(cases[i].in), slice, cases[i].end);
            unsigned n = 0;

            for (; n < 5 && cases[i].out[n] != NULL; n++)
                check_message(cases[i].name, &seen, n, cases[i].out[n]);
            CHECK_INT(cases[i].name, seen.n, n);
            CHECK_INT(cases[i].name, seen.oversize, 0);
            free(seen.bytes);
        }
}

/* Any byte is allowed inside a message, NULs too. */
static void
test_bytes(void **state)
{
    static const char frames[] = "7 <1>\0\n\xff\0"
                                 "7 <2>\r\n5 ";
    static const char line[] = "<3>\0\x80z\n";
    struct seen seen = feed(frames, sizeof frames - 1, 1, false);
    const char *got;

    (void)state;
    /* "7 <1>\0\n\xff\0" is a whole frame of seven bytes, and so is the next. */
    assert_int_equal(seen.n, 2);
    assert_int_equal(message(&seen, 0, &got), 7);
    assert_memory_equal(got, "<1>\0\n\xff\0", 7);
    assert_int_equal(message(&seen, 1, &got), 7);
    assert_memory_equal(got, "<2>\r\n5 ", 7);
    free(seen.bytes);
    seen = feed(line, sizeof line - 1, 2, false);
    assert_int_equal(seen.n, 1);
    assert_int_equal(message(&seen, 0, &got), 6);
    assert_memory_equal(got, "<3>\0\x80z", 6);
    free(seen.bytes);
}

/* len bytes "<1>xxx..." as a counted frame or a line, and a short message behind it. */
static char *
long_input(size_t len, bool counted, size_t *ret_len)
{
    char *buf = malloc(len + 64);
    size_t n = 0;

    assert_non_null(buf);
    if (counted)
        n = (size_t)sprintf(buf, "%zu ", len);
    memcpy(buf + n, "<1>", 3);
    for (size_t i = 3; i < len; i++)
        buf[n + i] = counted && i % 7 == 0 ? '\n' : (char)('0' + i % 10);
    n += len;
    if (!counted)
        buf[n++] = '\n';
    memcpy(buf + n, "6 <2>two", 8);
    *ret_len = n + 8;
    return buf;
}

static void
test_limit(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        uint64_t oversize;
    } cases[] = {{"shorter", LIMIT - 1, 0},
                 {"just fits", LIMIT, 0},
                 {"a byte too long", LIMIT + 1, 1},
                 {"much too long", 3 * LIMIT + 7, 1}};
    static const int slices[] = {0, 1, 4096, 65536, 65541, -9000};

    (void)state;
    srand(11);
    for (unsigned i = 0; i < ROWS(cases); i++)
        for (int counted = 0; counted <= 1; counted++) {
            size_t len;
            char *buf = long_input(cases[i].len, counted, &len);
            const char *body = counted ? strchr(buf, '<') : buf;

            for (unsigned k = 0; k < ROWS(slices); k++) {
                size_t want = cases[i].len < LIMIT ? cases[i].len : LIMIT;
                struct seen seen = feed(buf, len, slices[k], false);
                const char *got;

                CHECK_INT(cases[i].name, seen.n, 2);
                CHECK_INT(cases[i].name, message(&seen, 0, &got), want);
                assert_memory_equal(got, body, want);
                check_message(cases[i].name, &seen, 1, "<2>two");
                CHECK_INT(cases[i].name, seen.oversize, cases[i].oversize);
                free(seen.bytes);
            }
            free(buf);
        }
}

/* Pieces of both framings, of numbers and of garbage in any order: the cuts make no difference. */
static void
test_cuts_make_no_difference(void **state)
{
    static const char *const pieces[] = {
        "6 <1>one", "11 <2>one\n6 <3", "<4>line\n", "\n", "302 Moved\n", "0",         "12",
        "9999999",  "99999999",        "1 <",       " ",  "<",           "hello\r\n", "3 <",
        "20 <30>x", "\r\n7 <1>"};

    (void)state;
    srand(12);
    for (unsigned round = 0; round < 400; round++) {
        char buf[600];
        size_t len = 0;
        struct seen whole;

        while (len < 500)
            if (rand() % 12 == 0) {
                buf[len++] = (char)(rand() % 256);
            } else {
                const char *piece = pieces[(unsigned)rand() % ROWS(pieces)];

                memcpy(buf + len, piece, strlen(piece));
                len += strlen(piece);
            }
        whole = feed(buf, len, 0, true);
        for (int slice = -20; slice <= 1; slice += 7) {
            struct seen cut = feed(buf, len, slice, true);

            assert_int_equal(cut.n, whole.n);
            assert_int_equal(cut.len, whole.len);
            if (cut.len > 0)
                assert_memory_equal(cut.bytes, whole.bytes, cut.len);
            assert_int_equal(cut.oversize, whole.oversize);
            free(cut.bytes);
        }
        free(whole.bytes);
    }
}

/* Well-formed streams: every message comes out as it went in. */
static void
test_every_message_arrives(void **state)
{
    (void)state;
    srand(13);
    for (unsigned round = 0; round < 200; round++) {
        char buf[8192];
        struct seen want = {0}, got;
        size_t len = 0;

        for (unsigned i = 0; i < 20; i++) {
            char text[200];
            size_t n = (size_t)sprintf(text, "<%d>", rand() % 192), more = (size_t)(rand() % 180);
            bool counted = rand() % 2;

            for (; more > 0; more--) {
                char c = (char)(rand() % 256);

                text[n++] = !counted && c == '\n' ? ' ' : c;
            }
            if (counted)
                len += (size_t)sprintf(buf + len, "%zu ", n);
            memcpy(buf + len, text, n);
            len += n;
            if (!counted)
                buf[len++] = '\n';
            on_message(&want, text, n);
        }
        got = feed(buf, len, -40, false);
        assert_int_equal(got.n, want.n);
        assert_int_equal(got.len, want.len);
        assert_memory_equal(got.bytes, want.bytes, want.len);
        free(got.bytes);
        free(want.bytes);
    }
}

static void
test_record(void **state)
{
    static const struct {
        const char *name;
        struct sa_slice {
            const char *p;
            size_t len;
        } in, out;
    } cases[] = {
        {"plain", SLICE("<1>one"), SLICE("<1>one\n")},
        {"empty", SLICE(""), SLICE("\n")},
        {"line break inside", SLICE("a\nb"), SLICE("a#012b\n")},
        {"several", SLICE("\na\n\nb"), SLICE("#012a#012#012b\n")},
        {"its own line end goes", SLICE("one\n"), SLICE("one\n")},
        {"CR LF at the end", SLICE("one\r\n"), SLICE("one\n")},
        {"carriage return inside", SLICE("a\rb"), SLICE("a#015b\n")},
        {"NUL at the end, as some clients send it", SLICE("one\0"), SLICE("one\n")},
        {"other bytes stay", SLICE("\t\x01\xff\x80#012"), SLICE("\t\x01\xff\x80#012\n")},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        char *dst = malloc(SA_RECORD_ROOM(cases[i].in.len));
        size_t n = sa_intake_record(dst, cases[i].in.p, cases[i].in.len);

        CHECK_INT(cases[i].name, n, cases[i].out.len);
        if (memcmp(dst, cases[i].out.p, n) != 0)
            fail_msg("%s: \"%.*s\"", cases[i].name, (int)n, dst);
        free(dst);
    }
}

/* Whatever the message is: one line, inside the room that was promised. */
static void
test_record_is_one_line(void **state)
{
    (void)state;
    srand(14);
    for (unsigned round = 0; round < 500; round++) {
        size_t len = (size_t)(rand() % 40), n;
        char in[40], *dst = malloc(SA_RECORD_ROOM(len));

        for (size_t i = 0; i < len; i++)
            in[i] = "\n\r\0a"[rand() % 4];
        n = sa_intake_record(dst, in, len);
        assert_true(n >= 1 && n <= SA_RECORD_ROOM(len));
        assert_true(dst[n - 1] == '\n');
        assert_null(memchr(dst, '\n', n - 1));
        assert_null(memchr(dst, '\r', n - 1));
        free(dst);
    }
}

/* What comes whole takes no memory, what comes in pieces as much as it is long, and a quiet one gives it
 * back. */
static void
test_memory(void **state)
{
    struct sa_framing framing;
    struct seen seen = {0};
    char *line = malloc(LIMIT + 1);

    (void)state;
    assert_non_null(line);
    memset(line, 'x', LIMIT);
    line[LIMIT] = '\n';
    sa_framing_init(&framing, LIMIT);
    assert_int_equal(framing.room, 0);
    sa_framing_feed(&framing, line, LIMIT + 1, on_message, &seen);
    sa_framing_feed(&framing, "8 <1>whole", 10, on_message, &seen);
    assert_int_equal(seen.n, 2);
    assert_int_equal(framing.room, 0);
    sa_framing_feed(&framing, "<1>some of", 10, on_message, &seen);
    assert_in_range(framing.room, 10, 1024);
    sa_framing_rest(&framing);
    assert_int_equal(framing.held_len, 10); /* a message is in it */
    sa_framing_feed(&framing, line, LIMIT, on_message, &seen);
    assert_int_equal(framing.room, LIMIT);
    sa_framing_feed(&framing, "\n", 1, on_message, &seen);
    assert_int_equal(seen.n, 3);
    assert_int_equal(framing.oversize, 1);
    sa_framing_rest(&framing);
    assert_int_equal(framing.room, 0);
    assert_null(framing.held);
    sa_framing_done(&framing);
    free(seen.bytes);
    free(line);
}

/* Half a line is a message when the connection ends, a part of a counted one is lost. */
static void
test_end(void **state)
{
    static const struct {
        const char *bytes;
        unsigned messages;
        bool lost;
    } cases[] = {
        {"", 0, false},
        {"<1>half", 1, false},
        {"<1>whole\n", 1, false},
        {"9 <1>not al", 1, false},
        {"20 <1>not all", 0, true},
        {"20 ", 0, true},
        {"20", 1, false},
        {"20 a line", 1, false},
        {"8 <1>whole20 <1>not", 1, true},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_framing framing;
        struct seen seen = {0};

        sa_framing_init(&framing, LIMIT);
        sa_framing_feed(&framing, cases[i].bytes, strlen(cases[i].bytes), on_message, &seen);
        CHECK_INT(cases[i].bytes, sa_framing_end(&framing, on_message, &seen), cases[i].lost);
        CHECK_INT(cases[i].bytes, seen.n, cases[i].messages);
        sa_framing_done(&framing);
        free(seen.bytes);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_cuts_make_no_difference),
        cmocka_unit_test(test_every_message_arrives),
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_record_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
