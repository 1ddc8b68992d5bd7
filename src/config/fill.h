/* Between what libConfuse has read and struct sa_config, by the table. */
#ifndef SA_CONFIG_FILL_H
#define SA_CONFIG_FILL_H

#include "config.h"

#include <confuse.h>

/* Fills an empty configuration.  What finds no memory stays empty. */
void sa_fill(struct sa_config *config, cfg_t *cfg);

/* Frees what sa_fill() allocated, not the configuration itself. */
void sa_fill_release(struct sa_config *config);

/* Sets the codes of a rule, and how they are shown, from words that end with NULL. */
void sa_fill_codes(struct sa_rule_def *rule, const char *const *words);

#endif
