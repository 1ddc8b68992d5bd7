/* Whether what was read of a file is still there, by its bytes; sizes and times are only hints. */
#ifndef SA_FOLLOW_PROOF_H
#define SA_FOLLOW_PROOF_H

#include "answers.h"
#include "followed.h"

/* What fd shows of what was read up to the position, of which only hashes are known. */
enum proof sa_proof_of_position(int fd, const struct sa_position *position);

/* What fd shows of what was read of the file. */
enum proof sa_proof_look(int fd, const struct file *file);

/* Of a file that shows less than was read of it: whether that says by now that it was truncated. */
bool sa_proof_is_believed(const struct file *file, int64_t now_ms);

/*
 * Whether what was read of the file is gone, or it will be told soon if it is: what may be a copy of it waits
 * for that.
 */
bool sa_proof_may_be_lost(const struct file *file);

/* The file goes on at a position of an earlier life whose marker it does not show yet. */
void sa_proof_seal(struct file *file, const struct sa_position *past);

/* The file shows all that an earlier life read of it: from now on its own bytes say so. */
void sa_proof_unseal(struct file *file);

/*
 * Whether the bytes before an offset, all or as many as a marker has, tell a file from others of its log:
 * lines begin alike, and a part of one line may come again in each file.
 */
bool sa_proof_has_line(const char *bytes, size_t len);

/* Whether what fd holds is, up to the file's offset, what was read of the file: at least one line. */
bool sa_proof_same(int fd, const struct file *file);

/* The end of the last line that the file still has of those before its offset; 0: none, or it is another. */
int64_t sa_proof_common_end(const struct file *file);

/* The file lost or changed only its last lines: its position goes back to the end of those that are left. */
void sa_proof_step_back(struct file *file, int64_t end);

/* The file's offset moved on; end: behind the last of len bytes that lie before it. */
void sa_proof_pass(struct file *file, const char *end, size_t len);
void sa_proof_forget(struct file *file);

#endif
