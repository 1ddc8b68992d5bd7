/*
 * The options that name a format, which several commands have in common.
 */
#ifndef SA_FORMAT_CHOICE_H
#define SA_FORMAT_CHOICE_H

#include "commands.h"
#include "format.h"

#define SA_CHOICE_MAX 64 /* options of one kind on a command line */

struct sa_format_choice {
    char *names[SA_CHOICE_MAX + 1], *xlog[SA_CHOICE_MAX + 1], *xlog_sent[SA_CHOICE_MAX + 1],
        *regex[SA_CHOICE_MAX + 1];
    const char *config; /* whose format sections can be named, or NULL */
};

/*
 * Takes --format, --xlog, --xlog-sent or --regex and its value at argv[*i], which is moved to the value.
 * Returns 1 if it was one of them, 0 if not, -1 after a message.
 */
int sa_format_choice_take(struct sa_format_choice *choice, const char *command, int argc, char **argv,
                          int *i);

/* The format that was chosen, auto if nothing was.  NULL after a message. */
struct sa_format *sa_format_choice_make(const struct sa_format_choice *choice, const char *command);

#endif
