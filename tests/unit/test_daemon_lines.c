/* What log daemons say of themselves is believed, what others say in their words is not. */
#include "check.h"
#include "daemon_lines.h"
#include "stream.h"

/* 2026-11-20T17:00:00Z, a little after the stamps below. */
#define REFERENCE_MS 1795194000000

#define AT           "Nov 20 16:45:32 sbc01 "
#define FILE_AT      "[2026-11-20 16:45:32] "

static struct sa_record
peel(const char *line)
{
    struct sa_peeler cache = {.stamps.reference_ms = REFERENCE_MS};
    struct sa_record record;

    sa_envelope_peel(&cache, (struct sa_slice){line, strlen(line)}, &record);
    return record;
}

static void
test_lost(void **state)
{
    static const struct {
        const char *line;
        uint64_t lost;
    } cases[] = {
        /* rsyslog: the limits of imuxsock and imjournal, of old and of new versions */
        {AT "rsyslogd-2177: imuxsock lost 12 messages from pid 34 due to rate-limiting", 12},
        {AT "rsyslogd-2177: imuxsock[pid 34]: begin to drop messages due to rate-limiting", 0},
        {AT "rsyslogd-2177: imjournal: 236 messages lost due to rate-limiting", 236},
        {AT "rsyslogd: imuxsock: 1234 messages lost due to rate-limiting", 1234},
        {AT "rsyslogd: imuxsock[pid 34]: 1234 messages lost due to rate-limiting", 1234},
        {AT
         "rsyslogd: imjournal: 84667 messages lost due to rate-limiting (20000 allowed within 600 seconds)",
         84667},
        {AT "rsyslogd[77]: imjournal: 1 messages lost due to rate-limiting", 1},
        {AT
         "rsyslogd: imuxsock[pid: 34, name: /usr/sbin/kamailio]: 1024472 messages lost due to rate-limiting "
         "(20000 allowed within 300 seconds)",
         1024472},
        {AT "rsyslogd: imuxsock[pid: 34, name: /usr/sbin/kamailio] from <sbc01:kamailio>: begin to drop "
            "messages "
            "due to rate-limiting",
         0},
        {"<46>1 2026-11-20T16:46:53.346691+00:00 sbc01 rsyslogd - - -  imjournal: 5 messages lost due to "
         "rate-limiting",
         5},
        {"2026-11-20T16:46:53.346691+00:00 sbc01 rsyslogd: imjournal: 6 messages lost due to rate-limiting",
         6},
        {AT "rsyslogd: [origin software=\"rsyslogd\" swVersion=\"8.2102.0\"] start", 0},
        {AT "rsyslogd: action 'action-0' suspended, 12 messages lost", 0},
        {AT "rsyslogd: imjournal: messages lost due to rate-limiting", 0},
        {AT "rsyslogd: imjournal: -5 messages due to rate-limiting", 0},
        {AT "rsyslogd: imjournal: 0 messages lost due to rate-limiting", 0},
        /* journald */
        {AT "systemd-journald[215]: Suppressed 917 messages from kamailio.service", 917},
        {AT "systemd-journald[215]: Suppressed 1 messages from /system.slice/kamailio.service", 1},
        {AT "systemd-journal[215]: Suppressed 3310 messages from /system.slice/kamailio.service", 3310},
        {AT "systemd-journald[215]: Suppressed messages", 0},
        {AT "systemd-journald[215]: Forwarding to syslog missed 41 messages.", 41},
        {"2026-11-20T16:46:53.346691+00:00 sbc01 systemd-journald[215]: Forwarding to syslog missed 7 "
         "messages.",
         7},
        {AT "systemd-journald[215]: Forwarding to syslog missed messages.", 0},
        {AT "systemd-journald[215]: Missed 41 kernel messages", 0},
        {AT "systemd-journald[215]: Journal stopped", 0},
        {AT "systemd-journald[215]: x Suppressed 917 messages from kamailio.service", 0},
        /* Asterisk: main/logger.c, into its own file and to syslog */
        {FILE_AT "WARNING[9260] logger: Logging resumed.  12 messages discarded.", 12},
        {FILE_AT "WARNING[9260] logger: Logging resumed.  1 message discarded.", 1},
        {FILE_AT "WARNING[9260] logger: Logging resumed.  0 messages discarded.", 0},
        {AT "asterisk[926]: WARNING[9260]: logger:0 in ***: Logging resumed.  12 messages discarded.", 12},
        {FILE_AT
         "WARNING[9260] logger: Log queue threshold (1000) exceeded.  Discarding non-warning/error messages.",
         0},
        {FILE_AT
         "WARNING[9260] logger: Log queue WARNING / ERROR threshold (1000) exceeded. Discarded 37 oldest "
         "non-WARNING/ERROR messages.",
         37},
        {FILE_AT
         "WARNING[9260] logger: Log queue does not have any non-WARNING/ERROR messages left to discard. "
         "Discarding all new messages.",
         0},
        {FILE_AT "VERBOSE[9260] logger: Logging resumed.  12 messages discarded.", 0},
        {FILE_AT "WARNING[9260] chan_sip.c: Logging resumed.  12 messages discarded.", 0},
        {FILE_AT "WARNING[9260] chan_sip.c: x logger: Logging resumed.  12 messages discarded.", 0},
        {FILE_AT
         "WARNING[9260][C-00000001] pbx.c: WARNING[9260] logger: Logging resumed.  12 messages discarded.",
         0},
        {AT "kamailio[34]: WARNING: <script>: Logging resumed.  12 messages discarded.", 0},
        {"WARNING[9260] logger: Logging resumed.  12 messages discarded.", 0},
        /* OpenSIPS: xlog.c */
        {AT
         "/usr/sbin/opensips[36]: ERROR:core:xlog_2: global print buffer too small, increase 'xlog_buf_size'",
         1},
        {AT
         "/usr/sbin/opensips[36]: ERROR:core:xlog_1: global print buffer too small, increase 'xlog_buf_size'",
         1},
        {AT
         "/usr/sbin/opensips[36]: ERROR:core:xdbg: global print buffer too small, increase 'xlog_buf_size'",
         1},
        {"Nov 20 16:45:32 [36] ERROR:core:xlog_2: global print buffer too small, increase 'xlog_buf_size'",
         1},
        {AT "/usr/sbin/opensips[36]: ERROR:core:pv_printf: global print buffer too small, increase "
            "'xlog_buf_size'",
         0},
        {AT "/usr/sbin/opensips[36]: ERROR:core:xlog_2: global print buffer too small, increase "
            "'xlog_buf_size', 9",
         0},
        {AT "/usr/sbin/opensips[36]: from <x> ERROR:core:xlog_2: global print buffer too small, increase "
            "'xlog_buf_size'",
         0},
        {AT "kamailio[34]: ERROR: <core> [core/pvapi.c:1446]: pv_printf_mode(): buffer overflow -- increase "
            "the buffer "
            "size...",
         0},
        /* others, who quote or forge */
        {AT "kamailio[34]: Suppressed 917 messages from kamailio.service", 0},
        {AT "kamailio[34]: Forwarding to syslog missed 41 messages.", 0},
        {"Forwarding to syslog missed 41 messages.", 0},
        {AT "kamailio[34]: imjournal: 236 messages lost due to rate-limiting", 0},
        {AT "kamailio[34]: NOTICE: <script>: imjournal: 236 messages lost due to rate-limiting", 0},
        {AT "kamailio[34]: rsyslogd: imjournal: 236 messages lost due to rate-limiting", 0},
        {AT "kamailio[34]: NOTICE: <script>: " AT
            "rsyslogd: imjournal: 236 messages lost due to rate-limiting",
         0},
        {AT "kamailio[34]: message repeated 2 times: [ rsyslogd: imjournal: 236 messages lost due to "
            "rate-limiting]",
         0},
        {AT "rsyslog: imjournal: 236 messages lost due to rate-limiting", 0},
        {AT "rsyslogdx: imjournal: 236 messages lost due to rate-limiting", 0},
        {AT "my-rsyslogd: imjournal: 236 messages lost due to rate-limiting", 0},
        {AT "systemd: Suppressed 917 messages from kamailio.service", 0},
        {"imjournal: 236 messages lost due to rate-limiting", 0},
        {"Suppressed 917 messages from kamailio.service", 0},
        {"", 0},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_record record = peel(cases[i].line);

        CHECK_INT(cases[i].line, sa_daemon_line_lost(&record), cases[i].lost);
    }
}

static void
test_repeated(void **state)
{
    static const struct {
        const char *line, *start;
        uint32_t times;
    } cases[] = {
        {AT "kamailio[34]: Last message 'NOTICE: <script>: re' repeated 3 times, suppressed by syslog-ng on "
            "sbc01",
         "NOTICE: <script>: re", 3},
        {AT "kamailio[34]: Last message 'x' repeated 1 times, suppressed by syslog-ng on sbc01", "x", 1},
        {AT "kamailio[34]: Last message 'it's' repeated 2 times, suppressed by syslog-ng on a.b", "it's", 2},
        {AT "kamailio[34]: Last message 'x' repeated 0 times, suppressed by syslog-ng on sbc01", "", 0},
        {AT "kamailio[34]: Last message 'x' repeated -1 times, suppressed by syslog-ng on sbc01", "", 0},
        {AT "kamailio[34]: Last message 'x' repeated 4294967297 times, suppressed by syslog-ng on sbc01", "",
         0},
        {AT "kamailio[34]: Last message 'x' repeated 18446744073709551617 times, suppressed by syslog-ng on "
            "sbc01",
         "", 0},
        {AT "kamailio[34]: Last message 'x' repeated 3 times", "", 0},
        {AT "kamailio[34]: Last message 'x' repeated  times, suppressed by syslog-ng on sbc01", "", 0},
        {AT "kamailio[34]: Last message 'x", "", 0},
        {AT "kamailio[34]: Last message '", "", 0},
        {AT "kamailio[34]: he said: Last message 'x' repeated 3 times, suppressed by syslog-ng on sbc01", "",
         0},
        {"Last message 'x' repeated 3 times, suppressed by syslog-ng on sbc01", "", 0},
        {"", "", 0},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_record record = peel(cases[i].line);
        struct sa_slice start = {"", 0};

        CHECK_INT(cases[i].line, sa_daemon_line_repeated(&record, &start), cases[i].times);
        if (cases[i].times != 0) {
            CHECK_INT(cases[i].line, start.len, strlen(cases[i].start));
            assert_memory_equal(start.p, cases[i].start, start.len);
        }
    }
}

struct seen {
    uint64_t records, responses, codes[SA_CODE_MAX + 1], lost;
    struct sa_response last;
};

static void
on_response(void *arg, const struct sa_response *response)
{
    struct seen *seen = arg;

    seen->records++;
    seen->responses += response->repeat;
    seen->codes[response->code] += response->repeat;
    seen->last = *response;
}

static void
on_lost(void *arg, uint64_t lines)
{
    ((struct seen *)arg)->lost += lines;
}

/* slice: bytes per call; 0: at once. */
static struct seen
read_log(const char *log, size_t slice, struct sa_stream_counts *ret_counts)
{
    char error[SA_PATTERN_ERROR_SIZE] = "", *xlog[] = {"reply $rs $rr from $si", NULL}, *none[] = {NULL};
    struct sa_format_def def = {.name = "f", .xlog = xlog, .xlog_sent = none, .regex = none};
    struct sa_format *format = sa_format_new();
    size_t len = strlen(log);
    struct sa_stream stream;
    struct seen seen = {0};

    assert_int_equal(sa_format_add_user(format, &def, error), 0);
    assert_int_equal(sa_stream_init(&stream, format, 4096, on_response, &seen), 0);
    stream.lost_fn = on_lost;
    for (size_t at = 0, n; at < len; at += n) {
        n = slice == 0 || slice > len - at ? len - at : slice;
        sa_stream_feed(&stream, log + at, n, REFERENCE_MS);
    }
    sa_stream_finish(&stream);
    *ret_counts = stream.counts;
    sa_stream_done(&stream);
    sa_format_free(format);
    return seen;
}

#define REPLY_302 AT "kamailio[34]: NOTICE: <script>: reply 302 Moved from 192.0.2.7\n"
#define REPLY_404 AT "kamailio[34]: NOTICE: <script>: reply 404 Not Found from 192.0.2.8\n"
#define OTHER     AT "kamailio[34]: NOTICE: <script>: hello\n"
#define REPEATED(times)                                                                                      \
    AT "kamailio[34]: Last message 'NOTICE: <script>: re' repeated " times                                   \
       " times, suppressed by syslog-ng on sbc01\n"
#define LOST AT "rsyslogd: imjournal: 9 messages lost due to rate-limiting\n"

static void
test_stream(void **state)
{
    static const struct {
        const char *name, *log;
        unsigned n302, n404, unmatched, lost;
    } cases[] = {
        {"repeated", REPLY_302 REPEATED("3"), 4, 0, 0, 0},
        {"the line before, not an earlier one", REPLY_302 REPLY_404 REPEATED("3"), 1, 4, 0, 0},
        {"nothing before", REPEATED("3") REPLY_302, 1, 0, 1, 0},
        {"another line between", REPLY_302 OTHER REPEATED("3"), 1, 0, 2, 0},
        {"a log daemon's line between", REPLY_302 LOST REPEATED("3"), 1, 0, 2, 9},
        {"only once", REPLY_302 REPEATED("3") REPEATED("4"), 4, 0, 1, 0},
        {"again after another response", REPLY_302 REPEATED("3") REPLY_302 REPEATED("4"), 9, 0, 0, 0},
        {"of another line",
         REPLY_302 AT "kamailio[34]: Last message 'INFO: <script>: repl' repeated 3 times, "
                      "suppressed by syslog-ng on sbc01\n",
         1, 0, 1, 0},
        {"of no text",
         REPLY_302 AT "kamailio[34]: Last message '' repeated 3 times, suppressed by syslog-ng on "
                      "sbc01\n",
         1, 0, 1, 0},
        {"forged by a script",
         REPLY_302 AT "kamailio[34]: NOTICE: <script>: x Last message 'NOTICE: <script>: re' "
                      "repeated 3 times, suppressed by syslog-ng on sbc01\n",
         1, 0, 1, 0},
        {"no envelope",
         REPLY_302 "Last message 'NOTICE: <script>: re' repeated 3 times, suppressed by syslog-ng "
                   "on sbc01\n",
         1, 0, 1, 0},
        {"lost", REPLY_302 LOST REPLY_404 LOST, 1, 1, 2, 18},
        {"lost by Asterisk",
         REPLY_302 FILE_AT
         "WARNING[9] logger: Logging resumed.  7 messages discarded.\n" REPLY_404 FILE_AT
         "WARNING[9] logger: Log queue WARNING / ERROR threshold (1000) exceeded. Discarded 3 oldest "
         "non-WARNING/ERROR messages.\n" OTHER,
         1, 1, 3, 10},
        {"lost by OpenSIPS",
         REPLY_302 AT
         "opensips[3]: ERROR:core:xlog_2: global print buffer too small, increase 'xlog_buf_size'\n" OTHER
             REPLY_404,
         1, 1, 2, 1},
        {"forged loss",
         AT "kamailio[34]: NOTICE: <script>: imjournal: 9 messages lost due to rate-limiting\n", 0, 0, 1, 0},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++)
        for (size_t slice = 0; slice < 200; slice = slice * 3 + 1) {
            struct sa_stream_counts counts;
            struct seen seen = read_log(cases[i].log, slice, &counts);

            CHECK_INT(cases[i].name, seen.codes[302], cases[i].n302);
            CHECK_INT(cases[i].name, seen.codes[404], cases[i].n404);
            CHECK_INT(cases[i].name, seen.responses, cases[i].n302 + cases[i].n404);
            CHECK_INT(cases[i].name, seen.lost, cases[i].lost);
            CHECK_INT(cases[i].name, counts.responses, seen.responses);
            CHECK_INT(cases[i].name, counts.matched, seen.records);
            CHECK_INT(cases[i].name, counts.unmatched, cases[i].unmatched);
            CHECK_INT(cases[i].name, counts.matched + counts.unmatched, counts.lines);
        }
}

/* A repeated response is the response: where from, and when the log says. */
static void
test_repeat_is_the_response(void **state)
{
    struct sa_stream_counts counts;
    struct seen once = read_log(REPLY_302, 0, &counts), seen = read_log(REPLY_302 REPEATED("3"), 0, &counts);

    (void)state;
    assert_int_equal(seen.last.code, 302);
    assert_int_equal(seen.last.repeat, 3);
    assert_int_equal(seen.last.direction, once.last.direction);
    assert_string_equal(seen.last.peer, "192.0.2.7");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_repeat_is_the_response),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
