/*
 * Raw SIP messages in a log, read by message structure (RFC 3261 section 7): the start line only where a
 * message begins, headers to the blank line, the body skipped by Content-Length.  A status line anywhere
 * else, in a header, a body or a quotation, is not one.
 *
 * Two things a log cannot show, so that nobody can tell them apart: a body line that looks like a record of
 * the same host at the present time from that record (see is_next_record() in sip_message.c), and "#012"
 * typed by a stranger from the escape that the log daemon writes.
 *
 * A message may be one record ("…#012SIP/2.0 302 Moved#015#012Via: …") or many lines behind what introduces
 * it. What introduces it is the family's: the program that wrote the log says there whence the message came,
 * and perhaps how long it is, which is believed more than what the message says of itself. Pure, one thread;
 * one reader per stream.
 */
#ifndef SA_SIP_READER_H
#define SA_SIP_READER_H

#include "message_family.h"
#include "find.h"
#include "payload.h"

/* What the log is like: learned from its lines and never forgotten. */
struct sa_sip_habits {
    bool has_records; /* it has envelopes: a message may begin only behind one */
};

/* What came before the message; replaced as a whole by the next one. */
struct sa_sip_introduction {
    bool is_open;         /* the line before was a record that may introduce a message */
    uint8_t family;       /* whose it is; 0: of none in particular */
    struct sa_intro told; /* what it told: time, peer, repetition, size */
    uint32_t host;        /* hash of the host that wrote it */
    unsigned waited;      /* lines between it and the message; 0: it goes on */
    unsigned margin;      /* width of the prefix of the record */
};

/* The message that is being read; replaced as a whole when the next one begins. */
struct sa_sip_message {
    bool is_response;
    bool has_cr;       /* the log kept the CRs, so lengths count them */
    bool bare_end;     /* the last header ended without the CR that the others have */
    bool has_length;   /* Content-Length was seen */
    bool has_branch;   /* the top Via was seen */
    bool has_type;     /* Content-Type was seen: there is a body */
    unsigned header;   /* the one being read, which may be folded */
    unsigned headers;  /* which of the headers that every SIP message has were seen, as bits */
    unsigned indent;   /* blanks before each line */
    size_t body_left;  /* bytes */
    size_t body_lines; /* that were read */
    size_t size_left;  /* bytes of the whole message, if the introduction told its size */
    struct sa_response response;
};

/* What is added here is added to sip_state.c, which keeps it over a restart. */
struct sa_sip_reader {
    enum { SA_SIP_IDLE, SA_SIP_INTRO, SA_SIP_HEADERS, SA_SIP_BODY } state;
    struct sa_sip_habits habits;
    struct sa_sip_introduction introduction;
    struct sa_sip_message message;
};

/*
 * Reads one line of the log.  line is the whole line as written, with its CR; record is its peeled form;
 * family is NULL for messages that any record may introduce.  In the midst of a message it has to be that
 * message's.  Fills *response if the outcome is RESPONSE.
 */
struct sa_payload_verdict sa_sip_reader_line(struct sa_sip_reader *reader,
                                             const struct sa_message_family *family, struct sa_slice line,
                                             const struct sa_record *record, struct sa_response *response);

/* Reads lines inside a message that complete nothing, without their envelopes; the result is the same. */
struct sa_passed sa_sip_reader_pass_lines(struct sa_sip_reader *reader,
                                          const struct sa_message_family *family,
                                          struct sa_timestamp_cache *stamps, const char *p, size_t len,
                                          size_t limit);

/* Another family took the record: what it says introduces no message. */
void sa_sip_reader_pass(struct sa_sip_reader *reader, const struct sa_record *record);

/* Gives up the message that is being read; OTHER if its verdict was still open, or NOTHING. */
enum sa_payload_outcome sa_sip_reader_abandon(struct sa_sip_reader *reader);

/* The verdict on what is being read is still open. */
bool sa_sip_reader_is_open(const struct sa_sip_reader *reader);

/*
 * Over a restart: adds the reader to the buffer, in a form of its own with a version; and back.  False, and
 * the reader is what it was, if that is not what some reader of this version could have kept.
 */
void sa_sip_reader_keep(const struct sa_sip_reader *reader, struct sa_buffer *buffer);
bool sa_sip_reader_recall(struct sa_sip_reader *reader, const void *kept, size_t len);

/* The stream ended: what is complete enough counts. */
enum sa_payload_outcome sa_sip_reader_end(struct sa_sip_reader *reader, struct sa_response *response);

#endif
