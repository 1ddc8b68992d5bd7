/*
 * Many lines in one record: what a log daemon or some firmware made of their ends; for the reader of messages
 * only.  Pure.
 */
#ifndef SA_SIP_BLOCK_H
#define SA_SIP_BLOCK_H

#include "message_family.h"

/*
 * What stands for the end of a line inside a record: the LF itself, or what a log daemon made of it.  Where
 * there are LFs, an escape is text that somebody wrote.  NULL: it is one line.
 */
const char *sa_sip_block_line_end(struct sa_slice text, const struct sa_message_family *family);

/* The first line of the block, which may be the introduction that the message follows on the same line; steps
 * over it.  end is what ends the lines, NULL if nothing does. */
struct sa_slice sa_sip_block_first_line(struct sa_slice *text, const struct sa_message_family *family,
                                        const char *end);

/* Any other line, without its CR; steps over it. */
struct sa_slice sa_sip_block_next_line(struct sa_slice *text, const char *end);

#endif
