/*
 * The lines of one message, from its start line to the end of its body; for the reader of messages only.
 * Pure. line, record, family and response are those of sa_sip_reader_line().
 */
#ifndef SA_SIP_MESSAGE_H
#define SA_SIP_MESSAGE_H

#include "sip_reader.h"

/* The line without the CR that a multi-line log keeps. */
static inline struct sa_slice
sa_sip_strip_cr(struct sa_slice line)
{
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* The line at the start of p, with its CR; false if it is not complete or nothing that can be read in
 * passing. */
static inline bool
sa_sip_line_at(const char *p, size_t len, size_t limit, struct sa_slice *ret_line)
{
    const char *end = len == 0 || p[0] == '\0' ? NULL : memchr(p, '\n', len);

    if (end == NULL || (size_t)(end - p) > limit)
        return false;
    *ret_line = (struct sa_slice){p, (size_t)(end - p)};
    return true;
}

/* The line as the message has it: without what some logs put before or behind each. */
struct sa_slice sa_sip_message_text(const struct sa_sip_reader *reader,
                                    const struct sa_message_family *family, unsigned indent,
                                    struct sa_slice line, const struct sa_record *record);

/* journalctl indents what follows the first line of a record by the width of the prefix of that line. */
unsigned sa_sip_message_margin(const struct sa_sip_reader *reader, struct sa_slice line);

/* Begins the message behind the introduction; false, and the reader is what it was, if text is no start line.
 * indent: blanks that were taken from before it. */
bool sa_sip_message_begin(struct sa_sip_reader *reader, struct sa_slice text, unsigned indent);

struct sa_payload_verdict sa_sip_message_header(struct sa_sip_reader *reader,
                                                const struct sa_message_family *family, struct sa_slice line,
                                                const struct sa_record *record, struct sa_response *response);

/* False: the message is over, and the line is not of it. */
bool sa_sip_message_body(struct sa_sip_reader *reader, const struct sa_message_family *family,
                         struct sa_slice line, const struct sa_record *record);

/* Many lines at once, as sa_sip_reader_pass_lines(). */
struct sa_passed sa_sip_message_pass_lines(struct sa_sip_reader *reader,
                                           const struct sa_message_family *family, const char *p, size_t len,
                                           size_t limit);

/* The message is over in the midst of its headers: the verdict on it. */
enum sa_payload_outcome sa_sip_message_break_off(struct sa_sip_reader *reader, struct sa_response *response);

#endif
