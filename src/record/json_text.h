/*
 * JSON objects in log lines, read member by member without a tree.  Some of them were put together by a
 * routing script without any escaping, so the reader takes what comes in order and says where it broke: what
 * was read before a break is good.  Pure; slices point into the text.
 */
#ifndef SA_JSON_TEXT_H
#define SA_JSON_TEXT_H

#include "slice.h"

enum sa_json_kind {
    SA_JSON_END,    /* of the object */
    SA_JSON_BROKEN, /* here the text is not JSON */
    SA_JSON_STRING, /* the value is what stands between its quotes, escaped */
    SA_JSON_SCALAR, /* number, true, false, null */
    SA_JSON_OBJECT, /* the value is its text with the braces */
    SA_JSON_ARRAY
};

/* Steps into the object at the start of the text (blanks may stand before it). */
bool sa_json_enter(struct sa_slice *text);

/* The next member of the object that was entered. */
enum sa_json_kind sa_json_next(struct sa_slice *text, struct sa_slice *key, struct sa_slice *value);

/* The next element of an array, whose text without its brackets is stepped through. */
enum sa_json_kind sa_json_element(struct sa_slice *text, struct sa_slice *value);

/* Undoes the escapes of a string (RFC 8259 section 7) into at most size bytes, which may be as many as the
 * string has; returns the length. */
size_t sa_json_unescape(struct sa_slice string, char *dst, size_t size);

#endif
