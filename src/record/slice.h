/*
 * A run of bytes inside somebody else's buffer, and the small questions that parsers ask of it.
 */
#ifndef SA_SLICE_H
#define SA_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct sa_slice {
    const char *p;
    size_t len;
};

static inline struct sa_slice
sa_slice_from(struct sa_slice s, size_t n)
{
    return (struct sa_slice){s.p + n, s.len - n};
}

static inline bool
sa_slice_starts(struct sa_slice s, const char *literal)
{
    size_t n = strlen(literal);

    return s.len >= n && memcmp(s.p, literal, n) == 0;
}

/* Steps over the literal if the slice starts with it. */
static inline bool
sa_slice_skip(struct sa_slice *s, const char *literal)
{
    if (!sa_slice_starts(*s, literal))
        return false;
    *s = sa_slice_from(*s, strlen(literal));
    return true;
}

/* Index of the first c, or the length. */
static inline size_t
sa_slice_find(struct sa_slice s, char c)
{
    const char *at = s.len == 0 ? NULL : memchr(s.p, c, s.len);

    return at == NULL ? s.len : (size_t)(at - s.p);
}

/* Steps to the first occurrence of a short text and over it.  Its first character should be rare. */
static inline bool
sa_slice_seek(struct sa_slice *s, const char *text)
{
    size_t n = strlen(text);
    const char *at = s->p, *end = s->p + s->len;

    while ((size_t)(end - at) >= n &&
           (at = (const char *)memchr(at, text[0], (size_t)(end - at) - n + 1)) != NULL) {
        if (memcmp(at, text, n) == 0) {
            *s = (struct sa_slice){at + n, (size_t)(end - at) - n};
            return true;
        }
        at++;
    }
    return false;
}

static inline bool
sa_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The word up to the next space, stepping over that space; false if there is no further space. */
static inline bool
sa_slice_next_word(struct sa_slice *s, struct sa_slice *word)
{
    size_t n = sa_slice_find(*s, ' ');

    if (n == 0 || n == s->len)
        return false;
    *word = (struct sa_slice){s->p, n};
    *s = sa_slice_from(*s, n + 1);
    return true;
}

/* Number of digits at the start. */
static inline size_t
sa_slice_digits(struct sa_slice s)
{
    size_t n = 0;

    while (n < s.len && sa_is_digit(s.p[n]))
        n++;
    return n;
}

/* Whether it is one character, repeated at least n times. */
static inline bool
sa_slice_is_rule(struct sa_slice s, char c, size_t n)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] != c)
            return false;
    return s.len >= n;
}

#endif
