/* An operator's xlog template.  Input: the template; what it compiles to is tried on a few payloads. */
#include "fuzz.h"
#include "pattern.h"
#include "xlog_template.h"

static void
match(struct sa_pattern *pattern, const char *text)
{
    const struct sa_record record = {.payload = {text, strlen(text)}, .repeat = 1};
    struct sa_response response;
    int verdict = sa_pattern_match(pattern, &record, &response);

    FUZZ_CHECK(verdict == SA_PAYLOAD_MISS || verdict == (SA_PAYLOAD_HIT | SA_PAYLOAD_TAKEN));
    if (verdict != SA_PAYLOAD_MISS)
        fuzz_check_response(&response);
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
    for (size_t i = 0; pattern != NULL && i < sizeof payloads / sizeof payloads[0]; i++)
        match(pattern, payloads[i]);
    if (pattern != NULL)
        match(pattern, template);
    (void)sa_pattern_free(pattern);
    free(template);
    return 0;
}
