/*
 * Time stamps of log records, to milliseconds since 1970.  Stamps without a zone are local time; stamps
 * without a year take the year that brings them nearest to the reference time.  Pure apart from the time
 * zone of the process; one thread per cache.
 */
#ifndef SA_TIMESTAMP_H
#define SA_TIMESTAMP_H

#include "slice.h"

#include <stdint.h>

/* Remembers the last hour seen, so that the time zone is asked once an hour of log and not once a line. */
struct sa_timestamp_cache {
    int64_t reference_ms; /* what "nearest" is measured from */
    int year, month, day, hour;
    int64_t hour_ms; /* start of that local hour; 0: nothing cached */
    struct {
        int64_t reference_day;
        int month, day, year; /* year 0: nothing cached */
    } yearless;               /* the last stamp without a year, and the year it got */
};

/* RFC 3339 and its kin: "2026-11-20T16:46:50.692917+00:00", "…Z", "2026-11-20 16:44:20".  Returns the length
 * of the stamp and sets *ret_ms, or 0. */
size_t sa_timestamp_iso(struct sa_timestamp_cache *cache, struct sa_slice s, int64_t *ret_ms);

/* RFC 3164: "Nov  2 16:46:50".  Returns its length (15) and sets *ret_ms, or 0. */
size_t sa_timestamp_bsd(struct sa_timestamp_cache *cache, struct sa_slice s, int64_t *ret_ms);

#endif
