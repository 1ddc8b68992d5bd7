#include "budget.h"
#include "clock.h"

int64_t
sa_budget_left(const struct source *source)
{
    return source->history_until_ms <= sa_clock_now().mono_ms ? source->options.backfill_max_bytes
                                                              : source->history_left;
}

void
sa_budget_spend(struct source *source, int64_t bytes)
{
    int64_t now_ms = sa_clock_now().mono_ms;

    if (source->history_until_ms <= now_ms) {
        source->history_until_ms = now_ms + source->options.backfill_max_age_ms;
        source->history_left = source->options.backfill_max_bytes;
    }
    source->history_left -= bytes;
}
