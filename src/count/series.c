#include "series.h"

#include <errno.h>
#include <stdlib.h>

#define SLOTS (2 * SA_SERIES_CELLS)

int
sa_series_init(struct sa_series *series)
{
    *series = (struct sa_series){.cells = calloc(SLOTS, sizeof *series->cells)};
    return series->cells == NULL ? -ENOMEM : 0;
}

void
sa_series_done(struct sa_series *series)
{
    free(series->cells);
    *series = (struct sa_series){0};
}

void
sa_series_add(struct sa_series *series, unsigned code, int64_t time_ms, uint64_t responses)
{
    int64_t minute = time_ms / 60000;
    size_t at = ((size_t)minute * 2654435761u ^ code * 40503u) % SLOTS;

    if (time_ms == 0)
        return;
    while (series->cells[at].code != 0 &&
           (series->cells[at].code != code || series->cells[at].minute != minute))
        at = (at + 1) % SLOTS;
    if (series->cells[at].code == 0) {
        if (series->n == SA_SERIES_CELLS) {
            series->lost += responses;
            return;
        }
        series->n++;
        series->cells[at] = (struct sa_series_cell){minute, (uint16_t)code, 0};
    }
    series->cells[at].responses += responses;
}

static int
compare(const void *one, const void *other)
{
    const struct sa_series_cell *a = one, *b = other;

    return a->minute != b->minute ? (a->minute > b->minute) - (a->minute < b->minute) : a->code - b->code;
}

void
sa_series_sorted(const struct sa_series *series, struct sa_series_cell *sorted)
{
    unsigned n = 0;

    for (size_t i = 0; i < SLOTS; i++)
        if (series->cells[i].code != 0)
            sorted[n++] = series->cells[i];
    qsort(sorted, n, sizeof *sorted, compare);
}
