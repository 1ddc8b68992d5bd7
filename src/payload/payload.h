/*
 * What all payload families share: turning the bytes of a log into the fields of a response, each field
 * checked, so that a response never holds anything but a valid code, a SIP token and a bare address.
 * Pure.
 */
#ifndef SA_PAYLOAD_H
#define SA_PAYLOAD_H

#include "envelope.h"
#include "types.h"

/* What a payload family says of a record, as bits. */
enum {
    SA_PAYLOAD_MISS = 0,   /* not of this family */
    SA_PAYLOAD_TAKEN = 1,  /* the line belongs to something this family understands */
    SA_PAYLOAD_HIT = 2,    /* a response was completed; without TAKEN, the line itself is still to be read */
    SA_PAYLOAD_OTHER = 4,  /* likewise, a record that is not a response */
    SA_PAYLOAD_SKIP = 16,  /* a line of no meaning; somebody else may know better */
    SA_PAYLOAD_LIMIT = 32, /* as MISS: a pattern gave up, there were more ways to match than it may try */
    SA_PAYLOAD_JOINS = 8   /* the line and the one before, which nobody took, are one record */
};

/* A response with no more than the envelope knows. */
void sa_payload_begin(struct sa_response *response, const struct sa_record *record);

/* Exactly three digits, 100..999 (RFC 3261 section 25.1); false leaves the response as it was. */
bool sa_payload_set_code(struct sa_response *response, struct sa_slice text);

/* A SIP token (RFC 3261 section 25.1) of at most 32 characters; anything else leaves the method unknown. */
void sa_payload_set_method(struct sa_response *response, struct sa_slice text);

/* An IPv4 or IPv6 address with or without brackets, port or zone, stored bare; anything else is no peer. */
void sa_payload_set_peer(struct sa_response *response, struct sa_slice text);

void sa_payload_set_call_id(struct sa_response *response, struct sa_slice text);

/* A further part of what tells the transaction from others of the call: CSeq number, branch. */
void sa_payload_mix_transaction(struct sa_response *response, struct sa_slice text);

/* The families that judge one record by itself. */

/* acc of Kamailio and OpenSIPS: "ACC: transaction answered: …".  "call missed" is not a response. */
int sa_payload_acc(const struct sa_record *record, struct sa_response *response);

/* Asterisk's chan_sip: "-- Got SIP response 503 "…" back from 192.0.2.5:5060". */
int sa_payload_got_response(const struct sa_record *record, struct sa_response *response);

/* Flexisip's event log: "… <sip:a@x> --> <sip:b@x> 404 Not Found". */
int sa_payload_flexisip(const struct sa_record *record, struct sa_response *response);

/* reSIProcate: "… RECV: SipResp: 302 tid=… cseq=1 INVITE / 1 from(wire)". */
int sa_payload_repro(const struct sa_record *record, struct sa_response *response);

/* "code=503 method=INVITE peer=192.0.2.5:5060 dir=in callid=a@b" */
int sa_payload_kv(const struct sa_record *record, struct sa_response *response);

/* SIPp -trace_shortmsg. */
int sa_payload_shortmsg(const struct sa_record *record, struct sa_response *response);

#endif
