#include "recent.h"

#include <stdlib.h>
#include <string.h>

#define SETS 4096
#define WAYS 4

struct sa_recent {
    struct entry {
        uint64_t key; /* 0: free */
        int64_t seen_ms;
    } entries[SETS][WAYS];
};

struct sa_recent *
sa_recent_new(void)
{
    return calloc(1, sizeof(struct sa_recent));
}

struct sa_recent *
sa_recent_free(struct sa_recent *recent)
{
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

bool
sa_recent_again(struct sa_recent *recent, const struct sa_response *response, int64_t now_ms)
{
    uint64_t key = key_of(response);
    struct entry *set = recent->entries[key % SETS], *oldest = set;

    if (response->call_id[0] == '\0')
        return false;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            bool again = llabs(now_ms - set[i].seen_ms) <= SA_RECENT_MS;

            if (!again || now_ms < set[i].seen_ms)
                set[i].seen_ms = now_ms;
            return again;
        }
        if (set[i].key == 0 || (oldest->key != 0 && set[i].seen_ms < oldest->seen_ms))
            oldest = &set[i];
    }
    *oldest = (struct entry){key, now_ms};
    return false;
}
