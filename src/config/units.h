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

/* Back, in the largest unit that it is a whole number of: "1h", "512", "1MiB". */
#define SA_UNITS_TEXT 32
void sa_units_format_duration(char text[SA_UNITS_TEXT], uint32_t s);
void sa_units_format_size(char text[SA_UNITS_TEXT], size_t bytes);

/* syslog facility by name ("daemon", "local0"), or -1. */
int sa_units_facility(const char *name);

/* "local", "utc", "+02:00" or "-05:30": whether it is an offset, and which, in milliseconds east of
 * Greenwich. */
bool sa_units_timezone(const char *text, bool *ret_fixed, int64_t *ret_ms);

#endif
