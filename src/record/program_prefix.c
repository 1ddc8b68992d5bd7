#include "program_prefix.h"

/* A log level of either proxy and its colon. */
static bool
skip_level(struct sa_slice *s)
{
    static const char *const levels[] = {"INFO",  "NOTICE", "WARNING", "ERROR", "DEBUG", "CRITICAL",
                                         "ALERT", "EMERG",  "DBG",     "WARN",  "CRIT",  "BUG"};
    size_t n = 0;

    while (n < s->len && n < 9 && (unsigned char)(s->p[n] - 'A') < 26)
        n++;
    if (n < 3 || n == s->len || s->p[n] != ':')
        return false;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (levels[i][0] == s->p[0] && strlen(levels[i]) == n && memcmp(levels[i], s->p, n) == 0) {
            *s = sa_slice_from(*s, n + 1);
            return true;
        }
    return false;
}

/* Kamailio's default log_prefix, "{$mt $hdr(CSeq) $ci} ": every part is a word, so nothing in it can end it
 * early. */
static bool
skip_default_log_prefix(struct sa_slice *s, struct sa_record *record)
{
    struct sa_slice rest = *s, kind, number, method, call_id;

    if (!sa_slice_skip(&rest, "{") || !sa_slice_next_word(&rest, &kind) || kind.len != 1 ||
        !sa_slice_next_word(&rest, &number) || sa_slice_digits(number) != number.len ||
        !sa_slice_next_word(&rest, &method) || !sa_slice_next_word(&rest, &call_id) ||
        call_id.p[call_id.len - 1] != '}')
        return false;
    record->method = method;
    record->call_id = (struct sa_slice){call_id.p, call_id.len - 1};
    *s = rest;
    return true;
}

/* "acc [acc.c:287]: acc_log_request(): " */
static bool
skip_module(struct sa_slice *s, struct sa_slice *module)
{
    struct sa_slice rest = *s, name;
    size_t end, digits = 0;

    if (!sa_slice_next_word(&rest, &name) || !sa_slice_skip(&rest, "["))
        return false;
    end = sa_slice_find(rest, ']');
    while (digits < end && sa_is_digit(rest.p[end - 1 - digits]))
        digits++;
    if (digits == 0 || digits + 1 >= end || rest.p[end - 1 - digits] != ':' || sa_slice_find(rest, ' ') < end)
        return false;
    rest = sa_slice_from(rest, end);
    if (!sa_slice_skip(&rest, "]: "))
        return false;
    end = sa_slice_find(rest, ' ');
    if (end >= 3 && end < rest.len && memcmp(rest.p + end - 3, "():", 3) == 0)
        rest = sa_slice_from(rest, end + 1);
    *module = name;
    *s = rest;
    return true;
}

/* "LEVEL: [log_prefix ]<script>: " or "LEVEL: [log_prefix ]module [file:line]: function(): ". */
static void
peel_kamailio(struct sa_slice *s, struct sa_record *record)
{
    struct sa_slice rest = *s, word;

    if (skip_default_log_prefix(&rest, record))
        *s = rest; /* modparam("xlog", "prefix", "") leaves nothing between log_prefix and text */
    if (sa_slice_skip(&rest, "<script>: ") || skip_module(&rest, &record->module)) {
        *s = rest;
        return;
    }
    /* A log_prefix of the operator's own: believed if it is one word, so that no text of a message can pose
     * as it. */
    if (sa_slice_next_word(&rest, &word) &&
        (sa_slice_skip(&rest, "<script>: ") || skip_module(&rest, &record->module)))
        *s = rest;
}

/* "VERBOSE[66][C-00000003]: res_pjsip_logger.c:134 func: ", with and without the colon behind the level, the
 * line and the function. */
static bool
skip_asterisk(struct sa_slice *s)
{
    static const char *const levels[] = {"VERBOSE[", "NOTICE[", "WARNING[", "ERROR[",
                                         "DEBUG[",   "DTMF[",   "SECURITY["};
    struct sa_slice rest = *s, word;
    size_t i, end;

    if (rest.len == 0 || (unsigned char)(rest.p[0] - 'A') > 25)
        return false;
    for (i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (sa_slice_skip(&rest, levels[i]))
            break;
    if (i == sizeof levels / sizeof levels[0])
        return false;
    end = sa_slice_find(rest, ' ');
    if (end < 2 || end == rest.len)
        return false;
    rest = sa_slice_from(rest, end + 1);
    if (!sa_slice_next_word(&rest, &word))
        return false;
    if (word.p[word.len - 1] != ':') { /* "file.c:134 in function: " or "file.c:134 function: " */
        end = sa_slice_find(word, ':');
        if (end == word.len || sa_slice_digits(sa_slice_from(word, end + 1)) != word.len - end - 1)
            return false;
        (void)sa_slice_skip(&rest, "in ");
        if (!sa_slice_next_word(&rest, &word) || word.p[word.len - 1] != ':')
            return false;
    }
    *s = rest;
    return true;
}

/* "00.00% [WARNING] sofia_reg.c:2889 ", the idle CPU since 2021 only; the file may be in brackets, with a
 * word before it. */
static bool
skip_freeswitch(struct sa_slice *s)
{
    static const char *const levels[] = {"[DEBUG] ", "[INFO] ",  "[NOTICE] ", "[WARNING] ", "[WARN] ",
                                         "[ERR] ",   "[ERROR] ", "[CRIT] ",   "[ALERT] ",   "[CONSOLE] "};
    struct sa_slice rest = *s, word;
    size_t i, digits = sa_slice_digits(rest), dot;

    if (rest.len == 0 || (digits == 0 && rest.p[0] != '['))
        return false;
    if (digits > 0 && digits < 4 && sa_slice_next_word(&rest, &word) && word.p[word.len - 1] != '%')
        return false;
    for (i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (sa_slice_skip(&rest, levels[i]))
            break;
    if (i == sizeof levels / sizeof levels[0])
        return false;
    *s = rest;
    while (rest.len > 0 && rest.p[0] == '[' && sa_slice_next_word(&rest, &word))
        *s = rest;
    if (sa_slice_next_word(&rest, &word) && (dot = sa_slice_find(word, '.')) + 3 < word.len &&
        word.p[dot + 1] == 'c')
        *s = rest;
    return true;
}

/* Escape sequences that set colours (ECMA-48 SGR), and the blanks between them. */
static void
skip_colours(struct sa_slice *s)
{
    struct sa_slice rest = *s;

    while (rest.len > 0 && rest.p[0] == '\033' && sa_slice_skip(&rest, "\033[")) {
        while (rest.len > 0 && (sa_is_digit(rest.p[0]) || rest.p[0] == ';'))
            rest = sa_slice_from(rest, 1);
        if (!sa_slice_skip(&rest, "m"))
            return;
        *s = rest;
        while (rest.len > 0 && rest.p[0] == ' ')
            rest = sa_slice_from(rest, 1);
    }
}

void
sa_program_prefix_peel(struct sa_record *record)
{
    struct sa_slice s = record->payload;

    if (s.len == 0)
        return;
    skip_colours(&s);
    if (skip_level(&s)) {
        if (sa_slice_skip(&s, " ")) {
            record->proxy = SA_PROXY_KAMAILIO;
            peel_kamailio(&s, record);
        } else {
            record->proxy = SA_PROXY_OPENSIPS;
        }
    } else if (record->enveloped && (skip_asterisk(&s) || skip_freeswitch(&s))) {
        skip_colours(&s);
    }
    record->payload = s;
}

bool
sa_program_prefix_begins(struct sa_slice text)
{
    return skip_level(&text);
}
