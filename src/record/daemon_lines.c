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

uint64_t
sa_daemon_line_lost(const struct sa_record *record)
{
    struct sa_slice rest = record->payload;

    if (is_named(record->program, "rsyslogd") || is_named(record->program, "rsyslogd-2177"))
        return lost_by_rsyslog(rest);
    if (!is_named(record->program, "systemd-journald") && !is_named(record->program, "systemd-journal"))
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
