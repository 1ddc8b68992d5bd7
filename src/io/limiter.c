#include "limiter.h"
#include "text.h"

#include <string.h>

/* FNV-1a over what is no digit: lines that differ in their numbers alone are of one kind. */
static uint32_t
key_of(const char *line)
{
    uint32_t hash = 2166136261u;

    for (; *line != '\0'; line++)
        if (*line < '0' || *line > '9')
            hash = (hash ^ (uint8_t)*line) * 16777619u;
    return hash == 0 ? 1 : hash;
}

static bool
is_idle(const struct sa_limiter_kind *kind, int64_t now_ms)
{
    return kind->held == 0 && now_ms - kind->last_ms >= SA_LIMITER_MS;
}

/* The line's kind, or the place that can be given to it best. */
static struct sa_limiter_kind *
find(struct sa_limiter *limiter, uint32_t key)
{
    struct sa_limiter_kind *best = &limiter->kinds[0];

    for (unsigned i = 0; i < SA_LIMITER_KINDS; i++) {
        struct sa_limiter_kind *kind = &limiter->kinds[i];

        if (kind->key == key)
            return kind;
        if (best->key != 0 && (kind->key == 0 || (kind->held == 0 && best->held != 0) ||
                               ((kind->held == 0) == (best->held == 0) && kind->last_ms < best->last_ms)))
            best = kind;
    }
    return best;
}

bool
sa_limiter_pass(struct sa_limiter *limiter, int priority, const char *line, int64_t now_ms)
{
    uint32_t key = key_of(line);
    struct sa_limiter_kind *kind = find(limiter, key);

    if (kind->key != key && kind->held == 0) /* a place whose lines are not told yet stays theirs */
        *kind = (struct sa_limiter_kind){.key = key, .last_ms = now_ms};
    else if (kind->key == key && is_idle(kind, now_ms))
        kind->passed = 0;
    kind->last_ms = now_ms;
    if (kind->passed < SA_LIMITER_BURST) {
        kind->passed++;
        kind->told_ms = now_ms;
        return true;
    }
    limiter->holding += kind->held == 0;
    kind->held++;
    kind->priority = priority;
    (void)sa_text_copy(kind->line, sizeof kind->line, line);
    return false;
}

const struct sa_limiter_kind *
sa_limiter_due(const struct sa_limiter *limiter, int64_t now_ms, bool at_once)
{
    for (unsigned i = 0; i < SA_LIMITER_KINDS && limiter->holding > 0; i++) {
        const struct sa_limiter_kind *kind = &limiter->kinds[i];

        if (kind->held > 0 && (at_once || now_ms - kind->told_ms >= SA_LIMITER_MS))
            return kind;
    }
    return NULL;
}

void
sa_limiter_told(struct sa_limiter *limiter, const struct sa_limiter_kind *told, int64_t now_ms)
{
    struct sa_limiter_kind *kind = &limiter->kinds[told - limiter->kinds];

    kind->held = 0;
    kind->told_ms = now_ms;
    limiter->holding--;
}
