#include "sip_introduction.h"
#include "sip_header.h"
#include "sip_message.h"
#include "text.h"

/* The last words "… from 192.0.2.1:5060" or "… from 192.0.2.1:5060:" tell the peer. */
static void
take_last_words(struct sa_response *about, struct sa_slice words)
{
    struct sa_slice tail = sa_sip_trim(words);
    size_t start;

    if (tail.len > 0 && tail.p[tail.len - 1] == ':')
        tail.len--;
    for (start = tail.len; start > 0 && tail.p[start - 1] != ' '; start--)
        ;
    if (start >= 6 && memcmp(tail.p + start - 6, " from ", 6) == 0 && start < tail.len &&
        (sa_is_digit(tail.p[start]) || tail.p[start] == '['))
        sa_payload_set_peer(about, sa_slice_from(tail, start));
}

/* What a record says before a message begins, or a log without records does not say. */
static void
introduce(struct sa_sip_reader *reader, const struct sa_record *record, struct sa_slice words,
          unsigned margin)
{
    struct sa_sip_introduction *introduction = &reader->introduction;

    *introduction = (struct sa_sip_introduction){
        .host = sa_text_hash(record->host.p, record->host.len),
        .margin = margin,
    };
    sa_payload_begin(&introduction->told.about, record);
    /* The message's own are better. */
    introduction->told.about.method[0] = introduction->told.about.call_id[0] = '\0';
    take_last_words(&introduction->told.about, words);
}

/* Width of what stands in the line before the text of the record. */
static unsigned
prefix_width(struct sa_slice line, const struct sa_record *record)
{
    return record->text.p >= line.p && record->text.p <= line.p + line.len
               ? (unsigned)(record->text.p - line.p)
               : 0;
}

/* At the payload of a record. */
static struct sa_payload_verdict
begin_in_record(struct sa_sip_reader *reader, struct sa_slice line, const struct sa_record *record)
{
    struct sa_payload_verdict verdict = {.outcome = SA_PAYLOAD_NOTHING};

    reader->habits.has_records = true;
    if (record->module.len == 0) {
        introduce(reader, record, record->payload, prefix_width(line, record));
        verdict.taken = sa_sip_message_begin(reader, record->payload, 0);
    }
    reader->introduction.is_open = record->module.len == 0;
    if (verdict.taken)
        reader->message.has_cr |= line.len > 0 && line.p[line.len - 1] == '\r';
    return verdict;
}

struct sa_payload_verdict
sa_sip_introduction_any(struct sa_sip_reader *reader, struct sa_slice line, const struct sa_record *record)
{
    struct sa_payload_verdict verdict = {.joins_previous = reader->introduction.is_open};
    unsigned indent;

    if (sa_sip_begins_record(record))
        return begin_in_record(reader, line, record);
    if (!reader->introduction.is_open) {
        if (reader->habits.has_records)
            return verdict;
        introduce(reader, record, (struct sa_slice){line.p, 0}, 0);
    }
    indent = sa_sip_message_margin(reader, line);
    verdict.taken = sa_sip_message_begin(reader, sa_slice_from(line, indent), indent);
    verdict.joins_previous &= verdict.taken;
    reader->introduction.is_open &= verdict.taken;
    return verdict;
}

struct sa_payload_verdict
sa_sip_introduction_begin(struct sa_sip_reader *reader, const struct sa_message_family *family,
                          struct sa_slice line, const struct sa_record *record)
{
    struct sa_sip_introduction introduction = {.family = family->id};
    enum sa_intro_verdict verdict;

    introduction.told.about.repeat = 1;
    if (record->time_ms != 0 || record->repeat != 1)
        sa_payload_begin(&introduction.told.about, record);
    verdict = family->intro(&introduction.told, record, sa_sip_strip_cr(line));
    if (verdict != SA_INTRO_MORE && verdict != SA_INTRO_DONE)
        return (struct sa_payload_verdict){.outcome = verdict == SA_INTRO_SKIP ? SA_PAYLOAD_SKIP
                                                                               : SA_PAYLOAD_NOTHING};
    introduction.host = sa_text_hash(record->host.p, record->host.len);
    introduction.waited = verdict == SA_INTRO_DONE ? 1 : 0;
    reader->introduction = introduction;
    reader->state = SA_SIP_INTRO;
    reader->habits.has_records |= sa_sip_begins_record(record);
    return (struct sa_payload_verdict){.taken = true};
}

/* A further line of the introduction; false: it is none. */
static bool
go_on(struct sa_sip_introduction *introduction, const struct sa_message_family *family, struct sa_slice line,
      const struct sa_record *record)
{
    enum sa_intro_verdict verdict = family->intro(&introduction->told, record, line);

    if (verdict == SA_INTRO_NO)
        return false;
    introduction->waited = verdict == SA_INTRO_DONE ? 1 : 0;
    return true;
}

/* Blanks before the line, no more than the family puts there. */
static unsigned
indent_of(const struct sa_message_family *family, struct sa_slice line)
{
    unsigned indent = 0;

    while (indent < family->indent && indent < line.len && line.p[indent] == ' ')
        indent++;
    return indent;
}

#define WAIT_MAX 4 /* lines between introduction and message */

/* A line that may stand between the introduction and the message. */
static bool
may_wait(struct sa_sip_introduction *introduction, const struct sa_message_family *family,
         struct sa_slice line)
{
    return introduction->waited++ < WAIT_MAX &&
           (sa_sip_trim(line).len == 0 || (family->closes != NULL && family->closes(line)) ||
            sa_slice_is_rule(line, '-', 5) || sa_slice_is_rule(line, '~', 5));
}

struct sa_payload_verdict
sa_sip_introduction_line(struct sa_sip_reader *reader, const struct sa_message_family *family,
                         struct sa_slice line, const struct sa_record *record)
{
    struct sa_payload_verdict verdict = {.taken = true};
    struct sa_slice text;

    if (reader->introduction.waited == 0) {
        verdict.taken = go_on(&reader->introduction, family, sa_sip_strip_cr(line), record);
    } else {
        text = sa_sip_message_text(reader, family, family->indent, line, record);
        verdict.taken = sa_sip_message_begin(reader, text, indent_of(family, line)) ||
                        may_wait(&reader->introduction, family, sa_sip_strip_cr(text));
    }
    if (!verdict.taken)
        verdict.outcome = sa_sip_reader_abandon(reader);
    return verdict;
}

struct sa_passed
sa_sip_introduction_pass_lines(struct sa_sip_reader *reader, const struct sa_message_family *family,
                               struct sa_timestamp_cache *stamps, const char *p, size_t len, size_t limit)
{
    struct sa_record record = {.repeat = 1, .stamps = stamps};
    struct sa_passed passed = {0, 0};
    struct sa_slice line;

    while (sa_sip_line_at(p + passed.bytes, len - passed.bytes, limit, &line) &&
           (line.len == 0 || !sa_envelope_may_wrap(line.p[0]))) {
        struct sa_slice text = sa_sip_strip_cr(line);

        record.payload = text;
        record.text = text;
        if (!go_on(&reader->introduction, family, text, &record))
            break; /* read again by itself, it breaks the introduction */
        passed.bytes += line.len + 1;
        passed.lines++;
        if (reader->introduction.waited != 0)
            break;
    }
    return passed;
}
