/*
 * What programs write in front of their own log text: level, module and source line of Kamailio and OpenSIPS,
 * level and source file of Asterisk, colours.  Pure.
 */
#ifndef SA_PROGRAM_PREFIX_H
#define SA_PROGRAM_PREFIX_H

#include "envelope.h"

/* Peels the prefix of record->payload, and says in the record whose it was. */
void sa_program_prefix_peel(struct sa_record *record);

/* Whether the text begins with a proxy's own prefix: a level and its colon. */
bool sa_program_prefix_begins(struct sa_slice text);

#endif
