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

/* Adds a line to the text, as long as there is room.  Returns false if it was there already. */
static bool __attribute__((format(printf, 6, 0)))
add_line(char *text, size_t size, size_t *len, const char *file, int line, const char *format, va_list ap)
{
    char message[1024], raw[2048], whole[4096];
    size_t whole_len;

    (void)vsnprintf(message, sizeof message, format, ap);
    (void)snprintf(raw, sizeof raw, "%s:%d: %s", file, line, message);
    whole_len = sa_text_printable(whole, sizeof whole - 1, raw);
    whole[whole_len++] = '\n';
    whole[whole_len] = '\0';
    if (repeats_previous(text, *len, whole))
        return false;
    if (*len + whole_len < size) {
        memcpy(text + *len, whole, whole_len + 1);
        *len += whole_len;
    }
    return true;
}

void
sa_config_error(struct sa_config_errors *errors, const char *file, int line, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    errors->count += add_line(errors->text, sizeof errors->text, &errors->len, file, line, format, ap);
    va_end(ap);
}

void
sa_config_warning(struct sa_config_errors *errors, const char *file, int line, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    (void)add_line(errors->warnings, sizeof errors->warnings, &errors->warnings_len, file, line, format, ap);
    va_end(ap);
}
