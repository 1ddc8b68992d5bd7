/*
 * A user pattern (an xlog template or a regular expression with named groups) that finds a response in a
 * payload: regular expressions by PCRE2 with JIT, and limits against patterns that explode.  One thread per
 * pattern.
 */
#ifndef SA_PATTERN_H
#define SA_PATTERN_H

#include "payload.h"

struct sa_pattern;

#define SA_PATTERN_ERROR_SIZE 256

/*
 * Compiles an xlog template (whole payload; direction is what the template's place in the configuration says)
 * or a regular expression with the groups code, method, peer, callid (searched in the payload).
 * Returns NULL and a message for the user on error.
 */
struct sa_pattern *sa_pattern_new_xlog(const char *template, enum sa_direction direction,
                                       char error[SA_PATTERN_ERROR_SIZE]);
struct sa_pattern *sa_pattern_new_regex(const char *regex, char error[SA_PATTERN_ERROR_SIZE]);
struct sa_pattern *sa_pattern_free(struct sa_pattern *pattern);

/* SA_PAYLOAD_NOTHING or LIMIT, or RESPONSE with *response filled. */
enum sa_payload_outcome sa_pattern_match(struct sa_pattern *pattern, const struct sa_record *record,
                                         struct sa_response *response);

/* Why it does not match the record, for people. */
void sa_pattern_explain(struct sa_pattern *pattern, const struct sa_record *record, char *text, size_t size);

/* What every payload holds that the pattern can match; empty if nothing is known. */
struct sa_slice sa_pattern_literal(const struct sa_pattern *pattern);

/* Whether it is a regular expression that PCRE2 could not turn into machine code: about half as fast. */
bool sa_pattern_is_interpreted(const struct sa_pattern *pattern);

#endif
