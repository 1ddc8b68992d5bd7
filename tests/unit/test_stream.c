/* How a log is cut into reads does not matter; what is not understood never counts. */
#include "check.h"
#include "stream.h"

#include <stdbool.h>

#define REFERENCE_MS 1795194000000
#define CUT          40000

struct seen {
    uint64_t responses, records;
    uint64_t codes[SA_CODE_MAX + 1], received[SA_CODE_MAX + 1], sent[SA_CODE_MAX + 1];
    uint32_t hash; /* over every field, in order */
};

static void
on_response(void *arg, const struct sa_response *r)
{
    struct seen *seen = arg;
    char text[512];
    int n;

    assert_in_range(r->code, SA_CODE_MIN, SA_CODE_MAX);
    assert_true(r->repeat >= 1);
    assert_true(memchr(r->method, '\0', sizeof r->method) != NULL);
    assert_true(memchr(r->peer, '\0', sizeof r->peer) != NULL);
    assert_true(memchr(r->call_id, '\0', sizeof r->call_id) != NULL);
    for (const char *c = r->peer; *c != '\0'; c++)
        assert_true(strchr("0123456789abcdefABCDEF:.", *c) != NULL);
    seen->records++;
    seen->responses += r->repeat;
    seen->codes[r->code] += r->repeat;
    if (r->direction == SA_DIR_RECEIVED)
        seen->received[r->code] += r->repeat;
    if (r->direction == SA_DIR_SENT)
        seen->sent[r->code] += r->repeat;
    n = snprintf(text, sizeof text, "%u %d %u %lld %s %s %s", r->code, r->direction, r->repeat,
                 (long long)r->time_ms, r->method, r->peer, r->call_id);
    for (int i = 0; i < n && i < (int)sizeof text; i++)
        seen->hash = (seen->hash ^ (unsigned char)text[i]) * 16777619u;
}

static const struct corpus {
    const char *path, *xlog, *xlog_sent[2];
} corpora[] = {
    {"kamailio-xlog-traditional/kamailio.log",
     "[$ci] $rs $rr from $si:$sp method $rm",
     {"[$ci] replying $rs $rr to $si:$sp method $rm", "[$ci] stateless reply $rs $rr method $rm"}},
    {"kamailio-xlog-rfc5424/kamailio.log",
     "[$ci] $rs $rr from $si:$sp method $rm",
     {"[$ci] replying $rs $rr to $si:$sp method $rm", "[$ci] stateless reply $rs $rr method $rm"}},
    {"kamailio-sl-redirect/kamailio.log",
     "[$ci] $rs $rr from $si:$sp method $rm",
     {"[$ci] replying $rs $rr to $si:$sp method $rm", "[$ci] stateless reply $rs $rr method $rm"}},
    {"kamailio-stock/kamailio.log", "incoming reply $rs $rr ($proto:$si:$sp)", {NULL, NULL}},
    {"kamailio-repeated-msg-reduction/kamailio.log", "reply $rs $rr from $si", {NULL, NULL}},
    {"kamailio-hostile-xlog/kamailio.log",
     "[$ci] $rs $rr from $si:$sp method $rm",
     {"[$ci] replying $rs $rr to $si:$sp method $rm", "[$ci] stateless reply $rs $rr method $rm"}},
    {"opensips-xlog/opensips.log",
     "reply $rs $rr from $si:$sp callid $ci cseq $cs $rm",
     {"replying $rs $rr to $si:$sp callid $ci method $rm", NULL}},
    {"kamailio-acc/acc.log", NULL, {NULL, NULL}},
    {"opensips-acc/acc.log", NULL, {NULL, NULL}},
    {"kamailio-fulldump-escaped/kamailio.log", NULL, {NULL, NULL}},
    {"kamailio-fulldump-multiline/kamailio.log", NULL, {NULL, NULL}},
    {"kamailio-hostile-fulldump-escaped/kamailio.log", NULL, {NULL, NULL}},
};

static char *
read_file(const char *path, size_t *ret_len)
{
    char full[512];
    FILE *file;
    char *buf;
    long size;

    snprintf(full, sizeof full, "%s/tests/corpora/%s", SA_SOURCE_DIR, path);
    file = fopen(full, "rb");
    if (file == NULL)
        fail_msg("%s cannot be read", full);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    buf = calloc(1, (size_t)size +
                        32); /* JIT code looks at whole words, and valgrind at what is behind the end */
    assert_non_null(buf);
    assert_int_equal(fread(buf, 1, (size_t)size, file), size);
    fclose(file);
    *ret_len = (size_t)size;
    return buf;
}

static struct sa_format *
format_of(const struct corpus *corpus)
{
    char error[SA_PATTERN_ERROR_SIZE] = "";
    struct sa_format *format = sa_format_new();

    assert_non_null(format);
    if (corpus->xlog == NULL) {
        CHECK_INT(corpus->path, sa_format_add_preset(format, "auto", error), 0);
    } else {
        char *xlog[] = {(char *)corpus->xlog, NULL};
        char *sent[] = {(char *)corpus->xlog_sent[0], (char *)corpus->xlog_sent[1], NULL};
        char *regex[] = {NULL};
        struct sa_format_def def = {.name = "f", .xlog = xlog, .xlog_sent = sent, .regex = regex};

        CHECK_INT(corpus->path, sa_format_add_user(format, &def, error), 0);
    }
    return format;
}

/* slice: bytes per call; 0: at once; below 0: random up to its absolute value. */
static struct sa_stream_counts
feed(const struct corpus *corpus, const char *buf, size_t len, int slice, struct seen *seen)
{
    struct sa_format *format = format_of(corpus);
    struct sa_stream stream;
    struct sa_stream_counts counts;

    memset(seen, 0, sizeof *seen);
    seen->hash = 2166136261u;
    assert_int_equal(sa_stream_init(&stream, format, 65536, on_response, seen), 0);
    for (size_t at = 0; at < len;) {
        size_t n = slice == 0 ? len : slice > 0 ? (size_t)slice : (size_t)(rand() % -slice);

        if (n > len - at)
            n = len - at;
        sa_stream_feed(&stream, buf + at, n, REFERENCE_MS);
        at += n;
    }
    sa_stream_finish(&stream);
    counts = stream.counts;
    CHECK_INT(corpus->path, counts.responses, seen->responses);
    CHECK_INT(corpus->path, counts.matched, seen->records);
    CHECK_INT(corpus->path, counts.bytes, len);
    CHECK_INT(corpus->path, counts.matched + counts.unmatched <= counts.lines, true);
    CHECK_INT(corpus->path, counts.first_ms <= counts.last_ms, true);
    sa_stream_done(&stream);
    sa_format_free(format);
    return counts;
}

static void
assert_same(const struct corpus *corpus, const char *how, const struct sa_stream_counts *a,
            const struct seen *seen_a, const struct sa_stream_counts *b, const struct seen *seen_b)
{
    char name[128];

    snprintf(name, sizeof name, "%s %s", corpus->path, how);
    CHECK_INT(name, b->lines, a->lines);
    CHECK_INT(name, b->responses, a->responses);
    CHECK_INT(name, b->matched, a->matched);
    CHECK_INT(name, b->unmatched, a->unmatched);
    CHECK_INT(name, b->oversize, a->oversize);
    CHECK_INT(name, b->first_ms, a->first_ms);
    CHECK_INT(name, b->last_ms, a->last_ms);
    CHECK_INT(name, seen_b->hash, seen_a->hash);
}

static void
test_cuts_do_not_matter(void **state)
{
    (void)state;
    srand(17);
    for (unsigned i = 0; i < ROWS(corpora); i++) {
        size_t len;
        char *buf = read_file(corpora[i].path, &len);
        struct sa_stream_counts whole, cut;
        static struct seen seen_whole, seen_cut;

        len = len < CUT ? len : CUT; /* ends in the middle of a line */
        whole = feed(&corpora[i], buf, len, 0, &seen_whole);
        CHECK_INT(corpora[i].path, whole.responses > 0, true);
        cut = feed(&corpora[i], buf, len, 1, &seen_cut);
        assert_same(&corpora[i], "byte by byte", &whole, &seen_whole, &cut, &seen_cut);
        for (unsigned round = 0; round < 4; round++) {
            cut = feed(&corpora[i], buf, len, round < 2 ? -64 : -9000, &seen_cut);
            assert_same(&corpora[i], "random slices", &whole, &seen_whole, &cut, &seen_cut);
        }
        free(buf);
    }
}

/* A line of one response, cut everywhere, even inside the code. */
static void
test_every_split(void **state)
{
    static const struct corpus one = {"one", "[$ci] $rs $rr from $si:$sp method $rm", {NULL, NULL}};
    static const char log[] = "Nov 20 16:46:53 sbc01 kamailio[34]: INFO: <script>: [6@b] 503 Service "
                              "Unavailable from 127.11.1.1:5080 method INVITE\r\n"
                              "Nov 20 16:46:54 sbc01 kamailio[34]: INFO: <script>: nothing\n";

    (void)state;
    for (size_t split = 0; split <= sizeof log - 1; split++) {
        static struct seen seen;
        struct sa_format *format = format_of(&one);
        struct sa_stream stream;

        memset(&seen, 0, sizeof seen);
        assert_int_equal(sa_stream_init(&stream, format, 65536, on_response, &seen), 0);
        sa_stream_feed(&stream, log, split, REFERENCE_MS);
        sa_stream_feed(&stream, log + split, sizeof log - 1 - split, REFERENCE_MS);
        sa_stream_finish(&stream);
        assert_int_equal(seen.codes[503], 1);
        assert_int_equal(stream.counts.responses, 1);
        assert_int_equal(stream.counts.unmatched, 1);
        assert_int_equal(stream.counts.lines, 2);
        sa_stream_done(&stream);
        sa_format_free(format);
    }
}

/* Every line of a log of one-line records is matched or unmatched. */
static void
test_lines_add_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ROWS(corpora); i++) {
        size_t len;
        char *buf;
        struct sa_stream_counts counts;
        static struct seen seen;

        if (strstr(corpora[i].path, "multiline") != NULL)
            continue;
        buf = read_file(corpora[i].path, &len);
        counts = feed(&corpora[i], buf, len, 0, &seen);
        CHECK_INT(corpora[i].path, counts.matched + counts.unmatched, counts.lines);
        free(buf);
    }
}

/* One dump, kept in two ways, tells the same. */
static void
test_two_forms_of_one_dump(void **state)
{
    static const struct corpus escaped = {"kamailio-fulldump-escaped/kamailio.log", NULL, {NULL, NULL}};
    static const struct corpus lines = {"kamailio-fulldump-multiline/kamailio.log", NULL, {NULL, NULL}};
    static struct seen a, b;
    size_t len;
    char *buf;

    (void)state;
    buf = read_file(escaped.path, &len);
    feed(&escaped, buf, len, 0, &a);
    free(buf);
    buf = read_file(lines.path, &len);
    feed(&lines, buf, len, 0, &b);
    free(buf);
    for (unsigned code = 0; code <= SA_CODE_MAX; code++)
        assert_int_equal(a.codes[code], b.codes[code]);
    assert_int_equal(a.codes[302], 13);
    assert_int_equal(a.codes[430], 3);
}

static void
test_garbage(void **state)
{
    enum { SIZE = 1 << 20 };
    static const struct corpus all = {"garbage", NULL, {NULL, NULL}};
    static struct seen seen;
    char *buf = calloc(1, SIZE + 64);
    struct sa_stream_counts counts;

    (void)state;
    assert_non_null(buf);
    srand(23);
    for (unsigned kind = 0; kind < 6; kind++) {
        for (unsigned i = 0; i < SIZE; i++)
            switch (kind) {
            case 0:
                buf[i] = (char)rand();
                break;
            case 1:
                buf[i] = '\0';
                break;
            case 2:
                buf[i] = '\xff';
                break;
            case 3:
                buf[i] = "SIP/2.0 302 Moved "[i % 18];
                break;
            case 4:
                buf[i] = "SIP/2.0 302 Moved\n"[i % 18];
                break;
            default:
                buf[i] = "\n\r \t"[rand() % 4];
                break;
            }
        counts = feed(&all, buf, SIZE, kind % 2 == 0 ? 0 : -70000, &seen);
        CHECK_INT("garbage", counts.responses, 0);
        CHECK_INT("garbage", counts.matched, 0);
        if (kind == 3)
            CHECK_INT("a line of 1 MiB", counts.oversize, 1);
    }
    free(buf);
}

/* A response behind the end of the limit is not there, one behind the line is. */
static void
test_behind_a_long_line(void **state)
{
    static const struct corpus one = {"one", "[$ci] $rs $rr from $si:$sp method $rm", {NULL, NULL}};
    static const char line[] = "Nov 20 16:46:53 sbc01 kamailio[34]: INFO: <script>: [6@b] 503 x from "
                               "127.11.1.1:5080 method INVITE\n";
    enum { LONG = 1 << 20 };
    static struct seen seen;
    char *buf = calloc(1, LONG + 2 * sizeof line + 32);
    struct sa_stream_counts counts;

    (void)state;
    assert_non_null(buf);
    memset(buf, 'x', LONG);
    memcpy(buf + LONG, line, sizeof line - 1); /* the end of the long line */
    memcpy(buf + LONG + sizeof line - 1, line, sizeof line - 1);
    counts = feed(&one, buf, LONG + 2 * (sizeof line - 1), 0, &seen);
    assert_int_equal(counts.lines, 2);
    assert_int_equal(counts.oversize, 1);
    assert_int_equal(counts.responses, 1);
    assert_int_equal(counts.unmatched, 1);
    free(buf);
}

static void
test_reset_forgets_the_half_line(void **state)
{
    static const struct corpus one = {"one", "reply $rs", {NULL, NULL}};
    struct sa_format *format = format_of(&one);
    struct sa_stream stream;
    static struct seen seen;

    (void)state;
    memset(&seen, 0, sizeof seen);
    assert_int_equal(sa_stream_init(&stream, format, 65536, on_response, &seen), 0);
    sa_stream_feed(&stream, "reply 302\nreply ", 16, REFERENCE_MS);
    sa_stream_reset(&stream);
    sa_stream_feed(&stream, "404\nreply 430\n", 14, REFERENCE_MS);
    sa_stream_finish(&stream);
    assert_int_equal(seen.codes[302], 1);
    assert_int_equal(seen.codes[404], 0);
    assert_int_equal(seen.codes[430], 1);
    assert_int_equal(stream.counts.responses, 2);
    sa_stream_done(&stream);
    sa_format_free(format);
}

/* A real log, broken at random: nothing crashes, and the counts still add up. */
static void
test_damaged_logs(void **state)
{
    (void)state;
    srand(31);
    for (unsigned i = 0; i < ROWS(corpora); i++) {
        size_t len;
        char *buf = read_file(corpora[i].path, &len);
        static struct seen whole, cut;

        len = len < CUT ? len : CUT;
        for (unsigned round = 0; round < 3; round++) {
            struct sa_stream_counts a, b;

            for (unsigned hits = 0; hits < 200; hits++)
                buf[(unsigned)rand() % len] = "\0\n\r\xff \"#;:9"[rand() % 10];
            a = feed(&corpora[i], buf, len, 0, &whole);
            b = feed(&corpora[i], buf, len, -500, &cut);
            assert_same(&corpora[i], "damaged", &a, &whole, &b, &cut);
        }
        free(buf);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts_do_not_matter),
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_lines_add_up),
        cmocka_unit_test(test_two_forms_of_one_dump),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_behind_a_long_line),
        cmocka_unit_test(test_damaged_logs),
        cmocka_unit_test(test_reset_forgets_the_half_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
