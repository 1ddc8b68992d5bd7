/* The grammar of the configuration file, as libConfuse reads it. */
#ifndef SA_OPTIONS_H
#define SA_OPTIONS_H

#include "errors.h"

#include <confuse.h>
#include <stdio.h>

/* Opens a file for reading.  NULL with errno; EINVAL: not a regular file, which might never answer. */
FILE *sa_options_open(const char *path);

/* Parses path and everything it includes.  NULL if there was any error. */
cfg_t *sa_options_load(const char *path, struct sa_config_errors *errors);

#endif
