/*
 * Yate:
 *   … 'udp:0.0.0.0:5060' received 252 bytes SIP message from 198.51.100.7:5060 [0xfc4300]
 *   … 'udp:0.0.0.0:5060' sending code 302 0x7fd7c40008c0 to 198.51.100.7:5060 [0xfc4300]
 * a short rule, the message, and a rule right behind it.
 */
#include "message_family.h"
#include "payload.h"

static bool
closes(struct sa_slice line)
{
    return sa_slice_is_rule(line, '-', 5);
}

/* "udp:0.0.0.0:5060", or of a connection "tcp:192.0.2.1:5060-198.51.100.7:5060", which has the peer. */
static void
take_connection(struct sa_intro *intro, struct sa_slice line)
{
    struct sa_slice name = line;

    if (!sa_slice_seek(&name, "'"))
        return;
    name.len = sa_slice_find(name, '\'');
    if (sa_slice_find(name, '-') < name.len)
        sa_take_peer(&intro->about, sa_slice_from(name, sa_slice_find(name, '-') + 1), true);
}

/* "20261120164404.260456 " or "2026-11-20_16:44:04.397456 " */
static void
take_stamp(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    char iso[] = "0000-00-00 00:00:00.000";
    static const uint8_t compact[] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18};
    size_t digits = sa_slice_digits(line), dot = digits;
    int64_t time_ms;

    if (digits == 14) {
        for (size_t i = 0; i < sizeof compact; i++)
            iso[compact[i]] = line.p[i];
    } else if (digits == 4 && line.len > 19 && line.p[10] == '_') {
        memcpy(iso, line.p, 19);
        iso[10] = ' ';
        dot = 19;
    } else {
        return;
    }
    if (dot + 4 <= line.len && line.p[dot] == '.')
        memcpy(iso + 20, line.p + dot + 1, 3);
    if (sa_timestamp_iso(record->stamps, (struct sa_slice){iso, sizeof iso - 1}, &time_ms) != 0)
        intro->about.time_ms = time_ms;
}

static enum sa_intro_verdict
intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    struct sa_slice s = line, address;
    uint32_t bytes;

    if (closes(line))
        return SA_INTRO_SKIP;
    take_connection(intro, line);
    if (!sa_slice_seek(&s, "' ") || !(sa_slice_starts(s, "received ") || sa_slice_starts(s, "sending ")))
        return SA_INTRO_NO;
    intro->about.direction = s.p[0] == 'r' ? SA_DIR_RECEIVED : SA_DIR_SENT;
    s = sa_slice_from(s, s.p[0] == 'r' ? 9 : 8);
    if (sa_take_number(&s, &bytes) && !sa_slice_skip(&s, " bytes "))
        return SA_INTRO_NO;
    if (intro->about.direction == SA_DIR_RECEIVED) {
        if (!sa_slice_skip(&s, "SIP message"))
            return SA_INTRO_NO;
        intro->size = bytes;
        if (sa_slice_skip(&s, " from ") && sa_take_word(&s, &address))
            sa_take_peer(&intro->about, address, true);
    } else {
        if (!sa_slice_skip(&s, "code ") && s.p[0] != '\'')
            return SA_INTRO_NO;
        if (sa_slice_seek(&s, " to ") && sa_take_word(&s, &address))
            sa_take_peer(&intro->about, address, true);
    }
    take_stamp(intro, record, line);
    return SA_INTRO_DONE;
}

const struct sa_message_family sa_message_family_yate = {
    .id = 11, .intro = intro, .closes = closes, .plain = true};
