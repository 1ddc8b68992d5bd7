#include "recent.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN   4096
#define SLOTS_MAX   524288
#define JOURNAL_MAX 65536

struct item {
    uint64_t key; /* 0: free */
    uint32_t seen_ms;
} __attribute__((packed)); /* 12 bytes instead of 16, a million times */

struct sa_recent {
    struct item *slots; /* open addressing, n_slots is a power of two */
    size_t n_slots, used;
    uint64_t forgotten;
    struct item *journal; /* what came in the second kept_s, of which the first `kept` are kept */
    size_t journal_len, journal_room, kept;
    int64_t kept_s;
    bool journal_full; /* then everything is kept */
};

struct sa_recent *
sa_recent_new(void)
{
    struct sa_recent *recent = calloc(1, sizeof *recent);

    if (recent == NULL)
        return NULL;
    recent->n_slots = SLOTS_MIN;
    recent->slots = calloc(SLOTS_MIN, sizeof *recent->slots);
    return recent->slots == NULL ? sa_recent_free(recent) : recent;
}

struct sa_recent *
sa_recent_free(struct sa_recent *recent)
{
    if (recent == NULL)
        return NULL;
    free(recent->slots);
    free(recent->journal);
    free(recent);
    return NULL;
}

/* FNV-1a of 64 bits. */
static uint64_t
mix(uint64_t hash, const void *p, size_t len)
{
    const unsigned char *byte = p;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ byte[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t
key_of(const struct sa_response *response)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    uint32_t direction = (uint32_t)response->direction;

    hash = mix(hash, response->call_id, strlen(response->call_id) + 1);
    hash = mix(hash, response->method, strlen(response->method) + 1);
    hash = mix(hash, &response->transaction, sizeof response->transaction);
    hash = mix(hash, &response->code, sizeof response->code);
    hash = mix(hash, &direction, sizeof direction);
    return hash == 0 ? 1 : hash;
}

/* Milliseconds between two times of which the low 32 bits are known. */
static int64_t
distance_ms(uint32_t now_ms, uint32_t then_ms)
{
    return (int32_t)(now_ms - then_ms);
}

static bool
is_recent(const struct item *item, uint32_t now_ms)
{
    return llabs(distance_ms(now_ms, item->seen_ms)) <= SA_RECENT_MS;
}

/* Logs are not always in order, so what seems to come from the future is kept. */
static bool
has_aged(const struct item *item, uint32_t now_ms)
{
    return distance_ms(now_ms, item->seen_ms) > SA_RECENT_MS;
}

static struct item *
find(struct item *slots, size_t n_slots, uint64_t key)
{
    size_t i = (key ^ key >> 32) & (n_slots - 1);

    while (slots[i].key != 0 && slots[i].key != key)
        i = (i + 1) & (n_slots - 1);
    return &slots[i];
}

/* Moves what is not older than the age to a table of another size.  False: out of memory, nothing changed. */
static bool
rebuild(struct sa_recent *recent, size_t n_slots, uint32_t now_ms, int64_t age_ms)
{
    /* From SLOTS_MIN to SLOTS_MAX. NOLINTNEXTLINE(clang-analyzer-optin.portability.UnixAPI) */
    struct item *slots = calloc(n_slots, sizeof *slots);
    size_t used = 0;

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < recent->n_slots; i++) {
        const struct item *item = &recent->slots[i];

        if (item->key == 0 || has_aged(item, now_ms))
            continue;
        if (distance_ms(now_ms, item->seen_ms) > age_ms) {
            recent->forgotten++;
            continue;
        }
        *find(slots, n_slots, item->key) = *item;
        used++;
    }
    free(recent->slots);
    recent->slots = slots;
    recent->n_slots = n_slots;
    recent->used = used;
    return true;
}

static size_t
count_recent(const struct sa_recent *recent, uint32_t now_ms)
{
    size_t n = 0;

    for (size_t i = 0; i < recent->n_slots; i++)
        n += recent->slots[i].key != 0 && !has_aged(&recent->slots[i], now_ms);
    return n;
}

/* Seven tenths full: what has aged goes, and the table takes the size that the rest needs. */
static void
make_room(struct sa_recent *recent, uint32_t now_ms)
{
    size_t live = count_recent(recent, now_ms), n_slots = SLOTS_MIN;
    int64_t age_ms = SA_RECENT_MS;

    while (n_slots < SLOTS_MAX && live > n_slots / 2)
        n_slots *= 2;
    if (live > SA_RECENT_MAX)
        age_ms = SA_RECENT_MS / 2;
    while (!rebuild(recent, n_slots, now_ms, age_ms) || recent->used > recent->n_slots / 100 * 66) {
        n_slots = recent->n_slots; /* out of memory, or all came at once: the table stays and the oldest go */
        age_ms /= 2;
        if (age_ms == 0) {
            recent->forgotten += recent->used;
            memset(recent->slots, 0, recent->n_slots * sizeof *recent->slots);
            recent->used = 0;
            return;
        }
    }
}

static void
note(struct sa_recent *recent, struct item item)
{
    if (recent->journal_len == JOURNAL_MAX)
        recent->journal_full = true;
    if (recent->journal_len == recent->journal_room && !recent->journal_full) {
        size_t room = recent->journal_room == 0 ? 256 : 2 * recent->journal_room;
        struct item *journal = realloc(recent->journal, room * sizeof *journal);

        if (journal == NULL) {
            recent->journal_full = true;
        } else {
            recent->journal = journal;
            recent->journal_room = room;
        }
    }
    if (!recent->journal_full)
        recent->journal[recent->journal_len++] = item;
}

static void
put(struct sa_recent *recent, struct item item)
{
    struct item *slot;

    if (recent->used >= recent->n_slots / 10 * 7)
        make_room(recent, item.seen_ms);
    slot = find(recent->slots, recent->n_slots, item.key);
    recent->used += slot->key == 0;
    *slot = item;
}

bool
sa_recent_again(struct sa_recent *recent, const struct sa_response *response, int64_t now_ms)
{
    struct item item = {key_of(response), (uint32_t)now_ms};
    const struct item *slot;
    bool again;

    if (response->call_id[0] == '\0')
        return false;
    slot = find(recent->slots, recent->n_slots, item.key);
    again = slot->key != 0 && is_recent(slot, item.seen_ms);
    if (!again || distance_ms(item.seen_ms, slot->seen_ms) < 0) {
        put(recent, item);
        note(recent, item);
    }
    return again;
}

uint64_t
sa_recent_forgotten(const struct sa_recent *recent)
{
    return recent->forgotten;
}

static void
add_item(struct sa_buffer *buffer, const struct item *item)
{
    sa_buffer_number(buffer, item->key);
    sa_buffer_number(buffer, item->seen_ms);
}

static int
keep_all(struct sa_recent *recent, struct sa_buffer *buffer)
{
    for (size_t i = 0; i < recent->n_slots; i++)
        if (recent->slots[i].key != 0)
            add_item(buffer, &recent->slots[i]);
    recent->journal_len = recent->kept = 0;
    recent->journal_full = false;
    return SA_RECENT_ROWS - 1;
}

int
sa_recent_keep(struct sa_recent *recent, bool all, int64_t wall_s, struct sa_buffer *buffer)
{
    if (all || recent->journal_full)
        return keep_all(recent, buffer);
    if (recent->kept == recent->journal_len)
        return -1;
    if (wall_s != recent->kept_s) { /* what was kept stays in the row of its own second */
        memmove(recent->journal, recent->journal + recent->kept,
                (recent->journal_len - recent->kept) * sizeof *recent->journal);
        recent->journal_len -= recent->kept;
        recent->kept_s = wall_s;
    }
    for (size_t i = 0; i < recent->journal_len; i++)
        add_item(buffer, &recent->journal[i]);
    recent->kept = recent->journal_len;
    return (int)((uint64_t)wall_s % (SA_RECENT_ROWS - 1));
}

void
sa_recent_recall(struct sa_recent *recent, const void *kept, size_t len)
{
    const uint8_t *bytes = kept;
    struct sa_buffer_reader reader = {bytes, bytes + len, false};

    while (reader.p < reader.end) {
        struct item item = {.key = sa_buffer_read(&reader)};

        item.seen_ms = (uint32_t)sa_buffer_read(&reader);
        if (reader.failed)
            return;
        if (item.key != 0)
            put(recent, item);
    }
}

bool
sa_recent_is_sound(const void *kept, size_t len)
{
    const uint8_t *bytes = kept;
    struct sa_buffer_reader reader = {bytes, bytes + len, false};

    while (reader.p < reader.end)
        if (sa_buffer_read(&reader) == 0 || sa_buffer_read(&reader) > UINT32_MAX)
            return false;
    return !reader.failed;
}
