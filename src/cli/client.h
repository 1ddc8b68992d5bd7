/* The tool's end of the control socket (protocol.h). */
#ifndef SA_CLIENT_H
#define SA_CLIENT_H

#include "commands.h"

#include <jansson.h>

#define SA_CLIENT_ERROR 1024

struct sa_client {
    char path[108]; /* of the socket, as sockaddr_un has room for */
    int patience_s; /* for an answer */
};

/* Where the daemon is: --socket, or as its configuration says, or where it is by default. */
void sa_client_init(struct sa_client *client, const struct sa_globals *globals);

/*
 * Sends a command; the result as a new reference, or NULL and what is wrong and what to do about it.  Who
 * answers need not be the daemon: an answer of another version or without an end is none, and texts in it are
 * made printable.  Its numbers are as they came.
 */
json_t *sa_client_ask(const struct sa_client *client, const char *command, char error[SA_CLIENT_ERROR]);

/* The same for a command of the tool, whose name stands before what is wrong, on standard error. */
json_t *sa_client_run(const struct sa_globals *globals, const char *name, const char *command);

/* How the daemon's SNMP side is, in a word or three. */
const char *sa_client_snmp(const json_t *status);

/* The alarms, the worst in front, as a new reference. */
json_t *sa_client_worst_first(const json_t *alarms);

/* The status code that a member is named by; 0: it is none. */
unsigned sa_client_code(const char *key);

/* What is in an answer; 0 and "" if it is not there. */
json_int_t sa_client_number(const json_t *object, const char *key);
const char *sa_client_text(const json_t *object, const char *key);

#endif
