/* The text of configuration files, and of what they include, given to libConfuse. */
#ifndef SA_CONFIG_PARSE_H
#define SA_CONFIG_PARSE_H

#include "errors.h"

#include <confuse.h>
#include <stdio.h>

/* Opens a file for reading.  NULL with errno; EINVAL: not a regular file, which might never answer. */
FILE *sa_parse_open(const char *path);

/* Parses path and everything it includes.  NULL if there was any error. */
cfg_t *sa_parse(const char *path, struct sa_config_errors *errors);

/* For libConfuse: its own errors (syntax, unknown keys, wrong types), and include("GLOB"), which is read
 * after the file it stands in, in order. */
void sa_parse_error(cfg_t *cfg, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
int sa_parse_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv);

#endif
