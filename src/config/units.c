#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define SYSLOG_NAMES
#include <syslog.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit durations[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1 << 30}, {NULL, 0}};

/* Digits and one unit of the list. */
static int
parse(const char *text, const struct unit *units, uint64_t max, uint64_t *ret)
{
    unsigned long long number;
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return -EINVAL;
    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno != 0)
        return -ERANGE;
    for (; units->name != NULL; units++) {
        if (strcmp(end, units->name) != 0)
            continue;
        if (number > max / units->factor)
            return -ERANGE;
        *ret = number * units->factor;
        return 0;
    }
    return -EINVAL;
}

int
sa_units_duration(const char *text, uint32_t *ret_s)
{
    uint64_t value;
    int r = parse(text, durations, 366 * 86400, &value);

    if (r == 0)
        *ret_s = (uint32_t)value;
    return r;
}

int
sa_units_size(const char *text, size_t *ret_bytes)
{
    uint64_t value;
    int r = parse(text, sizes, UINT64_C(1) << 40, &value);

    if (r == 0)
        *ret_bytes = (size_t)value;
    return r;
}

/* In the largest unit that it is a whole number of. */
static void
format(char text[SA_UNITS_TEXT], const struct unit *units, uint64_t value)
{
    const struct unit *largest = units;

    for (; units->name != NULL; units++)
        if (value != 0 && value % units->factor == 0)
            largest = units;
    (void)snprintf(text, SA_UNITS_TEXT, "%llu%s", (unsigned long long)(value / largest->factor),
                   largest->name);
}

void
sa_units_format_duration(char text[SA_UNITS_TEXT], uint32_t s)
{
    format(text, durations, s);
}

void
sa_units_format_size(char text[SA_UNITS_TEXT], size_t bytes)
{
    format(text, sizes, bytes);
}

int
sa_units_share(const char *text, uint32_t *ret_per_mille)
{
    uint32_t value = 0;
    size_t i = 0;

    for (; i < 3 && isdigit((unsigned char)text[i]); i++)
        value = value * 10 + (uint32_t)(text[i] - '0');
    if (i == 0)
        return -EINVAL;
    value *= 10;
    if (text[i] == '.' && isdigit((unsigned char)text[i + 1])) {
        value += (uint32_t)(text[i + 1] - '0');
        i += 2;
    }
    if (strcmp(text + i, "%") != 0)
        return -EINVAL;
    if (value > 1000)
        return -ERANGE;
    *ret_per_mille = value;
    return 0;
}

int
sa_units_facility(const char *name)
{
    for (const CODE *facility = facilitynames; facility->c_name != NULL; facility++)
        if (strcmp(facility->c_name, name) == 0 && strcmp(name, "mark") != 0)
            return facility->c_val;
    return -1;
}

bool
sa_units_timezone(const char *text, bool *ret_fixed, int64_t *ret_ms)
{
    unsigned hours, minutes;
    char sign, end;

    *ret_ms = 0;
    *ret_fixed = strcmp(text, "local") != 0;
    if (!*ret_fixed || strcmp(text, "utc") == 0)
        return true;
    if (sscanf(text, "%c%2u:%2u%c", &sign, &hours, &minutes, &end) != 3 || (sign != '+' && sign != '-') ||
        hours > 14 || minutes > 59 || strlen(text) != 6)
        return false;
    *ret_ms = (int64_t)(hours * 60 + minutes) * (sign == '-' ? -60000 : 60000);
    return true;
}
