#include "pseudo_variables.h"
#include "lang.h"
#include "text.h"
#include "xlog_template.h"

/* How often a matcher may try another way before it gives the payload up; an ordinary one never does. */
#define TRIES 20000

/* One try to match. */
struct attempt {
    const struct sa_template *template;
    const char *p, *end; /* of the payload */
    const char *tail;    /* from here on there is only what transports make of the newline */
    struct sa_slice *fields;
    unsigned tries;
    unsigned furthest; /* the last part that was reached */
    const char *furthest_at;
};

static bool match_from(struct attempt *attempt, unsigned part, const char *at);

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool
is_alnum(char c)
{
    return sa_is_digit(c) || (unsigned char)((c | 0x20) - 'a') < 26;
}

static bool
is_address_char(char c)
{
    return sa_is_digit(c) || (unsigned char)((c | 0x20) - 'a') < 6 || c == ':' || c == '.';
}

/* Where the run of characters ends that can stand in such a value. */
static const char *
run_end(uint8_t shape, const char *at, const char *end)
{
    switch (shape) {
    case SA_SHAPE_NUMBER:
        while (at < end && sa_is_digit(*at))
            at++;
        return at;
    case SA_SHAPE_PROTO:
        while (at < end && is_alnum(*at))
            at++;
        return at;
    default:
        while (at < end && !is_blank(*at))
            at++;
        return at;
    }
}

/* Goes on behind a value that ends here. */
static bool
match_behind(struct attempt *attempt, unsigned part, const char *at, const char *end)
{
    uint8_t field = attempt->template->parts[part].field;

    if (++attempt->tries > TRIES || !match_from(attempt, part + 1, end))
        return false;
    if (field != SA_FIELD_NONE)
        attempt->fields[field] = (struct sa_slice){at, (size_t)(end - at)};
    return true;
}

/*
 * Tries the ends of a run from the longest to the shortest.  Before a literal only those need a try that its
 * first character follows.
 */
static bool
match_run(struct attempt *attempt, unsigned part, const char *at, const char *shortest, const char *longest)
{
    const struct sa_template_part *next = &attempt->template->parts[part + 1];
    bool literal = part + 1 < attempt->template->n_parts && next->shape == SA_SHAPE_LITERAL;
    char first = '\0';

    if (literal)
        first = attempt->template->text[next->start];
    for (const char *end = longest; end >= shortest; end--) {
        if (literal && (end == attempt->end || *end != first))
            continue;
        if (match_behind(attempt, part, at, end))
            return true;
        if (attempt->tries > TRIES)
            return false;
    }
    return false;
}

static const char *
digits_end(const struct attempt *attempt, const char *at)
{
    while (at < attempt->tail && sa_is_digit(*at))
        at++;
    return at;
}

/* The end of an IPv4 address at the start, or NULL. */
static const char *
ipv4_end(const struct attempt *attempt, const char *at)
{
    for (int i = 0;; i++) {
        const char *end = digits_end(attempt, at);

        if (end == at || end > at + 3)
            return NULL;
        if (i == 3)
            return end;
        if (end == attempt->tail || *end != '.')
            return NULL;
        at = end + 1;
    }
}

/* An address that the proxy did not have: of a reply that it made itself Kamailio prints nothing. */
static bool
match_null(struct attempt *attempt, unsigned part, const char *at)
{
    static const char null[] = "<null>";

    if (attempt->tail - at >= 6 && memcmp(at, null, 6) == 0)
        at += 6;
    return match_behind(attempt, part, at, at);
}

static bool
match_address(struct attempt *attempt, unsigned part, const char *at)
{
    const char *end = ipv4_end(attempt, at), *start = at, *zone, *colon;

    if (end != NULL && match_behind(attempt, part, at, end))
        return true;
    if (at < attempt->tail && *at == '[')
        start++;
    for (end = start; end < attempt->tail && is_address_char(*end); end++)
        ;
    colon = memchr(start, ':', (size_t)(end - start));
    if (colon == NULL)
        return match_null(attempt, part, at);
    zone = end;
    if (zone < attempt->tail && *zone == '%')
        for (zone++; zone < attempt->tail && is_alnum(*zone); zone++)
            ;
    if (zone < attempt->tail && *zone == ']' && match_behind(attempt, part, at, zone + 1))
        return true;
    if (zone != end && match_behind(attempt, part, at, zone))
        return true;
    return match_run(attempt, part, at, colon + 1, end) || match_null(attempt, part, at);
}

static bool
match_cseq(struct attempt *attempt, unsigned part, const char *at)
{
    const char *method = digits_end(attempt, at), *end;

    if (method == at || method == attempt->tail || *method != ' ')
        return false;
    while (method < attempt->tail && *method == ' ')
        method++;
    for (end = method; end < attempt->tail && !is_blank(*end); end++)
        ;
    return end > method && match_run(attempt, part, method, method + 1, end);
}

/* Literals are short: a call costs more than the comparison. */
static inline bool
is_literal_at(const struct attempt *attempt, const struct sa_template_part *part, const char *at)
{
    const char *text = attempt->template->text + part->start;
    size_t len = part->len;

    if ((size_t)(attempt->end - at) < len || at[0] != text[0])
        return false;
    for (size_t i = 1; i < len; i++)
        if (at[i] != text[i])
            return false;
    return true;
}

/* Anything: up to each place in turn where the next literal stands. */
static bool
match_free(struct attempt *attempt, unsigned part, const char *at)
{
    const struct sa_template_part *next = &attempt->template->parts[part + 1];
    const char *end;

    if (part + 1 == attempt->template->n_parts)
        return match_behind(attempt, part, at, at < attempt->tail ? attempt->tail : at);
    if (next->shape != SA_SHAPE_LITERAL) {
        for (end = at; end <= attempt->end && attempt->tries <= TRIES; end++)
            if (match_behind(attempt, part, at, end))
                return true;
        return false;
    }
    for (end = at; attempt->tries <= TRIES; end++) {
        end = memchr(end, attempt->template->text[next->start], (size_t)(attempt->end - end));
        if (end == NULL)
            return false;
        if (is_literal_at(attempt, next, end) && match_behind(attempt, part, at, end))
            return true;
    }
    return false;
}

/*
 * The only place where the value can end, or NULL if there may be several or none: a run without blanks
 * before a literal that has one ends so far before the next blank, and a run of digits before what is no
 * digit ends there.
 */
static const char *
only_end(const struct attempt *attempt, const struct sa_template_part *part, const char *at)
{
    const struct sa_template_part *next = part + 1;
    const char *end, *text = attempt->template->text + next->start;
    size_t i = 0;

    if (next == attempt->template->parts + attempt->template->n_parts || next->shape != SA_SHAPE_LITERAL)
        return NULL;
    if (part->shape == SA_SHAPE_NUMBER || part->shape == SA_SHAPE_ADDRESS) {
        if (sa_is_digit(text[0]) || text[0] == '.' || text[0] == '%' || text[0] == ']')
            return NULL;
        end = part->shape == SA_SHAPE_NUMBER ? digits_end(attempt, at) : ipv4_end(attempt, at);
        return end == at ? NULL : end;
    }
    while (i < next->len && text[i] != ' ')
        i++;
    if (i == next->len || at >= attempt->tail ||
        (end = memchr(at, ' ', (size_t)(attempt->tail - at))) == NULL ||
        memchr(at, '\t', (size_t)(end - at)) != NULL)
        return NULL;
    return (size_t)(end - at) > i ? end - i : NULL;
}

static bool
match_open(struct attempt *attempt, unsigned part, const char *at)
{
    const struct sa_template_part *this = &attempt->template->parts[part];
    const char *end = at, *shortest = at + 1;

    switch (this->shape) {
    case SA_SHAPE_CSEQ:
        return match_cseq(attempt, part, at);
    case SA_SHAPE_ADDRESS:
        return match_address(attempt, part, at);
    case SA_SHAPE_TEXT:
        return match_free(attempt, part, at);
    case SA_SHAPE_NUMBER:
        if (at < attempt->tail && *at == '-')
            end = shortest++;
        break;
    case SA_SHAPE_URI:
        shortest = at;
        break;
    default:
        break;
    }
    end = run_end(this->shape, end, attempt->tail);
    return end >= shortest && match_run(attempt, part, at, shortest, end);
}

/* Steps through the parts as long as there is one way only, then tries the ways there are. */
static bool
match_from(struct attempt *attempt, unsigned part, const char *at)
{
    const struct sa_template *template = attempt->template;

    for (; part < template->n_parts; part++) {
        const struct sa_template_part *this = &template->parts[part];
        const char *end;

        if (part > attempt->furthest) {
            attempt->furthest = part;
            attempt->furthest_at = at;
        }
        switch (this->shape) {
        case SA_SHAPE_LITERAL:
            if (!is_literal_at(attempt, this, at))
                return false;
            at += this->len;
            continue;
        case SA_SHAPE_CODE:
            if (attempt->tail - at < 3 || digits_end(attempt, at) < at + 3 || *at == '0')
                return false;
            end = at + 3;
            break;
        case SA_SHAPE_TEXT:
        case SA_SHAPE_CSEQ:
        case SA_SHAPE_PROTO:
            return match_open(attempt, part, at);
        default:
            end = only_end(attempt, this, at);
            if (end == NULL)
                return match_open(attempt, part, at);
            break;
        }
        if (this->field != SA_FIELD_NONE)
            attempt->fields[this->field] = (struct sa_slice){at, (size_t)(end - at)};
        at = end;
    }
    if (part > attempt->furthest) {
        attempt->furthest = part;
        attempt->furthest_at = at;
    }
    return at >= attempt->tail;
}

static bool
try(struct attempt *attempt, const struct sa_template *template, struct sa_slice payload,
    struct sa_slice fields[SA_FIELD_COUNT])
{
    *attempt = (struct attempt){.template = template,
                                .p = payload.p,
                                .end = payload.p + payload.len,
                                .tail = payload.p + payload.len,
                                .fields = fields,
                                .furthest_at = payload.p};
    while (attempt->tail > payload.p &&
           (is_blank(attempt->tail[-1]) || (attempt->tail[-1] >= '\n' && attempt->tail[-1] <= '\r')))
        attempt->tail--;
    if (attempt->tail - payload.p >= 4 && memcmp(attempt->tail - 4, "#012", 4) == 0)
        attempt->tail -= 4;
    for (int i = 0; i < SA_FIELD_COUNT; i++)
        fields[i] = (struct sa_slice){payload.p, 0};
    return match_from(attempt, 0, payload.p);
}

enum sa_template_verdict
sa_template_match(const struct sa_template *template, struct sa_slice payload,
                  struct sa_slice fields[SA_FIELD_COUNT])
{
    struct attempt attempt;

    if (try(&attempt, template, payload, fields))
        return SA_TEMPLATE_HIT;
    return attempt.tries > TRIES ? SA_TEMPLATE_LIMIT : SA_TEMPLATE_MISS;
}

void
sa_template_explain(const struct sa_template *template, struct sa_slice payload, char *text, size_t size)
{
    static const char *const shapes[] = {
        [SA_SHAPE_CODE] = N_("a status code"), [SA_SHAPE_METHOD] = N_("a method"),
        [SA_SHAPE_CSEQ] = N_("a CSeq"),        [SA_SHAPE_CALLID] = N_("a Call-ID"),
        [SA_SHAPE_ADDRESS] = N_("an address"), [SA_SHAPE_NUMBER] = N_("a number"),
        [SA_SHAPE_PROTO] = N_("a transport"),  [SA_SHAPE_URI] = N_("a word"),
        [SA_SHAPE_TEXT] = N_("text")};
    struct sa_slice fields[SA_FIELD_COUNT];
    char fits[64], wanted[64], found[64];
    struct attempt attempt;
    const struct sa_template_part *part = template->parts;
    size_t done, left;

    if (try(&attempt, template, payload, fields)) {
        (void)sa_text_format(text, size, "%s", _("it matches"));
        return;
    }
    part += attempt.furthest;
    done = (size_t)(attempt.furthest_at - payload.p);
    left = (size_t)(attempt.end - attempt.furthest_at);
    (void)sa_text_escape(fits, sizeof fits, attempt.furthest_at - (done < 24 ? done : 24),
                         done < 24 ? done : 24);
    (void)sa_text_escape(found, sizeof found, attempt.furthest_at, left < 24 ? left : 24);
    if (attempt.furthest == template->n_parts)
        (void)sa_text_format(wanted, sizeof wanted, "%s", _("the end"));
    else if (part->shape != SA_SHAPE_LITERAL)
        (void)sa_text_format(wanted, sizeof wanted, "%s", _(shapes[part->shape]));
    else
        (void)sa_text_format(wanted, sizeof wanted, "\"%.*s\"", (int)(part->len < 40 ? part->len : 40),
                             template->text + part->start);
    (void)sa_text_format(text, size, _("fits up to \"%s\", then wants %s and finds \"%s\""), fits, wanted,
                         found);
}
