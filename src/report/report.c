#include "report.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *
sa_report_text(const char *text)
{
    char shown[SA_TEXT_ESCAPED(1024)];

    (void)sa_text_escape(shown, sizeof shown, text, strnlen(text, 1024));
    return json_string(shown);
}

json_t *
sa_report_name(const char *name)
{
    char shown[SA_TEXT_ESCAPED(1024)];

    (void)sa_text_printable(shown, sizeof shown, name);
    return json_string(shown);
}

bool
sa_report_print(json_t *value, bool one_line)
{
    bool written =
        json_dumpf(value, stdout, JSON_PRESERVE_ORDER | (one_line ? JSON_COMPACT : JSON_INDENT(1))) == 0 &&
        putchar('\n') != EOF;

    json_decref(value);
    return written;
}

json_t *
sa_report_time(int64_t wall_ms)
{
    char text[SA_TIME_TEXT_SIZE];

    sa_text_time(text, wall_ms);
    return json_string(text);
}

static void
put_code(char text[4], unsigned code)
{
    for (unsigned i = 3; i-- > 0; code /= 10)
        text[i] = (char)('0' + code % 10);
    text[3] = '\0';
}

static json_t *
methods_of(const struct sa_tally *tally, const struct sa_tally_code *code)
{
    json_t *methods = json_object();

    for (unsigned i = 0; i < SA_TALLY_METHODS; i++)
        if (code->by_method[i] != 0)
            (void)json_object_set_new(methods, sa_tally_method_name(tally, i),
                                      json_integer((json_int_t)code->by_method[i]));
    return methods;
}

json_t *
sa_report_codes(const struct sa_tally *tally)
{
    json_t *codes = json_object();

    for (unsigned i = SA_CODE_MIN; i <= SA_CODE_MAX; i++) {
        const struct sa_tally_code *code = sa_tally_seen(tally, i);
        char key[4];

        if (code == NULL)
            continue;
        put_code(key, i);
        (void)json_object_set_new(codes, key,
                                  json_pack("{sI sI sI so}", "responses", (json_int_t)code->count.responses,
                                            "received", (json_int_t)code->count.received, "sent",
                                            (json_int_t)code->count.sent, "methods",
                                            methods_of(tally, code)));
    }
    return codes;
}

/* The steps of one window. */
static json_t *
steps_of(const struct sa_tally *tally, unsigned code, int64_t now_s, unsigned step_s)
{
    json_t *steps = json_array();
    int64_t first = now_s - sa_tally_window_s(tally) + 1;

    for (int64_t from = first; from + step_s <= now_s + 1; from += step_s) {
        json_int_t sum = 0;

        for (int64_t s = from; s < from + step_s; s++)
            sum += sa_tally_at(tally, code, s);
        (void)json_array_append_new(steps, json_integer(sum));
    }
    return steps;
}

json_t *
sa_report_recent(const struct sa_tally *tally, int64_t now_s, unsigned step_s)
{
    json_t *codes = json_object();

    for (unsigned i = SA_CODE_MIN; i <= SA_CODE_MAX && sa_tally_window_s(tally) != 0; i++)
        if (sa_tally_seen(tally, i) != NULL) {
            char key[4];

            put_code(key, i);
            (void)json_object_set_new(codes, key, steps_of(tally, i, now_s, step_s));
        }
    return json_pack("{si so}", "step_s", (int)step_s, "codes", codes);
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
        char key[4];

        put_code(key, code);
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
