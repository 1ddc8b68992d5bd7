#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern.h"
#include "hot.h"
#include "lang.h"
#include "xlog_template.h"

#include <errno.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#define MATCH_LIMIT 200000 /* steps; an ordinary line takes some dozens */

struct sa_pattern {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    uint32_t group_code, group_method, group_peer, group_call_id; /* 0: the pattern has none */
    enum sa_direction direction;
    struct sa_template *template; /* owned; instead of the code: only text of the routing script can match */
    bool interpreted;             /* a regular expression without JIT */
};

struct sa_pattern *
sa_pattern_free(struct sa_pattern *pattern)
{
    if (pattern == NULL)
        return NULL;
    pcre2_match_context_free(pattern->context);
    pcre2_match_data_free(pattern->match);
    pcre2_code_free(pattern->code);
    free(pattern->template);
    free(pattern);
    return NULL;
}

static uint32_t
group(const struct sa_pattern *pattern, const char *name)
{
    int number = pcre2_substring_number_from_name(pattern->code, (PCRE2_SPTR)name);

    return number > 0 ? (uint32_t)number : 0;
}

static struct sa_pattern *
compile(const char *text, char error[SA_PATTERN_ERROR_SIZE])
{
    struct sa_pattern *pattern = calloc(1, sizeof *pattern);
    PCRE2_SIZE offset = 0;
    int number = 0;

    if (pattern == NULL) {
        (void)snprintf(error, SA_PATTERN_ERROR_SIZE, "out of memory");
        return NULL;
    }
    pattern->code =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_NEVER_UTF, &number, &offset, NULL);
    if (pattern->code == NULL) {
        char message[SA_PATTERN_ERROR_SIZE - 40];

        (void)pcre2_get_error_message(number, (PCRE2_UCHAR *)message, sizeof message);
        (void)snprintf(error, SA_PATTERN_ERROR_SIZE, "at character %zu: %s", (size_t)offset, message);
        return sa_pattern_free(pattern);
    }
    /* A system that lets no process make code refuses it: without JIT it is the same, only slower. */
    pattern->interpreted = pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE) != 0;
    pattern->match = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    pattern->context = pcre2_match_context_create(NULL);
    if (pattern->match == NULL || pattern->context == NULL) {
        (void)snprintf(error, SA_PATTERN_ERROR_SIZE, "out of memory");
        return sa_pattern_free(pattern);
    }
    (void)pcre2_set_match_limit(pattern->context, MATCH_LIMIT);
    pattern->group_code = group(pattern, "code");
    pattern->group_method = group(pattern, "method");
    pattern->group_peer = group(pattern, "peer");
    pattern->group_call_id = group(pattern, "callid");
    return pattern;
}

struct sa_pattern *
sa_pattern_new_xlog(const char *template, enum sa_direction direction, char error[SA_PATTERN_ERROR_SIZE])
{
    struct sa_pattern *pattern = calloc(1, sizeof *pattern);

    if (pattern != NULL)
        pattern->template = calloc(1, sizeof *pattern->template);
    if (pattern == NULL || pattern->template == NULL) {
        (void)snprintf(error, SA_PATTERN_ERROR_SIZE, "out of memory");
        return sa_pattern_free(pattern);
    }
    switch (sa_template_compile(template, pattern->template)) {
    case 0:
        break;
    case -EINVAL:
        (void)snprintf(
            error, SA_PATTERN_ERROR_SIZE,
            "no variable of the template is a status code; add $rs (or $T_reply_code) to the xlog line");
        return sa_pattern_free(pattern);
    default:
        (void)snprintf(error, SA_PATTERN_ERROR_SIZE, "the template is too long");
        return sa_pattern_free(pattern);
    }
    pattern->direction = direction;
    return pattern;
}

struct sa_pattern *
sa_pattern_new_regex(const char *regex, char error[SA_PATTERN_ERROR_SIZE])
{
    struct sa_pattern *pattern = compile(regex, error);

    if (pattern != NULL && pattern->group_code == 0) {
        (void)snprintf(error, SA_PATTERN_ERROR_SIZE, "the pattern has no group (?<code>...)");
        return sa_pattern_free(pattern);
    }
    return pattern;
}

static struct sa_slice
captured(const struct sa_pattern *pattern, const PCRE2_SIZE *offsets, struct sa_slice subject,
         uint32_t number)
{
    if (number == 0 || number >= pcre2_get_ovector_count(pattern->match) ||
        offsets[2 * number] == PCRE2_UNSET)
        return (struct sa_slice){subject.p, 0};
    return (struct sa_slice){subject.p + offsets[2 * number], offsets[2 * number + 1] - offsets[2 * number]};
}

static enum sa_template_verdict
match_regex(struct sa_pattern *pattern, struct sa_slice subject, struct sa_slice fields[SA_FIELD_COUNT])
{
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(pattern->match);
    int n = pcre2_match(pattern->code, (PCRE2_SPTR)subject.p, subject.len, 0, 0, pattern->match,
                        pattern->context);

    if (n < 0)
        return n == PCRE2_ERROR_NOMATCH ? SA_TEMPLATE_MISS : SA_TEMPLATE_LIMIT;
    fields[SA_FIELD_CODE] = captured(pattern, offsets, subject, pattern->group_code);
    fields[SA_FIELD_METHOD] = captured(pattern, offsets, subject, pattern->group_method);
    fields[SA_FIELD_CALL_ID] = captured(pattern, offsets, subject, pattern->group_call_id);
    fields[SA_FIELD_PEER] = captured(pattern, offsets, subject, pattern->group_peer);
    fields[SA_FIELD_CSEQ].len = 0;
    return SA_TEMPLATE_HIT;
}

static enum sa_template_verdict
match_fields(struct sa_pattern *pattern, const struct sa_record *record,
             struct sa_slice fields[SA_FIELD_COUNT])
{
    if (record->payload.len == 0)
        return SA_TEMPLATE_MISS;
    if (pattern->template == NULL)
        return match_regex(pattern, record->payload, fields);
    return record->module.len != 0 ? SA_TEMPLATE_MISS
                                   : sa_template_match(pattern->template, record->payload, fields);
}

enum sa_payload_outcome
sa_pattern_match(struct sa_pattern *pattern, const struct sa_record *record, struct sa_response *response)
{
    SA_WRITTEN_FIRST struct sa_slice fields[SA_FIELD_COUNT]; /* by what matches */
    enum sa_template_verdict verdict = match_fields(pattern, record, fields);

    if (verdict != SA_TEMPLATE_HIT)
        return verdict == SA_TEMPLATE_LIMIT ? SA_PAYLOAD_LIMIT : SA_PAYLOAD_NOTHING;
    sa_payload_begin(response, record);
    if (!sa_payload_set_code(response, fields[SA_FIELD_CODE]))
        return SA_PAYLOAD_NOTHING;
    response->direction = pattern->direction;
    if (fields[SA_FIELD_METHOD].len != 0)
        sa_payload_set_method(response, fields[SA_FIELD_METHOD]);
    if (fields[SA_FIELD_CALL_ID].len != 0)
        sa_payload_set_call_id(response, fields[SA_FIELD_CALL_ID]);
    if (fields[SA_FIELD_PEER].len != 0)
        sa_payload_set_peer(response, fields[SA_FIELD_PEER]);
    if (fields[SA_FIELD_CSEQ].len != 0)
        sa_payload_mix_transaction(response, fields[SA_FIELD_CSEQ]);
    return SA_PAYLOAD_RESPONSE;
}

void
sa_pattern_explain(struct sa_pattern *pattern, const struct sa_record *record, char *text, size_t size)
{
    struct sa_response ignored;

    if (pattern->template == NULL)
        (void)snprintf(text, size, "%s",
                       sa_pattern_match(pattern, record, &ignored) == SA_PAYLOAD_LIMIT
                           ? _("the regular expression gave up: too many ways to match")
                           : _("the regular expression does not match"));
    else if (record->module.len != 0)
        (void)snprintf(text, size, _("module %.*s wrote it, not the script"), (int)(record->module.len & 63),
                       record->module.p);
    else
        sa_template_explain(pattern->template, record->payload, text, size);
}

struct sa_slice
sa_pattern_literal(const struct sa_pattern *pattern)
{
    return pattern->template == NULL ? (struct sa_slice){"", 0} : sa_template_literal(pattern->template);
}

bool
sa_pattern_is_interpreted(const struct sa_pattern *pattern)
{
    return pattern->interpreted;
}
