/*
 * What a client says on the control socket: every line gets one line of JSON back that says ok or why not,
 * whatever it holds, and nobody without the right gets an acting command.  Input: lines.
 */
#include "fuzz.h"
#include "protocol.h"

static json_t *
command(void *arg, const char *name, const struct sa_caller *caller, char error[SA_PROTOCOL_ERROR])
{
    unsigned *calls = arg;

    (*calls)++;
    FUZZ_CHECK(caller->uid == 1000 && caller->pid == 7 && !caller->may_act);
    if (strcmp(name, "status") == 0)
        return json_pack("{sI}", "responses", (json_int_t)*calls);
    (void)snprintf(error, SA_PROTOCOL_ERROR, "%s", name); /* from the client: may be longer, or no text */
    return NULL;
}

static void
check_answer(const char *answer)
{
    size_t len = strlen(answer);
    json_t *json = json_loads(answer, JSON_REJECT_DUPLICATES, NULL);
    const json_t *ok = json_object_get(json, "ok");

    FUZZ_CHECK(len > 0 && answer[len - 1] == '\n' && strchr(answer, '\n') == answer + len - 1);
    FUZZ_CHECK(json_integer_value(json_object_get(json, "sipalert")) == SA_PROTOCOL_VERSION);
    FUZZ_CHECK(json_is_boolean(ok));
    FUZZ_CHECK(json_object_get(json, json_is_true(ok) ? "result" : "error") != NULL);
    FUZZ_CHECK(json_object_size(json) == 3);
    json_decref(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sa_caller caller = {.uid = 1000, .pid = 7};
    unsigned calls = 0, lines = 0;

    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end == NULL ? size : (size_t)(end - data);
        char *answer = sa_protocol_answer((const char *)data, len, &caller, command, &calls);

        FUZZ_CHECK(answer != NULL);
        check_answer(answer);
        free(answer);
        lines++;
        FUZZ_CHECK(calls <= lines);
        data += end == NULL ? len : len + 1;
        size -= end == NULL ? len : len + 1;
    }
    return 0;
}
