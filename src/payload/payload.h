/*
 * What all payload families share: turning the bytes of a log into the fields of a response, each field
 * checked, so that a response never holds anything but a valid code, a SIP token and a bare address.
 * Pure.
 */
#ifndef SA_PAYLOAD_H
#define SA_PAYLOAD_H

#include "envelope.h"
#include "types.h"

/* What a line, or a record by itself, came to. */
enum sa_payload_outcome {
    SA_PAYLOAD_NOTHING,  /* nothing is complete */
    SA_PAYLOAD_RESPONSE, /* a response is */
    SA_PAYLOAD_OTHER,    /* a record is that is no response */
    SA_PAYLOAD_SKIP,     /* the line has no meaning for this family; another may know better */
    SA_PAYLOAD_LIMIT     /* a pattern gave up: there were more ways to match than it may try */
};

/*
 * What becomes of a line of the log.  A line that is not taken is still to be read: by the next family, or,
 * if it completed something, by all of them again, since it only ended what was before it.
 */
struct sa_payload_verdict {
    enum sa_payload_outcome outcome;
    bool taken;          /* the line belongs to something that the family understands */
    bool joins_previous; /* it and the line before, which nobody took, are one record */
};

/* A response or another record was completed, by the line or in front of it. */
static inline bool
sa_payload_is_complete(enum sa_payload_outcome outcome)
{
    return outcome == SA_PAYLOAD_RESPONSE || outcome == SA_PAYLOAD_OTHER;
}

/* A response with no more than the envelope knows. */
void sa_payload_begin(struct sa_response *response, const struct sa_record *record);

/* Exactly three digits, 100..999 (RFC 3261 section 25.1), or 0; false leaves the response as it was. */
unsigned sa_payload_code(struct sa_slice text);
bool sa_payload_set_code(struct sa_response *response, struct sa_slice text);

/* A SIP token (RFC 3261 section 25.1) of at most 32 characters; anything else leaves the method unknown. */
void sa_payload_set_method(struct sa_response *response, struct sa_slice text);

/* An IPv4 or IPv6 address with or without brackets, port or zone, stored bare; anything else is no peer. */
void sa_payload_set_peer(struct sa_response *response, struct sa_slice text);

void sa_payload_set_call_id(struct sa_response *response, struct sa_slice text);

/* A further part of what tells the transaction from others of the call: CSeq number, branch. */
void sa_payload_mix_transaction(struct sa_response *response, struct sa_slice text);

/* The families that judge one record by itself: NOTHING, RESPONSE with *response filled, or OTHER. */

/* acc of Kamailio and OpenSIPS: "ACC: transaction answered: …".  "call missed" is not a response. */
enum sa_payload_outcome sa_payload_acc(const struct sa_record *record, struct sa_response *response);

/* Asterisk's chan_sip: "-- Got SIP response 503 "…" back from 192.0.2.5:5060". */
enum sa_payload_outcome sa_payload_got_response(const struct sa_record *record, struct sa_response *response);

/* Flexisip's event log: "… <sip:a@x> --> <sip:b@x> 404 Not Found". */
enum sa_payload_outcome sa_payload_flexisip(const struct sa_record *record, struct sa_response *response);

/* reSIProcate: "… RECV: SipResp: 302 tid=… cseq=1 INVITE / 1 from(wire)". */
enum sa_payload_outcome sa_payload_repro(const struct sa_record *record, struct sa_response *response);

/* "code=503 method=INVITE peer=192.0.2.5:5060 dir=in callid=a@b" */
enum sa_payload_outcome sa_payload_kv(const struct sa_record *record, struct sa_response *response);

/* SIPp -trace_shortmsg. */
enum sa_payload_outcome sa_payload_shortmsg(const struct sa_record *record, struct sa_response *response);

#endif
