/*
 * Start lines and headers of SIP messages (RFC 3261 section 7), for the reader of messages only.  Pure.
 */
#ifndef SA_SIP_HEADER_H
#define SA_SIP_HEADER_H

#include "sip_reader.h"

/* The headers that matter here; the first five are in every message. */
enum {
    SA_SIP_HEADER_CSEQ,
    SA_SIP_HEADER_CALL_ID,
    SA_SIP_HEADER_VIA,
    SA_SIP_HEADER_FROM,
    SA_SIP_HEADER_TO,
    SA_SIP_HEADER_CONTENT_LENGTH,
    SA_SIP_HEADER_CONTENT_TYPE,
    SA_SIP_HEADER_OTHER
};

#define SA_SIP_BODY_UNKNOWN SIZE_MAX

/* Without blanks at both ends. */
struct sa_slice sa_sip_trim(struct sa_slice s);

/* The code of a status line, or 0; whether it is a request line, or either; without their CR. */
unsigned sa_sip_status_line(struct sa_slice line);
bool sa_sip_request_line(struct sa_slice line);
bool sa_sip_start_line(struct sa_slice line);

/* A continuation of the header before; a line that can stand in the header part at all. */
bool sa_sip_is_folded(struct sa_slice line);
bool sa_sip_looks_like_header(struct sa_slice line);

/* Takes from a header line what the message and its response want of it. */
void sa_sip_take_header(struct sa_sip_message *message, struct sa_slice line);

/* What was read so far is a message and no line that happens to look like a start line. */
bool sa_sip_is_message(const struct sa_sip_message *message);

#endif
