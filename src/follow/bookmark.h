/*
 * The text of a position in a state database, for people too: "dev=1 ino=2 ... path=/var/log/proxy.log".
 */
#ifndef SA_FOLLOW_BOOKMARK_H
#define SA_FOLLOW_BOOKMARK_H

#include "follow.h"
#include "source.h"

/* The id is the key and not in the text. */
void sa_bookmark_format(const struct sa_position *position, char dst[SA_BOOKMARK_VALUE]);

/*
 * What is read may have been written by anybody: returns 0, or -EBADMSG if it cannot be a position.  The path
 * is part of the text.
 */
int sa_bookmark_parse(const char *text, struct sa_position *ret_position);

#endif
