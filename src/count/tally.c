#include "tally.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define OTHER (SA_TALLY_METHODS - 1)

/* Of the IANA registry "SIP Parameters", the frequent ones first. */
static const char *const registered[] = {"INVITE", "REGISTER",  "OPTIONS", "BYE",     "ACK",
                                         "CANCEL", "SUBSCRIBE", "NOTIFY",  "MESSAGE", "PRACK",
                                         "UPDATE", "INFO",      "REFER",   "PUBLISH"};

struct sa_tally *
sa_tally_new(uint32_t window_s)
{
    struct sa_tally *tally = calloc(1, sizeof *tally);

    if (tally == NULL)
        return NULL;
    tally->window_s = window_s;
    for (size_t i = 0; i < sizeof registered / sizeof registered[0]; i++)
        memcpy(tally->methods[i], registered[i], strlen(registered[i]) + 1);
    memcpy(tally->methods[OTHER], "OTHER", sizeof "OTHER");
    return tally;
}

struct sa_tally *
sa_tally_free(struct sa_tally *tally)
{
    if (tally == NULL)
        return NULL;
    for (unsigned code = 0; code <= SA_CODE_MAX; code++) {
        if (tally->codes[code] == NULL)
            continue;
        sa_window_done(&tally->codes[code]->window);
        free(tally->codes[code]);
    }
    free(tally);
    return NULL;
}

unsigned
sa_tally_method(struct sa_tally *tally, const char *method)
{
    unsigned i;

    for (i = 0; i < OTHER && tally->methods[i][0] != '\0'; i++)
        if (strcmp(tally->methods[i], method) == 0)
            return i;
    if (i < OTHER && strcmp(method, tally->methods[OTHER]) != 0)
        (void)sa_text_copy(tally->methods[i], SA_METHOD_SIZE, method);
    else
        i = OTHER;
    return i;
}

struct sa_tally_code *
sa_tally_slot(struct sa_tally *tally, unsigned code)
{
    struct sa_tally_code *slot = tally->codes[code];

    if (slot != NULL)
        return slot;
    slot = calloc(1, sizeof *slot);
    if (slot == NULL)
        return NULL;
    if (tally->window_s != 0) {
        sa_window_init(&slot->window, tally->window_s, 1);
        if (sa_window_widen(&slot->window) < 0) {
            free(slot);
            return NULL;
        }
    }
    slot->code = (uint16_t)code;
    return tally->codes[code] = slot;
}

void
sa_tally_add(struct sa_tally *tally, const struct sa_response *response, int64_t now_s, int64_t seen_ms)
{
    struct sa_tally_code *slot = sa_tally_slot(tally, response->code);

    tally->responses += response->repeat;
    if (slot == NULL) {
        tally->lost += response->repeat;
        return;
    }
    slot->count.responses += response->repeat;
    if (response->direction == SA_DIR_RECEIVED)
        slot->count.received += response->repeat;
    else if (response->direction == SA_DIR_SENT)
        slot->count.sent += response->repeat;
    if (response->method[0] != '\0')
        slot->by_method[sa_tally_method(tally, response->method)] += response->repeat;
    if (seen_ms > slot->last_seen_ms)
        slot->last_seen_ms = seen_ms;
    slot->changed = true;
    if (tally->window_s != 0 && now_s >= 0)
        sa_window_add(&slot->window, 0, now_s, response->repeat);
}

void
sa_tally_merge(struct sa_tally *tally, const struct sa_tally *other)
{
    tally->responses += other->responses;
    tally->lost += other->lost;
    for (unsigned code = 0; code <= SA_CODE_MAX; code++) {
        const struct sa_tally_code *from = other->codes[code];
        struct sa_tally_code *slot = from == NULL ? NULL : sa_tally_slot(tally, code);

        if (from == NULL)
            continue;
        if (slot == NULL) {
            tally->lost += from->count.responses;
            continue;
        }
        slot->count.responses += from->count.responses;
        slot->count.received += from->count.received;
        slot->count.sent += from->count.sent;
        for (unsigned i = 0; i < SA_TALLY_METHODS; i++)
            if (from->by_method[i] != 0)
                slot->by_method[sa_tally_method(tally, other->methods[i])] += from->by_method[i];
        if (from->last_seen_ms > slot->last_seen_ms)
            slot->last_seen_ms = from->last_seen_ms;
        slot->changed = true;
    }
}
