#include "xlog_template.h"
#include "pseudo_variables.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

/* A variable and the field of the response that it gives. */
struct variable {
    uint8_t shape, field;
};

static const struct variable free_text = {SA_SHAPE_TEXT, SA_FIELD_NONE};

static int
compare_name(const void *key, const void *entry)
{
    const struct sa_slice *name = key;
    const char *other = ((const struct sa_pseudo_variable *)entry)->name;
    int order = strncmp(name->p, other, name->len);

    return order != 0 ? order : other[name->len] == '\0' ? 0 : -1;
}

static const struct sa_pseudo_variable *
find_name(struct sa_slice name)
{
    return bsearch(&name, sa_pseudo_variables, sa_pseudo_variable_count, sizeof *sa_pseudo_variables,
                   compare_name);
}

static bool
is_text(struct sa_slice s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.p, text, s.len) == 0;
}

/* What the shape of a variable says of its field; addresses are peers only if they are the other side's. */
static struct variable
variable_of(struct sa_slice name, uint8_t shape)
{
    switch (shape) {
    case SA_SHAPE_CODE:
        return (struct variable){shape, SA_FIELD_CODE};
    case SA_SHAPE_METHOD:
    case SA_SHAPE_CSEQ:
        return (struct variable){shape, SA_FIELD_METHOD};
    case SA_SHAPE_CALLID:
        return (struct variable){shape, SA_FIELD_CALL_ID};
    case SA_SHAPE_ADDRESS:
        return (struct variable){shape, is_text(name, "si") || is_text(name, "siz") || is_text(name, "src_ip")
                                            ? SA_FIELD_PEER
                                            : SA_FIELD_NONE};
    default:
        return (struct variable){shape, is_text(name, "cs") ? SA_FIELD_CSEQ : SA_FIELD_NONE};
    }
}

/* Variables whose argument says what they are. */
static struct variable
variable_with_argument(struct sa_slice text)
{
    static const struct {
        const char *text;
        struct variable variable;
    } known[] = {
        {"hdr(CSeq)", {SA_SHAPE_CSEQ, SA_FIELD_METHOD}},
        {"hdr(Call-ID)", {SA_SHAPE_CALLID, SA_FIELD_CALL_ID}},
        {"hdr(i)", {SA_SHAPE_CALLID, SA_FIELD_CALL_ID}},
        {"T_rpl($rs)", {SA_SHAPE_CODE, SA_FIELD_CODE}},
        {"T_rpl(rs)", {SA_SHAPE_CODE, SA_FIELD_CODE}},
        {"T(reply_code)", {SA_SHAPE_CODE, SA_FIELD_CODE}},
        {"T_rpl($rm)", {SA_SHAPE_METHOD, SA_FIELD_METHOD}},
        {"T_rpl($si)", {SA_SHAPE_ADDRESS, SA_FIELD_PEER}},
        {"T_rpl($sp)", {SA_SHAPE_NUMBER, SA_FIELD_NONE}},
        {"T_req($ci)", {SA_SHAPE_CALLID, SA_FIELD_CALL_ID}},
        {"T_req($rm)", {SA_SHAPE_METHOD, SA_FIELD_METHOD}},
        {"T_req($si)", {SA_SHAPE_ADDRESS, SA_FIELD_PEER}},
        {"T_req($sp)", {SA_SHAPE_NUMBER, SA_FIELD_NONE}},
        {"sndto(ip)", {SA_SHAPE_ADDRESS, SA_FIELD_PEER}},
        {"sndto(port)", {SA_SHAPE_NUMBER, SA_FIELD_NONE}},
        {"socket_in(ip)", {SA_SHAPE_ADDRESS, SA_FIELD_NONE}},
        {"socket_in(port)", {SA_SHAPE_NUMBER, SA_FIELD_NONE}},
        {"socket_in(proto)", {SA_SHAPE_PROTO, SA_FIELD_NONE}},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (is_text(text, known[i].text))
            return known[i].variable;
    return free_text;
}

static bool
takes_argument(struct sa_slice name)
{
    const struct sa_pseudo_variable *known = find_name(name);

    return known != NULL && known->argument;
}

/* A name, perhaps with its argument, without a transformation or an index. */
static struct variable
find_variable(struct sa_slice text)
{
    const struct sa_pseudo_variable *known;

    if (text.len > 0 && text.p[0] == '<') /* OpenSIPS: "<reply>rs" */
        text = sa_slice_from(text, sa_slice_find(text, '>'));
    (void)sa_slice_skip(&text, ">");
    if (sa_slice_find(text, '(') < text.len)
        return variable_with_argument(text);
    known = find_name(text);
    return known == NULL ? free_text : variable_of(text, known->shape);
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
static bool
take_variable(struct sa_slice *s, struct variable *found)
{
    size_t n, argument;

    if (s->p[0] == '(') { /* $(name{transformation}[index]) */
        struct sa_slice inner;
        bool plain;

        n = bracketed(*s, '(', ')');
        if (n == 0)
            return false;
        inner = (struct sa_slice){s->p + 1, n - 2};
        plain = sa_slice_find(inner, '{') == inner.len && sa_slice_find(inner, '[') == inner.len;
        *s = sa_slice_from(*s, n);
        *found = plain ? find_variable(inner) : free_text;
        return true;
    }
    n = name_length(*s);
    if (n == 0)
        return false;
    if (n < s->len && s->p[n] == '(' && takes_argument((struct sa_slice){s->p, n})) {
        argument = bracketed(sa_slice_from(*s, n), '(', ')');
        if (argument == 0)
            return false;
        *found = find_variable((struct sa_slice){s->p, n + argument});
        *s = sa_slice_from(*s, n + argument);
        return true;
    }
    *found = find_variable((struct sa_slice){s->p, n});
    *s = sa_slice_from(*s, n);
    return true;
}

/* Appends a character to the literal at the end of the template. */
static int
add_literal(struct sa_template *template, size_t *used, char c)
{
    struct sa_template_part *part = template->n_parts == 0 ? NULL : &template->parts[template->n_parts - 1];

    if (*used == SA_TEMPLATE_TEXT)
        return -ENAMETOOLONG;
    if (part == NULL || part->shape != SA_SHAPE_LITERAL) {
        if (template->n_parts == SA_TEMPLATE_PARTS)
            return -ENAMETOOLONG;
        part = &template->parts[template->n_parts++];
        *part = (struct sa_template_part){.shape = SA_SHAPE_LITERAL, .start = (uint16_t)*used};
    }
    template->text[(*used)++] = c;
    part->len++;
    return 0;
}

/* The first variable of a kind fills the field; a second one only has to have the shape. */
static int
add_variable(struct sa_template *template, const struct variable *variable, bool seen[SA_FIELD_COUNT])
{
    struct sa_template_part part = {.shape = variable->shape, .field = variable->field};

    if (template->n_parts == SA_TEMPLATE_PARTS)
        return -ENAMETOOLONG;
    if (seen[part.field])
        part.field = SA_FIELD_NONE;
    seen[part.field] = part.field != SA_FIELD_NONE;
    template->parts[template->n_parts++] = part;
    return 0;
}

int
sa_template_compile(const char *text, struct sa_template *ret_template)
{
    struct sa_slice s = {text, strlen(text)};
    bool seen[SA_FIELD_COUNT] = {false};
    size_t used = 0;
    int r = 0;

    ret_template->n_parts = 0;
    /* The newline that ends an xlog line, pasted as such or as the two characters of the script. */
    while (s.len > 0 && (s.p[s.len - 1] == '\n' || s.p[s.len - 1] == '\r'))
        s.len--;
    if (s.len >= 2 && memcmp(s.p + s.len - 2, "\\n", 2) == 0)
        s.len -= 2;

    while (s.len > 0 && r == 0) {
        struct sa_slice rest = sa_slice_from(s, 1);
        struct variable variable;
        bool is_variable;

        if (s.p[0] == '$' && rest.len > 0 && rest.p[0] == '$') { /* "$$" is a dollar sign */
            r = add_literal(ret_template, &used, '$');
            s = sa_slice_from(s, 2);
            continue;
        }
        is_variable = s.p[0] == '$' && rest.len > 0 && take_variable(&rest, &variable);
        if (is_variable)
            r = add_variable(ret_template, &variable, seen);
        else
            r = add_literal(ret_template, &used, s.p[0]);
        s = is_variable ? rest : sa_slice_from(s, 1);
    }
    if (r < 0)
        return r;
    return seen[SA_FIELD_CODE] ? 0 : -EINVAL;
}

struct sa_slice
sa_template_literal(const struct sa_template *template)
{
    struct sa_slice best = {"", 0};

    for (unsigned i = 0; i < template->n_parts; i++) {
        const struct sa_template_part *part = &template->parts[i];
        size_t run = 0;

        for (size_t k = 0; part->shape == SA_SHAPE_LITERAL && k < part->len; k++) {
            char c = template->text[part->start + k];

            run = (unsigned char)c < ' ' || (unsigned char)c >= 0x7f || strchr("\"\\/", c) != NULL ? 0
                                                                                                   : run + 1;
            if (run > best.len && run <= 64)
                best = (struct sa_slice){template->text + part->start + k + 1 - run, run};
        }
    }
    return best.len < 2 ? (struct sa_slice){"", 0} : best;
}
