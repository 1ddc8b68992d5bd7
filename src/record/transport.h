/*
 * What transports a log record: syslog in its three forms, the renderings of journalctl, containers, stderr.
 * Pure.
 */
#ifndef SA_TRANSPORT_H
#define SA_TRANSPORT_H

#include "envelope.h"
#include "program_prefix.h"

/* Peels the transport off the text and says in the record what it told; false if there is none. */
bool sa_envelope_peel_transport(struct sa_timestamp_cache *cache, struct sa_slice *text,
                                struct sa_record *record);

/* rsyslog: "message repeated 3 times: [ TEXT]". */
void sa_envelope_peel_repetition(struct sa_slice *text, struct sa_record *record);

#endif
