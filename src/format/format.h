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
#include "sip_message.h"

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

/* Passes over lines at the start of p that can be nothing but unmatched ones, given that no message is being
 * read; 0 bytes if there are none, or the format does not say so. */
struct sa_passed sa_format_pass_lines(const struct sa_format *format, const char *p, size_t len,
                                      size_t limit);

/*
 * Reads one line of the log: line as written (with its CR), record as peeled.  Same results as
 * sa_sip_reader_line(); reader belongs to the stream.
 */
int sa_format_read(struct sa_format *format, struct sa_sip_reader *reader, struct sa_slice line,
                   const struct sa_record *record, struct sa_response *response);

/* The preset that auto has chosen, "" if there is nothing that it chose; and the same choice over a restart.
 */
const char *sa_format_chosen(const struct sa_format *format);
void sa_format_choose(struct sa_format *format, const char *preset);

/* What to show: the chosen preset or the user's name; "auto" and what it has seen while it is undecided. */
const char *sa_format_describe(const struct sa_format *format);

#endif
