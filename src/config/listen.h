/* Addresses that a syslog source listens at: "udp:ADDRESS:PORT", "tcp:[ADDRESS]:PORT", "unix:/PATH".  Pure.
 */
#ifndef SA_CONFIG_LISTEN_H
#define SA_CONFIG_LISTEN_H

#include <stdbool.h>

/* Whether it is written like one. */
bool sa_listen_is_address(const char *spec);

/* Whether it takes what is sent to whatever address of the machine: 0.0.0.0 and ::. */
bool sa_listen_is_at_any_address(const char *spec);

#endif
