#include "code_set.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
sa_code_set_add_range(struct sa_code_set *set, unsigned first, unsigned last, bool member)
{
    for (unsigned code = first; code <= last && code <= SA_CODE_MAX; code++) {
        uint64_t bit = UINT64_C(1) << (code % 64);

        if (member)
            set->bits[code / 64] |= bit;
        else
            set->bits[code / 64] &= ~bit;
    }
}

static int
parse_code(const char *s, unsigned *ret_code)
{
    if (!isdigit((unsigned char)s[0]) || !isdigit((unsigned char)s[1]) || !isdigit((unsigned char)s[2]))
        return -EINVAL;
    *ret_code = (unsigned)((s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0'));
    return *ret_code >= SA_CODE_MIN ? 0 : -EINVAL;
}

int
sa_code_set_add_word(struct sa_code_set *set, const char *word)
{
    bool member = word[0] != '!';
    const char *s = word + !member;
    size_t len = strlen(s);
    unsigned first, last;

    if (len == 3 && s[0] >= '1' && s[0] <= '9' && (s[1] | 0x20) == 'x' && (s[2] | 0x20) == 'x') {
        first = (unsigned)(s[0] - '0') * 100;
        last = first + 99;
    } else if (len == 3 && parse_code(s, &first) == 0) {
        last = first;
    } else if (len == 7 && s[3] == '-' && parse_code(s, &first) == 0 && parse_code(s + 4, &last) == 0 &&
               first <= last) {
        /* a range */
    } else {
        return -EINVAL;
    }
    sa_code_set_add_range(set, first, last, member);
    return 0;
}

bool
sa_code_set_empty(const struct sa_code_set *set)
{
    for (size_t i = 0; i < sizeof set->bits / sizeof set->bits[0]; i++)
        if (set->bits[i] != 0)
            return false;
    return true;
}

bool
sa_code_set_subset(const struct sa_code_set *set, const struct sa_code_set *of)
{
    for (size_t i = 0; i < sizeof set->bits / sizeof set->bits[0]; i++)
        if ((set->bits[i] & ~of->bits[i]) != 0)
            return false;
    return true;
}
