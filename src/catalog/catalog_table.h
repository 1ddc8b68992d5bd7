/* The generated table; included by catalog.c alone. */
#ifndef SA_CATALOG_TABLE_H
#define SA_CATALOG_TABLE_H

#include "catalog.h"

extern const struct sa_catalog_entry sa_catalog_table[];
extern const size_t sa_catalog_count;

#endif
