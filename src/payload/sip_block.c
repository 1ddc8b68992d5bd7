#include "sip_block.h"
#include "sip_message.h"

#define TWO_BLANKS "  "

/* Length of an introduction that the message follows on the same line, or 0. */
static size_t
intro_length(struct sa_slice text, const struct sa_message_family *family)
{
    const char *mark = family == NULL ? NULL : family->two_blanks_behind;
    struct sa_slice rest = text;

    while (mark != NULL && sa_slice_seek(&rest, mark))
        if (sa_slice_starts(rest, TWO_BLANKS))
            return (size_t)(rest.p - text.p);
    return 0;
}

const char *
sa_sip_block_line_end(struct sa_slice text, const struct sa_message_family *family)
{
    static const char octal[] = "#012", backslash_octal[] = "\\012", backslash[] = "\\n";
    struct sa_slice rest = text, escapes = sa_slice_from(text, sa_slice_find(text, '\\'));

    if (sa_slice_find(text, '\n') < text.len)
        return "\n";
    if (sa_slice_seek(&rest, octal))
        return octal;
    rest = escapes;
    if (sa_slice_seek(&rest, backslash_octal))
        return backslash_octal;
    rest = escapes;
    if (sa_slice_seek(&rest, backslash))
        return backslash;
    return intro_length(text, family) != 0 ? TWO_BLANKS : NULL;
}

struct sa_slice
sa_sip_block_next_line(struct sa_slice *text, const char *end)
{
    struct sa_slice line = *text;
    const char *at = end == NULL ? NULL : memmem(text->p, text->len, end, strlen(end));

    if (at == NULL) {
        text->len = 0;
        if (end == NULL)
            return line;
    } else {
        line.len = (size_t)(at - text->p);
        *text = sa_slice_from(*text, line.len + strlen(end));
    }
    if (line.len >= 4 &&
        (memcmp(line.p + line.len - 4, "#015", 4) == 0 || memcmp(line.p + line.len - 4, "\\015", 4) == 0))
        line.len -= 4;
    else if (line.len >= 2 && memcmp(line.p + line.len - 2, "\\r", 2) == 0)
        line.len -= 2;
    return sa_sip_strip_cr(line);
}

struct sa_slice
sa_sip_block_first_line(struct sa_slice *text, const struct sa_message_family *family, const char *end)
{
    size_t len = end != NULL && strcmp(end, TWO_BLANKS) == 0 ? intro_length(*text, family) : 0;
    struct sa_slice line = {text->p, len};

    if (len == 0)
        return sa_sip_block_next_line(text, end);
    *text = sa_slice_from(*text, len);
    (void)sa_sip_block_next_line(text, end);
    return line;
}
