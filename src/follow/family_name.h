/* What a name says: whether it is that of a generation of a log, and which one. */
#ifndef SA_FOLLOW_FAMILY_NAME_H
#define SA_FOLLOW_FAMILY_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a name is that of a rotated, copied or compressed generation of the log. */
bool sa_family_is(const char *log_path, const char *path);

/* Whether the name is that of a generation by its number or date; both without their directories. */
bool sa_family_is_generation(const char *base, const char *name);

/* A counter grows with age, a date with youth; what is named by neither has no rank. */
int64_t sa_family_rank(const char *base, const char *name);

/* The name's length without the ending of a compression. */
size_t sa_family_plain_len(const char *name);

/* The name without its directory. */
const char *sa_family_base(const char *path);

#endif
