/*
 * One stream of log bytes (a followed file, a scanned file) on its way to responses: lines, envelope,
 * payload, and the counts that say how much of it was understood.  How the bytes are cut into calls does not
 * matter. Pure, one thread; nothing is allocated per line.
 */
#ifndef SA_STREAM_H
#define SA_STREAM_H

#include "format.h"
#include "journal_export.h"
#include "lines.h"

/*
 * A record is a line, or a line and the SIP message behind it.  Every record is either one that held a
 * response (it may stand for several, when a log daemon folded repetitions) or unmatched.
 */
struct sa_stream_counts {
    uint64_t lines, bytes, responses, matched, unmatched, oversize;
    uint64_t match_limit; /* of the unmatched: a pattern gave up, it had too many ways to try */
    uint64_t nul_bytes, partial_dropped; /* skipped holes; lines whose end never came */
    int64_t first_ms, last_ms;           /* log time of the first and the latest response; 0: none */
};

#define SA_STREAM_START 20 /* what syslog-ng quotes of a line that it suppressed */

#define SA_STREAM_CUT   512 /* rsyslog cuts the text that it says was repeated somewhere behind this */

typedef void (*sa_lost_fn)(void *arg, uint64_t lines);
typedef void (*sa_response_fn)(void *arg, const struct sa_response *response);

struct sa_stream {
    struct sa_lines lines;
    struct sa_peeler peeler;
    struct sa_journal_export export;
    struct sa_sip_reader messages;
    struct sa_format *format; /* not owned; shared by the streams of a source */
    struct sa_stream_counts counts;
    sa_response_fn fn;
    sa_lost_fn lost_fn; /* NULL: nobody wants to know; a log daemon said that it dropped lines */
    void *arg;
    struct sa_response last; /* of the line before, which a log daemon may say was repeated */
    char last_start[SA_STREAM_START];
    bool is_log;             /* a line was no part of a journal's export */
    bool began_with_records; /* what sa_stream_begin_like() supposed */
    uint32_t last_hash;      /* of the first SA_STREAM_CUT bytes of its text; 0: it was shorter */
    size_t last_start_len;   /* 0: the line before held no response by itself */
};

/* Returns 0 or -ENOMEM. */
int sa_stream_init(struct sa_stream *stream, struct sa_format *format, size_t line_limit, sa_response_fn fn,
                   void *arg);
void sa_stream_done(struct sa_stream *stream);

/* reference_ms: wall clock that stamps without a year are nearest to. */
void sa_stream_feed(struct sa_stream *stream, const char *buf, size_t len, int64_t reference_ms);

/*
 * For several threads on one file.  Whether another stream could begin with the line: what came before it has
 * no say in what it is, as far as the line itself tells.  A stream that begins there like this one is set up
 * by sa_stream_begin_like(); sa_stream_follow() appends it to the one that read up to there, if that ended as
 * was supposed.  Returns 0, or -EAGAIN and has changed nothing.
 */
bool sa_stream_may_begin_at(const struct sa_stream *stream, struct sa_slice line);
void sa_stream_begin_like(struct sa_stream *stream, const struct sa_stream *other);
int sa_stream_follow(struct sa_stream *stream, struct sa_stream *next);

/* The stream is complete: an unterminated last line and an unfinished message get their verdict. */
void sa_stream_finish(struct sa_stream *stream);

/* The file was truncated: forgets what was held, keeps the counts. */
void sa_stream_reset(struct sa_stream *stream);

/* Nobody will write the rest: like finish, but a line without its end counts only if it is a whole record all
 * the same, otherwise as dropped. */
void sa_stream_break(struct sa_stream *stream);

/* So many NUL bytes were skipped between two lines. */
void sa_stream_hole(struct sa_stream *stream, uint64_t len);

/* Bytes of the line that is not complete. */
size_t sa_stream_held(const struct sa_stream *stream);

/*
 * Over a restart: adds the message that is being read to the buffer, and takes it from there.  False, with
 * nothing changed, if that is not what a stream of this version keeps; may_recall() asks without a stream.
 */
void sa_stream_keep(const struct sa_stream *stream, struct sa_buffer *buffer);
bool sa_stream_recall(struct sa_stream *stream, const void *kept, size_t len);
bool sa_stream_may_recall(const void *kept, size_t len);

#endif
