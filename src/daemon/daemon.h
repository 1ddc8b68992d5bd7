/*
 * The running daemon: connects sources, core, writer thread, SNMP thread, control socket and systemd.
 * Wiring only.  Main thread.
 */
#ifndef SA_DAEMON_H
#define SA_DAEMON_H

#include "config.h"

/* Runs until SIGTERM or SIGINT; takes ownership of the configuration.  Returns the exit status. */
int sa_daemon_run(struct sa_config *config);

#endif
