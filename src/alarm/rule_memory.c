#include "rules.h"
#include "buffer.h"
#include "window.h"

static bool
codes_are_sound(struct sa_buffer_reader *reader, int64_t latest_s)
{
    uint64_t n = sa_buffer_read(reader);

    if (n > SA_RULE_CODES)
        return false;
    for (; n > 0; n--) {
        uint64_t code = sa_buffer_read(reader);

        if (code < SA_CODE_MIN || code > SA_CODE_MAX || !sa_window_is_sound(reader, latest_s))
            return false;
    }
    return true;
}

static bool
standing_is_sound(const struct sa_standing *standing, int64_t latest_ms)
{
    if (standing->state < SA_RULE_OK || standing->state > SA_RULE_CLEARING || standing->level < -1 ||
        standing->level >= SA_RULE_LEVELS || (standing->state >= SA_RULE_FIRING && standing->level < 0) ||
        standing->since_ms > latest_ms)
        return false;
    for (unsigned i = 0; i < SA_RULE_LEVELS; i++)
        if (standing->below_ms[i] > latest_ms)
            return false;
    return true;
}

bool
sa_rule_memory_is_sound(const struct sa_rule_memory *memory, int64_t latest_ms)
{
    struct sa_buffer_reader reader = {memory->windows, memory->windows + memory->windows_len, false};
    int64_t latest_s = latest_ms / 1000;

    if (!standing_is_sound(&memory->standing, latest_ms))
        return false;
    if (memory->windows_len == 0) /* there was no memory to write them */
        return true;
    for (unsigned i = 0; i < 2 * SA_DIR_COUNT; i++) /* as save_windows() in rules.c writes them */
        if (!sa_window_is_sound(&reader, latest_s))
            return false;
    return codes_are_sound(&reader, latest_s) && reader.p == reader.end && !reader.failed;
}
