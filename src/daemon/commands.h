/* What others ask of the running daemon: over the control socket, and by SIGHUP.  Main thread. */
#ifndef SA_DAEMON_COMMANDS_H
#define SA_DAEMON_COMMANDS_H

#include "running.h"

/*
 * Reads the configuration again.  Rules change while running; all else is bound to descriptors and threads
 * that were opened with it.  Returns whether it is in force; text says so, or why not.
 */
bool sa_daemon_reload(struct sa_daemon *daemon, char *text, size_t size);

/* Tells of commands that were refused and not told yet, where it is time to; called every few seconds. */
void sa_daemon_tell_refusals(struct sa_daemon *daemon);

/* Answers the control socket (sa_control_fn); arg is the daemon. */
json_t *sa_daemon_command(void *arg, const char *command, const struct sa_caller *caller,
                          char error[SA_PROTOCOL_ERROR]);

#endif
