/*
 * SIPp: -trace_msg
 *   ----------------------------------------------- 2026-01-01 12:00:00.000000
 *   UDP message received [512] bytes :
 * an empty line and the message; and -trace_shortmsg, one line with tabs for each message.
 */
#include "message_family.h"
#include "payload.h"

static enum sa_intro_verdict
second_line(struct sa_intro *intro, struct sa_slice line)
{
    struct sa_slice proto;

    if (!sa_take_word(&line, &proto) || !sa_slice_skip(&line, " message "))
        return SA_INTRO_NO;
    if (sa_slice_skip(&line, "received "))
        intro->about.direction = SA_DIR_RECEIVED;
    else if (sa_slice_skip(&line, "sent "))
        intro->about.direction = SA_DIR_SENT;
    else
        return SA_INTRO_NO;
    if ((!sa_slice_skip(&line, "[") && !sa_slice_skip(&line, "(")) || !sa_take_number(&line, &intro->size))
        return SA_INTRO_NO;
    return SA_INTRO_DONE;
}

static enum sa_intro_verdict
intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    char stamp[40];
    size_t n = 0;

    if (intro->step++ == 1)
        return second_line(intro, line);
    if (intro->step != 1)
        return SA_INTRO_NO;
    if (line.len == 0)
        return SA_INTRO_SKIP;
    while (n < line.len && line.p[n] == '-')
        n++;
    line = sa_slice_from(line, n);
    if (n < 20 || line.len < 20 || line.len >= sizeof stamp || line.p[0] != ' ')
        return SA_INTRO_NO;
    memcpy(stamp, line.p + 1, line.len - 1);
    if (stamp[10] == '\t') /* older versions */
        stamp[10] = ' ';
    return sa_timestamp_iso(record->stamps, (struct sa_slice){stamp, line.len - 1}, &intro->about.time_ms) ==
                   0
               ? SA_INTRO_NO
               : SA_INTRO_MORE;
}

const struct sa_message_family sa_message_family_sipp = {.id = 12, .intro = intro, .plain = true};

/* The text up to the next tab; steps over both. */
static bool
take_column(struct sa_slice *s, struct sa_slice *column)
{
    size_t n = sa_slice_find(*s, '\t');

    if (n == s->len)
        return false;
    *column = (struct sa_slice){s->p, n};
    *s = sa_slice_from(*s, n + 1);
    return true;
}

enum sa_payload_outcome
sa_payload_shortmsg(const struct sa_record *record, struct sa_response *response)
{
    struct sa_slice s = record->payload, day, clock, epoch, direction, call_id, cseq;
    uint32_t number;
    int64_t time_ms;

    if (s.len < 30 || s.p[4] != '-' || !take_column(&s, &day) || !take_column(&s, &clock) ||
        !take_column(&s, &epoch) || !take_column(&s, &direction) || !take_column(&s, &call_id) ||
        !take_column(&s, &cseq) || sa_timestamp_epoch(epoch, &time_ms) == 0 || direction.len != 1 ||
        (direction.p[0] != 'R' && direction.p[0] != 'S'))
        return SA_PAYLOAD_NOTHING;
    sa_payload_begin(response, record);
    response->time_ms = time_ms;
    response->direction = direction.p[0] == 'R' ? SA_DIR_RECEIVED : SA_DIR_SENT;
    if (!sa_slice_skip(&s, "SIP/2.0 ") || s.len < 3 || (s.len > 3 && s.p[3] != ' ') ||
        !sa_payload_set_code(response, (struct sa_slice){s.p, 3}))
        return SA_PAYLOAD_OTHER;
    sa_payload_set_call_id(response, call_id);
    if (sa_slice_skip(&cseq, "CSeq:") && sa_take_number(&cseq, &number) && sa_slice_skip(&cseq, " "))
        sa_payload_set_method(response, cseq);
    return SA_PAYLOAD_RESPONSE;
}
