#include "sip_header.h"
#include "text.h"

/* The header part is over: the verdict on the message. */
static int
conclude(struct sa_sip_reader *reader, struct sa_response *response)
{
    bool hit = reader->is_response && sa_sip_is_message(reader);

    if (!reader->has_length && reader->has_type) /* RFC 3261 section 18.3: to the end of the datagram */
        reader->body_left = SA_SIP_BODY_UNKNOWN;
    if (reader->intro.size != 0)
        reader->body_left = reader->size_left;
    reader->body_lines = 0;
    reader->state = reader->multi_line && reader->body_left > 0 ? SA_SIP_BODY : SA_SIP_IDLE;
    reader->introduced = false;
    if (!hit)
        return SA_PAYLOAD_OTHER;
    *response = reader->response;
    return SA_PAYLOAD_HIT;
}

/* Whether the log itself begins something with the line: a transport, or a program's prefix where the log has
 * none. */
static bool
begins_record(const struct sa_record *record)
{
    return record->enveloped || record->proxy != SA_PROXY_UNKNOWN;
}

/* What a record says before a message begins; its last words "… from 192.0.2.1:5060" tell the peer. */
static void
take_intro(struct sa_sip_reader *reader, const struct sa_record *record, struct sa_slice intro)
{
    struct sa_slice tail = sa_sip_trim(intro);
    size_t start;

    reader->family = 0;
    reader->plain = false;
    reader->intro.size = 0;
    sa_payload_begin(&reader->intro.about, record);
    reader->intro.about.method[0] = reader->intro.about.call_id[0] = '\0'; /* the message's own are better */
    reader->intro_host = sa_text_hash(record->host.p, record->host.len);
    if (tail.len > 0 && tail.p[tail.len - 1] == ':')
        tail.len--;
    for (start = tail.len; start > 0 && tail.p[start - 1] != ' '; start--)
        ;
    if (start >= 6 && memcmp(tail.p + start - 6, " from ", 6) == 0 && start < tail.len &&
        (sa_is_digit(tail.p[start]) || tail.p[start] == '['))
        sa_payload_set_peer(&reader->intro.about, sa_slice_from(tail, start));
}

/* The line without the CR that a multi-line log keeps. */
static struct sa_slice
strip_cr(struct sa_slice line)
{
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* The line is one of the headers of a message of known size; they end in CR LF even if the log dropped the
 * CR. */
static void
use_up(struct sa_sip_reader *reader, struct sa_slice line)
{
    size_t size = line.len + (reader->has_cr ? 1 : 2);

    reader->size_left = size < reader->size_left ? reader->size_left - size : 0;
}

static bool
begin_message(struct sa_sip_reader *reader, struct sa_slice line)
{
    struct sa_slice start = strip_cr(line);

    reader->response = reader->intro.about;
    reader->is_response = sa_sip_status_line(start, &reader->response);
    if (!reader->is_response && !sa_sip_request_line(start))
        return false;
    reader->state = SA_SIP_HEADERS;
    reader->headers = 0;
    reader->has_length = reader->has_type = false;
    reader->header = SA_SIP_HEADER_OTHER;
    reader->body_left = 0;
    reader->bare_end = reader->has_branch = false;
    reader->multi_line = true;
    reader->has_cr = start.len != line.len;
    reader->size_left = reader->intro.size;
    use_up(reader, line);
    return true;
}

/* journalctl indents what follows the first line of a record by the width of the prefix of that line. */
static unsigned
margin_of(const struct sa_sip_reader *reader, struct sa_slice line)
{
    if (reader->margin < 8 || line.len < reader->margin)
        return 0;
    for (unsigned i = 0; i < reader->margin; i++)
        if (line.p[i] != ' ')
            return 0;
    return reader->margin;
}

/*
 * Where a message may begin that no family introduces: at the payload of a record, on the line right behind a
 * record, or, in a log without envelopes, on any line.  Never in what a module of the proxy quotes.
 */
static int
read_idle(struct sa_sip_reader *reader, struct sa_slice line, const struct sa_record *record)
{
    bool is_record = begins_record(record);
    struct sa_slice start = is_record ? record->payload : line;
    bool joins = !is_record && reader->introduced;

    if (is_record) {
        reader->has_records = true;
        reader->introduced = record->module.len == 0;
        if (!reader->introduced)
            return SA_PAYLOAD_MISS;
        take_intro(reader, record, start);
    } else if (!reader->introduced) {
        if (reader->has_records)
            return SA_PAYLOAD_MISS;
        take_intro(reader, record, (struct sa_slice){start.p, 0});
    }
    reader->indent = 0;
    reader->blank_ends = false;
    if (is_record)
        reader->margin = record->text.p >= line.p && record->text.p <= line.p + line.len
                             ? (unsigned)(record->text.p - line.p)
                             : 0;
    else
        reader->indent = margin_of(reader, start);
    if (!begin_message(reader, sa_slice_from(start, reader->indent))) {
        reader->introduced = is_record;
        return SA_PAYLOAD_MISS;
    }
    reader->has_cr |= line.len > 0 && line.p[line.len - 1] == '\r';
    return joins ? SA_PAYLOAD_JOINS | SA_PAYLOAD_TAKEN : SA_PAYLOAD_TAKEN;
}

/* Where a family's introduction may begin: on any line. */
static int
read_first_of_intro(struct sa_sip_reader *reader, const struct sa_family *family, struct sa_slice line,
                    const struct sa_record *record)
{
    struct sa_intro intro = {.step = 0};
    enum sa_intro_verdict verdict;

    intro.about.repeat = 1;
    if (record->time_ms != 0 || record->repeat != 1)
        sa_payload_begin(&intro.about, record);
    verdict = family->intro(&intro, record, strip_cr(line));
    if (verdict == SA_INTRO_NO)
        return SA_PAYLOAD_MISS;
    if (verdict == SA_INTRO_SKIP)
        return SA_PAYLOAD_SKIP;
    reader->intro = intro;
    reader->intro_host = sa_text_hash(record->host.p, record->host.len);
    reader->family = family->id;
    reader->plain = family->plain;
    reader->state = SA_SIP_INTRO;
    reader->waited = verdict == SA_INTRO_DONE ? 1 : 0;
    reader->has_records |= begins_record(record);
    return SA_PAYLOAD_TAKEN;
}

/* The line as the message has it: without what some logs put before or behind each. */
static struct sa_slice
message_line(const struct sa_sip_reader *reader, struct sa_slice line, const struct sa_record *record)
{
    unsigned n = 0;

    if (reader->blank_ends && line.len > 0 && line.p[line.len - 1] == ' ')
        line.len--;

    if (reader->intro.each_line && record->bare_stamp)
        return record->payload;
    while (n < reader->indent && n < line.len && line.p[n] == ' ')
        n++;
    return sa_slice_from(line, n);
}

#define WAIT_MAX 4 /* lines between introduction and message */

/* An introduction goes on, or is over and the message comes, perhaps behind an empty line or a rule. */
static int
read_intro(struct sa_sip_reader *reader, const struct sa_family *family, struct sa_slice line,
           const struct sa_record *record)
{
    struct sa_slice text;
    unsigned indent = 0;

    if (reader->waited == 0) {
        enum sa_intro_verdict verdict = family->intro(&reader->intro, record, strip_cr(line));

        if (verdict == SA_INTRO_NO)
            return sa_sip_reader_abandon(reader);
        reader->waited = verdict == SA_INTRO_DONE ? 1 : 0;
        return SA_PAYLOAD_TAKEN;
    }
    reader->indent = family->indent;
    reader->blank_ends = family->blank_ends;
    text = message_line(reader, line, record);
    while (indent < family->indent && indent < line.len && line.p[indent] == ' ')
        indent++;
    reader->indent = indent;
    if (begin_message(reader, text))
        return SA_PAYLOAD_TAKEN;
    text = strip_cr(text);
    if (reader->waited++ < WAIT_MAX &&
        (sa_sip_trim(text).len == 0 || (family->closes != NULL && family->closes(text)) ||
         sa_is_rule(text, '-', 5) || sa_is_rule(text, '~', 5)))
        return SA_PAYLOAD_TAKEN;
    return sa_sip_reader_abandon(reader);
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
is_next_record(const struct sa_sip_reader *reader, struct sa_slice line, const struct sa_record *record)
{
    if (reader->plain)
        return false;
    if (reader->intro.size != 0 && reader->intro.size - reader->size_left < CUT_BYTES)
        return false;
    return record->enveloped && !(reader->intro.each_line && record->bare_stamp) &&
           record->time_ms >= reader->intro.about.time_ms &&
           sa_text_hash(record->host.p, record->host.len) == reader->intro_host &&
           !(reader->has_cr && line.len > 0 && line.p[line.len - 1] == '\r');
}

/* The message is over in the midst of its headers. */
static int
break_off(struct sa_sip_reader *reader, struct sa_response *response)
{
    reader->has_length = reader->has_type = false;
    reader->body_left = reader->size_left = 0;
    return conclude(reader, response);
}

/*
 * The journal takes away the blank line behind a message, and with it the CR of the last header.  Without
 * bodies only: anybody can leave out a CR.
 */
static bool
was_trimmed(const struct sa_sip_reader *reader)
{
    return reader->bare_end && reader->has_length && reader->body_left == 0 &&
           (!reader->is_response || sa_sip_is_message(reader));
}

static bool
begins_message(struct sa_slice line)
{
    struct sa_response ignored;

    return sa_sip_status_line(line, &ignored) || sa_sip_request_line(line);
}

static int
read_header(struct sa_sip_reader *reader, struct sa_slice line, const struct sa_record *record,
            struct sa_response *response)
{
    struct sa_slice text, header;

    if (reader->headers == 0 && reader->indent == 0 && reader->family == 0 && reader->multi_line)
        reader->indent = margin_of(reader, line);
    text = message_line(reader, line, record);
    header = strip_cr(text);
    if (was_trimmed(reader) && (record->proxy != SA_PROXY_UNKNOWN || begins_message(header)))
        return break_off(reader, response);
    reader->bare_end = reader->has_cr && header.len == text.len;
    if (header.len == 0) {
        use_up(reader, text);
        return conclude(reader, response) | SA_PAYLOAD_TAKEN;
    }
    if ((is_next_record(reader, line, record) && !sa_sip_is_folded(header)) ||
        (reader->intro.size != 0 && reader->size_left == 0)) /* cut short */
        return break_off(reader, response);
    if (!reader->has_records && reader->intro.size == 0 && !sa_sip_looks_like_header(header) &&
        header.len == text.len)
        /* what is of no family breaks a message and cannot begin one */
        return break_off(reader, response) | (reader->family == 0 ? SA_PAYLOAD_TAKEN : 0);
    use_up(reader, text);
    sa_sip_take_header(reader, header); /* one that is malformed belongs to the message all the same */
    return SA_PAYLOAD_TAKEN;
}

/*
 * Where the log dropped the CRs nobody knows how many bytes of the body they were: it may be over as soon as
 * no more is left than there were lines.  Then what can come behind a message ends it.
 */
static bool
may_end(const struct sa_sip_reader *reader, const struct sa_family *family, struct sa_slice line,
        const struct sa_record *record)
{
    struct sa_response ignored;
    struct sa_intro intro = {.step = 0};

    if (reader->has_cr || reader->body_left > reader->body_lines)
        return false;
    if (family == NULL)
        return line.len == 0 || sa_sip_status_line(line, &ignored) || sa_sip_request_line(line);
    return line.len == 0 || (family->closes != NULL && family->closes(line)) ||
           family->intro(&intro, record, line) != SA_INTRO_NO;
}

static int
read_body(struct sa_sip_reader *reader, const struct sa_family *family, struct sa_slice line,
          const struct sa_record *record)
{
    struct sa_slice text = message_line(reader, line, record), bare = strip_cr(text);

    if (text.len > reader->body_left || is_next_record(reader, line, record) ||
        may_end(reader, family, bare, record)) { /* it is over, or shorter than it said */
        reader->state = SA_SIP_IDLE;
        return SA_PAYLOAD_MISS;
    }
    if (reader->body_left ==
        SA_SIP_BODY_UNKNOWN) { /* the log's own sign ends it, or, where it has none, a blank line */
        if (family != NULL && family->closes != NULL ? family->closes(bare)
                                                     : bare.len == 0 && !reader->has_records)
            reader->state = SA_SIP_IDLE;
        return SA_PAYLOAD_TAKEN;
    }
    reader->body_lines++;
    reader->body_left = text.len + 1 < reader->body_left ? reader->body_left - text.len - 1 : 0;
    if (reader->body_left == 0)
        reader->state = SA_SIP_IDLE;
    return SA_PAYLOAD_TAKEN;
}

static int
read_step(struct sa_sip_reader *reader, const struct sa_family *family, struct sa_slice line,
          const struct sa_record *record, struct sa_response *response)
{
    int verdict = SA_PAYLOAD_MISS;

    switch (reader->state) {
    case SA_SIP_INTRO:
        /* A family has begun it, unless the reader comes from a state that does not fit. */
        return family == NULL ? sa_sip_reader_abandon(reader) : read_intro(reader, family, line, record);
    case SA_SIP_HEADERS:
        return read_header(reader, line, record, response);
    case SA_SIP_BODY:
        verdict = read_body(reader, family, line, record);
        break;
    case SA_SIP_IDLE:
        break;
    }
    if (verdict != SA_PAYLOAD_MISS)
        return verdict;
    return family == NULL ? read_idle(reader, line, record)
                          : read_first_of_intro(reader, family, line, record);
}

/* Length of an introduction that the message follows on the same line, or 0. */
static size_t
intro_length(struct sa_slice text, const struct sa_family *family)
{
    const char *mark = family == NULL ? NULL : family->two_blanks_behind;
    struct sa_slice rest = text;

    while (mark != NULL && sa_slice_seek(&rest, mark))
        if (sa_slice_starts(rest, "  "))
            return (size_t)(rest.p - text.p);
    return 0;
}

/*
 * What stands for the end of a line inside a record: the LF itself, or what a log daemon made of it.  Where
 * there are LFs, an escape is text that somebody wrote.
 */
static const char *
line_end(struct sa_slice text, const struct sa_family *family)
{
    static const char *const escapes[] = {"#012", "\\012", "\\n"};

    if (sa_slice_find(text, '\n') < text.len)
        return "\n";
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        struct sa_slice rest = text;

        if (sa_slice_seek(&rest, escapes[i]))
            return escapes[i];
    }
    return intro_length(text, family) != 0 ? "  " : NULL;
}

/* The text up to the end of its first line; steps over it. */
static struct sa_slice
take_line(struct sa_slice *text, const char *end)
{
    struct sa_slice line = *text;
    const char *at = memmem(text->p, text->len, end, strlen(end));

    if (at == NULL) {
        text->len = 0;
    } else {
        line.len = (size_t)(at - text->p);
        *text = sa_slice_from(*text, line.len + strlen(end));
    }
    if (line.len >= 4 &&
        (memcmp(line.p + line.len - 4, "#015", 4) == 0 || memcmp(line.p + line.len - 4, "\\015", 4) == 0))
        line.len -= 4;
    else if (line.len >= 2 && memcmp(line.p + line.len - 2, "\\r", 2) == 0)
        line.len -= 2;
    return strip_cr(line);
}

/* A record that holds a whole message, behind what introduces it, or cut somewhere, or the rest of one. */
static int
read_block(struct sa_sip_reader *reader, const struct sa_family *family, const struct sa_record *record,
           struct sa_slice rest, struct sa_response *response)
{
    const char *end = line_end(rest, family);
    struct sa_record part = *record; /* each line as if it were the record */
    bool introduced = reader->introduced;
    int verdict = SA_PAYLOAD_TAKEN;

    for (bool first = reader->state == SA_SIP_IDLE; rest.len > 0; first = false) {
        size_t skip = first && end != NULL && end[0] == ' ' ? intro_length(rest, family) : 0;
        struct sa_slice line = {rest.p, skip}, text = sa_slice_from(rest, skip);

        if (skip != 0)
            (void)take_line(&text, end);
        else
            line = end == NULL ? rest : take_line(&text, end);
        rest = end == NULL ? (struct sa_slice){rest.p, 0} : text;
        part.payload = line;
        part.enveloped = first && record->enveloped;
        if (first)
            verdict = family == NULL ? read_idle(reader, line, &part)
                                     : read_first_of_intro(reader, family, line, &part);
        else if (family == NULL && reader->state == SA_SIP_IDLE && reader->introduced)
            verdict = read_idle(reader, line, &(struct sa_record){.repeat = 1});
        else
            verdict = read_step(reader, family, line, &part, response);
        if (((verdict == SA_PAYLOAD_MISS || verdict == SA_PAYLOAD_SKIP) && (family != NULL || !first)) ||
            verdict & (SA_PAYLOAD_HIT | SA_PAYLOAD_OTHER))
            break;
        reader->intro.size = 0; /* what follows is counted by nobody */
    }
    if (family != NULL && family->continues != NULL && sa_sip_reader_is_open(reader))
        return SA_PAYLOAD_TAKEN; /* the rest may be in the next record, or on lines of its own */
    if (reader->state == SA_SIP_HEADERS &&
        !sa_sip_is_message(reader)) /* text that happens to hold an escape */
        verdict = SA_PAYLOAD_MISS;
    else if (reader->state == SA_SIP_HEADERS)
        verdict = break_off(reader, response);
    reader->state = SA_SIP_IDLE;
    if (!(verdict & (SA_PAYLOAD_HIT | SA_PAYLOAD_OTHER))) {
        reader->introduced = introduced;
        return SA_PAYLOAD_MISS;
    }
    reader->introduced = false;
    return (verdict & ~SA_PAYLOAD_JOINS) | SA_PAYLOAD_TAKEN;
}

int
sa_sip_reader_line(struct sa_sip_reader *reader, const struct sa_family *family, struct sa_slice line,
                   const struct sa_record *record, struct sa_response *response)
{
    bool is_record = begins_record(record) || (family != NULL && family->two_blanks_behind != NULL);
    struct sa_slice text = begins_record(record) ? record->payload : strip_cr(line);
    int verdict;

    if (sa_sip_reader_is_open(reader) && family != NULL && family->continues != NULL &&
        family->continues(&reader->intro, record, line, &text))
        return read_block(reader, family, record, text, response);
    if (reader->state == SA_SIP_IDLE && is_record && (family != NULL || record->module.len == 0) &&
        line_end(text, family) != NULL) {
        reader->has_records |= begins_record(record);
        verdict = read_block(reader, family, record, text, response);
        if (verdict != SA_PAYLOAD_MISS)
            return verdict;
    }
    return read_step(reader, family, line, record, response);
}

/* The line at the start of p, with its CR; false if it is not complete or nothing that can be read in
 * passing. */
static bool
line_at(const char *p, size_t len, size_t limit, struct sa_slice *line)
{
    const char *end = len == 0 || p[0] == '\0' ? NULL : memchr(p, '\n', len);

    if (end == NULL || (size_t)(end - p) > limit)
        return false;
    *line = (struct sa_slice){p, (size_t)(end - p)};
    return true;
}

/* Header lines that end in CR, which no record can interrupt; up to the empty one. */
static struct sa_passed
pass_headers(struct sa_sip_reader *reader, const char *p, size_t len, size_t limit)
{
    struct sa_passed all = {0, 0}, passed;
    struct sa_slice line;

    for (;;) {
        if (!reader->is_response || sa_sip_is_message(reader)) {
            passed =
                sa_pass_lines(p + all.bytes, len - all.bytes, SA_STOP_AT_BARE_LF | SA_STOP_AT_HEADER, limit);
            if (passed.lines != 0)
                reader->header = SA_SIP_HEADER_OTHER;
            all.bytes += passed.bytes;
            all.lines += passed.lines;
        }
        if (!line_at(p + all.bytes, len - all.bytes, limit, &line) || line.len < 2 ||
            line.p[line.len - 1] != '\r')
            return all;
        sa_sip_take_header(reader, (struct sa_slice){line.p, line.len - 1});
        all.bytes += line.len + 1;
        all.lines++;
    }
}

/* The further lines of an introduction, as long as nothing can wrap them. */
static struct sa_passed
pass_intro(struct sa_sip_reader *reader, const struct sa_family *family, struct sa_timestamp_cache *stamps,
           const char *p, size_t len, size_t limit)
{
    struct sa_record record = {.repeat = 1, .stamps = stamps};
    struct sa_passed all = {0, 0};
    struct sa_slice line;

    while (reader->waited == 0 && line_at(p + all.bytes, len - all.bytes, limit, &line) &&
           (line.len == 0 || !sa_envelope_may_wrap(line.p[0]))) {
        struct sa_slice bare = strip_cr(line);
        enum sa_intro_verdict verdict;

        record.payload = bare;
        record.text = bare;
        verdict = family->intro(&reader->intro, &record, record.payload);
        if (verdict == SA_INTRO_NO) /* read again by itself, it breaks the introduction */
            break;
        reader->waited = verdict == SA_INTRO_DONE ? 1 : 0;
        all.bytes += line.len + 1;
        all.lines++;
    }
    return all;
}

struct sa_passed
sa_sip_reader_pass_lines(struct sa_sip_reader *reader, const struct sa_family *family,
                         struct sa_timestamp_cache *stamps, const char *p, size_t len, size_t limit)
{
    struct sa_passed passed = {0, 0};

    if (reader->state == SA_SIP_INTRO)
        return family == NULL ? passed : pass_intro(reader, family, stamps, p, len, limit);
    if (!reader->has_cr || reader->bare_end || reader->intro.each_line || reader->indent != 0 ||
        reader->blank_ends)
        return passed;
    if (reader->intro.size != 0 && len > reader->size_left)
        len = reader->size_left;
    if (reader->state == SA_SIP_HEADERS) {
        passed = pass_headers(reader, p, len, limit);
    } else if (reader->state == SA_SIP_BODY && reader->body_left != SA_SIP_BODY_UNKNOWN) {
        passed =
            sa_pass_lines(p, len < reader->body_left ? len : reader->body_left, SA_STOP_AT_BARE_LF, limit);
        reader->body_left -= passed.bytes;
        if (reader->body_left == 0)
            reader->state = SA_SIP_IDLE;
    }
    reader->size_left -= passed.bytes < reader->size_left ? passed.bytes : reader->size_left;
    return passed;
}

void
sa_sip_reader_pass(struct sa_sip_reader *reader, const struct sa_record *record)
{
    reader->introduced = false;
    reader->has_records |= begins_record(record);
}

bool
sa_sip_reader_is_open(const struct sa_sip_reader *reader)
{
    return reader->state == SA_SIP_HEADERS || reader->state == SA_SIP_INTRO;
}

int
sa_sip_reader_abandon(struct sa_sip_reader *reader)
{
    bool open = sa_sip_reader_is_open(reader);

    reader->state = SA_SIP_IDLE;
    reader->introduced = false;
    return open ? SA_PAYLOAD_OTHER : SA_PAYLOAD_MISS;
}

int
sa_sip_reader_end(struct sa_sip_reader *reader, struct sa_response *response)
{
    if (reader->state == SA_SIP_INTRO)
        return sa_sip_reader_abandon(reader);
    return reader->state == SA_SIP_HEADERS ? break_off(reader, response) : SA_PAYLOAD_MISS;
}
