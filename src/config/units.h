/* Durations, sizes, shares and facilities as the configuration writes them. */
#ifndef SA_UNITS_H
#define SA_UNITS_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

/* Each returns 0, or -EINVAL / -ERANGE. */
int sa_units_duration(const char *text, uint32_t *ret_s);      /* "90s" "5m" "2h" "7d" */
int sa_units_size(const char *text, size_t *ret_bytes);        /* "512" "64KiB" "10MiB" "1GiB" */
int sa_units_share(const char *text, uint32_t *ret_per_mille); /* "5%" "2.5%", at most 100% */

/* syslog facility by name ("daemon", "local0"), or -1. */
int sa_units_facility(const char *name);

/* "local", "utc", "+02:00" or "-05:30": whether it is an offset, and which, in milliseconds east of
 * Greenwich. */
bool sa_units_timezone(const char *text, bool *ret_fixed, int64_t *ret_ms);

#endif
