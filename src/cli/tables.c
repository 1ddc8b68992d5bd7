#include "tables.h"
#include "catalog.h"
#include "lang.h"
#include "layout.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PEERS_SHOWN 50
#define PLOT_WIDTH  100 /* at most */
#define PLOT_BESIDE 20  /* cells for the code and the numbers */
#define PLOT_ROWS   12

static double
percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

void
sa_table_by_code(const struct sa_scan_result *result)
{
    const struct sa_layout_column columns[] = {{_("code"), 6, false},      {_("phrase"), 32, false},
                                               {_("responses"), 11, true}, {_("received"), 11, true},
                                               {_("sent"), 11, true},      {_("share"), 8, true}};

    sa_layout_headings(columns, 6);
    for (unsigned i = SA_CODE_MIN; i <= SA_CODE_MAX; i++) {
        const struct sa_tally_code *code = sa_tally_seen(result->tally, i);

        if (code != NULL)
            (void)printf("%-4u  %-32.32s %10llu %10llu %10llu %6.1f%%\n", i, sa_catalog_explain(i).phrase,
                         (unsigned long long)code->count.responses, (unsigned long long)code->count.received,
                         (unsigned long long)code->count.sent,
                         percent(code->count.responses, sa_tally_responses(result->tally)));
    }
}

void
sa_table_by_method(const struct sa_scan_result *result)
{
    const struct sa_tally *tally = result->tally;
    uint64_t sums[SA_TALLY_METHODS] = {0};
    unsigned order[SA_TALLY_METHODS] = {0}, at;
    const struct sa_layout_column columns[] = {{_("method"), 12, false},
                                               {_("responses"), 11, true},
                                               {_("share"), 8, true},
                                               {"  ", 2, false},
                                               {_("codes"), 12, false}};

    sa_layout_headings(columns, 5);
    for (unsigned m = 0; m < SA_TALLY_METHODS; m++) {
        for (unsigned i = SA_CODE_MIN; i <= SA_CODE_MAX; i++)
            sums[m] += sa_tally_seen(tally, i) == NULL ? 0 : sa_tally_seen(tally, i)->by_method[m];
        for (at = m; at > 0 && sums[order[at - 1]] < sums[m]; at--) /* the largest first */
            order[at] = order[at - 1];
        order[at] = m;
    }
    for (unsigned k = 0; k < SA_TALLY_METHODS && sums[order[k]] != 0; k++) {
        unsigned m = order[k];

        (void)printf("%-12s %10llu %6.1f%%  ", sa_tally_method_name(tally, m), (unsigned long long)sums[m],
                     percent(sums[m], sa_tally_responses(tally)));
        for (unsigned i = SA_CODE_MIN; i <= SA_CODE_MAX; i++)
            if (sa_tally_seen(tally, i) != NULL && sa_tally_seen(tally, i)->by_method[m] != 0)
                (void)printf(" %u:%llu", i, (unsigned long long)sa_tally_seen(tally, i)->by_method[m]);
        (void)putchar('\n');
    }
}

static const struct sa_peers *sorting; /* qsort() has no argument for it */

static int
more_responses(const void *one, const void *other)
{
    uint64_t a = sorting->responses[*(const unsigned *)one], b = sorting->responses[*(const unsigned *)other];

    return a != b ? (a < b) - (a > b)
                  : strcmp(sorting->names[*(const unsigned *)one], sorting->names[*(const unsigned *)other]);
}

void
sa_table_by_peer(const struct sa_scan_result *result)
{
    const struct sa_layout_column columns[] = {
        {_("peer"), 40, false}, {_("responses"), 11, true}, {"  ", 2, false}, {_("codes"), 12, false}};
    const struct sa_peers *peers = result->peers;
    unsigned *order = calloc(peers->n_peers + 1, sizeof *order);

    if (order == NULL)
        return;
    for (unsigned i = 0; i < peers->n_peers; i++)
        order[i] = i;
    sorting = peers;
    qsort(order, peers->n_peers, sizeof *order, more_responses);
    sa_layout_headings(columns, 4);
    for (unsigned i = 0; i < peers->n_peers && i < PEERS_SHOWN; i++) {
        (void)printf("%-40s %10llu ", peers->names[order[i]], (unsigned long long)peers->responses[order[i]]);
        for (unsigned code = SA_CODE_MIN; code <= SA_CODE_MAX; code++)
            if (sa_tally_seen(result->tally, code) != NULL && sa_peers_count(peers, order[i], code) != 0)
                (void)printf(" %u:%llu", code, (unsigned long long)sa_peers_count(peers, order[i], code));
        (void)putchar('\n');
    }
    if (peers->n_peers > PEERS_SHOWN)
        (void)printf(_("… and %u more (--json has all)\n"), peers->n_peers - PEERS_SHOWN);
    free(order);
}

static struct sa_series_cell *
sorted(const struct sa_scan_result *result)
{
    struct sa_series_cell *cells = calloc(result->series.n + 1, sizeof *cells);

    if (cells != NULL)
        sa_series_sorted(&result->series, cells);
    return cells;
}

/* "2026-11-20 16:46" in the zone of the one who reads it. */
static void
put_minute(char text[32], int64_t minute)
{
    time_t seconds = (time_t)(minute * 60);
    struct tm tm = {0};

    (void)localtime_r(&seconds, &tm);
    (void)strftime(text, 32, "%Y-%m-%d %H:%M", &tm);
}

void
sa_table_by_minute(const struct sa_scan_result *result)
{
    const struct sa_layout_column columns[] = {
        {_("minute"), 16, false}, {_("responses"), 11, true}, {"  ", 2, false}, {_("codes"), 12, false}};
    struct sa_series_cell *cells = sorted(result);
    char stamp[32];

    sa_layout_headings(columns, 4);
    for (unsigned i = 0, end; cells != NULL && i < result->series.n; i = end) {
        uint64_t sum = 0;

        for (end = i; end < result->series.n && cells[end].minute == cells[i].minute; end++)
            sum += cells[end].responses;
        put_minute(stamp, cells[i].minute);
        (void)printf("%-16s %10llu ", stamp, (unsigned long long)sum);
        for (unsigned k = i; k < end; k++)
            (void)printf(" %u:%llu", cells[k].code, (unsigned long long)cells[k].responses);
        (void)putchar('\n');
    }
    free(cells);
}

/* The codes with the most responses, in the order of their numbers. */
static unsigned
frequent_codes(const struct sa_tally *tally, unsigned codes[PLOT_ROWS])
{
    unsigned n = 0;

    for (unsigned i = SA_CODE_MIN; i <= SA_CODE_MAX; i++) {
        unsigned least = 0;

        if (sa_tally_seen(tally, i) == NULL)
            continue;
        if (n < PLOT_ROWS) {
            codes[n++] = i;
            continue;
        }
        for (unsigned k = 1; k < n; k++)
            if (sa_tally_seen(tally, codes[k])->count.responses <
                sa_tally_seen(tally, codes[least])->count.responses)
                least = k;
        if (sa_tally_seen(tally, i)->count.responses > sa_tally_seen(tally, codes[least])->count.responses) {
            memmove(codes + least, codes + least + 1, (n - least - 1) * sizeof *codes);
            codes[n - 1] = i;
        }
    }
    return n;
}

static void
plot_code(const struct sa_scan_result *result, const struct sa_series_cell *cells, unsigned code,
          int64_t first, int64_t minutes_per_cell, unsigned width)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    uint64_t columns[PLOT_WIDTH] = {0}, highest = 0;

    for (unsigned i = 0; i < result->series.n; i++)
        if (cells[i].code == code)
            columns[(cells[i].minute - first) / minutes_per_cell] += cells[i].responses;
    for (unsigned i = 0; i < width; i++)
        highest = columns[i] > highest ? columns[i] : highest;
    (void)printf("%-4u │", code);
    for (unsigned i = 0; i < width; i++)
        (void)fputs(blocks[columns[i] == 0 || highest == 0 ? 0 : 1 + (columns[i] * 7) / highest], stdout);
    (void)printf(_("│ %llu, at most %llu\n"),
                 (unsigned long long)sa_tally_seen(result->tally, code)->count.responses,
                 (unsigned long long)highest);
}

void
sa_plot(const struct sa_scan_result *result)
{
    struct sa_series_cell *cells = sorted(result);
    unsigned codes[PLOT_ROWS] = {0}, n = frequent_codes(result->tally, codes), width;
    int64_t first, minutes, per_cell, room;
    char from[32], to[32];

    if (cells == NULL || result->series.n == 0) {
        (void)puts(_("nothing to draw: the log says no times"));
        free(cells);
        return;
    }
    first = cells[0].minute;
    minutes = cells[result->series.n - 1].minute - first + 1;
    room = sa_layout_width() - PLOT_BESIDE;
    per_cell = (minutes + room - 1) / room;
    width = (unsigned)((minutes + per_cell - 1) / per_cell);
    put_minute(from, first);
    put_minute(to, cells[result->series.n - 1].minute);
    (void)printf(_("%s to %s, minutes to a column: %lld\n"), from, to, (long long)per_cell);
    for (unsigned i = 0; i < n; i++)
        plot_code(result, cells, codes[i], first, per_cell, width);
    free(cells);
}
