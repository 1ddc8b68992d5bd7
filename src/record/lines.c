#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 512 /* most lines are shorter, and there may be a thousand files */

int
sa_lines_init(struct sa_lines *lines, size_t limit, sa_pass_fn pass)
{
    *lines = (struct sa_lines){.pass = pass, .limit = limit, .room = FIRST_ROOM < limit ? FIRST_ROOM : limit};
    lines->carry = calloc(1, lines->room);
    return lines->carry == NULL ? -ENOMEM : 0;
}

void
sa_lines_done(struct sa_lines *lines)
{
    free(lines->carry);
    *lines = (struct sa_lines){0};
}

static void
deliver(struct sa_lines *lines, const char *line, size_t len, bool cut, sa_line_fn fn, void *arg)
{
    lines->lines++;
    if (cut)
        lines->oversize++;
    fn(arg, line, len, cut);
}

/* Room for the whole line, up to the limit; without memory the line is cut where the room ends. */
static void
make_room(struct sa_lines *lines, size_t len)
{
    size_t room = lines->room;
    char *carry;

    while (room < lines->limit && room - lines->carry_len < len)
        room = 2 * room < lines->limit ? 2 * room : lines->limit;
    carry = room == lines->room ? NULL : realloc(lines->carry, room);
    if (carry == NULL)
        return;
    memset(carry + lines->room, 0, room - lines->room); /* pattern matchers look ahead in whole words */
    lines->carry = carry;
    lines->room = room;
}

/* Appends to the held line what the limit allows. */
static void
hold(struct sa_lines *lines, const char *buf, size_t len)
{
    size_t room, n;

    make_room(lines, len);
    room = lines->room - lines->carry_len;
    n = len < room ? len : room;

    memcpy(lines->carry + lines->carry_len, buf, n);
    lines->carry_len += n;
    lines->held += len;
    lines->partial = true;
}

static void
deliver_held(struct sa_lines *lines, sa_line_fn fn, void *arg)
{
    size_t len = lines->carry_len;
    bool cut = lines->held > len;

    lines->carry_len = 0;
    lines->held = 0;
    lines->partial = false;
    deliver(lines, lines->carry, len, cut, fn, arg);
}

static size_t
count_nuls(const char *buf, size_t len)
{
    size_t n = 0;

    while (n < len && buf[n] == '\0')
        n++;
    return n;
}

void
sa_lines_feed(struct sa_lines *lines, const char *buf, size_t len, sa_line_fn fn, void *arg)
{
    while (len > 0) {
        struct sa_passed passed = {0, 0};
        const char *end;
        size_t n;

        if (!lines->partial && lines->pass != NULL)
            passed = lines->pass(arg, buf, len);
        if (passed.bytes != 0) {
            lines->lines += passed.lines;
            buf += passed.bytes;
            len -= passed.bytes;
            continue;
        }
        if (!lines->partial && buf[0] == '\0' && !lines->nuls_count) {
            n = count_nuls(buf, len);
            lines->nul_bytes += n;
            buf += n;
            len -= n;
            continue;
        }
        end = memchr(buf, '\n', len);
        if (end == NULL) {
            hold(lines, buf, len);
            return;
        }
        n = (size_t)(end - buf);
        if (lines->partial) {
            hold(lines, buf, n);
            deliver_held(lines, fn, arg);
        } else {
            deliver(lines, buf, n < lines->limit ? n : lines->limit, n > lines->limit, fn, arg);
        }
        buf = end + 1;
        len -= n + 1;
    }
}

void
sa_lines_finish(struct sa_lines *lines, sa_line_fn fn, void *arg)
{
    if (lines->partial)
        deliver_held(lines, fn, arg);
}

void
sa_lines_reset(struct sa_lines *lines)
{
    if (lines->partial)
        lines->partial_dropped++;
    lines->partial = false;
    lines->carry_len = 0;
    lines->held = 0;
}
