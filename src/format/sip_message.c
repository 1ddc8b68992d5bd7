#include "sip_message.h"
#include "text.h"

#include <strings.h>

static bool
starts_nocase(struct sa_slice s, const char *literal)
{
    size_t n = strlen(literal);

    return s.len >= n && strncasecmp(s.p, literal, n) == 0;
}

static struct sa_slice
trim(struct sa_slice s)
{
    while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = sa_slice_from(s, 1);
    while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* A continuation of the header before (RFC 3261 section 7.3.1). */
static bool
is_folded(struct sa_slice line)
{
    return line.p[0] == ' ' || line.p[0] == '\t';
}

/* "SIP/2.0 302 Moved", also "SIP/2.0 302" (RFC 3261 section 7.2; some senders leave the reason and its space
 * out). */
static bool
status_line(struct sa_slice line, struct sa_response *response)
{
    struct sa_slice s = line;

    if (!starts_nocase(s, "SIP/2.0 "))
        return false;
    s = sa_slice_from(s, 8);
    while (s.len > 0 && s.p[0] == ' ')
        s = sa_slice_from(s, 1);
    if (s.len < 3 || (s.len > 3 && s.p[3] != ' '))
        return false;
    return sa_payload_set_code(response, (struct sa_slice){s.p, 3});
}

/* "INVITE sip:bob@example.com SIP/2.0" (RFC 3261 section 7.1) */
static bool
request_line(struct sa_slice line)
{
    size_t method = sa_slice_find(line, ' ');

    if (method == 0 || method > 32 || line.len < method + 10 || line.p[0] < 'A' || line.p[0] > 'Z')
        return false;
    return starts_nocase(sa_slice_from(line, line.len - 8), " SIP/2.0");
}

/* Name (RFC 3261 section 20, with the compact form) and value of a header line. */
static bool
is_header(struct sa_slice line, const char *name, char compact, struct sa_slice *value)
{
    size_t colon = sa_slice_find(line, ':');
    struct sa_slice head = trim((struct sa_slice){line.p, colon});

    if (colon == line.len)
        return false;
    if (!(head.len == strlen(name) && starts_nocase(head, name)) &&
        !(head.len == 1 && compact != 0 && (head.p[0] | 0x20) == compact))
        return false;
    *value = trim(sa_slice_from(line, colon + 1));
    return true;
}

/* A line that can stand in the header part: "Name: value" or a folded continuation. */
static bool
looks_like_header(struct sa_slice line)
{
    size_t colon;

    if (is_folded(line))
        return true;
    colon = sa_slice_find(line, ':');
    if (colon == 0 || colon == line.len || colon > 64)
        return false;
    for (size_t i = 0; i < colon; i++)
        if ((unsigned char)line.p[i] <= ' ' && trim((struct sa_slice){line.p + i, colon - i}).len != 0)
            return false;
    return true;
}

/* "1 INVITE": the method of the request that is answered. */
static void
take_cseq(struct sa_response *response, struct sa_slice value)
{
    size_t digits = sa_slice_digits(value);

    sa_payload_set_method(response, trim(sa_slice_from(value, digits)));
}

/* No datagram is longer, and what is announced beyond it cannot be waited for. */
#define BODY_MAX     65535
#define BODY_UNKNOWN SIZE_MAX

/* Of several announcements the largest is believed, so that no part of a body is read as a message. */
static void
take_content_length(struct sa_sip_reader *reader, struct sa_slice value)
{
    size_t length = 0;

    if (value.len == 0 || sa_slice_digits(value) != value.len)
        return;
    for (size_t i = 0; i < value.len && length < BODY_MAX; i++)
        length = length * 10 + (size_t)(value.p[i] - '0');
    if (length > BODY_MAX)
        length = BODY_MAX;
    if (!reader->has_length || length > reader->body_left)
        reader->body_left = length;
    reader->has_length = true;
}

/* The headers that matter here; the first five are in every message. */
enum {
    HEADER_CSEQ,
    HEADER_CALL_ID,
    HEADER_VIA,
    HEADER_FROM,
    HEADER_TO,
    HEADER_CONTENT_LENGTH,
    HEADER_CONTENT_TYPE,
    HEADER_OTHER
};

static void
take_header(struct sa_sip_reader *reader, struct sa_slice line)
{
    static const struct {
        const char *name;
        char compact;
    } names[HEADER_OTHER] = {{"CSeq", 0}, {"Call-ID", 'i'},        {"Via", 'v'},         {"From", 'f'},
                             {"To", 't'}, {"Content-Length", 'l'}, {"Content-Type", 'c'}};
    struct sa_slice value = trim(line);

    if (!is_folded(line)) /* otherwise the line goes on with the header before */
        for (reader->header = 0; reader->header < HEADER_OTHER; reader->header++)
            if (is_header(line, names[reader->header].name, names[reader->header].compact, &value))
                break;
    if (reader->header < HEADER_CONTENT_LENGTH)
        reader->headers |= 1u << reader->header;
    if (value.len == 0)
        return;
    if (reader->header == HEADER_CSEQ && reader->response.method[0] == '\0')
        take_cseq(&reader->response, value);
    else if (reader->header == HEADER_CALL_ID && reader->response.call_id[0] == '\0')
        sa_payload_set_call_id(&reader->response, value);
    else if (reader->header == HEADER_CONTENT_LENGTH)
        take_content_length(reader, value);
    else if (reader->header == HEADER_CONTENT_TYPE)
        reader->has_type = true;
}

/*
 * Every SIP message has all five headers (RFC 3261 section 8.1.1); two make a message out of a line that
 * looks like a start line, even if the log cut the rest.
 */
static bool
is_message(const struct sa_sip_reader *reader)
{
    return (reader->headers & (reader->headers - 1)) != 0;
}

/* The header part is over: the verdict on the message. */
static int
conclude(struct sa_sip_reader *reader, struct sa_response *response)
{
    bool hit = reader->is_response && is_message(reader);

    if (!reader->has_length && reader->has_type) /* RFC 3261 section 18.3: to the end of the datagram */
        reader->body_left = BODY_UNKNOWN;
    reader->state = reader->multi_line && reader->body_left > 0 ? SA_SIP_BODY : SA_SIP_IDLE;
    reader->introduced = false;
    if (!hit)
        return SA_PAYLOAD_OTHER;
    *response = reader->response;
    return SA_PAYLOAD_HIT;
}

/* What a record says before a message begins; its last words "… from 192.0.2.1:5060" tell the peer. */
static void
take_intro(struct sa_sip_reader *reader, const struct sa_record *record, struct sa_slice intro)
{
    struct sa_slice tail = trim(intro);
    size_t start;

    sa_payload_begin(&reader->intro, record);
    reader->intro.method[0] = reader->intro.call_id[0] = '\0'; /* the message's own are better */
    reader->intro_host = sa_text_hash(record->host.p, record->host.len);
    if (tail.len > 0 && tail.p[tail.len - 1] == ':')
        tail.len--;
    for (start = tail.len; start > 0 && tail.p[start - 1] != ' '; start--)
        ;
    if (start >= 6 && memcmp(tail.p + start - 6, " from ", 6) == 0 && start < tail.len &&
        (sa_is_digit(tail.p[start]) || tail.p[start] == '['))
        sa_payload_set_peer(&reader->intro, sa_slice_from(tail, start));
}

static bool
begin_message(struct sa_sip_reader *reader, struct sa_slice line)
{
    reader->response = reader->intro;
    reader->is_response = status_line(line, &reader->response);
    if (!reader->is_response && !request_line(line))
        return false;
    reader->state = SA_SIP_HEADERS;
    reader->headers = 0;
    reader->has_length = reader->has_type = false;
    reader->header = HEADER_OTHER;
    reader->body_left = 0;
    return true;
}

/* The line without the CR that a multi-line log keeps. */
static struct sa_slice
strip_cr(struct sa_slice line)
{
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* rsyslog writes CR as #015 and LF as #012: reads a whole message out of one line. */
static int
read_escaped(struct sa_sip_reader *reader, const struct sa_record *record, struct sa_response *response)
{
    struct sa_slice rest = record->payload, intro = {rest.p, 0};
    const char *at;

    at = rest.len == 0 ? NULL : memmem(rest.p, rest.len, "#012", 4);
    if (at == NULL)
        return SA_PAYLOAD_MISS;
    if (!starts_nocase(rest, "SIP/2.0 ") &&
        !request_line(strip_cr((struct sa_slice){rest.p, (size_t)(at - rest.p)}))) {
        intro.len = (size_t)(at - rest.p);
        rest = sa_slice_from(rest, intro.len + 4);
    }
    reader->multi_line = false;
    for (bool first = true; rest.len > 0; first = false) {
        struct sa_slice line = rest;

        at = memmem(rest.p, rest.len, "#012", 4);
        if (at != NULL) {
            line.len = (size_t)(at - rest.p);
            rest = sa_slice_from(rest, line.len + 4);
        } else {
            rest.len = 0;
        }
        if (line.len >= 4 && memcmp(line.p + line.len - 4, "#015", 4) == 0)
            line.len -= 4;
        if (first) {
            take_intro(reader, record, intro);
            if (!begin_message(reader, line))
                return SA_PAYLOAD_MISS;
        } else if (line.len == 0) {
            break;
        } else {
            take_header(reader, line);
        }
    }
    return conclude(reader, response) | SA_PAYLOAD_TAKEN;
}

/* A proxy's own prefix is enough where the log has no transport. */
static bool
begins_record(const struct sa_record *record)
{
    return record->enveloped || record->proxy != SA_PROXY_UNKNOWN;
}

/*
 * Where a message may begin: at the payload of a record, on the line right behind a record, or, in a log
 * without envelopes, on any line.  Never in what a module of the proxy quotes.
 */
static int
read_idle(struct sa_sip_reader *reader, struct sa_slice line, const struct sa_record *record,
          struct sa_response *response)
{
    bool is_record = begins_record(record);
    struct sa_slice start = strip_cr(is_record ? record->payload : line);
    bool joins = !is_record && reader->introduced;
    int verdict;

    if (is_record) {
        reader->has_records = true;
        reader->introduced = record->module.len == 0;
        if (!reader->introduced)
            return SA_PAYLOAD_MISS;
        verdict = read_escaped(reader, record, response);
        if (verdict != SA_PAYLOAD_MISS)
            return verdict;
        take_intro(reader, record, start);
    } else if (!reader->introduced) {
        if (reader->has_records)
            return SA_PAYLOAD_MISS;
        take_intro(reader, record, (struct sa_slice){start.p, 0});
    }
    if (!begin_message(reader, start)) {
        reader->introduced = is_record;
        return SA_PAYLOAD_MISS;
    }
    reader->multi_line = true;
    reader->has_cr = line.len > 0 && line.p[line.len - 1] == '\r';
    return joins ? SA_PAYLOAD_JOINS | SA_PAYLOAD_TAKEN : SA_PAYLOAD_TAKEN;
}

/*
 * Whether a line that looks like a log record ends the message it stands in.  Anyone can write such a line
 * into a message, and anyone can announce a longer body than is sent, so neither the look nor Content-Length
 * is believed alone: a true record comes from the same host, not before the one that introduced the message,
 * and without the CR that the lines of the message have.
 */
static bool
is_next_record(const struct sa_sip_reader *reader, struct sa_slice line, const struct sa_record *record)
{
    return record->enveloped && record->time_ms >= reader->intro.time_ms &&
           sa_text_hash(record->host.p, record->host.len) == reader->intro_host &&
           !(reader->has_cr && line.len > 0 && line.p[line.len - 1] == '\r');
}

static int
read_header(struct sa_sip_reader *reader, struct sa_slice line, const struct sa_record *record,
            struct sa_response *response)
{
    struct sa_slice header = strip_cr(line);

    if (header.len == 0)
        return conclude(reader, response) | SA_PAYLOAD_TAKEN;
    if (is_next_record(reader, line, record) && !is_folded(header)) { /* cut short */
        reader->has_length = reader->has_type = false;
        reader->body_left = 0;
        return conclude(reader, response);
    }
    if (!reader->has_records && !looks_like_header(header) && header.len == line.len) {
        reader->has_length = reader->has_type = false;
        reader->body_left = 0;
        return conclude(reader, response) | SA_PAYLOAD_TAKEN; /* it breaks a message, it cannot begin one */
    }
    take_header(reader, header); /* one that is malformed belongs to the message all the same */
    return SA_PAYLOAD_TAKEN;
}

/* Content-Length counts CRLF line ends; a log that dropped the CRs shows each line one byte shorter. */
static int
read_body(struct sa_sip_reader *reader, struct sa_slice line, const struct sa_record *record)
{
    size_t size = line.len + (reader->has_cr ? 1 : 2);

    if (line.len > reader->body_left || is_next_record(reader, line, record)) { /* shorter than it said */
        reader->state = SA_SIP_IDLE;
        return SA_PAYLOAD_MISS;
    }
    if (reader->body_left == BODY_UNKNOWN) { /* where there are no records, a blank line ends it */
        if (!reader->has_records && strip_cr(line).len == 0)
            reader->state = SA_SIP_IDLE;
        return SA_PAYLOAD_TAKEN;
    }
    reader->body_left = size < reader->body_left ? reader->body_left - size : 0;
    if (reader->body_left == 0)
        reader->state = SA_SIP_IDLE;
    return SA_PAYLOAD_TAKEN;
}

int
sa_sip_reader_line(struct sa_sip_reader *reader, struct sa_slice line, const struct sa_record *record,
                   struct sa_response *response)
{
    if (reader->state == SA_SIP_HEADERS) {
        int verdict = read_header(reader, line, record, response);

        if (verdict != SA_PAYLOAD_MISS)
            return verdict;
    } else if (reader->state == SA_SIP_BODY) {
        int verdict = read_body(reader, line, record);

        if (verdict != SA_PAYLOAD_MISS)
            return verdict;
    }
    return read_idle(reader, line, record, response);
}

void
sa_sip_reader_pass(struct sa_sip_reader *reader, const struct sa_record *record)
{
    reader->introduced = false;
    reader->has_records |= begins_record(record);
}

int
sa_sip_reader_abandon(struct sa_sip_reader *reader)
{
    bool open = reader->state == SA_SIP_HEADERS;

    reader->state = SA_SIP_IDLE;
    reader->introduced = false;
    return open ? SA_PAYLOAD_OTHER : SA_PAYLOAD_MISS;
}

int
sa_sip_reader_end(struct sa_sip_reader *reader, struct sa_response *response)
{
    if (reader->state != SA_SIP_HEADERS)
        return SA_PAYLOAD_MISS;
    reader->body_left = 0;
    return conclude(reader, response);
}
