#include "errors.h"
#include "text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* libConfuse checks the last value of a list a second time at its end: what was just said is not said again.
 */
static bool
repeats_previous(const char *text, size_t text_len, const char *line)
{
    size_t len = strlen(line);

    return len <= text_len && memcmp(text + text_len - len, line, len) == 0;
}

#define LINE_ROOM 4096

static void __attribute__((format(printf, 5, 0)))
write_line(char line[LINE_ROOM], const char *file, int number, const char *kind, const char *format,
           va_list ap)
{
    char message[1024], raw[2048];
    size_t len;

    (void)vsnprintf(message, sizeof message, format, ap);
    (void)snprintf(raw, sizeof raw, "%s:%d: %s%s", file, number, kind, message);
    len = sa_text_printable(line, LINE_ROOM - 1, raw);
    line[len++] = '\n';
    line[len] = '\0';
}

static void
append(char *text, size_t size, size_t *len, const char *line)
{
    size_t more = strlen(line);

    if (*len + more >= size)
        return;
    memcpy(text + *len, line, more + 1);
    *len += more;
}

void
sa_config_error(struct sa_config_errors *errors, const char *file, int line, const char *format, ...)
{
    char whole[LINE_ROOM];
    va_list ap;

    va_start(ap, format);
    write_line(whole, file, line, "", format, ap);
    va_end(ap);
    if (repeats_previous(errors->text, errors->len, whole))
        return;
    errors->count++;
    append(errors->text, sizeof errors->text, &errors->len, whole);
}

void
sa_config_warning(struct sa_config_errors *errors, const char *file, int line, const char *format, ...)
{
    char whole[LINE_ROOM];
    va_list ap;

    va_start(ap, format);
    write_line(whole, file, line, "warning: ", format, ap);
    va_end(ap);
    if (!repeats_previous(errors->warnings, errors->warnings_len, whole))
        append(errors->warnings, sizeof errors->warnings, &errors->warnings_len, whole);
}
