/* The files of a source by device and inode. */
#ifndef SA_FOLLOW_INDEX_H
#define SA_FOLLOW_INDEX_H

#include "followed.h"

void sa_index_add(struct source *source, struct file *file);
void sa_index_remove(struct source *source, struct file *file);
struct file *sa_index_find(const struct source *source, dev_t dev, ino_t ino);

#endif
