#include "sip_message.h"
#include "sip_header.h"
#include "text.h"

/* The line is one of the headers of a message of known size; they end in CR LF even if the log dropped the
 * CR. */
static void
use_up(struct sa_sip_message *message, struct sa_slice line)
{
    size_t size = line.len + (message->has_cr ? 1 : 2);

    message->size_left = size < message->size_left ? message->size_left - size : 0;
}

bool
sa_sip_message_begin(struct sa_sip_reader *reader, struct sa_slice text, unsigned indent)
{
    struct sa_slice start = sa_sip_strip_cr(text);
    unsigned code = sa_sip_status_line(start);

    if (code == 0 && !sa_sip_request_line(start))
        return false;
    reader->message = (struct sa_sip_message){
        .is_response = code != 0,
        .has_cr = start.len != text.len,
        .header = SA_SIP_HEADER_OTHER,
        .indent = indent,
        .size_left = reader->introduction.told.size,
        .response = reader->introduction.told.about,
    };
    reader->message.response.code = (uint16_t)code;
    use_up(&reader->message, text);
    reader->state = SA_SIP_HEADERS;
    return true;
}

unsigned
sa_sip_message_margin(const struct sa_sip_reader *reader, struct sa_slice line)
{
    unsigned margin = reader->introduction.margin;

    if (margin < 8 || line.len < margin)
        return 0;
    for (unsigned i = 0; i < margin; i++)
        if (line.p[i] != ' ')
            return 0;
    return margin;
}

/* The line is a record by itself in a log whose every line is one. */
static bool
is_one_of_many(const struct sa_sip_reader *reader, const struct sa_record *record)
{
    return reader->introduction.told.each_line && record->bare_stamp;
}

struct sa_slice
sa_sip_message_text(const struct sa_sip_reader *reader, const struct sa_message_family *family,
                    unsigned indent, struct sa_slice line, const struct sa_record *record)
{
    unsigned n = 0;

    if (family != NULL && family->blank_ends && line.len > 0 && line.p[line.len - 1] == ' ')
        line.len--;
    if (is_one_of_many(reader, record))
        return record->payload;
    while (n < indent && n < line.len && line.p[n] == ' ')
        n++;
    return sa_slice_from(line, n);
}

/* The header part is over: the verdict on the message. */
static enum sa_payload_outcome
conclude(struct sa_sip_reader *reader, struct sa_response *response)
{
    struct sa_sip_message *message = &reader->message;

    if (!message->has_length && message->has_type) /* RFC 3261 section 18.3: to the end of the datagram */
        message->body_left = SA_SIP_BODY_UNKNOWN;
    if (reader->introduction.told.size != 0)
        message->body_left = message->size_left;
    reader->state = message->body_left > 0 ? SA_SIP_BODY : SA_SIP_IDLE;
    reader->introduction.is_open = false;
    if (!message->is_response || !sa_sip_is_message(message))
        return SA_PAYLOAD_OTHER;
    *response = message->response;
    return SA_PAYLOAD_RESPONSE;
}

enum sa_payload_outcome
sa_sip_message_break_off(struct sa_sip_reader *reader, struct sa_response *response)
{
    reader->message.has_length = reader->message.has_type = false;
    reader->message.body_left = reader->message.size_left = 0;
    return conclude(reader, response);
}

/*
 * Whether a line that looks like a log record ends the message it stands in.  Anyone can write such a line
 * into a message, and anyone can announce a longer body than is sent, so neither the look nor Content-Length
 * is believed alone: a true record comes from the same host, not before the one that introduced the message,
 * and without the CR that the lines of the message have.  If the program told the size of the message, that
 * is believed, unless a log daemon may have cut it.
 */
#define CUT_BYTES 8000 /* rsyslog cuts records here */

static bool
is_next_record(const struct sa_sip_reader *reader, const struct sa_message_family *family,
               struct sa_slice line, const struct sa_record *record)
{
    const struct sa_sip_introduction *introduction = &reader->introduction;

    if (family != NULL && family->plain)
        return false;
    if (introduction->told.size != 0 && introduction->told.size - reader->message.size_left < CUT_BYTES)
        return false;
    return record->enveloped && !is_one_of_many(reader, record) &&
           record->time_ms >= introduction->told.about.time_ms &&
           sa_text_hash(record->host.p, record->host.len) == introduction->host &&
           !(reader->message.has_cr && line.len > 0 && line.p[line.len - 1] == '\r');
}

/*
 * The journal takes away the blank line behind a message, and with it the CR of the last header.  Without
 * bodies only: anybody can leave out a CR.
 */
static bool
was_trimmed(const struct sa_sip_message *message)
{
    return message->bare_end && message->has_length && message->body_left == 0 &&
           (!message->is_response || sa_sip_is_message(message));
}

/* The header part ends in front of the line, without the blank line that belongs there. */
static bool
is_broken_off_by(const struct sa_sip_reader *reader, const struct sa_message_family *family,
                 struct sa_slice line, struct sa_slice header, const struct sa_record *record)
{
    return (is_next_record(reader, family, line, record) && !sa_sip_is_folded(header)) ||
           (reader->introduction.told.size != 0 && reader->message.size_left == 0); /* cut short */
}

/* Where the log marks no record, no program told the size and the line has no CR, the look has to do. */
static bool
cannot_be_of_it(const struct sa_sip_reader *reader, struct sa_slice header, struct sa_slice text)
{
    return !reader->habits.has_records && reader->introduction.told.size == 0 &&
           !sa_sip_looks_like_header(header) && header.len == text.len;
}

struct sa_payload_verdict
sa_sip_message_header(struct sa_sip_reader *reader, const struct sa_message_family *family,
                      struct sa_slice line, const struct sa_record *record, struct sa_response *response)
{
    struct sa_payload_verdict verdict = {.taken = true};
    struct sa_sip_message *message = &reader->message;
    struct sa_slice text, header;
    bool trimmed;

    if (message->headers == 0 && message->indent == 0 && reader->introduction.family == 0)
        message->indent = sa_sip_message_margin(reader, line);
    text = sa_sip_message_text(reader, family, message->indent, line, record);
    header = sa_sip_strip_cr(text);
    trimmed = was_trimmed(message) && (record->proxy != SA_PROXY_UNKNOWN || sa_sip_start_line(header));
    message->bare_end = message->has_cr && header.len == text.len;
    if (trimmed || (header.len != 0 && is_broken_off_by(reader, family, line, header, record))) {
        verdict.taken = false;
        verdict.outcome = sa_sip_message_break_off(reader, response);
    } else if (header.len == 0) {
        use_up(message, text);
        verdict.outcome = conclude(reader, response);
    } else if (cannot_be_of_it(reader, header, text)) {
        verdict.taken = reader->introduction.family == 0; /* it cannot begin a message of no family */
        verdict.outcome = sa_sip_message_break_off(reader, response);
    } else {
        use_up(message, text);
        sa_sip_take_header(message, header); /* one that is malformed belongs to the message all the same */
    }
    return verdict;
}

/*
 * Where the log dropped the CRs nobody knows how many bytes of the body they were: it may be over as soon as
 * no more is left than there were lines.  Then what can come behind a message ends it.
 */
static bool
may_end(const struct sa_sip_message *message, const struct sa_message_family *family, struct sa_slice line,
        const struct sa_record *record)
{
    struct sa_intro told = {.step = 0};

    if (message->has_cr || message->body_left > message->body_lines)
        return false;
    if (family == NULL)
        return line.len == 0 || sa_sip_start_line(line);
    return line.len == 0 || (family->closes != NULL && family->closes(line)) ||
           family->intro(&told, record, line) != SA_INTRO_NO;
}

/* The log's own sign ends a body of unknown length, or, where it has none, a blank line. */
static bool
ends_unknown(const struct sa_sip_reader *reader, const struct sa_message_family *family, struct sa_slice line)
{
    if (family != NULL && family->closes != NULL)
        return family->closes(line);
    return line.len == 0 && !reader->habits.has_records;
}

bool
sa_sip_message_body(struct sa_sip_reader *reader, const struct sa_message_family *family,
                    struct sa_slice line, const struct sa_record *record)
{
    struct sa_sip_message *message = &reader->message;
    struct sa_slice text = sa_sip_message_text(reader, family, message->indent, line, record);
    struct sa_slice bare = sa_sip_strip_cr(text);
    bool is_over;

    if (text.len > message->body_left || is_next_record(reader, family, line, record) ||
        may_end(message, family, bare, record)) { /* it is over, or shorter than it said */
        reader->state = SA_SIP_IDLE;
        return false;
    }
    if (message->body_left == SA_SIP_BODY_UNKNOWN) {
        is_over = ends_unknown(reader, family, bare);
    } else {
        message->body_lines++;
        message->body_left = text.len + 1 < message->body_left ? message->body_left - text.len - 1 : 0;
        is_over = message->body_left == 0;
    }
    if (is_over)
        reader->state = SA_SIP_IDLE;
    return true;
}

/* Header lines that end in CR, which no record can interrupt; up to the empty one. */
static struct sa_passed
pass_headers(struct sa_sip_message *message, const char *p, size_t len, size_t limit)
{
    struct sa_passed all = {0, 0}, passed;
    struct sa_slice line;

    for (;;) {
        if (!message->is_response || sa_sip_is_message(message)) {
            passed =
                sa_pass_lines(p + all.bytes, len - all.bytes, SA_STOP_AT_BARE_LF | SA_STOP_AT_HEADER, limit);
            if (passed.lines != 0)
                message->header = SA_SIP_HEADER_OTHER;
            all.bytes += passed.bytes;
            all.lines += passed.lines;
        }
        if (!sa_sip_line_at(p + all.bytes, len - all.bytes, limit, &line) || line.len < 2 ||
            line.p[line.len - 1] != '\r')
            return all;
        sa_sip_take_header(message, (struct sa_slice){line.p, line.len - 1});
        all.bytes += line.len + 1;
        all.lines++;
    }
}

/* Body lines that end in CR, which no record can interrupt. */
static struct sa_passed
pass_body(struct sa_sip_reader *reader, const char *p, size_t len, size_t limit)
{
    struct sa_sip_message *message = &reader->message;
    struct sa_passed passed = {0, 0};

    if (message->body_left == SA_SIP_BODY_UNKNOWN)
        return passed;
    passed = sa_pass_lines(p, len < message->body_left ? len : message->body_left, SA_STOP_AT_BARE_LF, limit);
    message->body_left -= passed.bytes;
    if (message->body_left == 0)
        reader->state = SA_SIP_IDLE;
    return passed;
}

/* The log writes the lines of the message as they are, with their CRs. */
static bool
is_verbatim(const struct sa_sip_reader *reader, const struct sa_message_family *family)
{
    return reader->message.has_cr && !reader->message.bare_end && reader->message.indent == 0 &&
           !reader->introduction.told.each_line && !(family != NULL && family->blank_ends);
}

struct sa_passed
sa_sip_message_pass_lines(struct sa_sip_reader *reader, const struct sa_message_family *family, const char *p,
                          size_t len, size_t limit)
{
    struct sa_sip_message *message = &reader->message;
    struct sa_passed passed = {0, 0};

    if (!is_verbatim(reader, family))
        return passed;
    if (reader->introduction.told.size != 0 && len > message->size_left)
        len = message->size_left;
    if (reader->state == SA_SIP_HEADERS)
        passed = pass_headers(message, p, len, limit);
    else if (reader->state == SA_SIP_BODY)
        passed = pass_body(reader, p, len, limit);
    message->size_left -= passed.bytes < message->size_left ? passed.bytes : message->size_left;
    return passed;
}
