/*
 * A set of SIP status codes, as a rule names it: single codes, ranges, classes and negations.
 */
#ifndef SA_CODE_SET_H
#define SA_CODE_SET_H

#include "types.h"

struct sa_code_set {
    uint64_t bits[(SA_CODE_MAX + 64) / 64];
};

/*
 * Adds one word to the set: "302", "300-302", "3xx"; a leading '!' removes.  A list that begins with a
 * negation starts from all codes, so the caller fills the set first when the first word has a '!'.
 * Returns 0, or -EINVAL if the word is none of these or leaves 100..999 (the set is unchanged then).
 */
int sa_code_set_add_word(struct sa_code_set *set, const char *word);

void sa_code_set_add_range(struct sa_code_set *set, unsigned first, unsigned last, bool member);
bool sa_code_set_empty(const struct sa_code_set *set);
bool sa_code_set_subset(const struct sa_code_set *set, const struct sa_code_set *of);

static inline bool
sa_code_set_has(const struct sa_code_set *set, unsigned code)
{
    return code <= SA_CODE_MAX && (set->bits[code / 64] >> (code % 64) & 1);
}

#endif
