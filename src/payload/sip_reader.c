#include "sip_reader.h"
#include "sip_block.h"
#include "sip_header.h"
#include "sip_introduction.h"
#include "sip_message.h"

/* Where a message, or what introduces it, may begin. */
static struct sa_payload_verdict
read_idle(struct sa_sip_reader *reader, const struct sa_message_family *family, struct sa_slice line,
          const struct sa_record *record)
{
    return family == NULL ? sa_sip_introduction_any(reader, line, record)
                          : sa_sip_introduction_begin(reader, family, line, record);
}

static struct sa_payload_verdict
read_step(struct sa_sip_reader *reader, const struct sa_message_family *family, struct sa_slice line,
          const struct sa_record *record, struct sa_response *response)
{
    switch (reader->state) {
    case SA_SIP_INTRO:
        if (family == NULL) /* a family has begun it: the reader comes from a state that does not fit */
            return (struct sa_payload_verdict){.outcome = sa_sip_reader_abandon(reader)};
        return sa_sip_introduction_line(reader, family, line, record);
    case SA_SIP_HEADERS:
        return sa_sip_message_header(reader, family, line, record, response);
    case SA_SIP_BODY:
        if (sa_sip_message_body(reader, family, line, record))
            return (struct sa_payload_verdict){.taken = true};
        break;
    case SA_SIP_IDLE:
        break;
    }
    return read_idle(reader, family, line, record);
}

/* A line of a record that holds many, as if it were a record; first: the one that the record begins with. */
static struct sa_payload_verdict
read_part(struct sa_sip_reader *reader, const struct sa_message_family *family, const struct sa_record *part,
          bool first, struct sa_response *response)
{
    if (first)
        return read_idle(reader, family, part->payload, part);
    /* Behind the words that introduce it the message begins as on a line of its own. */
    if (family == NULL && reader->state == SA_SIP_IDLE && reader->introduction.is_open)
        return read_idle(reader, NULL, part->payload, &(struct sa_record){.repeat = 1});
    return read_step(reader, family, part->payload, part, response);
}

/* The lines of a record, until one of them completes something or says that it is none of a message. */
static struct sa_payload_verdict
read_parts(struct sa_sip_reader *reader, const struct sa_message_family *family,
           const struct sa_record *record, struct sa_slice rest, struct sa_response *response)
{
    const char *end = sa_sip_block_line_end(rest, family);
    struct sa_payload_verdict verdict = {.taken = true};
    struct sa_record part = *record;

    for (bool first = reader->state == SA_SIP_IDLE; rest.len > 0; first = false) {
        part.payload =
            first ? sa_sip_block_first_line(&rest, family, end) : sa_sip_block_next_line(&rest, end);
        part.enveloped = first && record->enveloped;
        verdict = read_part(reader, family, &part, first, response);
        if (sa_payload_is_complete(verdict.outcome) || (!verdict.taken && (family != NULL || !first)))
            break;
        reader->introduction.told.size = 0; /* what follows is counted by nobody */
    }
    return verdict;
}

/*
 * A record that holds a whole message, behind what introduces it, or cut somewhere, or the rest of one.  If
 * it does not, the introduction is what it was.
 */
static struct sa_payload_verdict
read_block(struct sa_sip_reader *reader, const struct sa_message_family *family,
           const struct sa_record *record, struct sa_slice text, struct sa_response *response)
{
    const struct sa_sip_introduction before = reader->introduction;
    enum sa_payload_outcome outcome = read_parts(reader, family, record, text, response).outcome;

    if (family != NULL && family->continues != NULL && sa_sip_reader_is_open(reader))
        return (struct sa_payload_verdict){.taken =
                                               true}; /* the rest may be in the next record, or on lines */
    if (reader->state == SA_SIP_HEADERS)              /* otherwise text that happens to hold an escape */
        outcome = sa_sip_is_message(&reader->message) ? sa_sip_message_break_off(reader, response)
                                                      : SA_PAYLOAD_NOTHING;
    reader->state = SA_SIP_IDLE;
    if (!sa_payload_is_complete(outcome)) {
        reader->introduction = before;
        return (struct sa_payload_verdict){.taken = false};
    }
    reader->introduction.is_open = false;
    return (struct sa_payload_verdict){.taken = true, .outcome = outcome};
}

/* The record goes on with a message that another one began: with *ret_text. */
static bool
continues(struct sa_sip_reader *reader, const struct sa_message_family *family, struct sa_slice line,
          const struct sa_record *record, struct sa_slice *ret_text)
{
    return family != NULL && family->continues != NULL && sa_sip_reader_is_open(reader) &&
           family->continues(&reader->introduction.told, record, line, ret_text);
}

/* A record that may hold many lines: never what a module of the proxy quotes. */
static bool
may_be_block(const struct sa_sip_reader *reader, const struct sa_message_family *family,
             const struct sa_record *record)
{
    if (reader->state != SA_SIP_IDLE)
        return false;
    if (family == NULL)
        return sa_sip_begins_record(record) && record->module.len == 0;
    return sa_sip_begins_record(record) || family->two_blanks_behind != NULL;
}

struct sa_payload_verdict
sa_sip_reader_line(struct sa_sip_reader *reader, const struct sa_message_family *family, struct sa_slice line,
                   const struct sa_record *record, struct sa_response *response)
{
    struct sa_slice text = sa_sip_begins_record(record) ? record->payload : sa_sip_strip_cr(line);

    if (continues(reader, family, line, record, &text))
        return read_block(reader, family, record, text, response);
    if (may_be_block(reader, family, record) && sa_sip_block_line_end(text, family) != NULL) {
        struct sa_payload_verdict verdict;

        reader->habits.has_records |= sa_sip_begins_record(record);
        verdict = read_block(reader, family, record, text, response);
        if (verdict.taken)
            return verdict;
    }
    return read_step(reader, family, line, record, response);
}

struct sa_passed
sa_sip_reader_pass_lines(struct sa_sip_reader *reader, const struct sa_message_family *family,
                         struct sa_timestamp_cache *stamps, const char *p, size_t len, size_t limit)
{
    if (reader->state != SA_SIP_INTRO)
        return sa_sip_message_pass_lines(reader, family, p, len, limit);
    return family == NULL || reader->introduction.waited != 0
               ? (struct sa_passed){0, 0}
               : sa_sip_introduction_pass_lines(reader, family, stamps, p, len, limit);
}

void
sa_sip_reader_pass(struct sa_sip_reader *reader, const struct sa_record *record)
{
    reader->introduction.is_open = false;
    reader->habits.has_records |= sa_sip_begins_record(record);
}

bool
sa_sip_reader_is_open(const struct sa_sip_reader *reader)
{
    return reader->state == SA_SIP_HEADERS || reader->state == SA_SIP_INTRO;
}

enum sa_payload_outcome
sa_sip_reader_abandon(struct sa_sip_reader *reader)
{
    bool open = sa_sip_reader_is_open(reader);

    reader->state = SA_SIP_IDLE;
    reader->introduction.is_open = false;
    return open ? SA_PAYLOAD_OTHER : SA_PAYLOAD_NOTHING;
}

enum sa_payload_outcome
sa_sip_reader_end(struct sa_sip_reader *reader, struct sa_response *response)
{
    if (reader->state == SA_SIP_INTRO)
        return sa_sip_reader_abandon(reader);
    return reader->state == SA_SIP_HEADERS ? sa_sip_message_break_off(reader, response) : SA_PAYLOAD_NOTHING;
}
