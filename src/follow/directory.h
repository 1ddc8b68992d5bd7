/* Directories are listed once for all the logs that a scan looks at. */
#ifndef SA_FOLLOW_DIRECTORY_H
#define SA_FOLLOW_DIRECTORY_H

#include "followed.h"

/*
 * Calls met for the names in the directory that belong to the family of the log with the base name, and for
 * the one of the inode unless that is 0.  What is listed is kept in directories until sa_directories_free.
 */
void sa_directory_each(struct directory **directories, const char *path, const char *base, int64_t ino,
                       void (*met)(void *arg, const char *name, int64_t ino), void *arg);
void sa_directories_free(struct directory **directories);

#endif
