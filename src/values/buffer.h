/*
 * Bytes in the making: a buffer that grows, small numbers in few bytes (LEB128), and the way back.
 */
#ifndef SA_BUFFER_H
#define SA_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sa_buffer {
    uint8_t *bytes; /* owned */
    size_t len, room;
    bool failed; /* out of memory: something is missing */
};

void sa_buffer_done(struct sa_buffer *buffer);
void sa_buffer_add(struct sa_buffer *buffer, const void *p, size_t len);
void sa_buffer_number(struct sa_buffer *buffer, uint64_t value);

struct sa_buffer_reader {
    const uint8_t *p, *end;
    bool failed; /* asked for more than there was */
};

/* 0 once the reader has failed. */
uint64_t sa_buffer_read(struct sa_buffer_reader *reader);

#endif
