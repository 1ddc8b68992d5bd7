/*
 * reSIProcate's proxy repro, one line for each message:
 *   DEBUG | 20261120-164404.534 | repro | RESIP | 14023 | SipStack.cxx:402 | SEND: SipResp: 100 tid=3cb
 * cseq=1 INVITE / 1 from(tu) "from(wire)" was received, "from(tu)" is sent.
 */
#include "message_family.h"
#include "payload.h"

/* "20261120-164404.534" */
static void
take_stamp(struct sa_response *response, const struct sa_record *record, struct sa_slice s)
{
    struct sa_civil_time time = {0};
    struct sa_slice ms = sa_slice_from(s, s.len < 16 ? s.len : 16);
    uint32_t fraction = 0;

    if (s.len < 15 || sa_slice_digits(s) != 8 || s.p[8] != '-' || sa_slice_digits(sa_slice_from(s, 9)) < 6)
        return;
    time.year = sa_timestamp_two(s) * 100 + sa_timestamp_two(sa_slice_from(s, 2));
    time.month = sa_timestamp_two(sa_slice_from(s, 4));
    time.day = sa_timestamp_two(sa_slice_from(s, 6));
    time.hour = sa_timestamp_two(sa_slice_from(s, 9));
    time.minute = sa_timestamp_two(sa_slice_from(s, 11));
    time.second = sa_timestamp_two(sa_slice_from(s, 13));
    time.ms = sa_slice_digits(ms) >= 3 && sa_take_number(&(struct sa_slice){ms.p, 3}, &fraction)
                  ? (int)fraction
                  : 0;
    response->time_ms = sa_timestamp_civil(record->stamps, &time);
}

enum sa_payload_outcome
sa_payload_repro(const struct sa_record *record, struct sa_response *response)
{
    struct sa_slice s = record->payload, level, stamp, code, method;
    uint32_t number;

    if (s.len < 40 || !sa_slice_seek(&s, " | ") || !sa_slice_seek(&s, "SipResp: ") || s.len < 5)
        return SA_PAYLOAD_NOTHING;
    code = (struct sa_slice){s.p, 3};
    if (s.p[3] != ' ' || !sa_slice_seek(&s, " cseq=") || !sa_take_number(&s, &number) ||
        !sa_take_word(&s, &method))
        return SA_PAYLOAD_NOTHING;
    sa_payload_begin(response, record);
    if (!sa_payload_set_code(response, code))
        return SA_PAYLOAD_NOTHING;
    sa_payload_set_method(response, method);
    if (sa_slice_seek(&s, " from(wire)"))
        response->direction = SA_DIR_RECEIVED;
    else if (sa_slice_seek(&s, " from(tu)"))
        response->direction = SA_DIR_SENT;
    else
        return SA_PAYLOAD_NOTHING;
    s = record->payload;
    if (!record->enveloped && sa_take_word(&s, &level) && sa_slice_skip(&s, " | ") &&
        sa_take_word(&s, &stamp))
        take_stamp(response, record, stamp);
    return SA_PAYLOAD_RESPONSE;
}
