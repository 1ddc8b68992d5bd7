/* Raw SIP messages in a log: what is a status line, and everything that only looks like one. */
#include "check.h"
#include "stream.h"

#include <stdbool.h>

#define HEAD  "Nov 20 16:47:25 sbc01 kamailio[34]: INFO: <script>: "
#define REPLY HEAD "received udp reply from 127.11.1.1:5080"
#define OTHER HEAD "something else\n"

struct seen {
    unsigned n;
    uint64_t responses;
    char codes[256];
    struct sa_response last;
};

static void
on_response(void *arg, const struct sa_response *response)
{
    struct seen *seen = arg;
    size_t at = strlen(seen->codes);

    seen->n++;
    seen->responses += response->repeat;
    seen->last = *response;
    if (at < sizeof seen->codes - 8)
        snprintf(seen->codes + at, sizeof seen->codes - at, "%s%u", at == 0 ? "" : " ", response->code);
}

static struct sa_stream_counts
read_all(const char *name, const char *log, size_t len, struct seen *seen)
{
    char error[SA_PATTERN_ERROR_SIZE] = "";
    struct sa_format *format = sa_format_new();
    struct sa_stream stream;
    struct sa_stream_counts counts;

    memset(seen, 0, sizeof *seen);
    assert_non_null(format);
    CHECK_INT(name, sa_format_add_preset(format, "sip-message", error), 0);
    assert_int_equal(sa_stream_init(&stream, format, 65536, on_response, seen), 0);
    sa_stream_feed(&stream, log, len, 1795194000000);
    sa_stream_finish(&stream);
    counts = stream.counts;
    CHECK_INT(name, counts.responses, seen->responses);
    CHECK_INT(name, counts.matched <= counts.responses, true);
    CHECK_INT(name, counts.matched + counts.unmatched <= counts.lines, true);
    CHECK_INT(name, counts.bytes, len);
    sa_stream_done(&stream);
    assert_null(sa_format_free(format));
    return counts;
}

struct row {
    const char *name, *log, *codes;
};

static void
run(const struct row *rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct seen seen;

        read_all(rows[i].name, rows[i].log, strlen(rows[i].log), &seen);
        CHECK_STR(rows[i].name, seen.codes, rows[i].codes);
    }
}

#define VIA   "Via: SIP/2.0/UDP 127.11.0.1;branch=z9hG4bKbbb4.0"
#define EVIA  VIA "#015#012"
#define MVIA  VIA "\r\n"
#define CSEQ  "CSeq: 1 INVITE"
#define ECSEQ CSEQ "#015#012"
#define MCSEQ CSEQ "\r\n"
#define ENONE "Content-Length: 0#015#012#015#012"
#define MNONE "Content-Length: 0\r\n\r\n"

static void
test_escaped(void **state)
{
    static const struct row rows[] = {
        {"plain", REPLY "#012SIP/2.0 302 Moved Temporarily#015#012" EVIA ECSEQ ENONE "\n", "302"},
        {"no reason, space", REPLY "#012SIP/2.0 200 #015#012" EVIA ECSEQ ENONE "\n", "200"},
        {"ends after the code", REPLY "#012SIP/2.0 200#015#012" EVIA ECSEQ ENONE "\n", "200"},
        {"compact forms",
         REPLY "#012SIP/2.0 486 Busy Here#015#012v: SIP/2.0/UDP h#015#012i: a@b#015#012" ECSEQ
               "l: 0#015#012#015#012\n",
         "486"},
        {"cut by the log daemon", REPLY "#012SIP/2.0 503 Service Unavailable#015#012" EVIA "From: <sip:al\n",
         "503"},
        {"bare LF", REPLY "#012SIP/2.0 404 Not Found#012" VIA "#012" CSEQ "#012Content-Length: 0#012#012\n",
         "404"},
        {"no CSeq",
         REPLY "#012SIP/2.0 404 Not Found#015#012" EVIA
               "From: <sip:a@b>;tag=1#015#012To: <sip:c@d>#015#012Call-ID: a@b#015#012" ENONE "\n",
         "404"},
        {"highest code", REPLY "#012SIP/2.0 999 x#015#012" EVIA ECSEQ ENONE "\n", "999"},
        {"class 7", REPLY "#012SIP/2.0 700 x#015#012" EVIA ECSEQ ENONE "\n", "700"},
        {"two records",
         REPLY "#012SIP/2.0 100 Trying#015#012" EVIA ECSEQ ENONE "\n" REPLY
               "#012SIP/2.0 180 Ringing#015#012" EVIA ECSEQ ENONE "\n",
         "100 180"},
        {"repeated",
         "Nov 20 16:47:25 sbc01 kamailio[34]: message repeated 3 times: [ INFO: <script>: reply"
         "#012SIP/2.0 100 Trying#015#012" EVIA ECSEQ ENONE "]\n",
         "100"},
    };

    (void)state;
    run(rows, ROWS(rows));
}

static void
test_escaped_hostile(void **state)
{
    static const struct row rows[] = {
        {"code 099", REPLY "#012SIP/2.0 099 x#015#012" EVIA ECSEQ ENONE "\n", ""},
        {"code 000", REPLY "#012SIP/2.0 000 x#015#012" EVIA ECSEQ ENONE "\n", ""},
        {"code 1000", REPLY "#012SIP/2.0 1000 x#015#012" EVIA ECSEQ ENONE "\n", ""},
        {"code 20", REPLY "#012SIP/2.0 20 x#015#012" EVIA ECSEQ ENONE "\n", ""},
        {"code 2000", REPLY "#012SIP/2.0 2000#015#012" EVIA ECSEQ ENONE "\n", ""},
        {"code 30x", REPLY "#012SIP/2.0 30x x#015#012" EVIA ECSEQ ENONE "\n", ""},
        {"version 3", REPLY "#012SIP/3.0 302 x#015#012" EVIA ECSEQ ENONE "\n", ""},
        {"request", HEAD "received udp request#012INVITE sip:a@b SIP/2.0#015#012" EVIA ECSEQ ENONE "\n", ""},
        {"request with code in the URI",
         HEAD "request#012INVITE sip:a@b;code=503 SIP/2.0#015#012" EVIA ECSEQ ENONE "\n", ""},
        {"sipfrag",
         HEAD
         "request#012NOTIFY sip:a@b SIP/2.0#015#012" EVIA "CSeq: 2 NOTIFY#015#012"
         "Content-Type: message/sipfrag#015#012Content-Length: 16#015#012#015#012SIP/2.0 200 OK#015#012\n",
         ""},
        {"sipfrag with headers",
         HEAD "request#012NOTIFY sip:a@b SIP/2.0#015#012" EVIA
              "CSeq: 2 NOTIFY#015#012Content-Type: message/sipfrag#015#012Content-Length: 200#015#012#015#012"
              "SIP/2.0 302 Moved#015#012Via: SIP/2.0/UDP evil#015#012CSeq: 1 INVITE#015#012#015#012\n",
         ""},
        {"sipfrag without length",
         HEAD "request#012NOTIFY sip:a@b SIP/2.0#015#012" EVIA
              "CSeq: 2 NOTIFY#015#012#015#012SIP/2.0 302 Moved#015#012" EVIA "\n",
         ""},
        {"body of a response",
         REPLY "#012SIP/2.0 200 OK#015#012" EVIA ECSEQ
               "Content-Length: 60#015#012#015#012SIP/2.0 302 Moved#015#012" EVIA ECSEQ "#015#012\n",
         "200"},
        {"quoted name",
         HEAD
         "request#012INVITE sip:a@b SIP/2.0#015#012From: \"SIP/2.0 302 Moved\" <sip:a@b>#015#012" EVIA ECSEQ
             ENONE "\n",
         ""},
        {"User-Agent",
         HEAD "request#012INVITE sip:a@b SIP/2.0#015#012User-Agent: SIP/2.0 503 x#015#012" EVIA ECSEQ ENONE
              "\n",
         ""},
        {"Server",
         REPLY "#012SIP/2.0 100 Trying#015#012Server: SIP/2.0 301 Moved#015#012" EVIA ECSEQ ENONE "\n",
         "100"},
        {"folded header",
         REPLY "#012SIP/2.0 100 Trying#015#012Subject: x#015#012 SIP/2.0 301 Moved#015#012" EVIA ECSEQ ENONE
               "\n",
         "100"},
        {"folded with a tab",
         REPLY
         "#012SIP/2.0 100 Trying#015#012Subject: x#015#012#011SIP/2.0 301 Moved#015#012" EVIA ECSEQ ENONE
         "\n",
         "100"},
        {"in the reason", REPLY "#012SIP/2.0 404 SIP/2.0 302 Moved#015#012" EVIA ECSEQ ENONE "\n", "404"},
        {"status line in the header block",
         REPLY "#012SIP/2.0 404 Not Found#015#012SIP/2.0 302 Moved#015#012" EVIA ECSEQ ENONE "\n", "404"},
        {"module quotes",
         "Nov 20 16:47:26 sbc01 kamailio[33]: ERROR: <core> [core/parser/msg_parser.c:749]: parse_msg(): "
         "ERROR: parse_msg: "
         "message=<SIP/2.0 301#015#012" EVIA ECSEQ "#015#012>\n",
         ""},
        {"module quotes on a line of its own",
         "Nov 20 16:47:26 sbc01 kamailio[33]: ERROR: <core> [core/parser/msg_parser.c:749]: parse_msg(): "
         "message="
         "#012SIP/2.0 301 Moved#015#012" EVIA ECSEQ ENONE "\n",
         ""},
        {"user agent with a record",
         HEAD "request#012INVITE sip:a@b SIP/2.0#015#012" EVIA
              "User-Agent: Nov 20 16:00:00 sbc01 kamailio[74]: INFO: "
              "<script>: x#015#012" ENONE "\n",
         ""},
        {"the escape escaped", HEAD "ua=x##012SIP/2.0 302 Moved\n", ""},
        {"no message behind it", HEAD "ua=x#012SIP/2.0 302 Moved\n", ""},
        {"inline", HEAD "got SIP/2.0 302 Moved from there\n", ""},
    };

    (void)state;
    run(rows, ROWS(rows));
}

static void
test_multiline(void **state)
{
    static const struct row rows[] = {
        {"plain", REPLY "\nSIP/2.0 302 Moved Temporarily\r\n" MVIA MCSEQ MNONE OTHER, "302"},
        {"lone LF", REPLY "\nSIP/2.0 302 Moved\n" VIA "\n" CSEQ "\nContent-Length: 0\n\n" OTHER, "302"},
        {"at the end of the log", REPLY "\nSIP/2.0 302 Moved\r\n" MVIA MCSEQ MNONE, "302"},
        {"two",
         REPLY "\nSIP/2.0 100 Trying\r\n" MVIA MCSEQ MNONE REPLY "\nSIP/2.0 180 Ringing\r\n" MVIA MCSEQ MNONE,
         "100 180"},
        {"no reason", REPLY "\nSIP/2.0 200\r\n" MVIA MCSEQ MNONE OTHER, "200"},
        {"blank line of the log between",
         REPLY "\nSIP/2.0 100 Trying\r\n" MVIA MCSEQ MNONE "\n" REPLY "\nSIP/2.0 200 OK\r\n" MVIA MCSEQ MNONE
               "\n",
         "100 200"},
        {"body of a response",
         REPLY "\nSIP/2.0 200 OK\r\n" MVIA MCSEQ
               "Content-Length: 45\r\n\r\nSIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP evil.a;x\r\n" OTHER,
         "200"},
        {"sipfrag",
         HEAD "request\nNOTIFY sip:a@b SIP/2.0\r\n" MVIA "CSeq: 2 NOTIFY\r\nContent-Type: message/sipfrag\r\n"
              "Content-Length: 47\r\n\r\nSIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP evil.ab;x\r\n\r\n" OTHER,
         ""},
        {"quoted name",
         HEAD
         "request\nINVITE sip:a@b SIP/2.0\r\nFrom: \"SIP/2.0 302 x\" <sip:a@b>\r\n" MVIA MCSEQ MNONE OTHER,
         ""},
        {"folded header",
         REPLY "\nSIP/2.0 100 Trying\r\nSubject: x\r\n SIP/2.0 301 Moved\r\n" MVIA MCSEQ MNONE OTHER, "100"},
        {"bare CR in a header",
         REPLY "\nSIP/2.0 100 Trying\r\nSubject: x\rSIP/2.0 301 Moved\r\n" MVIA MCSEQ MNONE OTHER, "100"},
        {"record of a strange host in a body",
         HEAD
         "request\nMESSAGE sip:a@b SIP/2.0\r\n" MVIA "CSeq: 2 MESSAGE\r\nContent-Length: 400\r\n\r\n"
         "Nov 20 16:47:25 evil kamailio[34]: INFO: <script>: reply\nSIP/2.0 302 Moved\r\n" MVIA MCSEQ MNONE,
         ""},
        {"bad code", REPLY "\nSIP/2.0 099 x\r\n" MVIA MCSEQ MNONE OTHER, ""},
        {"long code", REPLY "\nSIP/2.0 1000 x\r\n" MVIA MCSEQ MNONE OTHER, ""},
    };

    (void)state;
    run(rows, ROWS(rows));
}

static void
test_fields(void **state)
{
    static const char log[] = REPLY "#012SIP/2.0 302 Moved#015#012" EVIA
                                    "Call-ID: a b]301[@h#015#012CSeq: 7 REGISTER#015#012" ENONE "\n";
    static const char spaced[] = REPLY "#012SIP/2.0 302 Moved#015#012v: SIP/2.0/UDP h#015#012i : x@y#015#012"
                                       "cseq  :  7   BYE#015#012" ENONE "\n";
    struct seen seen;

    (void)state;
    read_all("fields", log, sizeof log - 1, &seen);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.last.method, "REGISTER");
    assert_int_equal(seen.last.time_ms, 1795193245000);
    assert_int_equal(seen.last.repeat, 1);
    read_all("spaced", spaced, sizeof spaced - 1, &seen);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.last.method, "BYE");
    assert_string_equal(seen.last.call_id, "x@y");
}

/* RFC 3261 section 7.3.1: a value may begin on the next line, RFC 4475 section 3.1.1.1 does it to CSeq. */
static void
test_folded_fields(void **state)
{
    static const char log[] = REPLY "#012SIP/2.0 302 Moved#015#012" EVIA
                                    "CSeq: 0009#015#012  BYE#015#012i:#015#012 x@y#015#012" ENONE "\n";
    struct seen seen;

    (void)state;
    read_all("folded", log, sizeof log - 1, &seen);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.last.method, "BYE");
    assert_string_equal(seen.last.call_id, "x@y");
}

static void
test_repetition_counts(void **state)
{
    static const char log[] =
        "Nov 20 16:47:25 sbc01 kamailio[34]: message repeated 37 times: [ INFO: <script>: reply"
        "#012SIP/2.0 302 Moved#015#012" EVIA ECSEQ ENONE "]\n";
    struct seen seen;
    struct sa_stream_counts counts = read_all("repeated", log, sizeof log - 1, &seen);

    (void)state;
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.last.repeat, 37);
    assert_int_equal(counts.responses, 37);
    assert_int_equal(counts.matched, 1);
}

/* Each message is one record however many lines it takes. */
static void
test_records(void **state)
{
    static const char log[] = OTHER REPLY "\nSIP/2.0 302 Moved\r\n" MVIA MCSEQ MNONE OTHER OTHER;
    struct seen seen;
    struct sa_stream_counts counts = read_all("records", log, sizeof log - 1, &seen);

    (void)state;
    assert_int_equal(counts.responses, 1);
    assert_int_equal(counts.matched, 1);
    assert_int_equal(counts.unmatched, 3);
    assert_int_equal(counts.lines, 9);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escaped),           cmocka_unit_test(test_escaped_hostile),
        cmocka_unit_test(test_multiline),         cmocka_unit_test(test_fields),
        cmocka_unit_test(test_records),           cmocka_unit_test(test_folded_fields),
        cmocka_unit_test(test_repetition_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
