/* The state of a file that is followed: what decide.h calls it, and the transitions from one to another. */
#ifndef SA_FOLLOW_FILES_H
#define SA_FOLLOW_FILES_H

#include "decide.h"
#include "followed.h"

enum file_state sa_file_state(const struct file *file);

/* Whether the marker says where the file's new bytes begin. */
bool sa_file_is_trusted(const struct file *file);

#endif
