/*
 * Fast ways over bytes that nobody has to look at one by one: where the next of some literals is, and how far
 * whole lines can be passed over.  SSE2 or AVX2 as the machine has it, plain C elsewhere; all give the same.
 * Pure; any thread.
 */
#ifndef SA_FIND_H
#define SA_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SA_LITERALS 20 /* in one set */

/* A set of literals to look for, each of 2..64 bytes, not owned. */
struct sa_literals {
    const char *text[SA_LITERALS];
    uint8_t len[SA_LITERALS];
    uint8_t probe[SA_LITERALS]; /* where in it the two neighbouring bytes stand that are rarest in logs */
    unsigned n;
    /* Which literals can have a byte with that low or high half at their probe, as bits: one look-up for all.
     */
    uint8_t low[2][16], high[2][16];
};

/* Adds a literal; false if there is no room or the length does not fit. */
bool sa_literals_add(struct sa_literals *set, const char *text, size_t len);

/* Where one of the literals stands, in the first line that holds any, or len.  No literal may hold a LF. */
size_t sa_find_literal(const struct sa_literals *set, const char *p, size_t len);

/* What sa_pass_lines() must stop at. */
enum {
    SA_STOP_AT_BARE_LF = 1, /* a line that does not end in CR LF */
    SA_STOP_AT_HEADER = 2   /* a line that starts with a blank, a control byte or one of "cClLiI" */
};

struct sa_passed {
    size_t bytes; /* of whole lines, with their LFs */
    size_t lines;
};

/*
 * Passes over whole lines from the start of a line.  Stops in front of the first line that one of the flags
 * names, that starts with NUL or is longer than the limit (at least 64), and in front of an unfinished one.
 */
struct sa_passed sa_pass_lines(const char *p, size_t len, unsigned flags, size_t limit);

/* For the tests: the way to be used from now on, if the machine has it. */
enum sa_find_way { SA_FIND_PLAIN, SA_FIND_SSE2, SA_FIND_AVX2 };
size_t sa_find_literal_by(enum sa_find_way way, const struct sa_literals *set, const char *p, size_t len);
struct sa_passed sa_pass_lines_by(enum sa_find_way way, const char *p, size_t len, unsigned flags,
                                  size_t limit);
bool sa_find_has(enum sa_find_way way);

#endif
