/* Contents and what the five kinds of packing make of them. */
#ifndef SA_TEST_PACK_H
#define SA_TEST_PACK_H

#include "packed.h"

#include <stddef.h>

struct bytes {
    char *p;
    size_t len;
};

struct bytes join(struct bytes a, struct bytes b);

/* Log lines, or (plain) one byte again and again, which packs to nearly nothing. */
struct bytes content_of(size_t len, bool plain);

struct bytes pack_zstd(const char *p, size_t len, bool checksum, bool size);
struct bytes pack(enum sa_compression kind, const char *p, size_t len);

extern const struct pack_kind {
    const char *name;
    enum sa_compression kind;
} pack_kinds[5];

#endif
