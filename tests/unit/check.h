/*
 * What the unit tests share: cmocka, and assertions that name the row of a table that failed.
 */
#ifndef SA_TEST_CHECK_H
#define SA_TEST_CHECK_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* A string literal as a slice; it may hold NULs. */
#define SLICE(literal) ((struct sa_slice){(literal), sizeof(literal) - 1})

#define CHECK_INT(name, got, want)                                                                           \
    do {                                                                                                     \
        long long check_got = (long long)(got), check_want = (long long)(want);                              \
        if (check_got != check_want)                                                                         \
            fail_msg("%s: %s is %lld, not %lld", (name), #got, check_got, check_want);                       \
    } while (0)

#define CHECK_STR(name, got, want)                                                                           \
    do {                                                                                                     \
        const char *check_got = (got), *check_want = (want);                                                 \
        if (strcmp(check_got, check_want) != 0)                                                              \
            fail_msg("%s: %s is \"%s\", not \"%s\"", (name), #got, check_got, check_want);                   \
    } while (0)

#define CHECK_HAS(name, got, part)                                                                           \
    do {                                                                                                     \
        const char *check_got = (got), *check_part = (part);                                                 \
        if (strstr(check_got, check_part) == NULL)                                                           \
            fail_msg("%s: no \"%s\" in \"%s\"", (name), check_part, check_got);                              \
    } while (0)

#endif
