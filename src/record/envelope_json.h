/*
 * Log records in JSON, one object to a line: Kamailio's log engine, OpenSIPS' json and CEE formats, rsyslog's
 * jsonf, "journalctl -o json", container logs.
 */
#ifndef SA_ENVELOPE_JSON_H
#define SA_ENVELOPE_JSON_H

#include "envelope.h"

/*
 * Whether the text is an object that wraps a message, and says when, where or by whom it was written: takes
 * that, and the message with its escapes undone and without the line ends behind it.  Any other object is a
 * payload.
 */
bool sa_envelope_json(struct sa_peeler *peeler, struct sa_slice text, struct sa_record *record,
                      struct sa_slice *message);

#endif
