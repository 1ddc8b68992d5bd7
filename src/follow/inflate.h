/*
 * Compressed logs as streams of plain bytes: a thread inflates into a pipe, so that neither a slow disk nor a
 * large file holds up the loop.
 */
#ifndef SA_INFLATE_H
#define SA_INFLATE_H

#include "packed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The first bytes of the content, at most len.  kind is what the name says: SA_PLAIN is read as it is, of
 * others the content says what they are.  0: it is not what its name says, or it holds nearly nothing, see
 * sa_packed_head().
 */
size_t sa_inflate_head(int fd, enum sa_compression kind, char *buf, size_t len);

/* How many bytes the content has, where the file says so; -1: it does not. */
int64_t sa_inflate_size(int fd, enum sa_compression kind);

struct sa_inflater;

/*
 * Starts inflating what fd holds, from the byte skip on, as its content says; kind is what the name says.  fd
 * belongs to the inflater from here.  Returns 0 and the reading end of the pipe (non-blocking), which the
 * inflater closes too, or negative errno.
 */
int sa_inflater_start(int fd, enum sa_compression kind, int64_t skip, struct sa_inflater **ret_inflater,
                      int *ret_pipe);

/* After the end of the pipe: 0, -ENODATA if the file ends in the midst of its content and may grow, or
 * another reason why the content is not whole, see sa_unpacker_read(). */
int sa_inflater_error(const struct sa_inflater *inflater);

/* Ends the thread, which a stalled disk may keep: then it is left behind. */
struct sa_inflater *sa_inflater_free(struct sa_inflater *inflater);

#endif
