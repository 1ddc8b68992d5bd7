/*
 * Raw SIP messages in a log, read by message structure (RFC 3261 section 7): the start line only where a
 * message begins, headers to the blank line, the body skipped by Content-Length.  A status line anywhere
 * else, in a header, a body or a quotation, is not one.
 *
 * Two things a log cannot show, so that nobody can tell them apart: a body line that looks like a record of
 * the same host at the present time from that record (see is_next_record() in the source), and "#012" typed
 * by a stranger from the escape that the log daemon writes.
 *
 * A message may be one line with syslog escapes ("…#012SIP/2.0 302 Moved#015#012Via: …") or many lines behind
 * the record that introduces it.  Pure, one thread; one reader per stream.
 */
#ifndef SA_SIP_MESSAGE_H
#define SA_SIP_MESSAGE_H

#include "payload.h"

struct sa_sip_reader {
    enum { SA_SIP_IDLE, SA_SIP_HEADERS, SA_SIP_BODY } state;
    bool has_records;         /* the log has envelopes: a message may begin only behind one */
    bool introduced;          /* the line before was a record that may introduce a message */
    struct sa_response intro; /* what that record told: time, peer, repetition */
    uint32_t intro_host;      /* hash of its host */
    bool is_response;         /* of the message being read */
    unsigned header;          /* the one being read, which may be folded */
    unsigned headers;         /* which of the headers that every SIP message has were seen, as bits */
    bool has_cr;              /* the log kept the CRs, so lengths count them */
    bool multi_line;          /* the message spans lines of the log */
    bool has_length;          /* Content-Length was seen */
    bool has_type;            /* Content-Type was seen: there is a body */
    size_t body_left;
    struct sa_response response;
};

/*
 * Reads one line of the log.  line is the whole line as written, with its CR; record is its peeled form.
 * Returns SA_PAYLOAD_… bits and fills *response on a hit.  HIT or OTHER without TAKEN: an unfinished message
 * was ended by this line, which has to be offered again.
 */
int sa_sip_reader_line(struct sa_sip_reader *reader, struct sa_slice line, const struct sa_record *record,
                       struct sa_response *response);

/* Another family took the record: what it says introduces no message. */
void sa_sip_reader_pass(struct sa_sip_reader *reader, const struct sa_record *record);

/* Gives up the message that is being read; OTHER if its verdict was still open. */
int sa_sip_reader_abandon(struct sa_sip_reader *reader);

/* The stream ended: what is complete enough counts. */
int sa_sip_reader_end(struct sa_sip_reader *reader, struct sa_response *response);

#endif
