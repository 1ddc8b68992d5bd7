/*
 * Text that is shown: copied into fixed fields, cut on UTF-8 borders, and escaped where it came from a log.
 */
#ifndef SA_TEXT_H
#define SA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The one escaping function for everything that came from a log (or from a file name), wherever it is shown.
 * Control characters, DEL, C1, the Unicode categories Cf, Zl and Zp (zero width, bidirectional controls, line
 * separators), and bytes that are not valid UTF-8 become \xNN a byte; '"' and '\' get a backslash.  Never
 * writes a partial escape; always terminates if size > 0.  Returns the length written.
 */
size_t sa_text_escape(char *dst, size_t size, const char *src, size_t src_len);

/* The most that either function makes of so many bytes, with the end. */
#define SA_TEXT_ESCAPED(bytes) (4 * (size_t)(bytes) + 1)

/*
 * The same for a whole sentence on its way out, parts of which may have been escaped before: '"' and '\' stay
 * as they are, so that it may be done twice.
 */
size_t sa_text_printable(char *dst, size_t size, const char *src);

/* Copies at most size-1 bytes of a NUL-terminated string, cut on a UTF-8 border; returns the length. */
size_t sa_text_copy(char *dst, size_t size, const char *src);

/* Copies a byte slice that has no meaning beyond itself (a token, an address); cut at size-1. */
size_t sa_text_slice(char *dst, size_t size, const char *src, size_t src_len);

/* Length of the longest prefix of s[0..len) of at most max bytes that does not split a UTF-8 sequence. */
size_t sa_text_utf8_prefix(const char *s, size_t len, size_t max);

/* printf of at most 2047 bytes into a fixed field, cut on a UTF-8 border; returns the length. */
size_t sa_text_format(char *dst, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Copies a name; of one that does not fit the start, "~" and a hash of the whole, so that two long names stay
 * two.  Returns whether it fitted.
 */
bool sa_text_fit(char *dst, size_t size, const char *src);

/* FNV-1a, for stable short suffixes of names that are too long; not for anything hostile. */
uint32_t sa_text_hash(const char *s, size_t len);

/* RFC 3339 in UTC with milliseconds, "2026-11-20T16:46:53.391Z"; "" for 0. */
#define SA_TIME_TEXT_SIZE 32
void sa_text_time(char dst[SA_TIME_TEXT_SIZE], int64_t wall_ms);

#endif
