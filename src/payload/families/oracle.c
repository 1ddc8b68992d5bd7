/*
 * sipmsg.log of the Oracle (Acme Packet) session border controllers:
 *   Mar  6 13:34:49.516 On [6:0]192.0.2.1:5060 sent to 198.51.100.7:5060
 * the message, and a rule of 40 dashes.
 */
#include "message_family.h"
#include "payload.h"

static bool
closes(struct sa_slice line)
{
    return line.len == 40 && sa_slice_is_rule(line, '-', 40);
}

static enum sa_intro_verdict
intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    struct sa_slice local, peer;
    size_t stamp;

    if (line.len == 40 && closes(line))
        return SA_INTRO_SKIP;
    if (line.len < 30 || line.p[3] != ' ')
        return SA_INTRO_NO;
    stamp = sa_timestamp_bsd(record->stamps, line, &intro->about.time_ms);
    line = sa_slice_from(line, stamp);
    if (stamp == 0 || !sa_slice_skip(&line, " On ") || !sa_take_word(&line, &local))
        return SA_INTRO_NO;
    if (sa_slice_skip(&line, " sent to "))
        intro->about.direction = SA_DIR_SENT;
    else if (sa_slice_skip(&line, " received from "))
        intro->about.direction = SA_DIR_RECEIVED;
    else
        return SA_INTRO_NO;
    if (!sa_take_word(&line, &peer))
        return SA_INTRO_NO;
    if (peer.p[0] == '[' && sa_slice_find(peer, ']') + 1 < peer.len &&
        peer.p[sa_slice_find(peer, ']') + 1] != ':')
        peer = sa_slice_from(peer, sa_slice_find(peer, ']') + 1); /* slot and VLAN */
    sa_take_peer(&intro->about, peer, true);
    return SA_INTRO_DONE;
}

const struct sa_message_family sa_message_family_oracle = {
    .id = 6, .intro = intro, .closes = closes, .plain = true};
