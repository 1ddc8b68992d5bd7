/*
 * The xlog line of kamailio.cfg or opensips.cfg, turned into a matcher of the whole payload.  Each
 * pseudo-variable takes only text of the shape that its value can have, so that text chosen by strangers
 * cannot take another variable's place.  Pure; a compiled template never changes.
 */
#ifndef SA_XLOG_TEMPLATE_H
#define SA_XLOG_TEMPLATE_H

#include "slice.h"

#include <stdint.h>

#define SA_TEMPLATE_PARTS 128
#define SA_TEMPLATE_TEXT  2048 /* all literals together */

/* The fields of a response that a template can give; the first variable that gives a field counts. */
enum sa_template_field {
    SA_FIELD_NONE,
    SA_FIELD_CODE,
    SA_FIELD_METHOD,
    SA_FIELD_CALL_ID,
    SA_FIELD_PEER,
    SA_FIELD_CSEQ, /* its number */
    SA_FIELD_COUNT
};

struct sa_template {
    struct sa_template_part {
        uint8_t shape; /* what may stand here; 0: a literal */
        uint8_t field;
        uint16_t start, len; /* of a literal, in text */
    } parts[SA_TEMPLATE_PARTS];
    unsigned n_parts;
    char text[SA_TEMPLATE_TEXT];
};

/*
 * Returns 0; -EINVAL if no variable of the template is a status code (nothing could be counted);
 * -ENAMETOOLONG if it has too many parts.
 */
int sa_template_compile(const char *text, struct sa_template *ret_template);

enum sa_template_verdict {
    SA_TEMPLATE_MISS,
    SA_TEMPLATE_HIT,
    SA_TEMPLATE_LIMIT /* gave up: more than SA_TEMPLATE_STEPS */
};

/*
 * The most characters that are looked at in a payload of so many bytes, each as often as it is looked at. The
 * worst payloads of ordinary templates take a sixth of it.
 */
#define SA_TEMPLATE_STEPS(len) (64 * ((size_t)(len) + 64))

/* Whether the whole payload is a line of the template; fills the fields that it has, the others are empty. */
enum sa_template_verdict sa_template_match(const struct sa_template *template, struct sa_slice payload,
                                           struct sa_slice fields[SA_FIELD_COUNT]);

/* The characters that sa_template_match() looks at in the payload; for tests. */
size_t sa_template_steps(const struct sa_template *template, struct sa_slice payload);

/* For a payload that does not match: how far it does, what would have to come there and what does. */
void sa_template_explain(const struct sa_template *template, struct sa_slice payload, char *text,
                         size_t size);

/* The longest literal, without characters that JSON would escape: a payload without it does not match.
 * Empty if there is none of two characters. */
struct sa_slice sa_template_literal(const struct sa_template *template);

#endif
