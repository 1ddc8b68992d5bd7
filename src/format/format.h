/*
 * A format: which payloads a source's records may hold.  It is made of presets (the table below) and of the
 * user's own patterns; "auto" is all presets until one of them has proved itself.
 * One thread per format object.
 */
#ifndef SA_FORMAT_H
#define SA_FORMAT_H

#include "find.h"
#include "json_payload.h"
#include "pattern.h"
#include "presets.h"
#include "sip_reader.h"

#define SA_FORMAT_PARTS 40 /* presets and patterns in one format */

/* A format section of the configuration. */
struct sa_format_def {
    char name[SA_NAME_SIZE];
    char **xlog, **xlog_sent, **regex; /* owned by the configuration, each ended by NULL */
    struct sa_json_def *json;          /* likewise, NULL: none */
};

struct sa_format;

/* A format without parts; NULL if there is no memory. */
struct sa_format *sa_format_new(void);
struct sa_format *sa_format_free(struct sa_format *format);

/*
 * Adds a preset by name, or all of them for "auto".  Returns 0; -ENOENT if there is no such preset; -E2BIG if
 * the format has no room; -EINVAL with a message if a pattern does not compile.
 */
int sa_format_add_preset(struct sa_format *format, const char *name, char error[SA_PATTERN_ERROR_SIZE]);
int sa_format_add_user(struct sa_format *format, const struct sa_format_def *def,
                       char error[SA_PATTERN_ERROR_SIZE]);

/* No responses at all: for a file of which only the lines of log daemons are of interest. */
void sa_format_want_nothing(struct sa_format *format);

/*
 * Deals with lines at the start of p without looking at each by itself: inside a message with those that
 * complete nothing, outside of one with those that can be nothing but unmatched, which *ret_unmatched says.
 */
struct sa_passed sa_format_pass_lines(struct sa_format *format, struct sa_sip_reader *reader,
                                      struct sa_timestamp_cache *stamps, const char *p, size_t len,
                                      size_t limit, bool *ret_unmatched);

/*
 * Reads one line of the log: line as written (with its CR), record as peeled.  Same verdicts
 * as sa_sip_reader_line() without SKIP, or LIMIT if no part could read it and a pattern gave up; reader
 * belongs to the stream.
 */
struct sa_payload_verdict sa_format_read(struct sa_format *format, struct sa_sip_reader *reader,
                                         struct sa_slice line, const struct sa_record *record,
                                         struct sa_response *response);

/* Whether a regular expression of it runs without JIT (pattern.h). */
bool sa_format_is_interpreted(const struct sa_format *format);

/* The preset that auto has chosen, "" if there is nothing that it chose; and the same choice over a restart.
 */
const char *sa_format_chosen(const struct sa_format *format);
void sa_format_choose(struct sa_format *format, const char *preset);

/* Why the record is no response of this format, for people; of several patterns the one that came furthest is
 * not looked for, the first has to do. */
void sa_format_explain(struct sa_format *format, const struct sa_record *record, char *text, size_t size);

/* auto has decided, or there was nothing to decide. */
bool sa_format_is_settled(const struct sa_format *format);

/* Whether a line begins something by itself, whatever the lines before it were. */
bool sa_format_may_begin_at(const struct sa_format *format, const struct sa_record *record,
                            struct sa_slice line);

/* What to show: the chosen preset or the user's name; "auto" and what it has seen while it is undecided. */
const char *sa_format_describe(struct sa_format *format);

#endif
