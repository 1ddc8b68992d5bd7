#include "timestamp.h"

#include <stdlib.h>
#include <time.h>

/* Two decimal digits, or -1. */
static int
two(const char *p)
{
    return sa_is_digit(p[0]) && sa_is_digit(p[1]) ? (p[0] - '0') * 10 + (p[1] - '0') : -1;
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
local_ms(struct sa_timestamp_cache *cache, int year, int month, int day, int hour, int minute, int second)
{
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

size_t
sa_timestamp_iso(struct sa_timestamp_cache *cache, struct sa_slice s, int64_t *ret_ms)
{
    int century, year, month, day, hour, minute, second, fraction = 0;
    size_t n = 19;

    if (s.len < n || s.p[4] != '-' || s.p[7] != '-' || (s.p[10] != 'T' && s.p[10] != ' '))
        return 0;
    century = two(s.p);
    year = two(s.p + 2);
    month = two(s.p + 5);
    day = two(s.p + 8);
    if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1 || day > 31 ||
        !clock_time(s.p + 11, &hour, &minute, &second))
        return 0;
    year += century * 100;
    if (s.len > n && (s.p[n] == '.' || s.p[n] == ',')) {
        int weight = 100;

        for (n++; n < s.len && sa_is_digit(s.p[n]); n++, weight /= 10)
            fraction += (s.p[n] - '0') * weight;
    }
    if (n < s.len && s.p[n] == 'Z') {
        *ret_ms = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60000 + second * 1000 +
                  fraction;
        return n + 1;
    }
    if (n + 6 <= s.len && (s.p[n] == '+' || s.p[n] == '-') && s.p[n + 3] == ':') {
        int hours = two(s.p + n + 1), minutes = two(s.p + n + 4), offset = hours * 60 + minutes;

        if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
            return 0;
        if (s.p[n] == '-')
            offset = -offset;
        *ret_ms = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute - offset) * 60000 +
                  second * 1000 + fraction;
        return n + 6;
    }
    *ret_ms = local_ms(cache, year, month, day, hour, minute, second) + fraction;
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

size_t
sa_timestamp_bsd(struct sa_timestamp_cache *cache, struct sa_slice s, int64_t *ret_ms)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int month = 0, day, hour, minute, second, year;

    if (s.len < 15 || s.p[3] != ' ' || s.p[6] != ' ' || !clock_time(s.p + 7, &hour, &minute, &second))
        return 0;
    while (month < 12 && memcmp(months + 3 * month, s.p, 3) != 0)
        month++;
    if (month++ == 12)
        return 0;
    day = s.p[4] == ' ' && sa_is_digit(s.p[5]) ? s.p[5] - '0' : two(s.p + 4);
    if (day < 1 || day > 31)
        return 0;
    year = nearest_year(cache, month, day);
    *ret_ms = local_ms(cache, year, month, day, hour, minute, second);
    return 15;
}
