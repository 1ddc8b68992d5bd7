#include "record.h"

#include <string.h>

size_t
sa_intake_record(char *dst, const char *message, size_t len)
{
    size_t n = 0;

    while (len > 0 && (message[len - 1] == '\n' || message[len - 1] == '\0' || message[len - 1] == '\r'))
        len--;
    for (size_t i = 0; i < len; i++) {
        const char *escape = message[i] == '\n' ? "#012" : message[i] == '\r' ? "#015" : NULL;

        if (escape != NULL) {
            memcpy(dst + n, escape, 4);
            n += 4;
        } else {
            dst[n++] = message[i];
        }
    }
    dst[n++] = '\n';
    return n;
}
