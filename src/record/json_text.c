#include "json_text.h"

static void
skip_blanks(struct sa_slice *s)
{
    while (s->len > 0 && (s->p[0] == ' ' || s->p[0] == '\t' || s->p[0] == '\n' || s->p[0] == '\r'))
        *s = sa_slice_from(*s, 1);
}

bool
sa_json_enter(struct sa_slice *text)
{
    skip_blanks(text);
    return sa_slice_skip(text, "{");
}

/* What stands between the quotes; steps over them. */
static bool
take_string(struct sa_slice *text, struct sa_slice *value)
{
    size_t at = 1;

    for (;;) {
        at += sa_slice_find(sa_slice_from(*text, at), '"');
        if (at >= text->len)
            return false;
        size_t backslashes = 0;

        while (text->p[at - 1 - backslashes] == '\\') /* the opening quote ends this */
            backslashes++;
        if (backslashes % 2 == 0)
            break;
        at++;
    }
    *value = (struct sa_slice){text->p + 1, at - 1};
    *text = sa_slice_from(*text, at + 1);
    return true;
}

/* An object or an array with what is nested in it. */
static bool
take_nested(struct sa_slice *text, struct sa_slice *value)
{
    struct sa_slice rest = *text, string;
    size_t depth = 0;

    while (rest.len > 0) {
        if (rest.p[0] == '"') {
            if (!take_string(&rest, &string))
                return false;
            continue;
        }
        if (rest.p[0] == '{' || rest.p[0] == '[')
            depth++;
        else if ((rest.p[0] == '}' || rest.p[0] == ']') && --depth == 0) {
            *value = (struct sa_slice){text->p, (size_t)(rest.p - text->p) + 1};
            *text = sa_slice_from(rest, 1);
            return true;
        }
        rest = sa_slice_from(rest, 1);
    }
    return false;
}

static enum sa_json_kind
take_value(struct sa_slice *text, struct sa_slice *value)
{
    size_t n = 0;

    if (text->len == 0)
        return SA_JSON_BROKEN;
    if (text->p[0] == '"')
        return take_string(text, value) ? SA_JSON_STRING : SA_JSON_BROKEN;
    if (text->p[0] == '{' || text->p[0] == '[') {
        enum sa_json_kind kind = text->p[0] == '{' ? SA_JSON_OBJECT : SA_JSON_ARRAY;

        return take_nested(text, value) ? kind : SA_JSON_BROKEN;
    }
    while (n < text->len && text->p[n] != ',' && text->p[n] != '}' && text->p[n] != ']' &&
           (unsigned char)text->p[n] > ' ' && text->p[n] != '"')
        n++;
    *value = (struct sa_slice){text->p, n};
    *text = sa_slice_from(*text, n);
    return n == 0 ? SA_JSON_BROKEN : SA_JSON_SCALAR;
}

/* Behind a value: a comma, or the end which stays. */
static bool
skip_comma(struct sa_slice *text, char end)
{
    skip_blanks(text);
    if (text->len > 0 && text->p[0] == end)
        return true;
    if (!sa_slice_skip(text, ","))
        return false;
    skip_blanks(text);
    return true;
}

enum sa_json_kind
sa_json_next(struct sa_slice *text, struct sa_slice *key, struct sa_slice *value)
{
    struct sa_slice rest = *text;
    enum sa_json_kind kind;

    skip_blanks(&rest);
    if (sa_slice_skip(&rest, "}")) {
        *text = rest;
        return SA_JSON_END;
    }
    if (rest.len == 0 || rest.p[0] != '"' || !take_string(&rest, key))
        return SA_JSON_BROKEN;
    skip_blanks(&rest);
    if (!sa_slice_skip(&rest, ":"))
        return SA_JSON_BROKEN;
    skip_blanks(&rest);
    kind = take_value(&rest, value);
    if (kind == SA_JSON_BROKEN || !skip_comma(&rest, '}'))
        return SA_JSON_BROKEN;
    *text = rest;
    return kind;
}

enum sa_json_kind
sa_json_element(struct sa_slice *text, struct sa_slice *value)
{
    enum sa_json_kind kind;

    skip_blanks(text);
    if (text->len == 0)
        return SA_JSON_END;
    kind = take_value(text, value);
    if (kind != SA_JSON_BROKEN) {
        skip_blanks(text);
        (void)sa_slice_skip(text, ",");
    }
    return kind;
}

/* Four hexadecimal digits, or -1. */
static long
hex4(struct sa_slice s)
{
    long value = 0;

    if (s.len < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = s.p[i];
        int digit = sa_is_digit(c)           ? c - '0'
                    : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                    : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                             : -1;

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* UTF-8 of a code point; never longer than the escape it came from. */
static size_t
put_utf8(char out[4], unsigned long code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* What the escape behind a backslash stands for; steps over it. */
static size_t
take_escape(struct sa_slice *s, char out[4])
{
    static const char names[] = "nrtbf", values[] = "\n\r\t\b\f";
    char c = s->p[0];
    const char *at = c == '\0' ? NULL : strchr(names, c);
    long code, low;

    *s = sa_slice_from(*s, 1);
    if (at != NULL) {
        out[0] = values[at - names];
        return 1;
    }
    code = c == 'u' ? hex4(*s) : -1;
    if (code < 0) { /* '"', '\', '/', and what nobody defined stands for itself */
        out[0] = c;
        return 1;
    }
    *s = sa_slice_from(*s, 4);
    if (code >= 0xd800 && code < 0xdc00 && sa_slice_starts(*s, "\\u") &&
        (low = hex4(sa_slice_from(*s, 2))) >= 0xdc00 && low < 0xe000) {
        *s = sa_slice_from(*s, 6);
        return put_utf8(out,
                        0x10000 + ((unsigned long)(code - 0xd800) << 10) + (unsigned long)(low - 0xdc00));
    }
    return put_utf8(out, (unsigned long)code);
}

size_t
sa_json_unescape(struct sa_slice string, char *dst, size_t size)
{
    size_t len = 0;

    while (string.len > 0 && len < size) {
        size_t plain = sa_slice_find(string, '\\');
        char out[4];
        size_t n;

        if (plain > size - len)
            plain = size - len;
        memcpy(dst + len, string.p, plain);
        len += plain;
        string = sa_slice_from(string, plain);
        if (string.len < 2)
            break; /* a lone backslash cannot end a string */
        string = sa_slice_from(string, 1);
        n = take_escape(&string, out);
        if (n > size - len)
            break;
        memcpy(dst + len, out, n);
        len += n;
    }
    return len;
}
