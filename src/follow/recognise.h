/* What a candidate is: a followed file, or what was read of one, or a copy. */
#ifndef SA_FOLLOW_RECOGNISE_H
#define SA_FOLLOW_RECOGNISE_H

#include "family.h"

/* Whether the candidate is the file of the position, with what was read of it. */
bool sa_candidate_is_file(struct candidate *candidate, const struct sa_position *past);

/* The followed file that the candidate is, or NULL. */
struct file *sa_candidate_file(const struct source *source, struct candidate *candidate);

/* Whether the candidate is plain and known by its content alone (views.c). */
bool sa_candidate_is_view(const struct source *source, struct candidate *candidate);

/* Whether the candidate is followed, or was and is closed. */
bool sa_candidate_is_known(const struct source *source, struct candidate *candidate);

/* Whether the candidate, which is compressed, begins as what was read: all that can be told at once. */
bool sa_candidate_begins(struct candidate *candidate, const struct sa_position *position);

/* Whether the candidate, which is not compressed, holds what was read up to the position. */
bool sa_candidate_holds(struct candidate *candidate, const struct sa_position *position);

/* Whether it is a compressed or copied generation whose lines were counted when they were written. */
bool sa_candidate_was_read(const struct source *source, struct candidate *candidate);

/* The past that was lost from its file and goes on in the candidate, or NULL. */
struct ghost *sa_candidate_past(const struct source *source, struct candidate *candidate);

/*
 * Whether the log has a file that the scan did not meet, being younger: what was found beside it may be a
 * copy of that.  Then the next scan comes first.
 */
bool sa_family_has_unseen_log(const struct source *source, const char *log_path);

#endif
