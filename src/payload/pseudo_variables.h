/*
 * The pseudo-variables of Kamailio and OpenSIPS and what text their values can be.
 */
#ifndef SA_PSEUDO_VARIABLES_H
#define SA_PSEUDO_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sa_shape {
    SA_SHAPE_LITERAL, /* no variable */
    SA_SHAPE_CODE,    /* three digits, not beginning with 0: a status code */
    SA_SHAPE_METHOD,  /* no blanks; a proxy prints what it was sent */
    SA_SHAPE_CSEQ,    /* digits, blanks, and a method */
    SA_SHAPE_CALLID,  /* no blanks, at least one character */
    SA_SHAPE_ADDRESS, /* IPv4 or IPv6, that perhaps in brackets; nothing or "<null>" */
    SA_SHAPE_NUMBER,  /* digits, perhaps with a sign */
    SA_SHAPE_PROTO,   /* letters and digits */
    SA_SHAPE_URI,     /* no blanks, may be empty */
    SA_SHAPE_TEXT     /* anything, as little as possible */
};

struct sa_pseudo_variable {
    const char *name;
    bool argument; /* may be followed by one in parentheses */
    uint8_t shape;
};

/* Sorted by name. */
extern const struct sa_pseudo_variable sa_pseudo_variables[];
extern const size_t sa_pseudo_variable_count;

#endif
