#include "bookmark.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPARED_MAX 1024 /* bytes of a file by which it is known again */
#define OFFSET_MAX   (INT64_C(1) << 60)
#define WALL_MAX_MS  INT64_C(253402300799999) /* the end of the year 9999 */

/* In the order in which they are written. */
static const struct {
    const char *name;
    size_t offset;
    int64_t min, max;
} numbers[] = {
    {"dev", offsetof(struct sa_position, dev), INT64_MIN, INT64_MAX},
    {"ino", offsetof(struct sa_position, ino), INT64_MIN, INT64_MAX},
    {"generation", offsetof(struct sa_position, generation), INT64_MIN, INT64_MAX},
    {"head_len", offsetof(struct sa_position, head_len), 0, COMPARED_MAX},
    {"head_hash", offsetof(struct sa_position, head_hash), INT64_MIN, INT64_MAX},
    {"first_hash", offsetof(struct sa_position, first_hash), INT64_MIN, INT64_MAX},
    {"offset", offsetof(struct sa_position, offset), 0, OFFSET_MAX},
    {"marker_len", offsetof(struct sa_position, marker_len), 0, COMPARED_MAX},
    {"marker_hash", offsetof(struct sa_position, marker_hash), INT64_MIN, INT64_MAX},
    {"seen_ms", offsetof(struct sa_position, seen_ms), 0, WALL_MAX_MS},
};
#define NUMBERS (sizeof numbers / sizeof numbers[0])

static int64_t *
field_of(const struct sa_position *position, size_t i)
{
    return (int64_t *)((char *)(uintptr_t)position + numbers[i].offset);
}

void
sa_bookmark_format(const struct sa_position *position, char dst[SA_BOOKMARK_VALUE])
{
    int len = 0;

    for (size_t i = 0; i < NUMBERS; i++)
        len += snprintf(dst + len, (size_t)(SA_BOOKMARK_VALUE - len), "%s=%" PRId64 " ", numbers[i].name,
                        *field_of(position, i));
    (void)snprintf(dst + len, (size_t)(SA_BOOKMARK_VALUE - len), "open=%d path=%s", position->open,
                   position->path);
}

/* Behind "NAME=", or NULL. */
static const char *
skip_name(const char *text, const char *name)
{
    size_t len = strlen(name);

    return strncmp(text, name, len) == 0 && text[len] == '=' ? text + len + 1 : NULL;
}

/* Behind "NAME=NUMBER ", or NULL. */
static const char *
take_number(const char *text, const char *name, int64_t min, int64_t max, int64_t *ret_number)
{
    const char *start = skip_name(text, name);
    char *end;

    if (start == NULL || (*start != '-' && (*start < '0' || *start > '9')))
        return NULL;
    errno = 0;
    *ret_number = strtoll(start, &end, 10);
    return errno == 0 && end != start && *end == ' ' && *ret_number >= min && *ret_number <= max ? end + 1
                                                                                                 : NULL;
}

int
sa_bookmark_parse(const char *text, struct sa_position *ret_position)
{
    int64_t open;

    *ret_position = (struct sa_position){0};
    for (size_t i = 0; i < NUMBERS && text != NULL; i++)
        text = take_number(text, numbers[i].name, numbers[i].min, numbers[i].max, field_of(ret_position, i));
    if (text != NULL)
        text = take_number(text, "open", 0, 1, &open);
    if (text != NULL)
        text = skip_name(text, "path");
    if (text == NULL || strlen(text) >= PATH_MAX || ret_position->marker_len > ret_position->offset)
        return -EBADMSG;
    ret_position->open = open != 0;
    ret_position->path = text;
    return 0;
}
