/*
 * Log bytes to responses.  Input: the first byte ('0' to '5', 'j' for JSON, 'A' and so on for the presets in
 * the order of their table) selects the format, the rest is the log.  Fed at once and fed in slices cut at
 * places that the input decides, it must give the same responses and counts. With '5', two streams share one
 * format, as the files of a source do, and take the lines in turns.
 */
#include "fuzz.h"
#include "stream.h"
#include "text.h"

#define LINE_LIMIT   1024
#define REFERENCE_MS INT64_C(1795193117000)

struct run {
    struct sa_stream stream;
    uint64_t repeats, calls;
    uint32_t hash; /* of all responses in their order */
};

static void
on_response(void *arg, const struct sa_response *response)
{
    struct run *run = arg;
    char text[512];
    int n;

    fuzz_check_response(response);
    n = snprintf(text, sizeof text, "%08x %u %d %u %lld %s|%s|%s", run->hash, response->code,
                 (int)response->direction, response->repeat, (long long)response->time_ms, response->method,
                 response->peer, response->call_id);
    run->hash = sa_text_hash(text, (size_t)n);
    run->repeats += response->repeat;
    run->calls++;
}

static struct sa_format *
new_format(unsigned selector)
{
    static char *xlog[] = {"[$ci] $rs $rr from $si:$sp method $rm", NULL}, *none[] = {NULL};
    static char *xlog_sent[] = {"$(hdr(CSeq)) replying $T_reply_code to $fu", NULL};
    static char *regex[] = {"status=(?<code>\\d{3}) method=(?<method>\\w+)(?: peer=(?<peer>\\S+))?", NULL};
    static const struct sa_format_def template = {"t", xlog, xlog_sent, none, NULL},
                                      search = {"r", none, none, regex, NULL};
    static struct sa_json_def json = {.where = {"event=sip_reply"},
                                      .n_where = 1,
                                      .code = "status",
                                      .method = "method",
                                      .peer = "src_ip",
                                      .direction = "dir",
                                      .received = "in",
                                      .sent = "out",
                                      .call_id = "sip.call_id"};
    static const struct sa_format_def objects = {"j", none, none, none, &json};
    struct sa_format *format = sa_format_new();
    char error[SA_PATTERN_ERROR_SIZE];
    int r = 0;

    if (selector >= 100) {
        r = sa_format_add_preset(format, sa_presets[selector - 100].name, error);
        FUZZ_CHECK(r == 0);
        return format;
    }
    switch (selector) {
    case 6:
        r = sa_format_add_user(format, &objects, error);
        break;
    case 0:
        r = sa_format_add_preset(format, "auto", error);
        break;
    case 1:
        r = sa_format_add_preset(format, "sip-message", error);
        break;
    case 2:
        r = sa_format_add_preset(format, "kamailio-acc", error);
        break;
    case 3:
        r = sa_format_add_user(format, &template, error);
        break;
    default:
        r = sa_format_add_user(format, &search, error);
        break;
    }
    FUZZ_CHECK(r == 0);
    return format;
}

static void
run_over(struct run *run, unsigned selector, const char *log, size_t len, bool sliced, bool line_by_line)
{
    struct sa_format *format = new_format(selector);
    uint32_t random = sa_text_hash(log, len) | 1;

    *run = (struct run){.hash = 0};
    FUZZ_CHECK(sa_stream_init(&run->stream, format, LINE_LIMIT, on_response, run) == 0);
    if (line_by_line)
        run->stream.lines.pass = NULL;
    while (len > 0) {
        size_t n = len;

        if (sliced) {
            random = random * 1664525 + 1013904223;
            n = (random >> 24) % 7 == 0 ? (random >> 16) % 400 + 1 : (random >> 16) % 9 + 1;
            n = n < len ? n : len;
        }
        sa_stream_feed(&run->stream, log, n, REFERENCE_MS);
        log += n;
        len -= n;
    }
    sa_stream_finish(&run->stream);
    sa_stream_done(&run->stream);
    (void)sa_format_free(format);
}

static void
run_pair(const char *log, size_t len)
{
    struct sa_format *format = new_format(0);
    struct run pair[2] = {{.hash = 0}};

    for (int i = 0; i < 2; i++)
        FUZZ_CHECK(sa_stream_init(&pair[i].stream, format, LINE_LIMIT, on_response, &pair[i]) == 0);
    for (int turn = 0; len > 0; turn++) {
        const char *end = memchr(log, '\n', len);
        size_t n = end == NULL ? len : (size_t)(end - log) + 1;

        sa_stream_feed(&pair[turn % 2].stream, log, n, REFERENCE_MS);
        log += n;
        len -= n;
    }
    for (int i = 0; i < 2; i++) {
        sa_stream_feed(&pair[i].stream, "\n\n", 2, REFERENCE_MS);
        FUZZ_CHECK(pair[i].stream.messages.state != SA_SIP_HEADERS); /* a blank line ends every header part */
        FUZZ_CHECK(pair[i].stream.counts.responses == pair[i].repeats);
        sa_stream_done(&pair[i].stream);
    }
    (void)sa_format_free(format);
}

/* 100 and more: a preset. */
static unsigned
select_format(uint8_t byte)
{
    unsigned presets = 0;

    while (sa_presets[presets].name != NULL)
        presets++;
    if (byte == 'j')
        return 6;
    return byte >= 'A' && byte < 'A' + presets ? 100 + (unsigned)byte - 'A' : ((unsigned)byte - '0') % 6;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole, other;
    const struct sa_stream_counts *a = &whole.stream.counts, *b = &other.stream.counts;
    unsigned selector;

    if (size < 2)
        return 0;
    selector = select_format(data[0]);
    if (selector == 5) {
        run_pair((const char *)data + 1, size - 1);
        return 0;
    }
    run_over(&whole, selector, (const char *)data + 1, size - 1, false, false);
    FUZZ_CHECK(a->bytes == size - 1 && a->responses == whole.repeats && a->matched == whole.calls);
    FUZZ_CHECK(a->matched <= a->lines && a->unmatched <= a->lines - a->matched && a->oversize <= a->lines);
    FUZZ_CHECK((a->first_ms == 0) == (a->last_ms == 0));
    /* However the bytes come, and whether or not lines may be passed over. */
    for (int way = 1; way < 4; way++) {
        run_over(&other, selector, (const char *)data + 1, size - 1, way & 1, way & 2);
        FUZZ_CHECK(whole.hash == other.hash && a->responses == b->responses && a->matched == b->matched);
        FUZZ_CHECK(a->lines == b->lines && a->bytes == b->bytes && a->unmatched == b->unmatched);
        FUZZ_CHECK(a->oversize == b->oversize && a->first_ms == b->first_ms && a->last_ms == b->last_ms);
        FUZZ_CHECK(a->nul_bytes == b->nul_bytes && a->partial_dropped == b->partial_dropped);
    }
    return 0;
}
