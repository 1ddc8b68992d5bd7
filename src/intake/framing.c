#include "framing.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_MAX 9999999 /* a longer number is no MSG-LEN */
#define FIRST_ROOM 512     /* most messages are shorter */

void
sa_framing_init(struct sa_framing *framing, size_t limit)
{
    *framing = (struct sa_framing){.limit = limit};
}

void
sa_framing_rest(struct sa_framing *framing)
{
    if (framing->held_len != 0)
        return;
    free(framing->held);
    framing->held = NULL;
    framing->room = 0;
}

void
sa_framing_done(struct sa_framing *framing)
{
    free(framing->held);
    *framing = (struct sa_framing){0};
}

/* Room for len bytes more, up to the limit; without memory the message is cut where the room ends. */
static void
make_room(struct sa_framing *framing, size_t len)
{
    size_t room = framing->room == 0 ? FIRST_ROOM : framing->room;
    char *held;

    while (room < framing->limit && room - framing->held_len < len)
        room *= 2;
    if (room > framing->limit)
        room = framing->limit;
    held = room == framing->room ? NULL : realloc(framing->held, room);
    if (held == NULL)
        return;
    framing->held = held;
    framing->room = room;
}

static void
hold(struct sa_framing *framing, const char *buf, size_t len)
{
    size_t room, n;

    if (len == 0)
        return;
    make_room(framing, len);
    room = framing->room - framing->held_len;
    n = len < room ? len : room;
    if (n < len && !framing->cut) {
        framing->oversize++;
        framing->cut = true;
    }
    if (n > 0)
        memcpy(framing->held + framing->held_len, buf, n);
    framing->held_len += n;
}

/* The last bytes of a message are here.  One that is whole is handed over from where it was read to. */
static void
complete(struct sa_framing *framing, const char *buf, size_t len, sa_frame_fn fn, void *arg)
{
    if (framing->held_len == 0 && len <= framing->limit && !framing->cut) {
        if (len > 0)
            fn(arg, buf, len);
    } else {
        hold(framing, buf, len);
        if (framing->held_len > 0)
            fn(arg, framing->held, framing->held_len);
    }
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

    if (framing->held_len == 0 && !framing->cut &&
        *buf != '<') { /* every message begins with its priority: this is a line */
        digits_are_text(framing);
        hold(framing, " ", 1);
        return 0;
    }
    framing->left -= n;
    if (framing->left == 0)
        complete(framing, buf, n, fn, arg);
    else
        hold(framing, buf, n);
    return n;
}

static size_t
read_line(struct sa_framing *framing, const char *buf, size_t len, sa_frame_fn fn, void *arg)
{
    const char *end = memchr(buf, '\n', len);

    if (end == NULL) {
        hold(framing, buf, len);
        return len;
    }
    complete(framing, buf, (size_t)(end - buf), fn, arg);
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

bool
sa_framing_end(struct sa_framing *framing, sa_frame_fn fn, void *arg)
{
    bool lost = framing->state == SA_FRAME_COUNTED;

    if (framing->state == SA_FRAME_LENGTH)
        digits_are_text(framing);
    if (framing->state == SA_FRAME_LINE)
        complete(framing, NULL, 0, fn, arg);
    return lost;
}
