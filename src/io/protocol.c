#include "protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *
refusal(const char *error)
{
    json_t *answer = json_pack("{si sb ss}", "sipalert", SA_PROTOCOL_VERSION, "ok", 0, "error", error);

    return answer != NULL ? answer
                          : json_pack("{si sb ss}", "sipalert", SA_PROTOCOL_VERSION, "ok", 0, "error",
                                      "the reason is not text"); /* a path may be any bytes */
}

static json_t *
respond(const char *request, size_t len, const struct sa_caller *caller, sa_control_fn fn, void *arg)
{
    char error[SA_PROTOCOL_ERROR] = "not a request of this protocol";
    json_t *call = json_loadb(request, len, JSON_REJECT_DUPLICATES, NULL), *result = NULL, *answer;
    const char *command = NULL;
    json_int_t version = 0; /* as wide as it can be written: 2^32 + 1 is not 1 */

    if (json_unpack(call, "{sI ss}", "sipalert", &version, "command", &command) == 0) {
        if (version == SA_PROTOCOL_VERSION)
            result = fn(arg, command, caller, error);
        else
            (void)snprintf(error, sizeof error, "this daemon speaks version %d of the protocol",
                           SA_PROTOCOL_VERSION);
    }
    answer = result != NULL
                 ? json_pack("{si sb so}", "sipalert", SA_PROTOCOL_VERSION, "ok", 1, "result", result)
                 : refusal(error);
    json_decref(call);
    return answer;
}

char *
sa_protocol_answer(const char *request, size_t len, const struct sa_caller *caller, sa_control_fn fn,
                   void *arg)
{
    json_t *answer = respond(request, len, caller, fn, arg);
    char *text = json_dumps(answer, JSON_COMPACT | JSON_PRESERVE_ORDER), *line = NULL;

    json_decref(answer);
    if (text != NULL && asprintf(&line, "%s\n", text) == -1)
        line = NULL;
    free(text);
    return line;
}
