/* One message as one line of the log: line breaks inside it escaped as rsyslog writes them ("#012"). */
#ifndef SA_INTAKE_RECORD_H
#define SA_INTAKE_RECORD_H

#include <stddef.h>

#define SA_RECORD_ROOM(len) (4 * (len) + 1)

/* Writes the message and a line end into dst, which has SA_RECORD_ROOM(len); returns the length. */
size_t sa_intake_record(char *dst, const char *message, size_t len);

#endif
