/* The state of a file that is followed: what decide.h calls it, and the transitions from one to another. */
#ifndef SA_FOLLOW_FILES_H
#define SA_FOLLOW_FILES_H

#include "answers.h"
#include "followed.h"

enum file_state sa_file_state(const struct file *file);

/* Whether the marker says where the file's new bytes begin. */
bool sa_file_is_trusted(const struct file *file);

/* Whether the file's name is that of a generation of its log, or of another file that is followed. */
bool sa_file_has_family(const struct source *source, const struct file *file);

/* Whether the file has the name of its log now. */
bool sa_file_is_log(const struct file *file);

/* The file of a disk whose numbers say nothing that has the name, or had it last. */
struct file *sa_file_find_named(const struct source *source, const char *path);

/* The file waits for another, which does not wait for it in turn. */
void sa_file_wait_for(struct source *source, struct file *file, struct file *before);

/* Whether the content of a counted file is gone, or in doubt, and its number can be believed. */
bool sa_file_may_be_lost(const struct file *file);

/* Whether that is so of one of them, and nobody looked yet for a copy: that comes before what may be one. */
bool sa_file_any_lost(const struct source *source);

#endif
