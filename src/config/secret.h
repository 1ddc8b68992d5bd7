/* Files beside the configuration that hold what not everybody should read. */
#ifndef SA_CONFIG_SECRET_H
#define SA_CONFIG_SECRET_H

#include "errors.h"

/* The first line of a file, without its end, allocated; NULL with an error of key if it cannot be read. */
char *sa_secret_read(const char *key, const char *path, const char *config_path,
                     struct sa_config_errors *errors);

/* Warns if everybody may read it; that it is missing is told when it is used.  path may be NULL. */
void sa_secret_check(const char *key, const char *path, const char *config_path,
                     struct sa_config_errors *errors);

#endif
