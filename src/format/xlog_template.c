#include "xlog_template.h"
#include "slice.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#define CODE    "[1-9][0-9]{2}"
#define METHOD  "[A-Za-z0-9.!%*_+`'~-]{1,32}"
#define NUMBER  "-?[0-9]+"
#define WORD    "[^ \\t]+"
#define URI     "[^ \\t]*"
#define ADDRESS "(?:[0-9]{1,3}(?:\\.[0-9]{1,3}){3}|\\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[0-9A-Za-z]+)?\\]?)"
#define FREE    ".*?"

/* What a variable can hold, and which field of the response it gives ("": none). */
struct variable {
    const char *name, *shape, *group;
};

/* Pseudo-variables of Kamailio 5.x/6.x and OpenSIPS 3.x whose values have a shape; all others are free text.
 */
static const struct variable variables[] = {
    {"rs", CODE, "code"},
    {"T_reply_code", CODE, "code"},
    {"T(reply_code)", CODE, "code"},
    {"T_rpl(rs)", CODE, "code"},
    {"T_rpl($rs)", CODE, "code"},
    {"err.rcode", CODE, "code"},
    {"rm", METHOD, "method"},
    {"cT_method", METHOD, "method"},
    {"hdr(CSeq)", "[0-9]+ +" METHOD, "cseq"},
    {"hdr(cseq)", "[0-9]+ +" METHOD, "cseq"},
    {"ci", WORD, "callid"},
    {"hdr(Call-ID)", WORD, "callid"},
    {"hdr(call-id)", WORD, "callid"},
    {"si", ADDRESS, "peer"},
    {"siz", ADDRESS, "peer"},
    {"rsi", ADDRESS, ""},
    {"Ri", ADDRESS, ""},
    {"RAi", ADDRESS, ""},
    {"sp", NUMBER, ""},
    {"Rp", NUMBER, ""},
    {"RAp", NUMBER, ""},
    {"cs", NUMBER, ""},
    {"mt", NUMBER, ""},
    {"mi", NUMBER, ""},
    {"ml", NUMBER, ""},
    {"pp", NUMBER, ""},
    {"Ts", NUMBER, ""},
    {"TS", NUMBER, ""},
    {"proto", "[A-Za-z0-9]+", ""},
    {"pr", "[A-Za-z0-9]+", ""},
    {"socket_in(proto)", "[A-Za-z0-9]+", ""},
    {"ft", URI, ""},
    {"tt", URI, ""},
    {"fu", URI, ""},
    {"tu", URI, ""},
    {"ru", URI, ""},
    {"ou", URI, ""},
    {"du", URI, ""},
    {"ct", URI, ""},
    {"su", URI, ""},
    {"sut", URI, ""},
};

static const struct variable free_text = {"", FREE, ""};

static const struct variable *
find_variable(struct sa_slice name)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (strlen(variables[i].name) == name.len && memcmp(variables[i].name, name.p, name.len) == 0)
            return &variables[i];
    return &free_text;
}

/* Variables that are read with an argument in parentheses behind the name. */
static bool
takes_argument(struct sa_slice name)
{
    static const char *const names[] = {"hdr",  "hdrc",    "hfl",       "var",        "avp",   "shv",  "sht",
                                        "T",    "T_req",   "T_rpl",     "T_inv",      "def",   "env",  "sel",
                                        "xavp", "xavu",    "xavi",      "dlg_var",    "param", "rcv",  "snd",
                                        "rpl",  "time",    "utime",     "branch",     "json",  "dlg",  "ctx",
                                        "via",  "cfg_get", "socket_in", "socket_out", "msg",   "stat", "hep"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == name.len && memcmp(names[i], name.p, name.len) == 0)
            return true;
    return false;
}

static bool
is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Length of "(…)" or "[…]" with nesting, at the start of s; 0 if it does not close. */
static size_t
bracketed(struct sa_slice s, char open, char close)
{
    size_t depth = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == open)
            depth++;
        else if (s.p[i] == close && --depth == 0)
            return i + 1;
    }
    return 0;
}

/* Names that the proxies read with a bracket behind: $hdr(x), $var(x), $avp(x), $T_rpl(x), $socket_in(x), …
 */
static size_t
name_length(struct sa_slice s)
{
    size_t n = 0;

    while (n < s.len && is_name_char(s.p[n]))
        n++;
    if (n > 0 && n + 1 < s.len && s.p[n] == '.' && is_name_char(s.p[n + 1])) /* $err.rcode, $dlg.x */
        for (n++; n < s.len && is_name_char(s.p[n]); n++)
            ;
    return n;
}

/*
 * The longest known variable at the start of the text, as the proxies do it: "$rs$rr" are two, "$siz" is one.
 * A name followed by '(' takes its argument along.  Steps over it.
 */
static const struct variable *
take_variable(struct sa_slice *s)
{
    const struct variable *found;
    size_t n, argument;

    if (s->p[0] == '(') { /* $(name{transformation}[index]) */
        struct sa_slice inner;
        bool plain;

        n = bracketed(*s, '(', ')');
        if (n == 0)
            return NULL;
        inner = (struct sa_slice){s->p + 1, n - 2};
        plain = sa_slice_find(inner, '{') == inner.len && sa_slice_find(inner, '[') == inner.len;
        *s = sa_slice_from(*s, n);
        return plain ? find_variable(inner) : &free_text;
    }
    n = name_length(*s);
    if (n == 0)
        return NULL;
    if (n < s->len && s->p[n] == '(' && takes_argument((struct sa_slice){s->p, n})) {
        argument = bracketed(sa_slice_from(*s, n), '(', ')');
        if (argument == 0)
            return NULL;
        found = find_variable((struct sa_slice){s->p, n + argument});
        *s = sa_slice_from(*s, n + argument);
        return found;
    }
    found = find_variable((struct sa_slice){s->p, n});
    *s = sa_slice_from(*s, n);
    return found;
}

struct output {
    char *pattern;
    size_t size, len;
    bool overflow;
};

static void
emit(struct output *out, const char *text)
{
    size_t len = strlen(text);

    if (len >= out->size - out->len) {
        out->overflow = true;
        return;
    }
    memcpy(out->pattern + out->len, text, len + 1);
    out->len += len;
}

static void
emit_literal(struct output *out, char c)
{
    char text[3] = {'\\', c, '\0'};

    emit(out, isalnum((unsigned char)c) || (unsigned char)c >= 0x80 ? text + 1 : text);
}

/* The first variable of a kind fills the field; a second one only has to have the shape. */
static void
emit_variable(struct output *out, const struct variable *variable, bool seen[4])
{
    static const char *const groups[4] = {"code", "method", "callid", "peer"};

    for (size_t i = 0; i < 4; i++) {
        if (strcmp(variable->group, groups[i]) != 0 || seen[i])
            continue;
        seen[i] = true;
        emit(out, "(?<");
        emit(out, groups[i]);
        emit(out, ">");
        emit(out, variable->shape);
        emit(out, ")");
        return;
    }
    if (strcmp(variable->group, "cseq") == 0 && !seen[1]) {
        seen[1] = true;
        emit(out, "[0-9]+ +(?<method>" METHOD ")");
        return;
    }
    emit(out, "(?:");
    emit(out, variable->shape);
    emit(out, ")");
}

int
sa_xlog_template_compile(const char *template, char *pattern, size_t size)
{
    struct output out = {.pattern = pattern, .size = size};
    struct sa_slice s = {template, strlen(template)};
    bool seen[4] = {false, false, false, false};

    /* The newline that ends an xlog line, pasted as such or as the two characters of the script. */
    while (s.len > 0 && (s.p[s.len - 1] == '\n' || s.p[s.len - 1] == '\r'))
        s.len--;
    if (s.len >= 2 && memcmp(s.p + s.len - 2, "\\n", 2) == 0)
        s.len -= 2;

    pattern[0] = '\0';
    emit(&out, "(?s)\\A");
    while (s.len > 0 && !out.overflow) {
        struct sa_slice rest = sa_slice_from(s, 1);
        const struct variable *variable = NULL;

        if (s.p[0] == '$' && rest.len > 0 && rest.p[0] == '$') { /* "$$" is a dollar sign */
            emit_literal(&out, '$');
            s = sa_slice_from(s, 2);
            continue;
        }
        if (s.p[0] == '$' && rest.len > 0)
            variable = take_variable(&rest);
        if (variable != NULL)
            emit_variable(&out, variable, seen);
        else
            emit_literal(&out, s.p[0]);
        s = variable != NULL ? rest : sa_slice_from(s, 1);
    }
    emit(&out, "(?:#012)?\\s*\\z"); /* what transports make of the newline */
    if (out.overflow)
        return -ENAMETOOLONG;
    return seen[0] ? 0 : -EINVAL;
}
