/*
 * What log daemons, and proxies that write their logs themselves, say in them: that a line was repeated, that
 * lines were dropped.  Believed only of records that bear the writer's own name or prefix.  Pure.
 */
#ifndef SA_DAEMON_LINES_H
#define SA_DAEMON_LINES_H

#include "envelope.h"

/*
 * Lines that were dropped: by a rate limit of rsyslog or journald, by Asterisk because its queue was full, by
 * OpenSIPS because one was longer than its buffer.  0: the record does not say so.
 */
uint64_t sa_daemon_line_lost(const struct sa_record *record);

/* Whether a program of this name is a log daemon whose word about what it lost is believed. */
bool sa_daemon_line_is_trusted(struct sa_slice program);

/*
 * syslog-ng: "Last message 'TEXT' repeated N times, suppressed by syslog-ng on HOST", where TEXT is the start
 * of the line before.  Returns N and TEXT, or 0.
 */
uint32_t sa_daemon_line_repeated(const struct sa_record *record, struct sa_slice *ret_start);

/* Whether sipalertd wrote it: its alarms quote what it read, and are not to be read again. */
bool sa_daemon_line_is_own(const struct sa_record *record);

#endif
