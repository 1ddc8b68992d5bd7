/*
 * sofia-sip's transport log, as FreeSWITCH, drachtio and Flexisip write it:
 *   recv 584 bytes from udp/[192.0.2.5]:5090 at 12:30:57.916812:
 * a rule, and the message, which old versions indent by three blanks.  The port may be missing, a colour or a
 * stamp may stand before it.  Flexisip besides has a line for each call: "Fri Nov 20 16:46:06 2026: A --> B
 * 200 Ok".
 */
#include "message_family.h"
#include "payload.h"

#define CUT_BYTES 16000 /* longer messages are not written in full */

static bool
closes(struct sa_slice line)
{
    while (line.len > 0 && line.p[0] == ' ')
        line = sa_slice_from(line, 1);
    return sa_slice_is_rule(line, '-', 20);
}

static enum sa_intro_verdict
intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    struct sa_slice s = record->payload, stamped, address;
    int64_t time_ms;
    size_t stamp =
        line.len > 0 && sa_is_digit(line.p[0]) ? sa_timestamp_iso(record->stamps, line, &time_ms) : 0;

    if (stamp != 0) { /* drachtio: a date, and no host and no program behind it */
        stamped = sa_slice_from(line, stamp);
        if (sa_slice_starts(stamped, " recv ") || sa_slice_starts(stamped, " send ")) {
            s = sa_slice_from(stamped, 1);
            intro->about.time_ms = time_ms;
        }
    }

    if (sa_slice_skip(&s, "recv "))
        intro->about.direction = SA_DIR_RECEIVED;
    else if (sa_slice_skip(&s, "send "))
        intro->about.direction = SA_DIR_SENT;
    else
        return closes(s) ? SA_INTRO_SKIP : SA_INTRO_NO;
    if (!sa_take_number(&s, &intro->size) ||
        (!sa_slice_skip(&s, " bytes from ") && !sa_slice_skip(&s, " bytes to ")) ||
        !sa_take_word(&s, &address) || !sa_slice_skip(&s, " at ") ||
        sa_slice_find(address, '/') == address.len)
        return SA_INTRO_NO;
    if (sa_timestamp_clock(record->stamps, s, &time_ms) != 0 && intro->about.time_ms == 0)
        intro->about.time_ms = time_ms;
    if (intro->size > CUT_BYTES)
        intro->size = CUT_BYTES;
    sa_take_peer(&intro->about, address, false);
    return SA_INTRO_DONE;
}

const struct sa_message_family sa_message_family_sofia = {
    .id = 5, .intro = intro, .closes = closes, .indent = 3};

/* Behind the URI of the callee: " 404 Not Found". */
enum sa_payload_outcome
sa_payload_flexisip(const struct sa_record *record, struct sa_response *response)
{
    struct sa_slice s = record->payload, to;
    struct sa_civil_time time = {0};
    uint32_t year;
    size_t end;

    if (s.len < 30 || s.p[3] != ' ' || s.p[24] != ':')
        return SA_PAYLOAD_NOTHING;
    s = sa_slice_from(s, 4);
    time.month = sa_timestamp_month(s);
    time.day = s.p[4] == ' ' ? s.p[5] - '0' : sa_timestamp_two(sa_slice_from(s, 4));
    time.hour = sa_timestamp_two(sa_slice_from(s, 7));
    time.minute = sa_timestamp_two(sa_slice_from(s, 10));
    time.second = sa_timestamp_two(sa_slice_from(s, 13));
    s = sa_slice_from(s, 16);
    if (time.month == 0 || !sa_take_number(&s, &year) || !sa_slice_skip(&s, ": "))
        return SA_PAYLOAD_NOTHING;
    time.year = (int)year;
    to = s;
    if (!sa_slice_seek(&to, "> --> ") ||
        !sa_slice_seek(&to, "<")) /* the caller's URI, in brackets, is the first */
        return SA_PAYLOAD_NOTHING;
    end = sa_slice_find(to, '>');
    if (end == to.len)
        return SA_PAYLOAD_NOTHING;
    to = sa_slice_from(to, end + 1);
    if (!sa_slice_skip(&to, " ") || to.len < 3 || (to.len > 3 && to.p[3] != ' '))
        return SA_PAYLOAD_NOTHING;
    sa_payload_begin(response, record);
    response->time_ms = sa_timestamp_civil(record->stamps, &time);
    return sa_payload_set_code(response, (struct sa_slice){to.p, 3}) ? SA_PAYLOAD_RESPONSE
                                                                     : SA_PAYLOAD_NOTHING;
}
