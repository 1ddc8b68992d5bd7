#include "envelope.h"
#include "envelope_json.h"
#include "program_prefix.h"

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
        if (!sa_slice_skip(&rest, " ") || !next_word(&rest, &word))
            return false;
        if (word.len == 3 && memcmp(word.p, "UTC", 3) == 0)
            time_ms = cache->iso.civil_ms;
    } else {
        n = sa_timestamp_epoch(rest, &time_ms);
        rest = sa_slice_from(rest, n);
        if (n < 17 || !sa_slice_skip(&rest, " "))
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
    if (!record->bare_stamp && !skip_bracketed_pid(&rest) && !is_freeswitch(rest)) {
        if (!next_word(&rest, &record->host))
            return false;
        (void)skip_tag(&rest, &record->program);
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

void
sa_peeler_done(struct sa_peeler *peeler)
{
    sa_buffer_done(&peeler->text);
}

static void
peel_text(struct sa_peeler *peeler, struct sa_slice s, struct sa_record *record, bool nested)
{
    struct sa_slice inner;

    record->payload = record->text = s;
    if (!nested && s.len > 0 && (s.p[0] == '{' || s.p[0] == '@' || s.p[0] == ' ') &&
        sa_envelope_json(peeler, s, record, &inner)) {
        record->object = s;
        record->enveloped = true;
        peel_repetition(&inner, record);
        peel_text(peeler, inner, record, true);
        return;
    }
    sa_program_prefix_peel(record);
}

void
sa_envelope_peel_text(struct sa_peeler *peeler, struct sa_slice text, struct sa_record *record)
{
    record->stamps = &peeler->stamps;
    record->enveloped = true;
    peel_repetition(&text, record);
    peel_text(peeler, text, record, false);
}

static int64_t
reference_day(const struct sa_peeler *peeler)
{
    return peeler->stamps.reference_ms / 86400000;
}

/* Remembers the prefix if it is one that can be. */
static void
remember_prefix(struct sa_peeler *peeler, struct sa_slice line, const struct sa_record *record)
{
    size_t len = (size_t)(record->payload.p - line.p);
    struct sa_peeled *peeled = &peeler->recent[peeler->next % 4];

    if (len >= sizeof peeled->text || len < 20 || !record->enveloped || record->proxy != SA_PROXY_KAMAILIO ||
        record->module.len != 0 || record->method.len != 0 || record->call_id.len != 0 ||
        record->repeat != 1 || record->object.len != 0 ||
        memcmp(record->payload.p - 10, "<script>: ", 10) != 0)
        return;
    peeler->next++;
    memcpy(peeled->text, line.p, len);
    peeled->len = (uint8_t)len;
    peeled->host_at = (uint8_t)(record->host.len == 0 ? 0 : record->host.p - line.p);
    peeled->host_len = (uint8_t)record->host.len;
    peeled->program_at = (uint8_t)(record->program.len == 0 ? 0 : record->program.p - line.p);
    peeled->program_len = (uint8_t)record->program.len;
    peeled->time_ms = record->time_ms;
    peeled->reference_day = reference_day(peeler);
    peeled->text_at = (uint8_t)(record->text.p - line.p);
}

static bool
recall_prefix(const struct sa_peeler *peeler, struct sa_slice line, struct sa_record *record)
{
    for (unsigned i = 0; i < 4; i++) {
        const struct sa_peeled *peeled = &peeler->recent[(peeler->next + 3 - i) % 4];

        if (peeled->len == 0 || peeled->len > line.len || memcmp(peeled->text, line.p, peeled->len) != 0 ||
            peeled->reference_day != reference_day(peeler))
            continue;
        record->payload = sa_slice_from(line, peeled->len);
        record->text = sa_slice_from(line, peeled->text_at);
        record->host = (struct sa_slice){line.p + peeled->host_at, peeled->host_len};
        record->program = (struct sa_slice){line.p + peeled->program_at, peeled->program_len};
        record->time_ms = peeled->time_ms;
        record->enveloped = true;
        record->proxy = SA_PROXY_KAMAILIO;
        return true;
    }
    return false;
}

void
sa_envelope_peel(struct sa_peeler *peeler, struct sa_slice line, struct sa_record *record)
{
    struct sa_timestamp_cache *cache = &peeler->stamps;
    struct sa_slice s = line;
    bool priority;

    *record = (struct sa_record){.repeat = 1, .stamps = cache, .payload = line, .text = line};
    if (line.len == 0 || !sa_envelope_may_wrap(line.p[0]) || recall_prefix(peeler, line, record))
        return;
    priority = skip_priority(&s);
    if ((priority && peel_rfc5424(cache, &s, record)) || peel_traditional(cache, &s, record)) {
        record->enveloped = true;
        peel_repetition(&s, record);
    } else if (!priority && peel_kamailio_stderr(&s)) {
        record->enveloped = true;
    } else { /* what a part of an envelope left is not one */
        *record = (struct sa_record){.repeat = 1, .stamps = cache};
        s = line;
    }
    peel_text(peeler, s, record, false);
    remember_prefix(peeler, line, record);
}
