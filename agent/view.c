#include "view.h"
#include "board.h"

#include <string.h>
#include <time.h>

static struct sa_snapshot *current;

const struct sa_snapshot *
sa_view(void)
{
    return current;
}

void
sa_view_replace(struct sa_snapshot *snapshot)
{
    (void)sa_snapshot_free(current);
    current = snapshot;
}

void
sa_view_text(netsnmp_variable_list *var, const char *text)
{
    (void)snmp_set_var_typed_value(var, ASN_OCTET_STR, text, strlen(text));
}

void
sa_view_counter64(netsnmp_variable_list *var, uint64_t value)
{
    struct counter64 halves = {.high = (u_long)(value >> 32), .low = (u_long)(value & 0xffffffff)};

    (void)snmp_set_var_typed_value(var, ASN_COUNTER64, &halves, sizeof halves);
}

void
sa_view_unsigned(netsnmp_variable_list *var, u_char type, uint32_t value)
{
    u_long wide = value;

    (void)snmp_set_var_typed_value(var, type, &wide, sizeof wide);
}

void
sa_view_integer(netsnmp_variable_list *var, int value)
{
    long wide = value;

    (void)snmp_set_var_typed_value(var, ASN_INTEGER, &wide, sizeof wide);
}

size_t
sa_view_date_and_time(unsigned char octets[SA_DATE_AND_TIME_SIZE], int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    int year;

    memset(octets, 0, SA_DATE_AND_TIME_SIZE);
    if (wall_ms == 0 || gmtime_r(&seconds, &tm) == NULL)
        return 8;
    year = tm.tm_year + 1900;
    octets[0] = (unsigned char)(year >> 8);
    octets[1] = (unsigned char)year;
    octets[2] = (unsigned char)(tm.tm_mon + 1);
    octets[3] = (unsigned char)tm.tm_mday;
    octets[4] = (unsigned char)tm.tm_hour;
    octets[5] = (unsigned char)tm.tm_min;
    octets[6] = (unsigned char)tm.tm_sec;
    octets[7] = (unsigned char)(wall_ms % 1000 / 100);
    octets[8] = '+';
    return SA_DATE_AND_TIME_SIZE;
}

void
sa_view_time(netsnmp_variable_list *var, int64_t wall_ms)
{
    unsigned char octets[SA_DATE_AND_TIME_SIZE];
    size_t len = sa_view_date_and_time(octets, wall_ms);

    (void)snmp_set_var_typed_value(var, ASN_OCTET_STR, octets, len);
}
