#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4096

void
sa_buffer_done(struct sa_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct sa_buffer){0};
}

void
sa_buffer_add(struct sa_buffer *buffer, const void *p, size_t len)
{
    if (buffer->len + len > buffer->room && !buffer->failed) {
        size_t room = buffer->room == 0 ? FIRST_ROOM : buffer->room;
        uint8_t *bytes;

        while (room < buffer->len + len)
            room *= 2;
        bytes = realloc(buffer->bytes, room);
        buffer->failed = bytes == NULL;
        if (bytes != NULL) {
            buffer->bytes = bytes;
            buffer->room = room;
        }
    }
    if (buffer->failed || len == 0)
        return;
    memcpy(buffer->bytes + buffer->len, p, len);
    buffer->len += len;
}

void
sa_buffer_number(struct sa_buffer *buffer, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (uint8_t)(value | 0x80);
    bytes[n++] = (uint8_t)value;
    sa_buffer_add(buffer, bytes, n);
}

uint64_t
sa_buffer_read(struct sa_buffer_reader *reader)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && reader->p < reader->end; shift += 7) {
        uint8_t byte = *reader->p++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0 && !reader->failed)
            return value;
    }
    reader->failed = true;
    return 0;
}
