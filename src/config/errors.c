#include "errors.h"
#include "text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* libConfuse checks the last value of a list a second time at its end: what was just said is not said again.
 */
static bool
repeats_previous(const struct sa_config_errors *errors, const char *line)
{
    size_t len = strlen(line);

    return len <= errors->len && memcmp(errors->text + errors->len - len, line, len) == 0;
}

void
sa_config_error(struct sa_config_errors *errors, const char *file, int line, const char *format, ...)
{
    char message[1024], raw[2048], whole[4096];
    va_list ap;
    size_t len;

    va_start(ap, format);
    (void)vsnprintf(message, sizeof message, format, ap);
    va_end(ap);
    (void)snprintf(raw, sizeof raw, "%s:%d: %s", file, line, message);
    len = sa_text_printable(whole, sizeof whole - 1, raw);
    whole[len++] = '\n';
    whole[len] = '\0';
    if (repeats_previous(errors, whole))
        return;
    errors->count++;
    if (errors->len + len >= sizeof errors->text)
        return;
    memcpy(errors->text + errors->len, whole, len + 1);
    errors->len += len;
}
