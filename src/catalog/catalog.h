/*
 * What each registered SIP status code means, when it is met and what to do when it grows.  The data files of
 * codes/ are turned into a C table at build time by generate.awk.  Pure and immutable: any thread.
 *
 * Texts are English, and keys of the translations: show them through lang.h.  Phrases are what stands on the
 * wire, references are names; neither is translated.
 */
#ifndef SA_CATALOG_H
#define SA_CATALOG_H

#include "facts.h"
#include "types.h"

/* What is said of the important codes beyond meaning and remediation, one text for each that applies. */
enum sa_depth {
    SA_DEPTH_CONTACT, /* what its Contact means, for this and for later requests */
    SA_DEPTH_CACHING,
    SA_DEPTH_LOOPS,
    SA_DEPTH_CALLER, /* what each should do */
    SA_DEPTH_CALLEE,
    SA_DEPTH_PROXY,
    SA_DEPTH_REGISTRAR,
    SA_DEPTH_WATCH, /* which counters move with it */
    SA_DEPTHS
};

struct sa_catalog_entry {
    uint16_t code;
    const char *phrase;            /* registered reason phrase */
    const char *reference;         /* RFC and section */
    const char *kind;              /* normal, redirect, flow, auth, ... */
    unsigned char facts[SA_FACTS]; /* values of sa_effect, sa_dialog, ... */
    const char *meaning;           /* at most 255 octets in each language, as the MIB shows it */
    const char *when;              /* where it is met */
    const char *remediation;       /* what to do; at most 255 octets in each language */
    const char *depth[SA_DEPTHS];  /* NULL where there is nothing to say */
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

/* What all codes of its class have in common, in a sentence or two. */
const char *sa_catalog_class_meaning(unsigned code);

struct sa_label sa_depth_label(enum sa_depth depth);

/* One line of a comparison: what is compared, and what holds for each code. */
struct sa_point {
    struct sa_label label;
    const char *a, *b; /* sentences, to be translated, but for the references */
};

#define SA_POINTS (SA_FACTS + 3) /* class, finality, the facts, the reference */

struct sa_comparison {
    struct sa_point different[SA_POINTS], alike[SA_POINTS]; /* every point is in one of them */
    unsigned n_different, n_alike;
};

/* Compares two entries point by point, from their facts. */
struct sa_comparison sa_catalog_compare(const struct sa_catalog_entry *a, const struct sa_catalog_entry *b);

#endif
