/*
 * A log file or a pipe as a stream of bytes, whatever it is packed in.  What it is shows in its first bytes,
 * not in its name.  One thread.
 */
#ifndef SA_INPUT_H
#define SA_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sa_input;

/* "-" is standard input.  Returns 0 or negative errno. */
int sa_input_open(const char *path, struct sa_input **ret_input);
struct sa_input *sa_input_close(struct sa_input *input);

/* Bytes of the log, 0 at its end, or negative errno, as sa_unpacker_read(). */
ssize_t sa_input_read(struct sa_input *input, char *buf, size_t size);

/* Whether the bytes that the first read gave are those of no text. */
bool sa_input_looks_binary(const struct sa_input *input);

/* What its first bytes are, as sa_unpacker_what(). */
const char *sa_input_packing(const struct sa_input *input);

/* The descriptor of a plain regular file, which can be read anywhere; -1 otherwise. */
int sa_input_plain_fd(const struct sa_input *input);

/* Bytes in the file and of those how many were taken; 0 of 0 for a pipe. */
uint64_t sa_input_size(const struct sa_input *input);
uint64_t sa_input_taken(const struct sa_input *input);

/* When the file was written last, milliseconds since 1970; 0: not known. */
int64_t sa_input_written_ms(const struct sa_input *input);

#endif
