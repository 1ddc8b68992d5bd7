#include "progress.h"
#include "clock.h"
#include "lang.h"
#include "layout.h"
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define EVERY_MS 100
#define AFTER_MS 300 /* what is over sooner needs no bar */

static unsigned
columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

/* "1.9 GB/s" */
static void
put_rate(char *text, size_t size, double bytes_per_second)
{
    static const char *const units[] = {"B/s", "kB/s", "MB/s", "GB/s"};
    unsigned unit = 0;

    while (bytes_per_second >= 1000 && unit < 3) {
        bytes_per_second /= 1000;
        unit++;
    }
    (void)sa_text_format(text, size, "%.*f %s", bytes_per_second < 10 ? 1 : 0, bytes_per_second, units[unit]);
}

static void
put_time(char *text, size_t size, double seconds)
{
    unsigned left = seconds > 359999 ? 359999 : (unsigned)(seconds + 0.5);

    if (left >= 3600)
        (void)sa_text_format(text, size, _("%u:%02u:%02u left"), left / 3600, left / 60 % 60, left % 60);
    else
        (void)sa_text_format(text, size, _("%u:%02u left"), left / 60, left % 60);
}

/* width cells, filled to the eighth of a cell. */
static void
put_bar(char *text, size_t size, unsigned width, double share)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    unsigned full = (unsigned)(share * width * 8), cells = full / 8;
    size_t len = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < cells; i++)
        len += sa_text_format(text + len, size - len, "█");
    if (cells < width) {
        len += sa_text_format(text + len, size - len, "%s", eighths[full % 8]);
        for (unsigned i = cells + (full % 8 != 0); i < width; i++)
            len += sa_text_format(text + len, size - len, " ");
    }
}

/* In place of what stood there; a line that reached the border would leave it behind. */
static void
put_line(const char *line, unsigned width)
{
    (void)fprintf(stderr, "\r\033[K%.*s", (int)sa_layout_fit(line, width - 1), line);
}

void
sa_progress_show(struct sa_progress *progress, uint64_t taken, uint64_t total)
{
    int64_t now_ms = sa_clock_now().mono_ms;
    char bar[512], rate[32], left[32], name[256], line[1024];
    double seconds, per_second, share;
    unsigned width = columns();

    if (progress->begun_ms == 0)
        progress->begun_ms = now_ms;
    if (now_ms - progress->begun_ms < AFTER_MS || now_ms - progress->drawn_ms < EVERY_MS ||
        !isatty(STDERR_FILENO))
        return;
    progress->drawn_ms = now_ms;
    progress->shown = true;
    seconds = (double)(now_ms - progress->begun_ms) / 1000;
    per_second = (double)taken / seconds;
    put_rate(rate, sizeof rate, per_second);
    (void)sa_text_escape(name, width / 3 < sizeof name ? width / 3 : sizeof name, progress->what,
                         strlen(progress->what));
    if (total == 0) {
        (void)sa_text_format(line, sizeof line, "%s  %s", name, rate);
        put_line(line, width);
        return;
    }
    share = taken < total ? (double)taken / (double)total : 1;
    put_time(left, sizeof left,
             per_second > 0 ? (double)(total - (taken < total ? taken : total)) / per_second : 0);
    put_bar(bar, sizeof bar, width > 68 ? width / 3 : width > 48 ? width / 5 : 0, share);
    (void)sa_text_format(line, sizeof line, "%s %3.0f%% %s %s %s", name, 100 * share, bar, rate, left);
    put_line(line, width);
}

void
sa_progress_clear(struct sa_progress *progress)
{
    if (progress->shown)
        (void)fputs("\r\033[K", stderr);
    progress->shown = false;
    progress->begun_ms = 0;
}
