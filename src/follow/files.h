/* The state of a file that is followed: what decide.h calls it, and the transitions from one to another. */
#ifndef SA_FOLLOW_FILES_H
#define SA_FOLLOW_FILES_H

#include "answers.h"
#include "followed.h"

enum file_state sa_file_state(const struct file *file);

/* Whether nothing of the file is counted before its content was judged. */
bool sa_file_is_unjudged(const struct file *file);

/* The file's lines are its own from now on. */
void sa_file_count(struct file *file);

/* Nothing of the file is counted before its content was judged. */
void sa_file_unjudge(struct file *file);

/* The same of a file that shows something else than before, of which nothing is remembered. */
void sa_file_part(struct file *file);

/* What an earlier judgement said is forgotten, and the file rests until this one says otherwise. */
void sa_file_begin_judging(struct file *file);

/* What was read of the file is not there any more, and nothing is known of what is there now. */
void sa_file_forget_content(struct file *file);

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
