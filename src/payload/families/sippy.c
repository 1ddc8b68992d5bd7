/*
 * Sippy B2BUA:  16 Sep 07:42:42.107/GLOBAL/probe: SENDING message to udp:192.0.2.1:44708:
 * PortaOne:     2018-10-31T14:38:49.293806Z|edgeproxy[4783]|CALL-ID|IS|981| RECEIVED message from
 * UDP:192.0.2.1:5061 at UDP:…:
 */
#include "message_family.h"
#include "payload.h"

/* "RECEIVED message from udp:192.0.2.1:5060" */
static bool
take_message(struct sa_intro *intro, struct sa_slice s)
{
    struct sa_slice address;

    if (sa_slice_skip(&s, "RECEIVED message from "))
        intro->about.direction = SA_DIR_RECEIVED;
    else if (sa_slice_skip(&s, "SENDING message to "))
        intro->about.direction = SA_DIR_SENT;
    else
        return false;
    if (!sa_take_word(&s, &address))
        return false;
    if (address.p[address.len - 1] == ':')
        address.len--;
    sa_take_peer(&intro->about, address, true);
    return true;
}

static enum sa_intro_verdict
sippy_intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    struct sa_slice s = line;
    struct sa_civil_time time = {0};
    uint32_t day, ms = 0;

    if (line.len == 0)
        return SA_INTRO_SKIP;
    if (!sa_take_number(&s, &day) || !sa_slice_skip(&s, " ") || s.len < 20)
        return SA_INTRO_NO;
    time.day = (int)day;
    time.month = sa_timestamp_month(s);
    time.hour = sa_timestamp_two(sa_slice_from(s, 4));
    time.minute = sa_timestamp_two(sa_slice_from(s, 7));
    time.second = sa_timestamp_two(sa_slice_from(s, 10));
    s = sa_slice_from(s, 12);
    if (time.month == 0 || (sa_slice_skip(&s, ".") && !sa_take_number(&s, &ms)) || !sa_slice_skip(&s, "/"))
        return SA_INTRO_NO;
    time.ms = ms < 1000 ? (int)ms : 0;
    intro->about.time_ms = sa_timestamp_civil(record->stamps, &time);
    return sa_slice_seek(&s, ": ") && take_message(intro, s) ? SA_INTRO_DONE : SA_INTRO_NO;
}

static enum sa_intro_verdict
portaone_intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    size_t stamp;

    if (line.len == 0)
        return SA_INTRO_SKIP;
    if (!sa_is_digit(line.p[0]))
        return SA_INTRO_NO;
    stamp = sa_timestamp_iso(record->stamps, line, &intro->about.time_ms);
    line = sa_slice_from(line, stamp);
    if (stamp == 0 || !sa_slice_skip(&line, "|"))
        return SA_INTRO_NO;
    while (sa_slice_find(line, '|') < line.len)
        line = sa_slice_from(line, sa_slice_find(line, '|') + 1);
    (void)sa_slice_skip(&line, " ");
    return take_message(intro, line) ? SA_INTRO_DONE : SA_INTRO_NO;
}

const struct sa_message_family sa_message_family_sippy = {.id = 9, .intro = sippy_intro, .plain = true};
const struct sa_message_family sa_message_family_portaone = {
    .id = 10, .intro = portaone_intro, .plain = true};
