/* The lists of errors and warnings that a reader of configuration files makes. */
#ifndef SA_CONFIG_ERRORS_H
#define SA_CONFIG_ERRORS_H

#include <stddef.h>

/* One "FILE:LINE: message\n" per error; what does not fit is counted all the same. */
struct sa_config_errors {
    char text[16384];
    size_t len;
    unsigned count;
    char warnings[4096]; /* likewise, of what is in force all the same; what does not fit is left out */
    size_t warnings_len;
    char control[108]; /* as far as it was read: who asks the daemon need not know the rest; "": it was not */
};

/* Adds "FILE:LINE: message", with what is not printable in either escaped. */
void sa_config_error(struct sa_config_errors *errors, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds "FILE:LINE: warning: message". */
void sa_config_warning(struct sa_config_errors *errors, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
