#include "envelope.h"

static void
skip_spaces(struct sa_slice *s)
{
    while (s->len > 0 && s->p[0] == ' ')
        *s = sa_slice_from(*s, 1);
}

/* The word up to the next space, stepping over that space; false if there is no further space. */
static bool
next_word(struct sa_slice *s, struct sa_slice *word)
{
    size_t n = sa_slice_find(*s, ' ');

    if (n == 0 || n == s->len)
        return false;
    *word = (struct sa_slice){s->p, n};
    *s = sa_slice_from(*s, n + 1);
    return true;
}

/* "<134>" */
static bool
skip_priority(struct sa_slice *s)
{
    size_t digits;

    if (s->len < 3 || s->p[0] != '<')
        return false;
    digits = sa_slice_digits(sa_slice_from(*s, 1));
    if (digits == 0 || digits > 3 || digits + 1 >= s->len || s->p[digits + 1] != '>')
        return false;
    *s = sa_slice_from(*s, digits + 2);
    return true;
}

/* RFC 5424 section 6.3: "-" or elements in brackets, where '\' escapes inside quoted values. */
static bool
skip_structured_data(struct sa_slice *s)
{
    bool quoted = false;
    size_t i = 0;

    if (sa_slice_skip(s, "-"))
        return true;
    if (s->len == 0 || s->p[0] != '[')
        return false;
    for (i = 0; i < s->len; i++) {
        if (quoted && s->p[i] == '\\')
            i++;
        else if (s->p[i] == '"')
            quoted = !quoted;
        else if (!quoted && s->p[i] == ']' && (i + 1 == s->len || s->p[i + 1] != '[')) {
            *s = sa_slice_from(*s, i + 1);
            return true;
        }
    }
    return false;
}

/* RFC 5424 section 6: VERSION SP TIMESTAMP SP HOST SP APP SP PROCID SP MSGID SP SD [SP MSG], after the PRI.
 */
static bool
peel_rfc5424(struct sa_timestamp_cache *cache, struct sa_slice *s, struct sa_record *record)
{
    struct sa_slice rest = *s, stamp, host, word;
    int64_t time_ms = 0;

    if (!sa_slice_skip(&rest, "1 ") || !next_word(&rest, &stamp) || !next_word(&rest, &host) ||
        !next_word(&rest, &record->program) || !next_word(&rest, &word) || !next_word(&rest, &word) ||
        !skip_structured_data(&rest))
        return false;
    if (!(stamp.len == 1 && stamp.p[0] == '-') && sa_timestamp_iso(cache, stamp, &time_ms) != stamp.len)
        return false;
    skip_spaces(&rest);
    (void)sa_slice_skip(&rest, "\xef\xbb\xbf");
    record->time_ms = time_ms;
    record->host = host;
    *s = rest;
    return true;
}

/* "kamailio[34]:" and the space behind it. */
static bool
skip_tag(struct sa_slice *s, struct sa_slice *program)
{
    size_t n = 0;

    while (n < s->len && s->p[n] != ' ' && s->p[n] != ':')
        n++;
    if (n == 0 || n == s->len || s->p[n] != ':')
        return false;
    *program = (struct sa_slice){s->p, sa_slice_find((struct sa_slice){s->p, n}, '[')};
    *s = sa_slice_from(*s, n + 1);
    skip_spaces(s);
    return true;
}

/* "[35] ", the process number that OpenSIPS writes on stderr in place of host and tag. */
static bool
skip_bracketed_pid(struct sa_slice *s)
{
    struct sa_slice rest = *s;
    size_t digits;

    if (!sa_slice_skip(&rest, "["))
        return false;
    digits = sa_slice_digits(rest);
    rest = sa_slice_from(rest, digits);
    if (digits == 0 || !sa_slice_skip(&rest, "] "))
        return false;
    *s = rest;
    return true;
}

/* RFC 3164 files and their variant with an ISO stamp: STAMP SP HOST SP TAG: MSG. */
static bool
peel_traditional(struct sa_timestamp_cache *cache, struct sa_slice *s, struct sa_record *record)
{
    int64_t time_ms;
    size_t n = sa_timestamp_bsd(cache, *s, &time_ms);
    struct sa_slice rest;

    if (n == 0)
        n = sa_timestamp_iso(cache, *s, &time_ms);
    if (n == 0 || n == s->len || s->p[n] != ' ')
        return false;
    rest = sa_slice_from(*s, n + 1);
    if (!skip_bracketed_pid(&rest)) {
        if (!next_word(&rest, &record->host))
            return false;
        (void)skip_tag(&rest, &record->program);
    }
    record->time_ms = time_ms;
    *s = rest;
    return true;
}

/* " 2(31) ", the process index and number that Kamailio writes on stderr. */
static bool
peel_kamailio_stderr(struct sa_slice *s)
{
    struct sa_slice rest = *s;
    size_t digits;

    skip_spaces(&rest);
    digits = sa_slice_digits(rest);
    rest = sa_slice_from(rest, digits);
    if (digits == 0 || digits > 5 || !sa_slice_skip(&rest, "("))
        return false;
    digits = sa_slice_digits(rest);
    rest = sa_slice_from(rest, digits);
    if (digits == 0 || !sa_slice_skip(&rest, ") "))
        return false;
    *s = rest;
    return true;
}

/* rsyslog: "message repeated 3 times: [ TEXT]". */
static void
peel_repetition(struct sa_slice *s, struct sa_record *record)
{
    struct sa_slice rest = *s;
    uint32_t count = 0;
    size_t digits;

    if (!sa_slice_skip(&rest, "message repeated "))
        return;
    digits = sa_slice_digits(rest);
    if (digits == 0 || digits > 6)
        return;
    for (size_t i = 0; i < digits; i++)
        count = count * 10 + (uint32_t)(rest.p[i] - '0');
    rest = sa_slice_from(rest, digits);
    if (count == 0 || !sa_slice_skip(&rest, " times: [ ") || rest.len == 0 || rest.p[rest.len - 1] != ']')
        return;
    rest.len--;
    record->repeat = count;
    *s = rest;
}

/* A log level of either proxy and its colon. */
static bool
skip_level(struct sa_slice *s)
{
    static const char *const levels[] = {"DEBUG:", "INFO:",  "NOTICE:", "WARNING:", "ERROR:", "CRITICAL:",
                                         "ALERT:", "EMERG:", "DBG:",    "WARN:",    "CRIT:",  "BUG:"};

    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (sa_slice_skip(s, levels[i]))
            return true;
    return false;
}

/* Kamailio's default log_prefix, "{$mt $hdr(CSeq) $ci} ": every part is a word, so nothing in it can end it
 * early. */
static bool
skip_default_log_prefix(struct sa_slice *s, struct sa_record *record)
{
    struct sa_slice rest = *s, kind, number, method, call_id;

    if (!sa_slice_skip(&rest, "{") || !next_word(&rest, &kind) || kind.len != 1 ||
        !next_word(&rest, &number) || sa_slice_digits(number) != number.len || !next_word(&rest, &method) ||
        !next_word(&rest, &call_id) || call_id.p[call_id.len - 1] != '}')
        return false;
    record->method = method;
    record->call_id = (struct sa_slice){call_id.p, call_id.len - 1};
    *s = rest;
    return true;
}

/* "acc [acc.c:287]: acc_log_request(): " */
static bool
skip_module(struct sa_slice *s, struct sa_slice *module)
{
    struct sa_slice rest = *s, name;
    size_t end, digits = 0;

    if (!next_word(&rest, &name) || !sa_slice_skip(&rest, "["))
        return false;
    end = sa_slice_find(rest, ']');
    while (digits < end && sa_is_digit(rest.p[end - 1 - digits]))
        digits++;
    if (digits == 0 || digits + 1 >= end || rest.p[end - 1 - digits] != ':' || sa_slice_find(rest, ' ') < end)
        return false;
    rest = sa_slice_from(rest, end);
    if (!sa_slice_skip(&rest, "]: "))
        return false;
    end = sa_slice_find(rest, ' ');
    if (end >= 3 && end < rest.len && memcmp(rest.p + end - 3, "():", 3) == 0)
        rest = sa_slice_from(rest, end + 1);
    *module = name;
    *s = rest;
    return true;
}

/* "LEVEL: [log_prefix ]<script>: " or "LEVEL: [log_prefix ]module [file:line]: function(): ". */
static void
peel_kamailio(struct sa_slice *s, struct sa_record *record)
{
    struct sa_slice rest = *s, word;

    if (skip_default_log_prefix(&rest, record))
        *s = rest; /* modparam("xlog", "prefix", "") leaves nothing between log_prefix and text */
    if (sa_slice_skip(&rest, "<script>: ") || skip_module(&rest, &record->module)) {
        *s = rest;
        return;
    }
    /* A log_prefix of the operator's own: believed if it is one word, so that no text of a message can pose
     * as it. */
    if (next_word(&rest, &word) &&
        (sa_slice_skip(&rest, "<script>: ") || skip_module(&rest, &record->module)))
        *s = rest;
}

void
sa_envelope_peel(struct sa_timestamp_cache *cache, struct sa_slice line, struct sa_record *record)
{
    struct sa_slice s = line;
    bool priority;

    *record = (struct sa_record){.repeat = 1};
    priority = skip_priority(&s);
    if ((priority && peel_rfc5424(cache, &s, record)) || peel_traditional(cache, &s, record)) {
        record->enveloped = true;
        peel_repetition(&s, record);
    } else if (!priority && peel_kamailio_stderr(&s)) {
        record->enveloped = true;
    } else {
        s = line;
    }
    record->payload = record->text = s;
    if (!skip_level(&s))
        return;
    if (sa_slice_skip(&s, " ")) {
        record->proxy = SA_PROXY_KAMAILIO;
        peel_kamailio(&s, record);
    } else {
        record->proxy = SA_PROXY_OPENSIPS;
    }
    record->payload = s;
}
