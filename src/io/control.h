/*
 * The control socket: one request per line, one answer per line, both JSON, versioned.
 *   -> {"sipalert":1,"command":"status"}
 *   <- {"sipalert":1,"ok":true,"result":{…}}   or   {"sipalert":1,"ok":false,"error":"…"}
 * Clients are untrusted: their number, their requests and what they leave unread are bounded, and a client
 * that never reads costs nothing but its own connection.  Main thread.
 */
#ifndef SA_CONTROL_H
#define SA_CONTROL_H

#include "loop.h"

#include <jansson.h>

#define SA_CONTROL_VERSION 1

struct sa_control;

/* Answers a command with a new reference, or NULL and *ret_error for one that is not known. */
typedef json_t *(*sa_control_fn)(void *arg, const char *command, const char **ret_error);

/*
 * Listens at path with mode 0660.  Returns 0; -EADDRINUSE if a daemon already answers there; another negative
 * errno if the socket cannot be made.
 */
int sa_control_open(struct sa_loop *loop, const char *path, sa_control_fn fn, void *arg,
                    struct sa_control **ret_control);
struct sa_control *sa_control_close(struct sa_control *control);

#endif
