#include "framing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_MAX 9999999 /* a longer number is no MSG-LEN */

int
sa_framing_init(struct sa_framing *framing)
{
    *framing = (struct sa_framing){.held = malloc(SA_FRAMING_LIMIT)};
    return framing->held == NULL ? -ENOMEM : 0;
}

void
sa_framing_done(struct sa_framing *framing)
{
    free(framing->held);
    *framing = (struct sa_framing){0};
}

static void
hold(struct sa_framing *framing, const char *buf, size_t len)
{
    size_t room = SA_FRAMING_LIMIT - framing->held_len, n = len < room ? len : room;

    if (n < len && !framing->cut) {
        framing->oversize++;
        framing->cut = true;
    }
    memcpy(framing->held + framing->held_len, buf, n);
    framing->held_len += n;
}

static void
deliver(struct sa_framing *framing, sa_frame_fn fn, void *arg)
{
    if (framing->held_len > 0)
        fn(arg, framing->held, framing->held_len);
    framing->held_len = 0;
    framing->cut = false;
    framing->state = SA_FRAME_START;
}

/* The number is not a length after all: its digits are the start of a line. */
static void
digits_are_text(struct sa_framing *framing)
{
    char digits[24];
    size_t n = 0;

    for (uint64_t value = framing->left; value > 0; value /= 10)
        digits[sizeof digits - ++n] = (char)('0' + value % 10);
    framing->state = SA_FRAME_LINE;
    hold(framing, digits + sizeof digits - n, n);
}

static size_t
read_length(struct sa_framing *framing, char c)
{
    if (c >= '0' && c <= '9' && framing->left <= LENGTH_MAX / 10) {
        framing->left = framing->left * 10 + (uint64_t)(c - '0');
        return 1;
    }
    if (c != ' ') {
        digits_are_text(framing);
        return 0;
    }
    framing->state = SA_FRAME_COUNTED;
    return 1;
}

static size_t
read_counted(struct sa_framing *framing, const char *buf, size_t len, sa_frame_fn fn, void *arg)
{
    size_t n = len < framing->left ? len : (size_t)framing->left;

    if (framing->held_len == 0 && *buf != '<') { /* every message begins with its priority: this is a line */
        digits_are_text(framing);
        hold(framing, " ", 1);
        return 0;
    }
    hold(framing, buf, n);
    framing->left -= n;
    if (framing->left == 0)
        deliver(framing, fn, arg);
    return n;
}

static size_t
read_line(struct sa_framing *framing, const char *buf, size_t len, sa_frame_fn fn, void *arg)
{
    const char *end = memchr(buf, '\n', len);

    hold(framing, buf, end == NULL ? len : (size_t)(end - buf));
    if (end == NULL)
        return len;
    deliver(framing, fn, arg);
    return (size_t)(end - buf) + 1;
}

void
sa_framing_feed(struct sa_framing *framing, const char *buf, size_t len, sa_frame_fn fn, void *arg)
{
    while (len > 0) {
        size_t n = 0;

        switch (framing->state) {
        case SA_FRAME_START:
            framing->state = *buf >= '1' && *buf <= '9' ? SA_FRAME_LENGTH : SA_FRAME_LINE;
            framing->left = 0;
            break;
        case SA_FRAME_LENGTH:
            n = read_length(framing, *buf);
            break;
        case SA_FRAME_COUNTED:
            n = read_counted(framing, buf, len, fn, arg);
            break;
        case SA_FRAME_LINE:
            n = read_line(framing, buf, len, fn, arg);
            break;
        }
        buf += n;
        len -= n;
    }
}

void
sa_framing_end(struct sa_framing *framing, sa_frame_fn fn, void *arg)
{
    if (framing->state == SA_FRAME_LENGTH)
        digits_are_text(framing);
    if (framing->state == SA_FRAME_LINE)
        deliver(framing, fn, arg);
}
