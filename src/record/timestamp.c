#include "timestamp.h"

#include <stdlib.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)

/* Two decimal digits, or -1. */
static int
two(const char *p)
{
    return sa_is_digit(p[0]) && sa_is_digit(p[1]) ? (p[0] - '0') * 10 + (p[1] - '0') : -1;
}

int
sa_timestamp_two(struct sa_slice s)
{
    return s.len < 2 ? -1 : two(s.p);
}

/* Days since 1970-01-01 of a proleptic Gregorian date. */
static int64_t
days_from_civil(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int of_era = y - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t
civil_ms(int year, int month, int day, int hour, int minute, int second)
{
    return ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60000 + (int64_t)second * 1000;
}

/* In the zone of stamps that do not name theirs. */
static int64_t
local_ms(struct sa_timestamp_cache *cache, int year, int month, int day, int hour, int minute, int second)
{
    if (cache->zone_fixed)
        return civil_ms(year, month, day, hour, minute, second) - cache->zone_ms;
    if (cache->hour_ms == 0 || cache->year != year || cache->month != month || cache->day != day ||
        cache->hour != hour) {
        struct tm tm = {
            .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_isdst = -1};

        cache->hour_ms = (int64_t)mktime(&tm) * 1000;
        cache->year = year;
        cache->month = month;
        cache->day = day;
        cache->hour = hour;
    }
    return cache->hour_ms + ((int64_t)minute * 60 + second) * 1000;
}

/* "hh:mm:ss" */
static bool
clock_time(const char *p, int *hour, int *minute, int *second)
{
    *hour = two(p);
    *minute = two(p + 3);
    *second = two(p + 6);
    return *hour >= 0 && *hour < 24 && p[2] == ':' && *minute >= 0 && *minute < 60 && p[5] == ':' &&
           *second >= 0 && *second <= 60;
}

/* ".692917" or ",692": its milliseconds, and its length added to *n. */
static int
fraction(struct sa_slice s, size_t *n)
{
    int ms = 0, weight = 100;
    size_t i = *n;

    if (i + 1 >= s.len || (s.p[i] != '.' && s.p[i] != ',') || !sa_is_digit(s.p[i + 1]))
        return 0;
    for (i++; i < s.len && sa_is_digit(s.p[i]); i++, weight /= 10)
        ms += (s.p[i] - '0') * weight;
    *n = i;
    return ms;
}

static bool
read_iso(struct sa_timestamp_cache *cache, const char *p)
{
    int century = two(p), year = two(p + 2), month = two(p + 5), day = two(p + 8), hour, minute, second;

    if ((p[4] != '-' && p[4] != '/') || p[7] != p[4] || (p[10] != 'T' && p[10] != ' ') || century < 19 ||
        year < 0 || month < 1 || month > 12 || day < 1 || day > 31 ||
        !clock_time(p + 11, &hour, &minute, &second))
        return false;
    year += century * 100;
    if (year < 1970)
        return false;
    cache->iso.civil_ms = civil_ms(year, month, day, hour, minute, second);
    cache->iso.local_ms = local_ms(cache, year, month, day, hour, minute, second);
    memcpy(cache->iso.text, p, 19);
    return true;
}

/* "+02:00", "-0530": milliseconds east, and its length added to *n. */
static bool
zone_offset(struct sa_slice s, size_t *n, int64_t *ret_ms)
{
    size_t at = *n + 3;
    int hours, minutes;

    if (*n + 5 > s.len || (s.p[*n] != '+' && s.p[*n] != '-'))
        return false;
    if (s.p[at] == ':')
        at++;
    if (at + 2 > s.len)
        return false;
    hours = two(s.p + *n + 1);
    minutes = two(s.p + at);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *ret_ms = (hours * 60 + minutes) * (s.p[*n] == '-' ? INT64_C(-60000) : INT64_C(60000));
    *n = at + 2;
    return true;
}

size_t
sa_timestamp_iso(struct sa_timestamp_cache *cache, struct sa_slice s, int64_t *ret_ms)
{
    size_t n = 19;
    int64_t offset_ms;
    int ms;

    if (s.len < n || !sa_is_digit(s.p[0]) || (memcmp(s.p, cache->iso.text, n) != 0 && !read_iso(cache, s.p)))
        return 0;
    ms = fraction(s, &n);
    if (n < s.len && s.p[n] == 'Z') {
        *ret_ms = cache->iso.civil_ms + ms;
        return n + 1;
    }
    if (zone_offset(s, &n, &offset_ms))
        *ret_ms = cache->iso.civil_ms - offset_ms + ms;
    else
        *ret_ms = cache->iso.local_ms + ms;
    return n;
}

/* The year, of the three possible ones, that brings the date nearest to the reference. */
static int
nearest_year(struct sa_timestamp_cache *cache, int month, int day)
{
    time_t reference = (time_t)(cache->reference_ms / 1000);
    int64_t today = reference / 86400;
    struct tm tm = {0};
    int best = 0, year;

    if (cache->yearless.year != 0 && cache->yearless.reference_day == today &&
        cache->yearless.month == month && cache->yearless.day == day)
        return cache->yearless.year;
    (void)gmtime_r(&reference, &tm);
    year = tm.tm_year + 1900;
    for (int shift = -1; shift <= 1; shift++)
        if (shift == -1 || llabs(days_from_civil(year + shift, month, day) - today) <
                               llabs(days_from_civil(best, month, day) - today))
            best = year + shift;
    cache->yearless.reference_day = today;
    cache->yearless.month = month;
    cache->yearless.day = day;
    cache->yearless.year = best;
    return best;
}

int
sa_timestamp_month(struct sa_slice s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    if (s.len >= 3)
        for (int month = 0; month < 12; month++)
            if (memcmp(months + 3 * month, s.p, 3) == 0)
                return month + 1;
    return 0;
}

int64_t
sa_timestamp_civil(struct sa_timestamp_cache *cache, const struct sa_civil_time *time)
{
    int year = time->year;

    if ((time->year != 0 && time->year < 1970) || time->month < 1 || time->month > 12 || time->day < 1 ||
        time->day > 31 || time->hour < 0 || time->hour > 23 || time->minute < 0 || time->minute > 59 ||
        time->second < 0 || time->second > 60)
        return 0;
    if (year == 0)
        year = nearest_year(cache, time->month, time->day);
    return local_ms(cache, year, time->month, time->day, time->hour, time->minute, time->second) + time->ms;
}

/* "Nov  2 16:46:50" */
static bool
read_bsd(struct sa_timestamp_cache *cache, const char *p)
{
    int month, day, hour, minute, second, year;

    if (p[3] != ' ' || p[6] != ' ' || !clock_time(p + 7, &hour, &minute, &second))
        return false;
    month = sa_timestamp_month((struct sa_slice){p, 3});
    day = p[4] == ' ' && sa_is_digit(p[5]) ? p[5] - '0' : two(p + 4);
    if (month == 0 || day < 1 || day > 31)
        return false;
    year = nearest_year(cache, month, day);
    cache->bsd.local_ms = local_ms(cache, year, month, day, hour, minute, second);
    cache->bsd.reference_day = cache->reference_ms / DAY_MS;
    memcpy(cache->bsd.text, p, 15);
    return true;
}

/* "Nov  2 2026 16:46:50" */
static size_t
bsd_with_year(struct sa_timestamp_cache *cache, struct sa_slice s, int64_t *ret_ms)
{
    struct sa_civil_time time = {0};
    size_t n = 20;

    if (s.len < n || s.p[3] != ' ' || s.p[6] != ' ' || s.p[11] != ' ' ||
        sa_slice_digits(sa_slice_from(s, 7)) != 4 ||
        !clock_time(s.p + 12, &time.hour, &time.minute, &time.second))
        return 0;
    time.month = sa_timestamp_month(s);
    time.day = s.p[4] == ' ' && sa_is_digit(s.p[5]) ? s.p[5] - '0' : two(s.p + 4);
    time.year = two(s.p + 7) * 100 + two(s.p + 9);
    time.ms = fraction(s, &n);
    *ret_ms = sa_timestamp_civil(cache, &time);
    return *ret_ms == 0 ? 0 : n;
}

size_t
sa_timestamp_bsd(struct sa_timestamp_cache *cache, struct sa_slice s, int64_t *ret_ms)
{
    size_t n = 15;

    if (s.len < n || s.p[3] != ' ' || s.p[6] != ' ')
        return 0;
    if ((memcmp(s.p, cache->bsd.text, n) != 0 || cache->bsd.reference_day != cache->reference_ms / DAY_MS) &&
        !read_bsd(cache, s.p))
        return bsd_with_year(cache, s, ret_ms);
    *ret_ms = cache->bsd.local_ms;
    *ret_ms += fraction(s, &n);
    return n;
}

size_t
sa_timestamp_clock(struct sa_timestamp_cache *cache, struct sa_slice s, int64_t *ret_ms)
{
    struct sa_civil_time time = {0};
    time_t reference = (time_t)(cache->reference_ms / 1000);
    struct tm tm = {0};
    size_t n = 8;
    int64_t ms;

    if (s.len < n || !clock_time(s.p, &time.hour, &time.minute, &time.second))
        return 0;
    time.ms = fraction(s, &n);
    (void)gmtime_r(&reference, &tm);
    time.year = tm.tm_year + 1900;
    time.month = tm.tm_mon + 1;
    time.day = tm.tm_mday;
    ms = sa_timestamp_civil(cache, &time);
    if (ms - cache->reference_ms > DAY_MS / 2)
        ms -= DAY_MS;
    else if (cache->reference_ms - ms > DAY_MS / 2)
        ms += DAY_MS;
    *ret_ms = ms;
    return n;
}

size_t
sa_timestamp_epoch(struct sa_slice s, int64_t *ret_ms)
{
    size_t n = sa_slice_digits(s);
    int64_t seconds = 0;
    size_t digits = n;

    if (n < 9 || n > 11)
        return 0;
    for (size_t i = 0; i < digits; i++)
        seconds = seconds * 10 + (s.p[i] - '0');
    *ret_ms = seconds * 1000;
    *ret_ms += fraction(s, &n);
    return n;
}
