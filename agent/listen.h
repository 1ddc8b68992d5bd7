/*
 * The addresses of a standalone agent, each for itself: what can be opened is served at once, and what cannot
 * (the port is taken, the address is not there yet, DNS does not know its name) is tried again.  SNMP thread.
 */
#ifndef SA_SNMP_LISTEN_H
#define SA_SNMP_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sa_snmp_listen;

/* addresses: ended by NULL, valid as long as this.  NULL: out of memory or descriptors. */
struct sa_snmp_listen *sa_snmp_listen_new(char *const *addresses);
struct sa_snmp_listen *sa_snmp_listen_free(struct sa_snmp_listen *listen);

/* Readable when DNS has answered: there is something for sa_snmp_listen_turn(). */
int sa_snmp_listen_fd(const struct sa_snmp_listen *listen);

/* Opens what is due; returns when the next one is, INT64_MAX: none. */
int64_t sa_snmp_listen_turn(struct sa_snmp_listen *listen, int64_t now_ms);

/* Whether all are served; text says which is the first that is not, and why. */
bool sa_snmp_listen_state(const struct sa_snmp_listen *listen, char *text, size_t size);

#endif
