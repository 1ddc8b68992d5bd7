#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define HASH_SUFFIX 10 /* "~%08x" and its end */

/*
 * What is not seen, or makes a line read as something else than it is: the Unicode categories Cf, Zl and Zp
 * (zero width, bidirectional, line separators, tags).  In ascending order.
 */
static bool
is_invisible(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},
                  {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x180e, 0x180e},
                  {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x2064},   {0x2066, 0x206f},
                  {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
                  {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0001, 0xe0001},
                  {0xe0020, 0xe007f}};
    size_t i = 0;

    while (i < sizeof ranges / sizeof ranges[0] && point > ranges[i].last)
        i++;
    return i < sizeof ranges / sizeof ranges[0] && point >= ranges[i].first;
}

/* Length of the valid UTF-8 sequence at s (1..4), or 0; C1 controls and what is invisible count as invalid so
 * that they get escaped. */
static size_t
utf8_sequence(const unsigned char *s, size_t len)
{
    static const struct {
        unsigned char mask, lead;
        size_t length;
        uint32_t smallest;
    } forms[] = {{0xe0, 0xc0, 2, 0xa0}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};

    if (s[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        uint32_t point;

        if ((s[0] & forms[i].mask) != forms[i].lead)
            continue;
        if (len < forms[i].length)
            return 0;
        point = s[0] & (unsigned char)~forms[i].mask;
        for (size_t k = 1; k < forms[i].length; k++) {
            if ((s[k] & 0xc0) != 0x80)
                return 0;
            point = point << 6 | (s[k] & 0x3f);
        }
        if (point < forms[i].smallest || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            return 0;
        return is_invisible(point) ? 0 : forms[i].length;
    }
    return 0;
}

/* sa_text_escape(), but `quoted`: whether '"' and '\\' get a backslash. */
static size_t
escape(char *dst, size_t size, const char *src, size_t src_len, bool quoted)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *s = (const unsigned char *)src;
    size_t out = 0;

    if (size == 0)
        return 0;
    for (size_t i = 0; i < src_len;) {
        size_t n = utf8_sequence(s + i, src_len - i);
        char piece[4];
        size_t piece_len;

        if (n == 0 || s[i] < 0x20 || s[i] == 0x7f) {
            piece[0] = '\\';
            piece[1] = 'x';
            piece[2] = hex[s[i] >> 4];
            piece[3] = hex[s[i] & 15];
            piece_len = 4;
            n = 1;
        } else if (quoted && (s[i] == '"' || s[i] == '\\')) {
            piece[0] = '\\';
            piece[1] = (char)s[i];
            piece_len = 2;
        } else {
            memcpy(piece, s + i, n);
            piece_len = n;
        }
        if (out + piece_len >= size)
            break;
        memcpy(dst + out, piece, piece_len);
        out += piece_len;
        i += n;
    }
    dst[out] = '\0';
    return out;
}

size_t
sa_text_escape(char *dst, size_t size, const char *src, size_t src_len)
{
    return escape(dst, size, src, src_len, true);
}

size_t
sa_text_printable(char *dst, size_t size, const char *src)
{
    return escape(dst, size, src, strlen(src), false);
}

size_t
sa_text_utf8_prefix(const char *s, size_t len, size_t max)
{
    size_t n = max;

    if (len <= max)
        return len;
    while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    return n;
}

size_t
sa_text_slice(char *dst, size_t size, const char *src, size_t src_len)
{
    size_t n = src_len < size ? src_len : size - 1;

    memcpy(dst, src, n);
    dst[n] = '\0';
    return n;
}

size_t
sa_text_copy(char *dst, size_t size, const char *src)
{
    return sa_text_slice(dst, size, src, sa_text_utf8_prefix(src, strlen(src), size - 1));
}

size_t
sa_text_format(char *dst, size_t size, const char *format, ...)
{
    char wide[2048];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(wide, sizeof wide, format, ap);
    va_end(ap);
    return sa_text_copy(dst, size, wide);
}

bool
sa_text_fit(char *dst, size_t size, const char *src)
{
    size_t len = strlen(src);

    if (len < size) {
        memcpy(dst, src, len + 1);
        return true;
    }
    (void)sa_text_format(dst, size, "%.*s~%08x", (int)sa_text_utf8_prefix(src, len, size - HASH_SUFFIX), src,
                         sa_text_hash(src, len));
    return false;
}

uint32_t
sa_text_hash(const char *s, size_t len)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)s[i]) * 16777619u;
    return hash;
}

void
sa_text_time(char dst[SA_TIME_TEXT_SIZE], int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    size_t n;

    dst[0] = '\0';
    if (wall_ms == 0 || gmtime_r(&seconds, &tm) == NULL)
        return;
    n = strftime(dst, SA_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(dst + n, SA_TIME_TEXT_SIZE - n, ".%03dZ", (int)(wall_ms % 1000));
}
