/*
 * Which senders of a listener are heard: those of the networks that the configuration allows, or all if it
 * names none.  The others are counted, and told in one line: the first at once, then at most once a minute.
 */
#ifndef SA_INTAKE_SENDERS_H
#define SA_INTAKE_SENDERS_H

#include "intake.h"

struct sockaddr;

struct sa_senders {
    const struct sa_intake_host *host;
    uint64_t untold; /* refused, not told yet */
    int64_t told_ms; /* monotonic; 0: never */
    char latest[SA_NETWORK_TEXT];
};

/* Whether addresses have to be looked at at all. */
bool sa_senders_are_limited(const struct sa_senders *senders);

/* Whether what this sender says is heard; otherwise it is counted and told. */
bool sa_senders_allow(struct sa_senders *senders, const struct sockaddr *from);

/* Tells what was held back, if it is time. */
void sa_senders_look(struct sa_senders *senders);

#endif
