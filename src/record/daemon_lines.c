#include "daemon_lines.h"

static bool
is_named(struct sa_slice program, const char *name)
{
    return program.len == strlen(name) && memcmp(program.p, name, program.len) == 0;
}

/* Steps behind the first occurrence of the literal. */
static bool
skip_to(struct sa_slice *s, const char *literal)
{
    const char *at = s->len == 0 ? NULL : memmem(s->p, s->len, literal, strlen(literal));

    if (at == NULL)
        return false;
    *s = sa_slice_from(*s, (size_t)(at - s->p) + strlen(literal));
    return true;
}

static uint64_t
read_number(struct sa_slice *s)
{
    size_t digits = sa_slice_digits(*s);
    uint64_t value = 0;

    for (size_t i = 0; i < digits && i < 12; i++)
        value = value * 10 + (uint64_t)(s->p[i] - '0');
    *s = sa_slice_from(*s, digits);
    return value;
}

/*
 * "imuxsock lost 12 messages from pid 3 due to rate-limiting", "imjournal: 12 messages lost due to
 * rate-limiting", "imuxsock[pid: 3, name: kamailio]: 12 messages lost due to rate-limiting (20 allowed ...)"
 */
static uint64_t
lost_by_rsyslog(struct sa_slice s)
{
    struct sa_slice rest = s, number = s;
    uint64_t lost;

    if (!skip_to(&rest, "due to rate-limiting"))
        return 0;
    rest = s;
    if (skip_to(&rest, " lost ") && (lost = read_number(&rest)) > 0)
        return lost;
    rest = s;
    if (!skip_to(&rest, " messages lost due to rate-limiting"))
        return 0;
    number.len = (size_t)(rest.p - s.p) - strlen(" messages lost due to rate-limiting");
    number.p += number.len;
    for (number.len = 0; number.p > s.p && sa_is_digit(number.p[-1]); number.p--)
        number.len++;
    return read_number(&number);
}

/*
 * OpenSIPS (xlog.c): a line of xlog() that is longer than xlog_buf_size is not written at all.  The payload
 * is the whole text: a script that prints what it received writes something before or behind it.
 */
static uint64_t
lost_by_opensips(const struct sa_record *record)
{
    static const char *const functions[] = {"core:xlog_1: ", "core:xlog_2: ", "core:xdbg: "};
    static const char text[] = "global print buffer too small, increase 'xlog_buf_size'";
    struct sa_slice rest = record->payload;

    if (record->proxy != SA_PROXY_OPENSIPS)
        return 0;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (sa_slice_skip(&rest, functions[i]))
            return rest.len == strlen(text) && memcmp(rest.p, text, rest.len) == 0;
    return 0;
}

/* Whether Asterisk's logger itself wrote it: "WARNING[9] logger: TEXT", to syslog "WARNING[9]: logger:0 in
 * ***: TEXT".
 */
static bool
is_by_asterisk_logger(const struct sa_record *record)
{
    struct sa_slice rest = record->text;
    size_t digits;

    if (!sa_slice_skip(&rest, "WARNING["))
        return false;
    digits = sa_slice_digits(rest);
    rest = sa_slice_from(rest, digits);
    if (digits == 0 || !(sa_slice_skip(&rest, "] logger: ") || sa_slice_skip(&rest, "]: logger:0 in ***: ")))
        return false;
    return rest.p == record->payload.p;
}

/*
 * Asterisk (logger.c), when its queue was full: "Logging resumed.  12 messages discarded." of new ones, and
 * "Log queue WARNING / ERROR threshold (1000) exceeded. Discarded 12 oldest non-WARNING/ERROR messages." of
 * old ones.
 */
static uint64_t
lost_by_asterisk(const struct sa_record *record)
{
    struct sa_slice rest = record->payload;

    if (!is_by_asterisk_logger(record))
        return 0;
    if (sa_slice_skip(&rest, "Logging resumed.  ") ||
        (sa_slice_skip(&rest, "Log queue WARNING / ERROR threshold (") &&
         skip_to(&rest, ") exceeded. Discarded ")))
        return read_number(&rest);
    return 0;
}

static bool
is_rsyslog(struct sa_slice program)
{
    return is_named(program, "rsyslogd") || is_named(program, "rsyslogd-2177");
}

static bool
is_journald(struct sa_slice program)
{
    return is_named(program, "systemd-journald") || is_named(program, "systemd-journal");
}

bool
sa_daemon_line_is_trusted(struct sa_slice program)
{
    return is_rsyslog(program) || is_journald(program);
}

uint64_t
sa_daemon_line_lost(const struct sa_record *record)
{
    struct sa_slice rest = record->payload;
    uint64_t lost = record->enveloped ? lost_by_opensips(record) + lost_by_asterisk(record) : 0;

    if (lost > 0)
        return lost;
    if (is_rsyslog(record->program))
        return lost_by_rsyslog(rest);
    if (!is_journald(record->program))
        return 0;
    /* "Suppressed 12 messages from kamailio.service", "Forwarding to syslog missed 12 messages." */
    if (sa_slice_skip(&rest, "Suppressed ") || sa_slice_skip(&rest, "Forwarding to syslog missed "))
        return read_number(&rest);
    return 0;
}

bool
sa_daemon_line_is_own(const struct sa_record *record)
{
    return record->enveloped && is_named(record->program, "sipalertd");
}

uint32_t
sa_daemon_line_repeated(const struct sa_record *record, struct sa_slice *ret_start)
{
    struct sa_slice rest = record->payload;
    const char *end;
    uint64_t times;

    if (!record->enveloped || !sa_slice_skip(&rest, "Last message '"))
        return 0;
    end = memmem(rest.p, rest.len, "' repeated ", strlen("' repeated "));
    if (end == NULL)
        return 0;
    *ret_start = (struct sa_slice){rest.p, (size_t)(end - rest.p)};
    rest = sa_slice_from(rest, ret_start->len + strlen("' repeated "));
    times = read_number(&rest);
    return times <= 1000000 && sa_slice_starts(rest, " times, suppressed by ") ? (uint32_t)times : 0;
}
