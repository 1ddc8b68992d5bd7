/*
 * The writer thread: everything that is written as text, alarms through syslog(3) and the daemon's own log
 * lines, is written here, because syslog(3) and write(2) block when their reader stalls.  Posting never
 * blocks; lines that find no room are counted, and the count is written when there is room again.
 */
#ifndef SA_SCRIBE_H
#define SA_SCRIBE_H

#include "alarm.h"

#include <stdbool.h>

#define SA_SCRIBE_LINE 1536 /* an alarm with all its texts, escaped, fits */

enum sa_scribe_log { SA_SCRIBE_STDERR, SA_SCRIBE_SYSLOG };

/*
 * Starts the thread.  facility: of syslog; own_lines: where the daemon's own lines go.  When syslog lines
 * would otherwise not be seen by a person (standard error is not the journal), they are copied to standard
 * error. Returns 0 or negative errno.
 */
int sa_scribe_start(int facility, enum sa_scribe_log own_lines);

/*
 * Ends the thread after what is queued has been written, but waits no longer than timeout_ms; false: it is
 * blocked in syslog(3) and was left behind.
 */
bool sa_scribe_stop(int timeout_ms);

/* Writes the alarm line of RFC 5674 priority; 0, or -ENOBUFS if there is no room. */
int sa_scribe_alarm(const struct sa_alarm_event *event);

/* A writer for sa_log_set_writer(). */
void sa_scribe_line(int priority, const char *line);

/* "ALARM raised id=17 identity=… …": the text of an alarm line; pure.  Returns the syslog priority. */
int sa_scribe_format(const struct sa_alarm_event *event, char line[SA_SCRIBE_LINE]);

/* Standard error where journald reads it or no syslog daemon listens. */
enum sa_scribe_log sa_scribe_choose(void);

#endif
