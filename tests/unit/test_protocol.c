/* The control protocol: which requests are taken for one of this version. */
#include "check.h"
#include "protocol.h"

static json_t *
command(void *arg, const char *name, const struct sa_caller *caller, char error[SA_PROTOCOL_ERROR])
{
    unsigned *calls = arg;

    (void)name;
    (void)caller;
    (void)error;
    (*calls)++;
    return json_pack("{sI}", "calls", (json_int_t)*calls);
}

/* Whether the command is run; ret_error is what the answer says otherwise. */
static bool
is_run(const char *request, char *ret_error, size_t size)
{
    const struct sa_caller caller = {.uid = 1000};
    unsigned calls = 0;
    char *answer = sa_protocol_answer(request, strlen(request), &caller, command, &calls);
    json_t *json = json_loads(answer, 0, NULL);
    const char *error = json_string_value(json_object_get(json, "error"));

    (void)snprintf(ret_error, size, "%s", error == NULL ? "" : error);
    CHECK_INT(request, json_is_true(json_object_get(json, "ok")), calls == 1);
    CHECK_INT(request, json_integer_value(json_object_get(json, "sipalert")), SA_PROTOCOL_VERSION);
    json_decref(json);
    free(answer);
    return calls == 1;
}

static void
test_versions(void **state)
{
    static const struct {
        const char *version;
        bool taken;
    } cases[] = {
        {"1", true},
        {"0", false},
        {"2", false},
        {"-1", false},
        {"4294967297", false},           /* 2^32 + 1 */
        {"-4294967295", false},          /* 1 - 2^32 */
        {"-9223372036854775807", false}, /* 1 - 2^63 */
        {"18446744073709551617", false}, /* 2^64 + 1 */
        {"1.0", false},
        {"257", false},
        {"true", false},
        {"\"1\"", false},
        {"[1]", false},
        {"null", false},
    };
    char request[128], error[SA_PROTOCOL_ERROR];

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        (void)snprintf(request, sizeof request, "{\"sipalert\":%s,\"command\":\"status\"}", cases[i].version);
        CHECK_INT(request, is_run(request, error, sizeof error), cases[i].taken);
        CHECK_INT(request, error[0] == '\0', cases[i].taken);
    }
    (void)is_run("{\"sipalert\":4294967297,\"command\":\"status\"}", error, sizeof error);
    CHECK_HAS("2^32 + 1", error, "version 1 of the protocol");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_versions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
