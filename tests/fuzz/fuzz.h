/*
 * What the fuzz targets share.  Each fuzz_NAME.c has the libFuzzer entry; replay.c runs the same entry over
 * saved inputs, so that every build replays tests/fuzz/corpus.
 */
#ifndef SA_FUZZ_H
#define SA_FUZZ_H

#include "types.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An invariant: what does not hold is a crash, in every kind of build. */
#define FUZZ_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);             \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#define FUZZ_CHECK_TEXT(field) FUZZ_CHECK(memchr((field), '\0', sizeof(field)) != NULL)

/* Everything that a response promises, wherever it came from. */
static inline void
fuzz_check_response(const struct sa_response *response)
{
    FUZZ_CHECK(response->code >= SA_CODE_MIN && response->code <= SA_CODE_MAX);
    FUZZ_CHECK(response->direction < SA_DIR_COUNT);
    FUZZ_CHECK(response->repeat >= 1);
    FUZZ_CHECK_TEXT(response->method);
    FUZZ_CHECK_TEXT(response->peer);
    FUZZ_CHECK_TEXT(response->call_id);
}

#endif
