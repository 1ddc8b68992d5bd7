#include "report.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

json_t *
sa_report_text(const char *text)
{
    char shown[4 * 1024 + 1];

    (void)sa_text_escape(shown, sizeof shown, text, strnlen(text, 1024));
    return json_string(shown);
}

json_t *
sa_report_time(int64_t wall_ms)
{
    char text[SA_TIME_TEXT_SIZE];

    sa_text_time(text, wall_ms);
    return json_string(text);
}

static json_t *
methods_of(const struct sa_tally *tally, const struct sa_tally_code *code)
{
    json_t *methods = json_object();

    for (unsigned i = 0; i < tally->n_methods; i++)
        if (code->by_method[i] != 0)
            (void)json_object_set_new(methods, tally->methods[i],
                                      json_integer((json_int_t)code->by_method[i]));
    return methods;
}

json_t *
sa_report_codes(const struct sa_tally *tally)
{
    json_t *codes = json_object();

    for (unsigned i = SA_CODE_MIN; i <= SA_CODE_MAX; i++) {
        const struct sa_tally_code *code = tally->codes[i];
        char key[4] = {(char)('0' + i / 100), (char)('0' + i / 10 % 10), (char)('0' + i % 10), '\0'};

        if (code == NULL)
            continue;
        (void)json_object_set_new(codes, key,
                                  json_pack("{sI sI sI so}", "responses", (json_int_t)code->count.responses,
                                            "received", (json_int_t)code->count.received, "sent",
                                            (json_int_t)code->count.sent, "methods",
                                            methods_of(tally, code)));
    }
    return codes;
}

struct ranked {
    uint64_t responses;
    unsigned index;
};

static int
more_responses_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->responses != y->responses)
        return x->responses < y->responses ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

static json_t *
peer_codes(const struct sa_peers *peers, unsigned index)
{
    json_t *codes = json_object();

    for (unsigned code = SA_CODE_MIN; code <= SA_CODE_MAX; code++) {
        uint64_t n = sa_peers_count(peers, index, code);
        char key[4] = {(char)('0' + code / 100), (char)('0' + code / 10 % 10), (char)('0' + code % 10), '\0'};

        if (n != 0)
            (void)json_object_set_new(codes, key, json_integer((json_int_t)n));
    }
    return codes;
}

json_t *
sa_report_peers(const struct sa_peers *peers)
{
    json_t *list = json_array();
    struct ranked *order = calloc(peers->n_peers + 1, sizeof *order);

    if (order == NULL) {
        json_decref(list);
        return NULL;
    }
    for (unsigned i = 0; i < peers->n_peers; i++)
        order[i] = (struct ranked){peers->responses[i], i};
    qsort(order, peers->n_peers, sizeof *order, more_responses_first);
    for (unsigned i = 0; i < peers->n_peers; i++)
        (void)json_array_append_new(
            list, json_pack("{so sI so}", "peer", sa_report_text(peers->names[order[i].index]), "responses",
                            (json_int_t)order[i].responses, "codes", peer_codes(peers, order[i].index)));
    free(order);
    return list;
}
