/*
 * The systemd notification protocol (sd_notify(3)) without libsystemd: one datagram per message, nothing at
 * all when NOTIFY_SOCKET is not set.  Never blocks.
 */
#ifndef SA_SDNOTIFY_H
#define SA_SDNOTIFY_H

#include <stdint.h>

void sa_sdnotify_ready(const char *status);
void sa_sdnotify_reloading(void);
void sa_sdnotify_stopping(void);
void sa_sdnotify_status(const char *status);
void sa_sdnotify_watchdog(void);

/* How often to send the watchdog message: half of what systemd allows; 0: no watchdog for this process. */
int64_t sa_sdnotify_watchdog_ms(void);

#endif
