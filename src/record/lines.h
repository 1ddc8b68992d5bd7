/*
 * Bytes to complete lines: byte-clean, bounded, and indifferent to how the bytes were cut into reads.
 * A line ends with LF; the LF is not part of it, a CR before it is.  A partial last line is held until its
 * end arrives.  Of a line longer than the limit the first `limit` bytes are delivered and it is counted as
 * oversize.  A run of NULs at the start of a line (the hole a truncated log leaves) is skipped and counted.
 * Pure, one thread.
 */
#ifndef SA_LINES_H
#define SA_LINES_H

#include "find.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whole lines at the start of p that the taker has dealt with by itself. */
typedef struct sa_passed (*sa_pass_fn)(void *arg, const char *p, size_t len);

struct sa_lines {
    sa_pass_fn pass; /* may be NULL */
    char *carry;     /* room bytes, owned: the start of a line whose end has not come yet */
    size_t carry_len, room, limit;
    bool nuls_count; /* set by who takes the lines: NULs at the start of the next one belong to it */
    bool partial;    /* bytes of an unfinished line have been seen */
    uint64_t held;   /* how many, more than carry_len if the line is oversize */
    uint64_t lines, oversize, nul_bytes, partial_dropped;
};

/* The slice is valid during the call only.  cut: the line was longer than the limit. */
typedef void (*sa_line_fn)(void *arg, const char *line, size_t len, bool cut);

/* Returns 0 or -ENOMEM. */
int sa_lines_init(struct sa_lines *lines, size_t limit, sa_pass_fn pass);
void sa_lines_done(struct sa_lines *lines);

void sa_lines_feed(struct sa_lines *lines, const char *buf, size_t len, sa_line_fn fn, void *arg);

/* The stream is over and complete: a last line without LF is a line. */
void sa_lines_finish(struct sa_lines *lines, sa_line_fn fn, void *arg);

/* The stream starts anew (truncation): what is held is dropped and counted. */
void sa_lines_reset(struct sa_lines *lines);

#endif
