#include "state.h"
#include "lang.h"
#include "log.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CLOCKS_MS    5000 /* how far the wall clock is set in passing */
#define BOOT_ID_SIZE 40

/* The number of this boot, "" if it cannot be read. */
static void
read_boot_id(char boot_id[BOOT_ID_SIZE])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd == -1 ? 0 : read(fd, boot_id, BOOT_ID_SIZE - 1);

    if (fd != -1)
        (void)close(fd);
    boot_id[n > 0 ? n : 0] = '\0';
    boot_id[strcspn(boot_id, "\n")] = '\0';
}

/* A sandbox may hide the number of the boot; then the distance of the two clocks tells it. */
static bool
same_boot(const struct sa_row_daemon *row, const struct sa_time *now)
{
    int64_t moved_ms = (now->wall_ms - now->mono_ms) - (row->wall_ms - row->mono_ms);
    char boot_id[BOOT_ID_SIZE];

    read_boot_id(boot_id);
    if (now->mono_ms < row->mono_ms)
        return false;
    if (boot_id[0] != '\0' && row->boot_id[0] != '\0')
        return strcmp(boot_id, row->boot_id) == 0;
    return moved_ms > -CLOCKS_MS && moved_ms < CLOCKS_MS;
}

static void
load_daemon(void *arg, enum sa_table table, const void *p)
{
    const struct sa_row_daemon *row = p;
    struct sa_state *state = arg;
    struct sa_time now = sa_clock_now();

    (void)table;
    if (!same_boot(row, &now)) { /* the monotonic clock began anew: what passed is on the wall */
        int64_t passed_ms = now.wall_ms > row->wall_ms ? now.wall_ms - row->wall_ms : 0;

        state->past.shift_s = (now.mono_ms - row->mono_ms - passed_ms) / 1000;
    }
    state->past.latest_ms = row->mono_ms + CLOCKS_MS;
    state->has_numbers = true;
    state->last_alive_ms = row->wall_ms;
    sa_core_load_begin(state->core, row, &state->past);
}

static void
load_number(void *arg, enum sa_table table, const void *row)
{
    const struct sa_state *state = arg;

    sa_core_load_number(state->core, table, row);
}

static void
load_row(void *arg, enum sa_table table, const void *row)
{
    const struct sa_state *state = arg;

    sa_core_load_row(state->core, table, row, sa_clock_now());
}

int
sa_state_load(struct sa_state *state, struct sa_store *store)
{
    int r;

    state->past.latest_ms = sa_clock_now().mono_ms;
    r = sa_store_load(store, SA_TABLE_DAEMON, load_daemon, state);
    if (r == 0 && !state->has_numbers) {
        sa_core_load_begin(state->core, NULL, &state->past);
        r = sa_store_load(store, SA_TABLE_ALARMS, load_number, state);
        if (r == 0)
            r = sa_store_load(store, SA_TABLE_EVENTS, load_number, state);
    }
    for (size_t i = 0; i < SA_CORE_TABLES && r == 0; i++)
        r = sa_store_load(store, sa_core_tables[i], load_row, state);
    sa_core_load_end(state->core);
    return r;
}

/* Says how many rows of which table were left out, if any were. */
static void
tell_dropped(const struct sa_state *state, const struct sa_store *store)
{
    char tables[SA_TABLES * 32], text[SA_LONG_SIZE * 2];
    unsigned all = 0;
    size_t len = 0;

    for (unsigned table = 0; table < SA_TABLES; table++) {
        unsigned n =
            sa_store_dropped(store, table) + sa_core_dropped(state->core, table) + state->dropped[table];

        if (n > 0)
            len += sa_text_format(tables + len, sizeof tables - len, "%s%s %u", all == 0 ? "" : ", ",
                                  sa_store_table(table), n);
        all += n;
    }
    if (all == 0)
        return;
    sa_log(LOG_ERR, "store",
           "%u rows of the saved state cannot be true and were dropped (%s), going on without them", all,
           tables);
    (void)sa_text_format(text, sizeof text,
                         _("Rows of the saved state cannot be true and were dropped; counting goes on: %s"),
                         tables);
    sa_core_state_lost(state->core, all, text, -EBADMSG, SA_STATE_LOST_MS, sa_clock_now());
}

static void
load_bookmark(void *arg, enum sa_table table, const void *row)
{
    struct sa_state *state = arg;

    if (!sa_sources_load(state->sources, row))
        state->dropped[table]++;
}

int
sa_state_load_bookmarks(struct sa_state *state, struct sa_store *store)
{
    int r;

    r = sa_store_load(store, SA_TABLE_BOOKMARKS, load_bookmark, state);
    tell_dropped(state, store);
    return r;
}

static void
merge_row(void *arg, enum sa_table table, const void *row)
{
    const struct sa_state *state = arg;

    if (table == SA_TABLE_DAEMON)
        sa_core_set_since(state->core, ((const struct sa_row_daemon *)row)->counters_since_ms);
    else
        load_row(arg, table, row);
}

void
sa_state_merge(struct sa_state *state, struct sa_store *store)
{
    static const enum sa_table tables[] = {SA_TABLE_DAEMON, SA_TABLE_SOURCES, SA_TABLE_COUNTS};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        (void)sa_store_load(store, tables[i], merge_row, state);
    tell_dropped(state, store);
}

static void
save_daemon(const struct sa_state *state, struct sa_time now, struct sa_batch *batch)
{
    char boot_id[BOOT_ID_SIZE];
    struct sa_row_daemon row = {
        .id = 1,
        .version = SIPALERT_VERSION,
        .boot_id = boot_id,
        .mono_ms = now.mono_ms,
        .wall_ms = now.wall_ms,
    };

    read_boot_id(boot_id);
    sa_core_save_numbers(state->core, &row);
    sa_batch_put(batch, SA_TABLE_DAEMON, &row);
}

void
sa_state_save(struct sa_state *state, bool all, struct sa_batch *batch)
{
    struct sa_time now = sa_clock_now();

    for (unsigned table = 0; table < SA_TABLES && all; table++)
        sa_batch_clear(batch, table);
    sa_sources_save(state->sources, all, batch);
    sa_core_save(state->core, all, now, batch, sa_sources_place, state->sources);
    if (!sa_batch_empty(batch))
        save_daemon(state, now, batch);
}
