/*
 * Start lines and headers of SIP messages (RFC 3261 section 7), for the reader of messages only.  Pure.
 */
#ifndef SA_SIP_HEADER_H
#define SA_SIP_HEADER_H

#include "sip_message.h"

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

/* A status line, whose code it sets; a request line; without their CR. */
bool sa_sip_status_line(struct sa_slice line, struct sa_response *response);
bool sa_sip_request_line(struct sa_slice line);

/* A continuation of the header before; a line that can stand in the header part at all. */
bool sa_sip_is_folded(struct sa_slice line);
bool sa_sip_looks_like_header(struct sa_slice line);

/* Takes from a header line what the response and the reader want of it. */
void sa_sip_take_header(struct sa_sip_reader *reader, struct sa_slice line);

/* What was read so far is a message and no line that happens to look like a start line. */
bool sa_sip_is_message(const struct sa_sip_reader *reader);

#endif
