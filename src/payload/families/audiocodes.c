/*
 * Syslog of AudioCodes session border controllers:
 *   … [S=1718462] [SID=b9027c:24:198173]  (N  6891679) ---- Incoming SIP Message from 198.51.100.7:5060 to
 * SIPInterface #0 (…) UDP … ---- and the message behind it: in the same record with #012 or two blanks for
 * the ends of lines, or on lines of its own, each with a blank at its end.  A long one goes on in the
 * datagram with the next [S=…] of the same [SID=…].
 */
#include "message_family.h"
#include "payload.h"
#include "text.h"

/* "<133>", or the columns of a viewer; then "[S=1718462] [SID=b9027c:24:198173] ".  Steps over it. */
static bool
take_sequence(struct sa_slice *s, uint32_t *sequence, uint32_t *session)
{
    struct sa_slice rest = *s, id;

    if (!sa_slice_seek(&rest, "[S=") || (size_t)(rest.p - s->p) > 80 || !sa_take_number(&rest, sequence) ||
        !sa_slice_skip(&rest, "] [SID="))
        return false;
    id = (struct sa_slice){rest.p, sa_slice_find(rest, ']')};
    *session = sa_text_hash(id.p, id.len);
    rest = sa_slice_from(rest, id.len);
    if (!sa_slice_skip(&rest, "] "))
        return false;
    *s = rest;
    return true;
}

/* "[Time:20-11@16:44:04.397]" at the end of the record, which has the milliseconds. */
static void
take_time(struct sa_intro *intro, const struct sa_record *record, struct sa_slice s)
{
    struct sa_civil_time time = {0};
    uint32_t ms = 0;

    while (sa_slice_seek(&s, "[Time:")) {
        struct sa_slice stamp = s;

        if (s.len < 18 || s.p[2] != '-' || s.p[5] != '@')
            continue;
        time.day = sa_timestamp_two(stamp);
        time.month = sa_timestamp_two(sa_slice_from(stamp, 3));
        time.hour = sa_timestamp_two(sa_slice_from(stamp, 6));
        time.minute = sa_timestamp_two(sa_slice_from(stamp, 9));
        time.second = sa_timestamp_two(sa_slice_from(stamp, 12));
        stamp = sa_slice_from(stamp, 14);
        time.ms = sa_slice_skip(&stamp, ".") && sa_take_number(&stamp, &ms) && ms < 1000 ? (int)ms : 0;
        if (sa_timestamp_civil(record->stamps, &time) != 0)
            intro->about.time_ms = sa_timestamp_civil(record->stamps, &time);
    }
}

static enum sa_intro_verdict
intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    struct sa_slice s = record->payload, address;

    if (s.len == 0 || (s.len == 1 && s.p[0] == ' '))
        return SA_INTRO_SKIP;
    if (!take_sequence(&s, &intro->sequence, &intro->session) || !sa_slice_seek(&s, "---- "))
        return SA_INTRO_NO;
    if (sa_slice_skip(&s, "Incoming SIP Message from "))
        intro->about.direction = SA_DIR_RECEIVED;
    else if (sa_slice_skip(&s, "Outgoing SIP Message to "))
        intro->about.direction = SA_DIR_SENT;
    else
        return SA_INTRO_NO;
    if (!sa_take_word(&s, &address) || !sa_slice_seek(&s, " ----"))
        return SA_INTRO_NO;
    sa_take_peer(&intro->about, address, true);
    if (!record->enveloped)
        (void)sa_timestamp_clock(record->stamps, line, &intro->about.time_ms);
    take_time(intro, record, record->text);
    return SA_INTRO_DONE;
}

/* " [Time:20-11@16:44:04.397]", the end of each datagram. */
static bool
closes(struct sa_slice line)
{
    while (line.len > 0 && line.p[0] == ' ')
        line = sa_slice_from(line, 1);
    return sa_slice_starts(line, "[Time:");
}

static bool
continues(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line, struct sa_slice *rest)
{
    struct sa_slice s = record->payload;
    uint32_t sequence, session;

    (void)line;
    if (!take_sequence(&s, &sequence, &session) || session != intro->session ||
        sequence != intro->sequence + 1 || (s.len > 0 && s.p[0] == ' '))
        return false;
    intro->sequence = sequence;
    *rest = s;
    return true;
}

const struct sa_message_family sa_message_family_audiocodes = {.id = 7,
                                                               .intro = intro,
                                                               .continues = continues,
                                                               .closes = closes,
                                                               .two_blanks_behind = " ----",
                                                               .blank_ends = true};
