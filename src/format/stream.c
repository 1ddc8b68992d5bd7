#include "stream.h"
#include "daemon_lines.h"

int
sa_stream_init(struct sa_stream *stream, struct sa_format *format, size_t line_limit, sa_response_fn fn,
               void *arg)
{
    *stream = (struct sa_stream){.format = format, .fn = fn, .arg = arg};
    return sa_lines_init(&stream->lines, line_limit);
}

void
sa_stream_done(struct sa_stream *stream)
{
    sa_lines_done(&stream->lines);
}

static void
count_response(struct sa_stream *stream, const struct sa_response *response)
{
    stream->counts.matched++;
    stream->counts.responses += response->repeat;
    if (response->time_ms != 0) {
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

static void
read_line(void *arg, const char *text, size_t len, bool cut)
{
    struct sa_stream *stream = arg;
    struct sa_slice line = {text, len}, bare = line;
    struct sa_record record;
    struct sa_response response;
    bool single = stream->messages.state == SA_SIP_IDLE;
    int verdict;

    (void)cut;
    if (bare.len > 0 && bare.p[bare.len - 1] == '\r')
        bare.len--;
    sa_envelope_peel(&stream->stamps, bare, &record);
    do {
        verdict = sa_format_read(stream->format, &stream->messages, line, &record, &response);
        if (verdict & SA_PAYLOAD_HIT) {
            count_response(stream, &response);
            if (single && verdict & SA_PAYLOAD_TAKEN)
                remember(stream, &record, &response);
        }
        if (verdict & SA_PAYLOAD_OTHER)
            stream->counts.unmatched++;
    } while (verdict != SA_PAYLOAD_MISS && !(verdict & SA_PAYLOAD_TAKEN));
    if (verdict == SA_PAYLOAD_MISS && !read_daemon_line(stream, &record))
        stream->counts.unmatched++;
    else if (verdict & SA_PAYLOAD_JOINS)
        stream->counts.unmatched--;
    if (!(verdict & SA_PAYLOAD_HIT))
        stream->last_start_len = 0;
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
    stream->stamps.reference_ms = reference_ms;
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

    if (stream->messages.state != SA_SIP_HEADERS)
        return;
    if (sa_sip_reader_end(&stream->messages, &response) & SA_PAYLOAD_HIT)
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
    copy_line_counts(stream);
}

size_t
sa_stream_held(const struct sa_stream *stream)
{
    return stream->lines.partial ? (size_t)stream->lines.held : 0;
}

const void *
sa_stream_keep(const struct sa_stream *stream, size_t *ret_len)
{
    *ret_len = sizeof stream->messages;
    return &stream->messages;
}

void
sa_stream_recall(struct sa_stream *stream, const void *kept, size_t len)
{
    if (len == sizeof stream->messages)
        memcpy(&stream->messages, kept, len);
}
