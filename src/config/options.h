/*
 * Between the two halves of the configuration reader: options.c knows libConfuse's grammar and checks each
 * value at the line where it stands; config.c turns checked values into the configuration.
 */
#ifndef SA_OPTIONS_H
#define SA_OPTIONS_H

#include "config.h"

#include <confuse.h>

/* Parses path and everything it includes.  NULL if there was any error. */
cfg_t *sa_options_load(const char *path, struct sa_config_errors *errors);

/* Adds "FILE:LINE: message". */
void sa_options_error(struct sa_config_errors *errors, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
