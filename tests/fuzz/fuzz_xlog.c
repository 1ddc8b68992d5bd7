/*
 * An operator's xlog template and a stranger's payload.  Input: the template; behind its first NUL a payload,
 * which is tried as it is and repeated.  What the template compiles to is tried on a few more.
 */
#include "fuzz.h"
#include "pattern.h"
#include "xlog_template.h"

#define REPEATED 4096

static void
match(struct sa_pattern *pattern, const struct sa_template *template, const char *text, size_t len)
{
    const struct sa_record record = {.payload = {text, len}, .repeat = 1};
    struct sa_response response;
    enum sa_payload_outcome outcome = sa_pattern_match(pattern, &record, &response);

    FUZZ_CHECK(outcome == SA_PAYLOAD_NOTHING || outcome == SA_PAYLOAD_LIMIT ||
               outcome == SA_PAYLOAD_RESPONSE);
    if (outcome == SA_PAYLOAD_RESPONSE)
        fuzz_check_response(&response);
    FUZZ_CHECK(sa_template_steps(template, record.payload) <= SA_TEMPLATE_STEPS(len));
}

static void
match_repeated(struct sa_pattern *pattern, const struct sa_template *template, const char *text, size_t len)
{
    char *repeated = malloc(REPEATED);

    FUZZ_CHECK(repeated != NULL);
    for (size_t i = 0; i < REPEATED; i++)
        repeated[i] = text[i % len];
    match(pattern, template, repeated, REPEATED);
    free(repeated);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const payloads[] = {
        "[1-46@127.11.0.2] 302 Moved Temporarily from 127.11.1.1:5060 method INVITE",
        "[a b] 302 x 200 from [2001:db8::1]:5060 method \xff\xfe#012",
        "302",
        "200 200 1 INVITE 1 INVITE a@b a@b 192.0.2.1 192.0.2.1 sip:a@b sip:a@b",
    };
    char *template = malloc(size + 1), error[SA_PATTERN_ERROR_SIZE];
    struct sa_template compiled;
    struct sa_pattern *pattern;
    int r;

    FUZZ_CHECK(template != NULL);
    memcpy(template, data, size);
    template[size] = '\0';
    r = sa_template_compile(template, &compiled);
    FUZZ_CHECK(sa_template_literal(&compiled).len <= 64);
    pattern = sa_pattern_new_xlog(template, SA_DIR_RECEIVED, error);
    if (pattern == NULL)
        FUZZ_CHECK_TEXT(error);
    FUZZ_CHECK((r == 0) == (pattern != NULL)); /* whatever a template holds, its pattern is a pattern */
    if (pattern != NULL) {
        const char *rest = template + strlen(template);
        size_t len = size - strlen(template);

        for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++)
            match(pattern, &compiled, payloads[i], strlen(payloads[i]));
        match(pattern, &compiled, template, strlen(template));
        if (len > 1) {
            match(pattern, &compiled, rest + 1, len - 1);
            match_repeated(pattern, &compiled, rest + 1, len - 1);
        }
    }
    (void)sa_pattern_free(pattern);
    free(template);
    return 0;
}
