/*
 * pjsua and other programs of pjproject:
 *   16:44:04.534           pjsua_core.c  .RX 252 bytes Response msg 100/INVITE/cseq=102 (rdata0x7fb57c0017d8)
 * from UDP 192.0.2.5:5060: the message and "--end msg--".
 */
#include "message_family.h"
#include "payload.h"

static bool
closes(struct sa_slice line)
{
    return line.len == 11 && memcmp(line.p, "--end msg--", 11) == 0;
}

static enum sa_intro_verdict
intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    struct sa_slice s = line, word, proto, address;
    int64_t time_ms;

    if (line.len == 0 || closes(line))
        return SA_INTRO_SKIP;
    if (!sa_is_digit(s.p[0]) || !sa_take_word(&s, &word) || !sa_take_word(&s, &proto) ||
        !sa_take_word(&s, &proto))
        return SA_INTRO_NO;
    while (proto.len > 0 && proto.p[0] == '.')
        proto = sa_slice_from(proto, 1);
    if (proto.len != 2 || proto.p[1] != 'X' || (proto.p[0] != 'R' && proto.p[0] != 'T'))
        return SA_INTRO_NO;
    intro->about.direction = proto.p[0] == 'R' ? SA_DIR_RECEIVED : SA_DIR_SENT;
    if (!sa_slice_skip(&s, " ") || !sa_take_number(&s, &intro->size) || !sa_slice_skip(&s, " bytes ") ||
        !sa_slice_seek(&s, intro->about.direction == SA_DIR_RECEIVED ? ") from " : ") to ") ||
        !sa_take_word(&s, &proto) || !sa_take_word(&s, &address) || address.p[address.len - 1] != ':')
        return SA_INTRO_NO;
    if (sa_timestamp_clock(record->stamps, word, &time_ms) != 0)
        intro->about.time_ms = time_ms;
    address.len--;
    sa_take_peer(&intro->about, address, true);
    return SA_INTRO_DONE;
}

const struct sa_message_family sa_message_family_pjsua = {
    .id = 13, .intro = intro, .closes = closes, .plain = true};
