/*
 * What each registered SIP status code means and what to do when it grows (sip-status-codes.tsv, turned into
 * a C table at build time by generate.awk).  Pure and immutable: any thread.
 */
#ifndef SA_CATALOG_H
#define SA_CATALOG_H

#include "types.h"

struct sa_catalog_entry {
    uint16_t code;
    const char *phrase;      /* registered reason phrase */
    const char *reference;   /* RFC and section */
    const char *kind;        /* normal, redirect, flow, auth, ... */
    const char *cause;       /* what it means and when it is seen; at most 255 octets */
    const char *remediation; /* what to do; at most 255 octets */
};

/* All registered codes in ascending order. */
const struct sa_catalog_entry *sa_catalog_all(size_t *ret_count);

/* The entry of a registered code, or NULL. */
const struct sa_catalog_entry *sa_catalog_find(unsigned code);

/*
 * The texts for any code of 100..999.  An unregistered one gets those of its class, because a client treats
 * it as x00 of the class, and as 183 in class 1xx (RFC 3261 section 8.1.3.2); codes of 700 and above have no
 * class and get a text of their own.  The entry carries the asked code and, unregistered, the phrase
 * "(unregistered)".
 */
struct sa_catalog_entry sa_catalog_explain(unsigned code);

/* "Provisional", "Success", "Redirection", "Client Error", "Server Error", "Global Failure" or "Invalid". */
const char *sa_catalog_class(unsigned code);

#endif
