#include "transport.h"

static void
skip_spaces(struct sa_slice *s)
{
    while (s->len > 0 && s->p[0] == ' ')
        *s = sa_slice_from(*s, 1);
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

    if (!sa_slice_skip(&rest, "1 ") || !sa_slice_next_word(&rest, &stamp) ||
        !sa_slice_next_word(&rest, &host) || !sa_slice_next_word(&rest, &record->program) ||
        !sa_slice_next_word(&rest, &word) || !sa_slice_next_word(&rest, &word) ||
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

/* Renderings of journalctl that are not syslog's: "Fri 2026-11-20 16:44:28 UTC ", "1795193088.123456 ",
 * "[  123.456789] "; and the time in brackets of Asterisk. */
static bool
skip_other_stamp(struct sa_timestamp_cache *cache, struct sa_slice *s, struct sa_record *record)
{
    struct sa_slice rest = *s, word;
    int64_t time_ms = 0;
    size_t n;

    if (sa_slice_skip(&rest, "[")) {
        n = sa_timestamp_iso(cache, rest, &time_ms);
        if (n == 0)
            n = sa_timestamp_bsd(cache, rest, &time_ms);
        record->bare_stamp = n != 0;
        if (n == 0) { /* since the machine was started */
            while (n < rest.len && (rest.p[n] == ' ' || rest.p[n] == '.' || sa_is_digit(rest.p[n])))
                n++;
        }
        rest = sa_slice_from(rest, n);
        if (n == 0 || !sa_slice_skip(&rest, "] "))
            return false;
    } else if (rest.len > 4 && rest.p[3] == ' ' && sa_is_digit(rest.p[4])) {
        rest = sa_slice_from(rest, 4);
        n = sa_timestamp_iso(cache, rest, &time_ms);
        if (n != 19)
            return false;
        rest = sa_slice_from(rest, n);
        if (!sa_slice_skip(&rest, " ") || !sa_slice_next_word(&rest, &word))
            return false;
        if (word.len == 3 && memcmp(word.p, "UTC", 3) == 0)
            time_ms = cache->iso.civil_ms;
    } else {
        n = sa_timestamp_epoch(rest, &time_ms);
        rest = sa_slice_from(rest, n);
        if (n < 10 || !sa_slice_skip(&rest, " "))
            return false;
    }
    record->time_ms = time_ms;
    *s = rest;
    return true;
}

/* "[DEBUG] file.c:12 " or "00.00% [DEBUG] " of FreeSWITCH behind the stamp: no host and no tag. */
static bool
is_freeswitch(struct sa_slice s)
{
    size_t digits = sa_slice_digits(s);

    if (digits > 0 && digits < 4) {
        size_t end = sa_slice_find(s, ' ');

        if (end == s.len || s.p[end - 1] != '%')
            return false;
        s = sa_slice_from(s, end + 1);
    }
    return s.len > 2 && s.p[0] == '[' && s.p[1] >= 'A' && s.p[1] <= 'Z';
}

/* "daemon.info ", a column of some daemons. */
static void
skip_facility(struct sa_slice *s)
{
    size_t n = 0, dot = 0;

    while (n < s->len && ((s->p[n] >= 'a' && s->p[n] <= 'z') || sa_is_digit(s->p[n]) || s->p[n] == '.')) {
        if (s->p[n] == '.')
            dot = n;
        n++;
    }
    if (dot > 1 && dot + 2 < n && n < 20 && n < s->len && s->p[n] == ' ')
        *s = sa_slice_from(*s, n + 1);
}

/* "sbc01 kamailio[34]: ", or one of the two, or neither: then what follows the stamp is the text. */
static void
take_host_and_tag(struct sa_slice *s, struct sa_record *record)
{
    struct sa_slice rest = *s, word;

    if (!sa_slice_next_word(&rest, &word))
        return;
    if (sa_program_prefix_begins(*s) || s->p[0] == ' ' ||
        s->p[0] == '{') /* a container's log has just the stamp */
        return;
    if (word.p[word.len - 1] == ':') { /* no host */
        (void)skip_tag(s, &record->program);
        return;
    }
    record->host = word;
    *s = rest;
    skip_facility(s);
    (void)skip_tag(s, &record->program);
}

/* "stderr F " of Kubernetes behind the stamp. */
static bool
skip_stream(struct sa_slice *s)
{
    struct sa_slice rest = *s;

    if ((!sa_slice_skip(&rest, "stdout ") && !sa_slice_skip(&rest, "stderr ")) ||
        (!sa_slice_skip(&rest, "F ") && !sa_slice_skip(&rest, "P ")))
        return false;
    *s = rest;
    return true;
}

/* RFC 3164 files, their variants with other stamps, and what else begins with one: STAMP SP HOST SP TAG: MSG.
 */
static bool
peel_traditional(struct sa_timestamp_cache *cache, struct sa_slice *s, struct sa_record *record)
{
    struct sa_slice rest = *s;
    int64_t time_ms;
    size_t n = 0;

    if (rest.len > 0 && (unsigned char)(rest.p[0] - 'A') < 26)
        n = sa_timestamp_bsd(cache, rest, &time_ms);
    else if (rest.len > 0 && sa_is_digit(rest.p[0]))
        n = sa_timestamp_iso(cache, rest, &time_ms);
    if (n != 0 && n < s->len && s->p[n] == ' ') {
        rest = sa_slice_from(*s, n + 1);
        record->time_ms = time_ms;
    } else if (!skip_other_stamp(cache, &rest, record)) {
        return false;
    }
    if (!record->bare_stamp && !skip_bracketed_pid(&rest) && !skip_stream(&rest) && !is_freeswitch(rest)) {
        take_host_and_tag(&rest, record);
    }
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

bool
sa_envelope_peel_transport(struct sa_timestamp_cache *cache, struct sa_slice *text, struct sa_record *record)
{
    struct sa_slice s = *text;
    bool priority;

    priority = skip_priority(&s);
    record->enveloped = (priority && peel_rfc5424(cache, &s, record)) || peel_traditional(cache, &s, record);
    if (record->enveloped && record->host.len == 0 && record->program.len == 0)
        (void)peel_kamailio_stderr(&s); /* a container's log of it */
    if (!record->enveloped) {           /* what a part of an envelope left is not one */
        *record = (struct sa_record){.repeat = 1, .stamps = cache};
        s = *text;
        record->enveloped = !priority && peel_kamailio_stderr(&s);
    }
    if (s.len > 1 && s.p[0] == ' ' && s.p[1] != ' ') /* rsyslog's %msg% begins with one */
        s = sa_slice_from(s, 1);
    peel_repetition(&s, record);
    *text = s;
    return record->enveloped;
}

void
sa_envelope_peel_repetition(struct sa_slice *text, struct sa_record *record)
{
    peel_repetition(text, record);
}
