/*
 * Guesses the xlog template that wrote a line, by what its words look like.  Pure.
 */
#ifndef SA_SUGGEST_H
#define SA_SUGGEST_H

#include "envelope.h"

#define SA_SUGGESTION_SIZE 512

/* False if the payload has nothing that could be a status code, or the guess does not match it. */
bool sa_suggest_template(const struct sa_record *record, char suggestion[SA_SUGGESTION_SIZE]);

#endif
