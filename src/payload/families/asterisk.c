/*
 * Asterisk: the PJSIP logger
 *   <--- Received SIP response (648 bytes) from UDP:192.0.2.5:5060 --->
 *   <--- Transmitting SIP request (1043 bytes) to UDP:192.0.2.5:5060 --->
 * and chan_sip (up to version 20)
 *   <--- SIP read from UDP:192.0.2.5:5060 --->          … <------------->
 *   <--- Reliably Transmitting (NAT) to 192.0.2.5:5060 --->  … <------------>
 *   Retransmitting #2 (no NAT) to 192.0.2.5:5060:       … ---
 *   -- Got SIP response 503 "Service Unavailable" back from 192.0.2.5:5060
 */
#include "message_family.h"
#include "payload.h"

static enum sa_intro_verdict
pjsip_intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    struct sa_slice s = record->payload, address;

    (void)line;
    if (!sa_slice_skip(&s, "<--- "))
        return SA_INTRO_NO;
    if (sa_slice_skip(&s, "Received SIP "))
        intro->about.direction = SA_DIR_RECEIVED;
    else if (sa_slice_skip(&s, "Transmitting SIP "))
        intro->about.direction = SA_DIR_SENT;
    else
        return SA_INTRO_NO;
    if ((!sa_slice_skip(&s, "response (") && !sa_slice_skip(&s, "request (")) ||
        !sa_take_number(&s, &intro->size) || !sa_slice_skip(&s, " bytes) ") ||
        (!sa_slice_skip(&s, "from ") && !sa_slice_skip(&s, "to ")) || !sa_take_word(&s, &address) ||
        !sa_slice_starts(s, " --->"))
        return SA_INTRO_NO;
    intro->each_line = record->bare_stamp && record->payload.p == record->text.p;
    sa_take_peer(&intro->about, address, true);
    return SA_INTRO_DONE;
}

/* "(no NAT) to 192.0.2.5:5060" behind what is done. */
static bool
chan_sip_sent(struct sa_slice *s, struct sa_slice *address)
{
    struct sa_slice word;

    if (sa_slice_skip(s, "Retransmitting #")) {
        if (!sa_take_word(s, &word))
            return false;
    } else if (!sa_slice_skip(s, "Reliably Transmitting") && !sa_slice_skip(s, "Transmitting")) {
        return false;
    }
    if (!sa_slice_skip(s, " (NAT) to ") && !sa_slice_skip(s, " (no NAT) to "))
        return false;
    return sa_take_word(s, address);
}

static bool
chan_sip_closes(struct sa_slice line)
{
    return (line.len == 3 && memcmp(line.p, "---", 3) == 0) ||
           (line.len > 10 && line.p[0] == '<' && line.p[line.len - 1] == '>' &&
            sa_slice_is_rule((struct sa_slice){line.p + 1, line.len - 2}, '-', 8));
}

static enum sa_intro_verdict
chan_sip_intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    struct sa_slice s = record->payload, address;
    bool first = intro->step++ == 0, framed;

    (void)line;
    if (first && s.len == 0)
        return record->enveloped ? SA_INTRO_MORE : SA_INTRO_SKIP; /* the rest may stand on the next line */
    if (first && chan_sip_closes(s))
        return SA_INTRO_SKIP;
    framed = sa_slice_skip(&s, "<--- ");
    if (framed && sa_slice_skip(&s, "SIP read from ")) {
        if (!sa_take_word(&s, &address))
            return SA_INTRO_NO;
        intro->about.direction = SA_DIR_RECEIVED;
    } else if (chan_sip_sent(&s, &address)) {
        intro->about.direction = SA_DIR_SENT;
    } else {
        return SA_INTRO_NO;
    }
    if (framed ? !sa_slice_starts(s, " --->") : address.p[address.len - 1] != ':')
        return SA_INTRO_NO;
    if (!framed)
        address.len--;
    intro->each_line = record->bare_stamp && record->payload.p == record->text.p;
    sa_take_peer(&intro->about, address, true);
    return SA_INTRO_DONE;
}

enum sa_payload_outcome
sa_payload_got_response(const struct sa_record *record, struct sa_response *response)
{
    struct sa_slice s = record->payload, code, peer;

    while (s.len > 0 && s.p[0] == ' ')
        s = sa_slice_from(s, 1);
    (void)sa_slice_skip(&s, "-- ");
    (void)sa_slice_skip(&s, "Incoming call: ");
    if (!sa_slice_skip(&s, "Got SIP response ") || s.len < 5)
        return SA_PAYLOAD_NOTHING;
    code = (struct sa_slice){s.p, 3};
    s = sa_slice_from(s, 3);
    if (!sa_slice_skip(&s, " \""))
        return SA_PAYLOAD_NOTHING;
    peer.len = 0;
    while (sa_slice_seek(&s, "\" back from ")) /* the last one: the reason is the sender's choice */
        peer = s;
    if (peer.len == 0)
        return SA_PAYLOAD_NOTHING;
    sa_payload_begin(response, record);
    if (!sa_payload_set_code(response, code))
        return SA_PAYLOAD_NOTHING;
    response->direction = SA_DIR_RECEIVED;
    sa_payload_set_peer(response, peer);
    return SA_PAYLOAD_RESPONSE;
}

const struct sa_message_family sa_message_family_pjsip = {.id = 3, .intro = pjsip_intro};
const struct sa_message_family sa_message_family_chan_sip = {
    .id = 4, .intro = chan_sip_intro, .closes = chan_sip_closes};
