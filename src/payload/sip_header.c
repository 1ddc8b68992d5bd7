#include "sip_header.h"
#include "text.h"

/* Literals have capital letters where they have letters. */
static inline bool
starts_nocase(struct sa_slice s, const char *literal)
{
    size_t n = strlen(literal);

    if (s.len < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s.p[i] != literal[i] && ((s.p[i] & ~0x20) != literal[i] || literal[i] < 'A'))
            return false;
    return true;
}

static inline bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct sa_slice
sa_sip_trim(struct sa_slice s)
{
    const char *p = s.p, *end = s.p + s.len;

    while (p < end && is_blank(*p))
        p++;
    while (p < end && is_blank(end[-1]))
        end--;
    return (struct sa_slice){p, (size_t)(end - p)};
}

/* A continuation of the header before (RFC 3261 section 7.3.1). */
bool
sa_sip_is_folded(struct sa_slice line)
{
    return is_blank(line.p[0]);
}

/* "SIP/2.0 302 Moved", also "SIP/2.0 302" (RFC 3261 section 7.2; some senders leave the reason and its space
 * out). */
unsigned
sa_sip_status_line(struct sa_slice line)
{
    struct sa_slice s = line;

    if (!starts_nocase(s, "SIP/2.0 "))
        return 0;
    s = sa_slice_from(s, 8);
    while (s.len > 0 && s.p[0] == ' ')
        s = sa_slice_from(s, 1);
    if (s.len < 3 || (s.len > 3 && s.p[3] != ' '))
        return 0;
    return sa_payload_code((struct sa_slice){s.p, 3});
}

/* "INVITE sip:bob@example.com SIP/2.0" (RFC 3261 section 7.1) */
bool
sa_sip_request_line(struct sa_slice line)
{
    size_t method = sa_slice_find(line, ' ');

    if (method == 0 || method > 32 || line.len < method + 10 || line.p[0] < 'A' || line.p[0] > 'Z')
        return false;
    return starts_nocase(sa_slice_from(line, line.len - 8), " SIP/2.0");
}

bool
sa_sip_start_line(struct sa_slice line)
{
    return sa_sip_status_line(line) != 0 || sa_sip_request_line(line);
}

/* A line that can stand in the header part: "Name: value" or a folded continuation. */
bool
sa_sip_looks_like_header(struct sa_slice line)
{
    size_t colon;

    if (sa_sip_is_folded(line))
        return true;
    colon = sa_slice_find(line, ':');
    if (colon == 0 || colon == line.len || colon > 64)
        return false;
    for (size_t i = 0; i < colon; i++)
        if ((unsigned char)line.p[i] <= ' ' && sa_sip_trim((struct sa_slice){line.p + i, colon - i}).len != 0)
            return false;
    return true;
}

/* "1 INVITE": the method of the request that is answered. */
static void
take_cseq(struct sa_response *response, struct sa_slice value)
{
    size_t digits = sa_slice_digits(value);

    sa_payload_set_method(response, sa_sip_trim(sa_slice_from(value, digits)));
    sa_payload_mix_transaction(response, (struct sa_slice){value.p, digits});
}

/* No datagram is longer, and what is announced beyond it cannot be waited for. */
#define BODY_MAX 65535

/* Of several announcements the largest is believed, so that no part of a body is read as a message. */
static void
take_content_length(struct sa_sip_message *message, struct sa_slice value)
{
    size_t length = 0;

    if (value.len == 0 || sa_slice_digits(value) != value.len)
        return;
    for (size_t i = 0; i < value.len && length < BODY_MAX; i++)
        length = length * 10 + (size_t)(value.p[i] - '0');
    if (length > BODY_MAX)
        length = BODY_MAX;
    if (!message->has_length || length > message->body_left)
        message->body_left = length;
    message->has_length = true;
}

/* The header of the name (RFC 3261 section 20, with the compact form). */
static unsigned
header_of(struct sa_slice name)
{
    static const char compact[] = "\0ivftlc"; /* in the order of the enumeration */
    const char *at;

    switch (name.len) {
    case 1:
        at = memchr(compact + 1, name.p[0] | 0x20, sizeof compact - 2);
        return at == NULL ? SA_SIP_HEADER_OTHER : (unsigned)(at - compact);
    case 2:
        return starts_nocase(name, "TO") ? SA_SIP_HEADER_TO : SA_SIP_HEADER_OTHER;
    case 3:
        return starts_nocase(name, "VIA") ? SA_SIP_HEADER_VIA : SA_SIP_HEADER_OTHER;
    case 4:
        return starts_nocase(name, "CSEQ")   ? SA_SIP_HEADER_CSEQ
               : starts_nocase(name, "FROM") ? SA_SIP_HEADER_FROM
                                             : SA_SIP_HEADER_OTHER;
    case 7:
        return starts_nocase(name, "CALL-ID") ? SA_SIP_HEADER_CALL_ID : SA_SIP_HEADER_OTHER;
    case 12:
        return starts_nocase(name, "CONTENT-TYPE") ? SA_SIP_HEADER_CONTENT_TYPE : SA_SIP_HEADER_OTHER;
    case 14:
        return starts_nocase(name, "CONTENT-LENGTH") ? SA_SIP_HEADER_CONTENT_LENGTH : SA_SIP_HEADER_OTHER;
    default:
        return SA_SIP_HEADER_OTHER;
    }
}

/* The branch of the top Via (RFC 3261 section 8.1.1.7). */
static void
take_branch(struct sa_sip_message *message, struct sa_slice value)
{
    if (!sa_slice_seek(&value, ";branch="))
        return;
    value.len = sa_slice_find(value, ';');
    value.len = sa_slice_find(value, ',');
    sa_payload_mix_transaction(&message->response, value);
    message->has_branch = true;
}

/* What the value of the header being read is of use for; the first of several has it. */
static bool
is_wanted(const struct sa_sip_message *message)
{
    switch (message->header) {
    case SA_SIP_HEADER_VIA:
        return message->is_response && !message->has_branch;
    case SA_SIP_HEADER_CSEQ:
        return message->response.method[0] == '\0';
    case SA_SIP_HEADER_CALL_ID:
        return message->response.call_id[0] == '\0';
    default:
        return message->header == SA_SIP_HEADER_CONTENT_LENGTH ||
               message->header == SA_SIP_HEADER_CONTENT_TYPE;
    }
}

/* The value is not empty. */
static void
take_value(struct sa_sip_message *message, struct sa_slice value)
{
    switch (message->header) {
    case SA_SIP_HEADER_VIA:
        take_branch(message, value);
        break;
    case SA_SIP_HEADER_CSEQ:
        take_cseq(&message->response, value);
        break;
    case SA_SIP_HEADER_CALL_ID:
        sa_payload_set_call_id(&message->response, value);
        break;
    case SA_SIP_HEADER_CONTENT_LENGTH:
        take_content_length(message, value);
        break;
    default:
        message->has_type = true;
    }
}

void
sa_sip_take_header(struct sa_sip_message *message, struct sa_slice line)
{
    struct sa_slice value = line;

    if (!sa_sip_is_folded(line)) { /* otherwise the line goes on with the header before */
        size_t colon = sa_slice_find(line, ':');

        message->header = colon == line.len ? SA_SIP_HEADER_OTHER
                                            : header_of(sa_sip_trim((struct sa_slice){line.p, colon}));
        value = sa_slice_from(line, colon == line.len ? colon : colon + 1);
    }
    if (message->header < SA_SIP_HEADER_CONTENT_LENGTH)
        message->headers |= 1u << message->header;
    if (!is_wanted(message))
        return;
    value = sa_sip_trim(value);
    if (value.len != 0)
        take_value(message, value);
}

/*
 * Every SIP message has all five headers (RFC 3261 section 8.1.1); two make a message out of a line that
 * looks like a start line, even if the log cut the rest.
 */
bool
sa_sip_is_message(const struct sa_sip_message *message)
{
    return (message->headers & (message->headers - 1)) != 0;
}
