/*
 * What is said over the control socket: one request a line, one answer a line, both JSON objects, versioned.
 *   -> {"sipalert":1,"command":"status"}
 *   <- {"sipalert":1,"ok":true,"result":{…}}   or   {"sipalert":1,"ok":false,"error":"…"}
 * Nothing here knows of sockets.
 */
#ifndef SA_PROTOCOL_H
#define SA_PROTOCOL_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#define SA_PROTOCOL_VERSION 1
#define SA_PROTOCOL_ERROR   512

/* Who asks: as the kernel says (SO_PEERCRED). */
struct sa_caller {
    uid_t uid;
    pid_t pid;
    bool may_act; /* root, or the daemon's own user: others may only look */
};

/* Answers a command with a new reference, or with NULL and what is wrong. */
typedef json_t *(*sa_control_fn)(void *arg, const char *command, const struct sa_caller *caller,
                                 char error[SA_PROTOCOL_ERROR]);

/* The answer to one request line, ended by a line feed, to be freed; NULL: out of memory. */
char *sa_protocol_answer(const char *request, size_t len, const struct sa_caller *caller, sa_control_fn fn,
                         void *arg);

#endif
