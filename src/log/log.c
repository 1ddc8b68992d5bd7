#include "log.h"
#include "clock.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static sa_log_writer writer;
static int level = LOG_INFO;

void
sa_log_set_writer(sa_log_writer new_writer)
{
    writer = new_writer;
}

void
sa_log_set_level(int priority)
{
    level = priority;
}

/* Before and after there is a writer: journald adds the time itself. */
static void
write_stderr(const char *line)
{
    char stamp[SA_TIME_TEXT_SIZE] = "";

    if (getenv("JOURNAL_STREAM") == NULL)
        sa_text_time(stamp, sa_clock_now().wall_ms);
    (void)fprintf(stderr, "%s%ssipalertd: %s\n", stamp, stamp[0] != '\0' ? " " : "", line);
}

void
sa_log(int priority, const char *topic, const char *format, ...)
{
    char line[1024], shown[1536]; /* names of files and answers of others are in it */
    int n;
    va_list ap;

    if (priority > level)
        return;
    n = snprintf(line, sizeof line, "%s: ", topic);
    va_start(ap, format);
    if (n > 0 && (size_t)n < sizeof line)
        (void)vsnprintf(line + n, sizeof line - (size_t)n, format, ap);
    va_end(ap);
    (void)sa_text_printable(shown, sizeof shown, line);
    if (writer != NULL)
        writer(priority, shown);
    else
        write_stderr(shown);
}
