/*
 * The checks of single values and sections, each at the line where it stands; libConfuse calls them while it
 * reads.  One reader at a time: libConfuse hands its callbacks no pointer of ours.
 */
#ifndef SA_CHECKS_H
#define SA_CHECKS_H

#include "errors.h"

#include <confuse.h>

/* From here until sa_checks_end() errors go to this list. */
void sa_checks_begin(struct sa_config_errors *errors);

/* The file that is being read; libConfuse does not know it in every section. */
void sa_checks_file(const char *path);
void sa_checks_end(void);

/* Lets libConfuse call the checks. */
void sa_checks_attach(cfg_t *cfg);

/* The checks that need the whole configuration: names that have to exist. */
void sa_checks_resolve(cfg_t *cfg);

#endif
