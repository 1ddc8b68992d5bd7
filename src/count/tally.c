#include "tally.h"
#include "text.h"
#include "window.h"

#include <stdlib.h>
#include <string.h>

#define OTHER (SA_TALLY_METHODS - 1)

struct slot {
    struct sa_tally_code seen;
    struct sa_window window; /* of one column; only with windows */
    bool changed;            /* since it was last saved */
};

struct sa_tally {
    struct slot *codes[SA_CODE_MAX + 1];            /* NULL until the code is seen */
    char methods[SA_TALLY_METHODS][SA_METHOD_SIZE]; /* "": nobody's place yet */
    uint32_t window_s;                              /* 0: no windows */
    uint64_t responses, lost;
};

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

/* The number of a method; "OTHER" when there is no room for it. */
static unsigned
method_of(struct sa_tally *tally, const char *method)
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

/* Made if it is missing; NULL: out of memory. */
static struct slot *
slot_of(struct sa_tally *tally, unsigned code)
{
    struct slot *slot = tally->codes[code];

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
    return tally->codes[code] = slot;
}

void
sa_tally_add(struct sa_tally *tally, const struct sa_response *response, int64_t now_s, int64_t seen_ms)
{
    struct slot *slot = slot_of(tally, response->code);

    tally->responses += response->repeat;
    if (slot == NULL) {
        tally->lost += response->repeat;
        return;
    }
    slot->seen.count.responses += response->repeat;
    if (response->direction == SA_DIR_RECEIVED)
        slot->seen.count.received += response->repeat;
    else if (response->direction == SA_DIR_SENT)
        slot->seen.count.sent += response->repeat;
    if (response->method[0] != '\0')
        slot->seen.by_method[method_of(tally, response->method)] += response->repeat;
    if (seen_ms > slot->seen.last_seen_ms)
        slot->seen.last_seen_ms = seen_ms;
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
        const struct slot *from = other->codes[code];
        struct slot *slot = from == NULL ? NULL : slot_of(tally, code);

        if (from == NULL)
            continue;
        if (slot == NULL) {
            tally->lost += from->seen.count.responses;
            continue;
        }
        slot->seen.count.responses += from->seen.count.responses;
        slot->seen.count.received += from->seen.count.received;
        slot->seen.count.sent += from->seen.count.sent;
        for (unsigned i = 0; i < SA_TALLY_METHODS; i++)
            if (from->seen.by_method[i] != 0)
                slot->seen.by_method[method_of(tally, other->methods[i])] += from->seen.by_method[i];
        if (from->seen.last_seen_ms > slot->seen.last_seen_ms)
            slot->seen.last_seen_ms = from->seen.last_seen_ms;
        slot->changed = true;
    }
}

const struct sa_tally_code *
sa_tally_seen(const struct sa_tally *tally, unsigned code)
{
    return tally->codes[code] == NULL ? NULL : &tally->codes[code]->seen;
}

uint64_t
sa_tally_responses(const struct sa_tally *tally)
{
    return tally->responses;
}

uint64_t
sa_tally_lost(const struct sa_tally *tally)
{
    return tally->lost;
}

const char *
sa_tally_method_name(const struct sa_tally *tally, unsigned method)
{
    return tally->methods[method];
}

uint32_t
sa_tally_window_s(const struct sa_tally *tally)
{
    return tally->window_s;
}

uint32_t
sa_tally_at(const struct sa_tally *tally, unsigned code, int64_t s)
{
    return sa_window_at(&tally->codes[code]->window, 0, s);
}

int64_t
sa_tally_copy(const struct sa_tally *tally, unsigned code, uint32_t *steps)
{
    return sa_window_copy(&tally->codes[code]->window, 0, steps);
}

static void
save_slot(const struct sa_tally *tally, unsigned code, struct sa_buffer *buffer,
          const struct sa_tally_rows *rows)
{
    const struct slot *slot = tally->codes[code];

    rows->code(rows->arg, code, &slot->seen);
    for (unsigned i = 0; i < SA_TALLY_METHODS; i++)
        if (slot->seen.by_method[i] != 0)
            rows->method(rows->arg, code, tally->methods[i], slot->seen.by_method[i]);
    if (tally->window_s == 0)
        return;
    buffer->len = 0;
    sa_window_save(&slot->window, 0, buffer);
    if (!buffer->failed)
        rows->window(rows->arg, code, buffer->bytes, buffer->len);
}

void
sa_tally_save(struct sa_tally *tally, bool all, const struct sa_tally_rows *rows)
{
    struct sa_buffer buffer = {0};

    for (unsigned code = SA_CODE_MIN; code <= SA_CODE_MAX; code++) {
        struct slot *slot = tally->codes[code];

        if (slot == NULL || (!slot->changed && !all))
            continue;
        slot->changed = false;
        save_slot(tally, code, &buffer, rows);
    }
    sa_buffer_done(&buffer);
}

static bool
is_code(unsigned code)
{
    return code >= SA_CODE_MIN && code <= SA_CODE_MAX;
}

void
sa_tally_load_sums(struct sa_tally *tally, uint64_t responses, uint64_t lost)
{
    tally->responses += responses;
    tally->lost += lost;
}

void
sa_tally_load_code(struct sa_tally *tally, unsigned code, const struct sa_count *count, int64_t last_seen_ms)
{
    struct slot *slot = is_code(code) ? slot_of(tally, code) : NULL;

    if (slot == NULL)
        return;
    slot->seen.count.responses += count->responses;
    slot->seen.count.received += count->received;
    slot->seen.count.sent += count->sent;
    if (last_seen_ms > slot->seen.last_seen_ms)
        slot->seen.last_seen_ms = last_seen_ms;
}

void
sa_tally_load_method(struct sa_tally *tally, unsigned code, const char *method, uint64_t responses)
{
    struct slot *slot = is_code(code) ? slot_of(tally, code) : NULL;

    if (slot != NULL)
        slot->seen.by_method[method_of(tally, method)] += responses;
}

bool
sa_tally_load_window(struct sa_tally *tally, unsigned code, const void *bytes, size_t len, int64_t latest_s,
                     int64_t shift_s)
{
    const uint8_t *first = bytes;
    struct sa_buffer_reader reader = {first, first + len, false}, checked = reader;
    struct slot *slot = is_code(code) ? tally->codes[code] : NULL;

    if (!sa_window_is_sound(&checked, latest_s) || checked.p != checked.end)
        return false;
    if (slot == NULL || tally->window_s == 0)
        return true;
    sa_window_load(&slot->window, 0, &reader, shift_s);
    slot->changed = slot->changed || shift_s != 0;
    return true;
}
