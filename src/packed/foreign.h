/* Files that are no logs, known by their first bytes. */
#ifndef SA_PACKED_FOREIGN_H
#define SA_PACKED_FOREIGN_H

#include <stddef.h>

/* What it is, or NULL. */
const char *sa_foreign_name(const unsigned char *bytes, size_t len);

#endif
