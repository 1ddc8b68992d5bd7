/*
 * A line on the terminal that says how far a long command is; nothing where there is no terminal.
 */
#ifndef SA_PROGRESS_H
#define SA_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct sa_progress {
    const char *what; /* the file's name */
    bool shown;
    int64_t begun_ms, drawn_ms;
};

/* Shows the bar if stderr is a terminal and the last time was a while ago; total 0: not known. */
void sa_progress_show(struct sa_progress *progress, uint64_t taken, uint64_t total);

/* Takes it away. */
void sa_progress_clear(struct sa_progress *progress);

#endif
