#include "pseudo_variables.h"
#include "lang.h"
#include "text.h"
#include "xlog_template.h"

/*
 * Character steps that the first walk through a payload may take.  It remembers nothing, and ordinary lines
 * end in it; the second walk remembers where a part cannot begin, so that no place is looked at again and
 * again.  That there were too many is noticed behind a scan, so that the last scan goes beyond it: the rest
 * of SA_TEMPLATE_STEPS is for that.
 */
#define FIRST_STEPS(len) (4 * (len) + 256)
#define BOTH_STEPS(len)  (60 * ((len) + 64))

/*
 * The starts from which a part is known to lead to no match; NULL: none.  Places between two starts of one
 * run of characters lead to the same ends, so that an interval holds them all.  Free text has no upper bound.
 */
struct failed {
    const char *from, *to;
    const char *colon; /* of an IPv6 address: the first in the run, or NULL */
};

/* One try to match. */
struct attempt {
    const struct sa_template *template;
    const char *p, *end; /* of the payload */
    const char *tail;    /* from here on there is only what transports make of the newline */
    struct sa_slice *fields;
    struct failed *failed; /* by part; NULL: the first walk */
    size_t steps, limit;   /* characters that were looked at; beyond the limit it gives up */
    unsigned furthest;     /* the last part that was reached */
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

static bool
gives_up(const struct attempt *attempt)
{
    return attempt->steps > attempt->limit;
}

static struct failed *
failed_of(const struct attempt *attempt, unsigned part)
{
    return attempt->failed == NULL ? NULL : &attempt->failed[part];
}

static bool
is_failed(const struct failed *failed, const char *at)
{
    return failed != NULL && failed->from != NULL && at >= failed->from && at < failed->to;
}

/* Where to stop looking for the end of a run: at the tail, or at a start in the run that has failed. */
static const char *
known_from(const struct attempt *attempt, const struct failed *failed, const char *at)
{
    return failed != NULL && failed->from != NULL && failed->from > at ? failed->from : attempt->tail;
}

/* Goes on behind a value that ends here. */
static bool
match_behind(struct attempt *attempt, unsigned part, const char *at, const char *end)
{
    uint8_t field = attempt->template->parts[part].field;

    attempt->steps++;
    if (gives_up(attempt) || !match_from(attempt, part + 1, end))
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
    for (const char *end = longest; end >= shortest && !gives_up(attempt); end--) {
        attempt->steps++;
        if (literal && (end == attempt->end || *end != first))
            continue;
        if (match_behind(attempt, part, at, end))
            return true;
    }
    return false;
}

/*
 * A value that is one run of characters.  Ends behind a later start that has failed were tried from there.
 */
static bool
match_word(struct attempt *attempt, unsigned part, const char *at)
{
    uint8_t shape = attempt->template->parts[part].shape;
    struct failed *failed = failed_of(attempt, part);
    const char *first = at, *shortest, *longest, *end;

    if (is_failed(failed, at))
        return false;
    if (shape == SA_SHAPE_NUMBER && at < attempt->tail && *at == '-')
        first++;
    shortest = shape == SA_SHAPE_URI ? first : first + 1;
    end = longest = run_end(shape, first, known_from(attempt, failed, at));
    attempt->steps += (size_t)(end - at);
    if (failed != NULL) {
        bool joins = end == failed->from;

        if (joins && shape == SA_SHAPE_URI)
            longest--;
        *failed = (struct failed){.from = at, .to = joins ? failed->to : end};
    }
    return match_run(attempt, part, at, shortest, longest);
}

/* Whether the part is a literal that an IPv4 address or a number cannot go on with. */
static inline bool
ends_a_number(const struct sa_template *template, unsigned part)
{
    const struct sa_template_part *literal = &template->parts[part];
    char first;

    if (part == template->n_parts || literal->shape != SA_SHAPE_LITERAL)
        return false;
    first = template->text[literal->start];
    return !sa_is_digit(first) && first != '.' && first != '%' && first != ']';
}

/* The end of an IPv4 address at the start, or NULL. */
static const char *
ipv4_end(const struct attempt *attempt, const char *at)
{
    for (int i = 0;; i++) {
        const char *end = at;

        while (end < attempt->tail && sa_is_digit(*end) && end < at + 4)
            end++;
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

/* Behind a zone and bracket, before them, and then shorter and shorter, as long as a colon is in it. */
static bool
match_ipv6(struct attempt *attempt, unsigned part, const char *at)
{
    const char *start = at < attempt->tail && *at == '[' ? at + 1 : at, *end = start, *zone, *colon;
    struct failed *failed = failed_of(attempt, part);
    const char *stop = known_from(attempt, failed, start);

    if (is_failed(failed, start))
        return false;
    while (end < stop && is_address_char(*end))
        end++;
    attempt->steps += (size_t)(end - start);
    colon = memchr(start, ':', (size_t)(end - start));
    if (failed != NULL) {
        const char *tried = end == failed->from ? failed->colon : NULL;

        end = end == failed->from ? failed->to : end;
        *failed = (struct failed){.from = start, .to = end, .colon = colon != NULL ? colon : tried};
        if (tried != NULL) /* the ends behind it, and the zone */
            return colon != NULL && match_run(attempt, part, at, colon + 1, tried);
    }
    if (colon == NULL)
        return false;
    zone = end;
    if (zone < attempt->tail && *zone == '%')
        for (zone++; zone < attempt->tail && is_alnum(*zone); zone++)
            ;
    attempt->steps += (size_t)(zone - end);
    if (zone < attempt->tail && *zone == ']' && match_behind(attempt, part, at, zone + 1))
        return true;
    if (zone != end && match_behind(attempt, part, at, zone))
        return true;
    return match_run(attempt, part, at, colon + 1, end);
}

static bool
match_address(struct attempt *attempt, unsigned part, const char *at)
{
    const char *end = ipv4_end(attempt, at);

    if (end != NULL && match_behind(attempt, part, at, end))
        return true;
    if (end != NULL && ends_a_number(attempt->template, part + 1))
        return false;
    return match_ipv6(attempt, part, at) || match_null(attempt, part, at);
}

static bool
match_cseq(struct attempt *attempt, unsigned part, const char *at)
{
    struct failed *failed = failed_of(attempt, part);
    const char *method, *end;

    if (is_failed(failed, at))
        return false;
    method = run_end(SA_SHAPE_NUMBER, at, known_from(attempt, failed, at));
    attempt->steps += (size_t)(method - at);
    if (method == at)
        return false;
    if (failed != NULL) {
        bool joins = method == failed->from;

        *failed = (struct failed){.from = at, .to = joins ? failed->to : method};
        if (joins) /* a digit less leads to the same method */
            return false;
    }
    if (method == attempt->tail || *method != ' ')
        return false;
    end = method;
    while (method < attempt->tail && *method == ' ')
        method++;
    attempt->steps += (size_t)(method - end);
    end = run_end(SA_SHAPE_METHOD, method, attempt->tail);
    attempt->steps += (size_t)(end - method);
    return end > method && match_run(attempt, part, method, method + 1, end);
}

/* Literals are short: a call costs more than the comparison.  Only one that fails half-way is charged here.
 */
static inline bool
is_literal_at(struct attempt *attempt, const struct sa_template_part *part, const char *at)
{
    const char *text = attempt->template->text + part->start;
    size_t len = part->len;

    if ((size_t)(attempt->end - at) < len || at[0] != text[0])
        return false;
    for (size_t i = 1; i < len; i++)
        if (at[i] != text[i]) {
            attempt->steps += i;
            return false;
        }
    return true;
}

/* Anything: up to each place in turn where the next literal stands, but none that failed from a later start.
 */
static bool
match_free(struct attempt *attempt, unsigned part, const char *at)
{
    const struct sa_template_part *next = &attempt->template->parts[part + 1];
    struct failed *failed = failed_of(attempt, part);
    const char *end = at, *stop = attempt->end + 1, *found;

    if (part + 1 == attempt->template->n_parts)
        return match_behind(attempt, part, at, at < attempt->tail ? attempt->tail : at);
    if (failed != NULL) {
        stop = failed->from != NULL ? failed->from : stop;
        failed->from = at < stop ? at : stop;
    }
    for (; end < stop && !gives_up(attempt); end++) {
        attempt->steps++;
        if (next->shape == SA_SHAPE_LITERAL) {
            found = memchr(end, attempt->template->text[next->start],
                           (size_t)((stop <= attempt->end ? stop : attempt->end) - end));
            attempt->steps += (size_t)((found != NULL ? found : stop) - end);
            if (found == NULL)
                return false;
            end = found;
            if (!is_literal_at(attempt, next, end))
                continue;
        }
        if (match_behind(attempt, part, at, end))
            return true;
    }
    return false;
}

/* Where the last value of the template ends, or NULL if not at the tail. */
static const char *
last_end(const struct attempt *attempt, uint8_t shape, const char *at)
{
    const char *end = shape == SA_SHAPE_ADDRESS ? ipv4_end(attempt, at) : run_end(shape, at, attempt->tail);

    return end == attempt->tail && end != at ? end : NULL;
}

/*
 * The only place where the value can end, or NULL if there may be several or none: a run without blanks
 * before a literal that has one ends so far before the next blank, a run of digits before what is no digit
 * ends there, and the last value ends at the tail.
 */
static const char *
only_end(struct attempt *attempt, unsigned part, const char *at)
{
    const struct sa_template *template = attempt->template;
    const struct sa_template_part *next = &template->parts[part + 1];
    uint8_t shape = template->parts[part].shape;
    const char *end, *text;
    size_t i = 0;

    if (part + 1 == template->n_parts)
        return last_end(attempt, shape, at);
    if (next->shape != SA_SHAPE_LITERAL)
        return NULL;
    if (shape == SA_SHAPE_NUMBER || shape == SA_SHAPE_ADDRESS) {
        if (!ends_a_number(template, part + 1))
            return NULL;
        if (shape == SA_SHAPE_ADDRESS)
            return ipv4_end(attempt, at);
        for (end = at; end < attempt->tail && sa_is_digit(*end); end++)
            ;
        return end == at ? NULL : end;
    }
    text = template->text + next->start;
    while (i < next->len && text[i] != ' ')
        i++;
    if (i == next->len || at >= attempt->tail)
        return NULL;
    end = memchr(at, ' ', (size_t)(attempt->tail - at));
    if (end == NULL || memchr(at, '\t', (size_t)(end - at)) != NULL) {
        attempt->steps += (size_t)((end != NULL ? end : attempt->tail) - at);
        return NULL;
    }
    return (size_t)(end - at) > i ? end - i : NULL;
}

static bool
match_open(struct attempt *attempt, unsigned part, const char *at)
{
    switch (attempt->template->parts[part].shape) {
    case SA_SHAPE_CSEQ:
        return match_cseq(attempt, part, at);
    case SA_SHAPE_ADDRESS:
        return match_address(attempt, part, at);
    case SA_SHAPE_TEXT:
        return match_free(attempt, part, at);
    default:
        return match_word(attempt, part, at);
    }
}

static bool
is_code_at(const struct attempt *attempt, const char *at)
{
    return attempt->tail - at >= 3 && at[0] != '0' && sa_is_digit(at[0]) && sa_is_digit(at[1]) &&
           sa_is_digit(at[2]);
}

/* Charges for what was stepped through from the start to the place of the part. */
static inline void
arrive(struct attempt *attempt, const char *start, unsigned part, const char *at)
{
    attempt->steps += (size_t)(at - start);
    if (part > attempt->furthest) {
        attempt->furthest = part;
        attempt->furthest_at = at;
    }
}

/* Steps through the parts as long as there is one way only, then tries the ways there are. */
static bool
match_from(struct attempt *attempt, unsigned part, const char *at)
{
    const struct sa_template *template = attempt->template;
    const char *start = at;

    for (; part < template->n_parts; part++) {
        const struct sa_template_part *this = &template->parts[part];
        const char *end = NULL;

        switch (this->shape) {
        case SA_SHAPE_LITERAL:
            if (!is_literal_at(attempt, this, at)) {
                arrive(attempt, start, part, at);
                return false;
            }
            at += this->len;
            continue;
        case SA_SHAPE_CODE:
            if (!is_code_at(attempt, at)) {
                arrive(attempt, start, part, at);
                return false;
            }
            end = at + 3;
            break;
        case SA_SHAPE_TEXT:
        case SA_SHAPE_CSEQ:
        case SA_SHAPE_PROTO:
            break;
        default:
            end = attempt->failed == NULL ? only_end(attempt, part, at) : NULL;
            break;
        }
        if (end == NULL) {
            arrive(attempt, start, part, at);
            return match_open(attempt, part, at);
        }
        if (this->field != SA_FIELD_NONE)
            attempt->fields[this->field] = (struct sa_slice){at, (size_t)(end - at)};
        at = end;
    }
    arrive(attempt, start, part, at);
    return at >= attempt->tail;
}

/* What the first walk left undecided.  Apart, because what it remembers is much to have on the stack. */
__attribute__((noinline)) static bool
match_again(struct attempt *attempt)
{
    struct failed failed[SA_TEMPLATE_PARTS];

    memset(failed, 0, attempt->template->n_parts * sizeof *failed);
    attempt->failed = failed;
    attempt->limit = BOTH_STEPS((size_t)(attempt->end - attempt->p));
    return match_from(attempt, 0, attempt->p);
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
                                .limit = FIRST_STEPS(payload.len),
                                .furthest_at = payload.p};
    while (attempt->tail > payload.p &&
           (is_blank(attempt->tail[-1]) || (attempt->tail[-1] >= '\n' && attempt->tail[-1] <= '\r')))
        attempt->tail--;
    if (attempt->tail - payload.p >= 4 && memcmp(attempt->tail - 4, "#012", 4) == 0)
        attempt->tail -= 4;
    for (int i = 0; i < SA_FIELD_COUNT; i++)
        fields[i] = (struct sa_slice){payload.p, 0};
    if (match_from(attempt, 0, payload.p))
        return true;
    return gives_up(attempt) && match_again(attempt);
}

enum sa_template_verdict
sa_template_match(const struct sa_template *template, struct sa_slice payload,
                  struct sa_slice fields[SA_FIELD_COUNT])
{
    struct attempt attempt;

    if (try(&attempt, template, payload, fields))
        return SA_TEMPLATE_HIT;
    return gives_up(&attempt) ? SA_TEMPLATE_LIMIT : SA_TEMPLATE_MISS;
}

size_t
sa_template_steps(const struct sa_template *template, struct sa_slice payload)
{
    struct sa_slice fields[SA_FIELD_COUNT];
    struct attempt attempt;

    (void)try(&attempt, template, payload, fields);
    return attempt.steps;
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
