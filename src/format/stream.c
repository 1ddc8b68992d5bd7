#include "stream.h"
#include "daemon_lines.h"
#include "hot.h"
#include "text.h"

#include <errno.h>

static struct sa_passed pass_lines(void *arg, const char *p, size_t len);

int
sa_stream_init(struct sa_stream *stream, struct sa_format *format, size_t line_limit, sa_response_fn fn,
               void *arg)
{
    *stream = (struct sa_stream){.format = format, .fn = fn, .arg = arg};
    return sa_lines_init(&stream->lines, line_limit, pass_lines);
}

void
sa_stream_done(struct sa_stream *stream)
{
    sa_lines_done(&stream->lines);
    sa_peeler_done(&stream->peeler);
    sa_journal_export_done(&stream->export);
}

static void
count_response(struct sa_stream *stream, const struct sa_response *response)
{
    stream->counts.matched++;
    stream->counts.responses += response->repeat;
    if (response->time_ms > 0) {
        if (stream->counts.first_ms == 0)
            stream->counts.first_ms = response->time_ms;
        if (response->time_ms > stream->counts.last_ms)
            stream->counts.last_ms = response->time_ms;
    }
    stream->fn(stream->arg, response);
}

/* The start of the record's text as syslog-ng would quote it, kept beside its response. */
static void
remember(struct sa_stream *stream, const struct sa_record *record, const struct sa_response *response)
{
    struct sa_slice text = record->text;

    stream->last = *response;
    stream->last.repeat = 1;
    stream->last_start_len = text.len < SA_STREAM_START ? text.len : SA_STREAM_START;
    memcpy(stream->last_start, text.p, stream->last_start_len);
    stream->last_hash = text.len < SA_STREAM_CUT ? 0 : sa_text_hash(text.p, SA_STREAM_CUT);
}

/* rsyslog repeats the line before, cut, so that it can no longer be read. */
static bool
read_cut_repetition(struct sa_stream *stream, const struct sa_record *record)
{
    if (record->repeat == 1 || record->text.len < SA_STREAM_CUT || stream->last_start_len == 0 ||
        stream->last_hash == 0 || stream->last_hash != sa_text_hash(record->text.p, SA_STREAM_CUT))
        return false;
    stream->last.repeat = record->repeat;
    count_response(stream, &stream->last);
    return true;
}

/* A log daemon's line about the line before, or about lines that never came. */
static bool
read_daemon_line(struct sa_stream *stream, const struct sa_record *record)
{
    struct sa_slice start;
    uint32_t times = sa_daemon_line_repeated(record, &start);
    uint64_t lost = sa_daemon_line_lost(record);

    if (lost > 0 && stream->lost_fn != NULL)
        stream->lost_fn(stream->arg, lost);
    if (times == 0 || stream->last_start_len == 0 || start.len == 0 || start.len > stream->last_start_len ||
        memcmp(start.p, stream->last_start, start.len) != 0)
        return false;
    stream->last.repeat = times;
    count_response(stream, &stream->last);
    return true;
}

/* Everything that a record can be: a response, a part of one, a log daemon's own line, or nothing of use. */
static void
read_record(struct sa_stream *stream, struct sa_slice line, const struct sa_record *record)
{
    SA_WRITTEN_FIRST struct sa_response response; /* by whoever finds one */
    bool single = stream->messages.state == SA_SIP_IDLE;
    struct sa_payload_verdict verdict;

    if (single && sa_daemon_line_is_own(record)) {
        stream->counts.unmatched++;
        stream->last_start_len = 0;
        return;
    }
    do {
        verdict = sa_format_read(stream->format, &stream->messages, line, record, &response);
        if (verdict.outcome == SA_PAYLOAD_RESPONSE) {
            count_response(stream, &response);
            if (single && verdict.taken)
                remember(stream, record, &response);
        } else if (verdict.outcome == SA_PAYLOAD_OTHER) {
            stream->counts.unmatched++;
        }
    } while (!verdict.taken && sa_payload_is_complete(verdict.outcome));
    if (!verdict.taken && !read_daemon_line(stream, record) && !read_cut_repetition(stream, record)) {
        stream->counts.unmatched++;
        stream->counts.match_limit += verdict.outcome == SA_PAYLOAD_LIMIT;
    } else if (verdict.joins_previous) {
        stream->counts.unmatched--;
    }
    if (verdict.outcome != SA_PAYLOAD_RESPONSE)
        stream->last_start_len = 0;
}

/* A line of a journal entry; true if it was one. */
static bool
read_exported(struct sa_stream *stream, struct sa_slice line)
{
    struct sa_record record = {.repeat = 1};
    struct sa_slice message;
    enum sa_export_verdict verdict;

    /* Anybody can write such a line into a message: only what begins as an export is one. */
    if (!stream->export.active &&
        (line.len == 0 || line.p[0] != '_' || stream->is_log || stream->messages.state != SA_SIP_IDLE))
        return false;
    verdict = sa_journal_export_line(&stream->export, line, &record, &message);
    stream->lines.nuls_count = sa_journal_export_binary(&stream->export);
    if (verdict == SA_EXPORT_ENTRY) {
        sa_envelope_peel_text(&stream->peeler, message, &record);
        read_record(stream, message, &record);
    }
    return verdict != SA_EXPORT_NO;
}

static void
read_line(void *arg, const char *text, size_t len, bool cut)
{
    struct sa_stream *stream = arg;
    struct sa_slice line = {text, len}, bare = line;
    SA_WRITTEN_FIRST struct sa_record record; /* as the first thing of peeling */

    (void)cut;
    if (read_exported(stream, line))
        return;
    if (bare.len > 0 && bare.p[bare.len - 1] == '\r')
        bare.len--;
    sa_envelope_peel(&stream->peeler, bare, &record);
    stream->is_log = true;
    read_record(stream, line, &record);
}

/* Lines that need not be looked at one by one; the counts are as if they had been. */
static struct sa_passed
pass_lines(void *arg, const char *p, size_t len)
{
    struct sa_stream *stream = arg;
    struct sa_passed passed;

    bool unmatched;

    if (stream->export.active)
        return (struct sa_passed){0, 0};
    passed = sa_format_pass_lines(stream->format, &stream->messages, &stream->peeler.stamps, p, len,
                                  stream->lines.limit, &unmatched);
    if (unmatched)
        stream->counts.unmatched += passed.lines;
    if (passed.lines > 0) {
        stream->last_start_len = 0;
        stream->is_log = true;
    }
    return passed;
}

static void
copy_line_counts(struct sa_stream *stream)
{
    stream->counts.lines = stream->lines.lines;
    stream->counts.oversize = stream->lines.oversize;
    stream->counts.nul_bytes = stream->lines.nul_bytes;
    stream->counts.partial_dropped = stream->lines.partial_dropped;
}

void
sa_stream_feed(struct sa_stream *stream, const char *buf, size_t len, int64_t reference_ms)
{
    stream->peeler.stamps.reference_ms = reference_ms;
    stream->counts.bytes += len;
    sa_lines_feed(&stream->lines, buf, len, read_line, stream);
    copy_line_counts(stream);
}

void
sa_stream_hole(struct sa_stream *stream, uint64_t len)
{
    stream->counts.bytes += len;
    stream->lines.nul_bytes += len;
    copy_line_counts(stream);
}

static void
end_message(struct sa_stream *stream)
{
    struct sa_response response;

    if (!sa_sip_reader_is_open(&stream->messages))
        return;
    if (sa_sip_reader_end(&stream->messages, &response) == SA_PAYLOAD_RESPONSE)
        count_response(stream, &response);
    else
        stream->counts.unmatched++;
}

void
sa_stream_finish(struct sa_stream *stream)
{
    sa_lines_finish(&stream->lines, read_line, stream);
    end_message(stream);
    copy_line_counts(stream);
}

void
sa_stream_break(struct sa_stream *stream)
{
    struct sa_stream_counts before = stream->counts;
    bool partial = stream->lines.partial;

    sa_lines_finish(&stream->lines, read_line, stream);
    if (partial && stream->counts.matched == before.matched) {
        stream->counts = before;
        stream->lines.lines--;
        stream->lines.oversize = before.oversize;
        stream->lines.partial_dropped++;
    }
    end_message(stream);
    copy_line_counts(stream);
}

void
sa_stream_reset(struct sa_stream *stream)
{
    sa_lines_reset(&stream->lines);
    stream->messages = (struct sa_sip_reader){0};
    stream->export.active = stream->lines.nuls_count = false;
    copy_line_counts(stream);
}

size_t
sa_stream_held(const struct sa_stream *stream)
{
    return stream->lines.partial ? (size_t)stream->lines.held : 0;
}

void
sa_stream_keep(const struct sa_stream *stream, struct sa_buffer *buffer)
{
    sa_sip_reader_keep(&stream->messages, buffer);
}

bool
sa_stream_recall(struct sa_stream *stream, const void *kept, size_t len)
{
    return sa_sip_reader_recall(&stream->messages, kept, len);
}

bool
sa_stream_may_recall(const void *kept, size_t len)
{
    struct sa_sip_reader reader;

    return sa_sip_reader_recall(&reader, kept, len);
}

bool
sa_stream_may_begin_at(const struct sa_stream *stream, struct sa_slice line)
{
    struct sa_peeler peeler = {.stamps = stream->peeler.stamps};
    struct sa_slice bare = line, ignored;
    struct sa_record record;
    bool may = line.len > 0 && line.p[0] != '\0';

    if (bare.len > 0 && bare.p[bare.len - 1] == '\r')
        bare.len--;
    sa_envelope_peel(&peeler, bare, &record);
    may = may && sa_daemon_line_repeated(&record, &ignored) == 0 &&
          sa_format_may_begin_at(stream->format, &record, bare);
    sa_peeler_done(&peeler);
    return may;
}

void
sa_stream_begin_like(struct sa_stream *stream, const struct sa_stream *other)
{
    stream->messages.habits = other->messages.habits;
    stream->began_with_records = other->messages.habits.has_records;
    stream->is_log = other->is_log;
}

int
sa_stream_follow(struct sa_stream *stream, struct sa_stream *next)
{
    struct sa_stream_counts *counts = &stream->counts;
    struct sa_lines lines = next->lines;
    struct sa_journal_export export = next->export;

    if (stream->lines.partial || stream->export.active || stream->messages.state != SA_SIP_IDLE ||
        stream->messages.habits.has_records != next->began_with_records)
        return -EAGAIN;
    lines.lines += stream->lines.lines;
    lines.oversize += stream->lines.oversize;
    lines.nul_bytes += stream->lines.nul_bytes;
    lines.partial_dropped += stream->lines.partial_dropped;
    next->lines = stream->lines; /* what each owns changes hands */
    stream->lines = lines;
    next->export = stream->export;
    stream->export = export;
    stream->messages = next->messages;
    stream->last = next->last;
    memcpy(stream->last_start, next->last_start, sizeof stream->last_start);
    stream->last_start_len = next->last_start_len;
    counts->bytes += next->counts.bytes;
    counts->responses += next->counts.responses;
    counts->matched += next->counts.matched;
    counts->unmatched += next->counts.unmatched;
    counts->match_limit += next->counts.match_limit;
    if (counts->first_ms == 0)
        counts->first_ms = next->counts.first_ms;
    if (next->counts.last_ms > counts->last_ms)
        counts->last_ms = next->counts.last_ms;
    copy_line_counts(stream);
    return 0;
}
