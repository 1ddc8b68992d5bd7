/* Files that are no logs and say what they are, and bytes that are no text. */
#include "foreign.h"
#include "packed.h"

#include <string.h>

static const struct {
    const char *magic;
    size_t len;
    const char *name;
} foreign[] = {
    {"PK\3\4", 4, "ZIP archive"},
    {"7z\xbc\xaf\x27\x1c", 6, "7-Zip archive"},
    {"Rar!\x1a\7", 6, "RAR archive"},
    {"\x1f\x9d", 2, "compress (.Z)"},
    {"LZIP\1", 5, "lzip"},
    {"\x89LZO\0\r\n\x1a\n", 9, "lzop"},
    {"\x02\x21\x4c\x18", 4, "lz4 in its legacy format"},
    {"\x5d\0\0", 3, "lzma"},
    {"\xff\6\0\0sNaPpY", 10, "Snappy"},
    {"\x7f"
     "ELF",
     4, "ELF executable"},
    {"SQLite format 3\0", 16, "SQLite database"},
    {"LPKSHHRH", 8, "systemd journal"},
    {"\xd4\xc3\xb2\xa1", 4, "packet capture"},
    {"\xa1\xb2\xc3\xd4", 4, "packet capture"},
    {"\x4d\x3c\xb2\xa1", 4, "packet capture"},
    {"\xa1\xb2\x3c\x4d", 4, "packet capture"},
    {"\x0a\x0d\x0d\x0a", 4, "packet capture"},
    {"\xff\xfe", 2, "UTF-16 text"},
    {"\xfe\xff", 2, "UTF-16 text"},
};

const char *
sa_foreign_name(const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (len >= foreign[i].len && memcmp(bytes, foreign[i].magic, foreign[i].len) == 0)
            return foreign[i].name;
    return NULL;
}

/* Bytes of the UTF-8 sequence that begins here with more than one byte; 0: it is none. */
static size_t
utf8_sequence(const unsigned char *bytes, size_t len)
{
    size_t n = bytes[0] >= 0xf0 && bytes[0] < 0xf5   ? 4
               : bytes[0] >= 0xe0 && bytes[0] < 0xf0 ? 3
               : bytes[0] >= 0xc2 && bytes[0] < 0xe0 ? 2
                                                     : 0;

    if (n > len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* Control characters of ASCII and of ISO 8859: a text has few of them. */
static bool
is_control(unsigned char byte)
{
    return (byte < 0x20 && strchr("\t\n\v\f\r\b\x1b", byte) == NULL) || byte == 0 ||
           (byte >= 0x7f && byte < 0xa0);
}

/* A SIP message in a log may have a binary body: a share of control characters is none of a binary file. */
bool
sa_packed_looks_binary(const char *bytes, size_t len)
{
    const unsigned char *at = (const unsigned char *)bytes, *end = at + len, *begun;
    size_t controls = 0;

    while (at < end && *at == 0)
        at++;
    begun = at;
    while (at < end) {
        size_t n = utf8_sequence(at, (size_t)(end - at));

        controls += n == 0 && is_control(*at);
        at += n == 0 ? 1 : n;
    }
    return controls > (size_t)(end - begun) / 8;
}
