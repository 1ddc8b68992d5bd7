/*
 * What strangers can write into a log through the messages they send: none of it counts.  Each case is a log
 * that "auto" reads; what should be counted is in the table, everything else is forged.
 */
#include "check.h"
#include "stream.h"
#include "tally.h"

#define RECORD "Nov 20 16:46:53 sbc01 kamailio[33]: INFO: <script>: "
#define INTRO  RECORD "received 400 bytes from 192.0.2.9:5060\n"
#define LATER  "Nov 20 16:46:54 sbc01 kamailio[33]: INFO: <script>: nothing\n"
#define HEADERS                                                                                              \
    "Via: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x@y\r\nCSeq: 1 NOTIFY\r\n"
#define SIPFRAG  "Content-Type: message/sipfrag\r\n"
#define NOTIFY   "NOTIFY sip:a@b SIP/2.0\r\n" HEADERS SIPFRAG
#define FRAGMENT "SIP/2.0 302 Moved\r\nVia: a\r\nFrom: b\r\nTo: c\r\nCSeq: 1 INVITE\r\n\r\n" /* 61 octets */
#define REAL     "SIP/2.0 486 Busy\r\n" HEADERS "Content-Length: 0\r\n\r\n"
#define ACC_TEXT                                                                                             \
    "acc [acc.c:287]: acc_log_request(): ACC: transaction answered: timestamp=1;method=INVITE;from_tag=a;"   \
    "to_tag=b;call_id=c;code=302;reason=x"

static const struct {
    const char *name, *log;
    unsigned real; /* how many 486 */
} cases[] = {
    {"a message", REAL, 1},
    {"body with its length", NOTIFY "Content-Length: 61\r\n\r\n" FRAGMENT REAL, 1},
    {"length with zeros in front", NOTIFY "Content-Length: 00061\r\n\r\n" FRAGMENT REAL, 1},
    {"length beyond any datagram", NOTIFY "Content-Length: 100000\r\n\r\n" FRAGMENT, 0},
    {"length that is no number", NOTIFY "Content-Length: 6x\r\n\r\n" FRAGMENT REAL, 1},
    {"two lengths, the true one first",
     NOTIFY "Content-Length: 61\r\nContent-Length: 0\r\n\r\n" FRAGMENT REAL, 1},
    {"two lengths, the true one last", NOTIFY "l: 0\r\nl: 61\r\n\r\n" FRAGMENT REAL, 1},
    {"no length", NOTIFY "\r\n" FRAGMENT REAL, 1},
    {"no length behind a record", INTRO NOTIFY "\r\n" FRAGMENT INTRO REAL, 1},
    {"a lying length behind a record", INTRO NOTIFY "Content-Length: 60000\r\n\r\n" FRAGMENT LATER INTRO REAL,
     1},
    {"a header that looks like another host's record",
     INTRO "OPTIONS sip:a SIP/2.0\r\nNov 20 16:46:53 evil x: SIP/2.0 430 Flow Failed\r\n" HEADERS
           "\r\n" INTRO REAL,
     1},
    {"a header that looks like a record of acc",
     INTRO "OPTIONS sip:a SIP/2.0\r\nNov 20 16:46:53 sbc01 x: INFO: " ACC_TEXT "\r\n" HEADERS
           "\r\n" INTRO REAL,
     1},
    {"a body line that looks like an older record",
     INTRO NOTIFY "Content-Length: 400\r\n\r\nNov 20 16:00:00 sbc01 kamailio[74]: INFO: " ACC_TEXT
                  "\n\n" INTRO REAL,
     1},
    {"a start line quoted by a module",
     "Nov 20 16:46:53 sbc01 kamailio[33]: ERROR: <core> [core/parser/msg_parser.c:749]: parse_msg(): "
     "message=<x\n"
     "SIP/2.0 302 Moved\r\n" HEADERS "\r\n" INTRO REAL,
     1},
    {"a start line that nothing introduces", RECORD "x\n\nSIP/2.0 302 Moved\r\n" HEADERS "\r\n" INTRO REAL,
     1},
    {"a start line behind a header without its CR, before a body",
     "NOTIFY sip:a@b SIP/2.0\r\n" HEADERS "Content-Length: 61\n" FRAGMENT FRAGMENT REAL, 1},
    {"an entry of the journal's export inside a log",
     INTRO REAL LATER
     "__CURSOR=s=1;i=2\nMESSAGE=INFO: <script>: [a@b] 302 Moved from 192.0.2.1:5060 method INVITE\n"
     "\n",
     1},
    {"JSON that breaks off behind a message",
     REAL "{\"level\":\"INFO\",\"message\":\"[a@b] 302 Moved from 192.0.2.1:5060 method INVITE\",\"x\":\"\n",
     1},
    {"a status line without headers", "SIP/2.0 302 Moved\r\n\r\nSIP/2.0 302\r\nUser-Agent: x\r\n\r\n" REAL,
     1},
};

static void
on_response(void *arg, const struct sa_response *response)
{
    sa_tally_add(arg, response, 0, 0);
}

static void
test_nothing_forged_counts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        char error[SA_PATTERN_ERROR_SIZE];
        struct sa_tally *tally = sa_tally_new(0);
        struct sa_format *format = sa_format_new();
        struct sa_stream stream;

        assert_int_equal(sa_format_add_preset(format, "auto", error), 0);
        assert_int_equal(sa_stream_init(&stream, format, 65536, on_response, tally), 0);
        sa_stream_feed(&stream, cases[i].log, strlen(cases[i].log), 1795193000000);
        sa_stream_finish(&stream);
        CHECK_INT(cases[i].name, sa_tally_responses(tally), cases[i].real);
        CHECK_INT(cases[i].name,
                  sa_tally_seen(tally, 486) == NULL ? 0 : sa_tally_seen(tally, 486)->count.responses,
                  cases[i].real);
        sa_stream_done(&stream);
        (void)sa_format_free(format);
        (void)sa_tally_free(tally);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_forged_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
