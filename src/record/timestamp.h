/*
 * Time stamps of log records, to milliseconds since 1970.  Stamps without a zone are local time; stamps
 * without a year take the year that brings them nearest to the reference time.  Pure apart from the time
 * zone of the process; one thread per cache.
 */
#ifndef SA_TIMESTAMP_H
#define SA_TIMESTAMP_H

#include "slice.h"

#include <stdint.h>

#define SA_STAMP_TEXT 20

/* Remembers the last second and the last hour seen, so that little is worked out twice; and the zone. */
struct sa_timestamp_cache {
    int64_t reference_ms; /* what "nearest" is measured from */
    bool zone_fixed;      /* stamps that name no zone are of zone_ms, not of the process' zone */
    int64_t zone_ms;      /* east of Greenwich */
    int year, month, day, hour;
    int64_t hour_ms; /* start of that local hour; 0: nothing cached */
    struct {
        int64_t reference_day;
        int month, day, year; /* year 0: nothing cached */
    } yearless;               /* the last stamp without a year, and the year it got */
    struct sa_stamp_memory {
        char text[SA_STAMP_TEXT]; /* up to the seconds */
        int64_t reference_day;
        int64_t civil_ms, local_ms; /* as if it were UTC, and in its zone */
    } iso, bsd;
};

/* RFC 3339 and its kin: "2026-11-20T16:46:50.692917+00:00", "…Z", "…+0000", "2026-11-20 16:44:20",
 * "2026/11/20 16:44:20.5".  Returns the length of the stamp and sets *ret_ms, or 0. */
size_t sa_timestamp_iso(struct sa_timestamp_cache *cache, struct sa_slice s, int64_t *ret_ms);

/* RFC 3164: "Nov  2 16:46:50", with a fraction if it has one; also "Nov  2 2026 16:46:50".  Returns its
 * length and sets *ret_ms, or 0. */
size_t sa_timestamp_bsd(struct sa_timestamp_cache *cache, struct sa_slice s, int64_t *ret_ms);

/* "16:46:50.692917", of the day that brings it nearest to the reference.  Returns its length, or 0. */
size_t sa_timestamp_clock(struct sa_timestamp_cache *cache, struct sa_slice s, int64_t *ret_ms);

/* Seconds since 1970: "1795193090.747025".  Returns its length, or 0. */
size_t sa_timestamp_epoch(struct sa_slice s, int64_t *ret_ms);

/* A time that was taken apart by somebody else; year 0: the nearest.  Returns 0 if there is no such time. */
struct sa_civil_time {
    int year, month, day, hour, minute, second, ms;
};
int64_t sa_timestamp_civil(struct sa_timestamp_cache *cache, const struct sa_civil_time *time);

/* 1..12 for "Jan".."Dec" at the start, or 0. */
int sa_timestamp_month(struct sa_slice s);

/* Two decimal digits at the start, or -1. */
int sa_timestamp_two(struct sa_slice s);

#endif
