/* Where reading goes on in a file, and whether a descriptor shows that. */
#ifndef SA_FOLLOW_POSITIONS_H
#define SA_FOLLOW_POSITIONS_H

#include "answers.h"
#include "followed.h"

int64_t sa_position_hash(const char *bytes, size_t len);
int64_t sa_position_generation(int fd);
int64_t sa_position_born_ns(int fd);

/* Where the file stands: at the start of its unfinished line, or (live) at the last byte taken. */
struct sa_position sa_position_of(const struct file *file, bool live);

/* How many bytes of a head first_hash is made of. */
size_t sa_position_first_len(int64_t head_len);

/* Where the file ends by its bytes: its size says so too, or it is an old one.  -1: it cannot be read. */
int64_t sa_position_end(int fd);

/* Whether the file behind fd holds what was read up to the position, by its bytes alone. */
enum match sa_position_match(int fd, const struct sa_position *position);

/* Whether the files begin with the same bytes, as far as a head goes, or are both empty. */
bool sa_same_beginning(int a, int b);

/* Whether the files hold the same bytes at the offset. */
bool sa_same_bytes(int a, int b, int64_t offset, size_t len);

/* Loads what lies before the file's offset: its head and its marker. */
void sa_position_load(struct file *file);

#endif
