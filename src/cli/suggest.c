#include "suggest.h"
#include "catalog.h"
#include "payload.h"
#include "text.h"
#include "xlog_template.h"

#include <strings.h>

struct guess {
    struct sa_slice rest;
    char *out;
    size_t len;
    bool code, peer, method, call_id;
};

static void
put(struct guess *guess, const char *text)
{
    guess->len += sa_text_copy(guess->out + guess->len, SA_SUGGESTION_SIZE - guess->len, text);
}

static bool
is_word_char(char c)
{
    return sa_is_digit(c) || (unsigned char)((c | 0x20) - 'a') < 26 || c == '_';
}

/* Length of what belongs together at the start: no blank, bracket or quote. */
static size_t
token_length(struct sa_slice s)
{
    size_t n = 0;

    while (n < s.len && (unsigned char)s.p[n] > ' ' && strchr("[](){}<>\"',;=", s.p[n]) == NULL)
        n++;
    return n;
}

static bool
take_code(struct guess *guess, size_t len)
{
    struct sa_response response;
    const char *phrase;
    struct sa_slice behind;

    if (guess->code || len < 3 || !sa_payload_set_code(&response, (struct sa_slice){guess->rest.p, 3}) ||
        response.code > 699 || (len > 3 && is_word_char(guess->rest.p[3])))
        return false;
    put(guess, "$rs");
    guess->rest = sa_slice_from(guess->rest, 3);
    guess->code = true;
    phrase = sa_catalog_explain(response.code).phrase;
    behind = guess->rest;
    if (phrase != NULL && phrase[0] != '\0' && sa_slice_skip(&behind, " ") && behind.len >= strlen(phrase) &&
        strncasecmp(behind.p, phrase, strlen(phrase)) == 0) {
        put(guess, " $rr");
        guess->rest = sa_slice_from(behind, strlen(phrase));
    }
    return true;
}

static bool
take_peer(struct guess *guess, size_t len)
{
    struct sa_response response = {.peer = ""};
    struct sa_slice address = {guess->rest.p, len};
    size_t colon = sa_slice_find(address, ':');

    sa_payload_set_peer(&response, address);
    if (guess->peer || response.peer[0] == '\0')
        return false;
    put(guess, colon < len && sa_slice_digits(sa_slice_from(address, colon + 1)) == len - colon - 1
                   ? "$si:$sp"
                   : "$si");
    guess->peer = true;
    guess->rest = sa_slice_from(guess->rest, len);
    return true;
}

/* "udp:" before an address. */
static bool
take_transport(struct guess *guess)
{
    static const char *const names[] = {
        "udp:", "tcp:", "tls:", "sctp:", "ws:", "wss:", "UDP:", "TCP:", "TLS:"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (sa_slice_skip(&guess->rest, names[i])) {
            put(guess, "$proto:");
            return true;
        }
    return false;
}

static bool
take_method(struct guess *guess, size_t len)
{
    static const char *const methods[] = {"INVITE",   "ACK",       "BYE",    "CANCEL",  "OPTIONS",
                                          "REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO",
                                          "REFER",    "MESSAGE",   "UPDATE", "PRACK"};

    for (size_t i = 0; i < sizeof methods / sizeof methods[0] && !guess->method; i++)
        if (strlen(methods[i]) == len && memcmp(methods[i], guess->rest.p, len) == 0) {
            put(guess, "$rm");
            guess->method = true;
            guess->rest = sa_slice_from(guess->rest, len);
            return true;
        }
    return false;
}

static bool
take_other(struct guess *guess, size_t len)
{
    struct sa_slice token = {guess->rest.p, len};
    size_t digits = sa_slice_digits(token);

    if (sa_slice_starts(token, "sip:") || sa_slice_starts(token, "sips:")) {
        put(guess, "$ru");
    } else if (!guess->call_id && sa_slice_find(token, '@') < len) {
        put(guess, "$ci");
        guess->call_id = true;
    } else if (digits == len && len > 0) {
        put(guess, "$var(n)");
    } else {
        return false;
    }
    guess->rest = sa_slice_from(guess->rest, len);
    return true;
}

bool
sa_suggest_template(const struct sa_record *record, char suggestion[SA_SUGGESTION_SIZE])
{
    struct guess guess = {.rest = record->payload, .out = suggestion};
    struct sa_slice fields[SA_FIELD_COUNT];
    struct sa_template template;

    suggestion[0] = '\0';
    if (record->module.len != 0 || record->payload.len == 0 || record->payload.p[0] == '{')
        return false;
    while (guess.rest.len > 0 && guess.len + 16 < SA_SUGGESTION_SIZE) {
        size_t len = token_length(guess.rest);
        char literal[3] = {guess.rest.p[0], '\0', '\0'};

        if (take_transport(&guess) || take_code(&guess, len) || take_peer(&guess, len) ||
            take_method(&guess, len) || take_other(&guess, len))
            continue;
        if ((unsigned char)literal[0] < ' ' || (unsigned char)literal[0] > 126)
            return false;
        literal[1] = literal[0] == '$' ? '$' : '\0';
        put(&guess, literal);
        guess.rest = sa_slice_from(guess.rest, 1);
        while (is_word_char(literal[0]) && guess.rest.len > 0 &&
               is_word_char(guess.rest.p[0])) { /* the rest of the word */
            literal[0] = guess.rest.p[0];
            put(&guess, literal);
            guess.rest = sa_slice_from(guess.rest, 1);
            if (guess.len + 16 >= SA_SUGGESTION_SIZE)
                return false;
        }
    }
    return guess.code && sa_template_compile(suggestion, &template) == 0 &&
           sa_template_match(&template, record->payload, fields) == SA_TEMPLATE_HIT;
}
