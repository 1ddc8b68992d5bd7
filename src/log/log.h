/*
 * The daemon's own log lines.  They go to a writer, which the main program sets to the writer thread's
 * mailbox (scribe.h): a stalled terminal, journal or syslog never stalls the thread that logs.  Any thread.
 */
#ifndef SA_LOG_H
#define SA_LOG_H

#include <syslog.h> /* LOG_ERR and its kin */

/* Writes a complete line without its newline; must not block. */
typedef void (*sa_log_writer)(int priority, const char *line);

/* NULL: standard error, directly.  Set before the first other thread starts and after the last one ended. */
void sa_log_set_writer(sa_log_writer writer);

/* Lines less urgent than this are not made; LOG_INFO at first. */
void sa_log_set_level(int priority);

/* topic: the room that speaks ("follow", "snmp"), shown in front. */
void sa_log(int priority, const char *topic, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
