#include "intakes.h"
#include "lang.h"
#include "log.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* What a source listens to; one configured item of it, and how it stands. */
struct intake {
    struct sa_intakes *intakes;
    unsigned source;
    const char *item; /* a syslog address or a FIFO; NULL: standard input or the journal */
    struct sa_listener *listener;
    struct sa_pipe *pipe;
    struct sa_journal *journal;
    enum sa_source_state state;
    char text[SA_TEXT_SIZE];
};

struct sa_intakes {
    struct sa_loop *loop;
    struct sa_core *core;
    const struct sa_config *config;
    const struct sa_intakes_events *events;
    void *arg;
    struct sa_watch *timer;
    struct intake *items;
    size_t n;
    struct sa_follow_status status[SA_CONFIG_SOURCES]; /* of the sources that are not files */
    bool starting;                                     /* the states are not complete yet */
};

static void *
on_opened(void *arg)
{
    struct intake *item = arg;

    return sa_core_open(item->intakes->core, item->source);
}

static void
on_lines(void *arg, void *stream, const char *buf, size_t len, bool late)
{
    (void)arg;
    (void)sa_core_feed(stream, buf, len, (struct sa_when){sa_clock_now(), late});
}

static void
on_closed(void *arg, void *stream)
{
    (void)arg;
    sa_core_close(stream, sa_clock_now());
}

static void
on_lost(void *arg, uint64_t lines, const char *why)
{
    struct intake *item = arg;

    sa_core_lost(item->intakes->core, item->source, lines, _(why), sa_clock_now());
}

static void
on_refused(void *arg, uint64_t n)
{
    struct intake *item = arg;

    sa_core_refused(item->intakes->core, item->source, n);
}

/* A source is following when all its items are; otherwise it says of each that is not, which and why. */
static void
sum_up(const struct sa_intakes *intakes, unsigned source, struct sa_follow_status *ret_status)
{
    size_t len = 0;

    *ret_status = (struct sa_follow_status){.state = SA_SOURCE_FOLLOWING};
    for (size_t i = 0; i < intakes->n; i++) {
        const struct intake *item = &intakes->items[i];

        if (item->source != source || item->state == SA_SOURCE_FOLLOWING)
            continue;
        if (ret_status->state == SA_SOURCE_FOLLOWING)
            ret_status->state = item->state;
        len += sa_text_format(ret_status->text + len, sizeof ret_status->text - len, "%s%s%s%s",
                              len != 0 ? "; " : "", item->item != NULL ? item->item : "",
                              item->item != NULL ? ": " : "", item->text);
    }
}

static void
update(struct sa_intakes *intakes, unsigned source)
{
    struct sa_follow_status *status = &intakes->status[source], now;

    sum_up(intakes, source, &now);
    if (status->state == now.state && strcmp(status->text, now.text) == 0)
        return;
    *status = now;
    intakes->events->state(intakes->arg, source);
}

static void
on_state(void *arg, enum sa_source_state state, const char *text)
{
    struct intake *item = arg;

    item->state = state;
    (void)sa_text_copy(item->text, sizeof item->text, text);
    if (!item->intakes->starting)
        update(item->intakes, item->source);
}

static void
on_note(void *arg, const char *text)
{
    struct intake *item = arg;

    sa_log(LOG_WARNING, "intake", "source %s: %s%s%s", item->intakes->config->sources[item->source].name,
           item->item != NULL ? item->item : "", item->item != NULL ? ": " : "", text);
}

static void
on_read_some(void *arg)
{
    struct intake *item = arg;

    item->intakes->events->read_some(item->intakes->arg);
}

/* Returns whether there was the memory for it. */
static bool
make(struct intake *item, const char *cursor)
{
    static const struct sa_intake_events events = {on_opened,  on_lines, on_closed, on_lost,
                                                   on_refused, on_state, on_note,   on_read_some};
    const struct sa_source_def *def = &item->intakes->config->sources[item->source];
    const struct sa_intake_host host = {.loop = item->intakes->loop,
                                        .events = &events,
                                        .arg = item,
                                        .line_limit = def->line_limit,
                                        .max_connections = def->max_connections,
                                        .allow = def->allow,
                                        .n_allow = def->n_allow};

    switch (def->kind) {
    case SA_SOURCE_SYSLOG:
        item->listener = sa_listener_new(&host, item->item);
        return item->listener != NULL;
    case SA_SOURCE_FIFO:
    case SA_SOURCE_STDIN:
        item->pipe = sa_pipe_new(&host, item->item);
        return item->pipe != NULL;
    case SA_SOURCE_JOURNAL:
        item->journal = sa_journal_new(&host, def->journal, cursor, def->start_at_end);
        return item->journal != NULL;
    case SA_SOURCE_FILE:
        break;
    }
    return false;
}

static void
look(struct intake *item)
{
    if (item->listener != NULL)
        sa_listener_look(item->listener);
    else if (item->pipe != NULL)
        sa_pipe_look(item->pipe);
    else if (item->journal != NULL)
        sa_journal_look(item->journal);
}

/* One timer for all, so that many sources do not wake the daemon more often than one does. */
static void
on_timer(void *arg)
{
    struct sa_intakes *intakes = arg;

    for (size_t i = 0; i < intakes->n; i++)
        look(&intakes->items[i]);
    sa_watch_arm(intakes->timer, SA_INTAKE_LOOK_MS);
}

static int
add_item(struct sa_intakes *intakes, unsigned source, const char *item)
{
    struct intake *items = realloc(intakes->items, (intakes->n + 1) * sizeof *items);

    if (items == NULL)
        return -1;
    intakes->items = items;
    items[intakes->n++] = (struct intake){.intakes = intakes, .source = source, .item = item};
    return 0;
}

static int
add_source(struct sa_intakes *intakes, unsigned number)
{
    const struct sa_source_def *def = &intakes->config->sources[number];
    int r = 0;

    if (def->kind == SA_SOURCE_FILE)
        return 0;
    if (def->kind != SA_SOURCE_SYSLOG)
        return add_item(intakes, number, def->kind == SA_SOURCE_FIFO ? def->fifo : NULL);
    for (char *const *address = def->syslog; *address != NULL && r == 0; address++)
        r = add_item(intakes, number, *address);
    return r;
}

/* The items stay where they are from now on: what they are made of points to them. */
static bool
make_all(struct sa_intakes *intakes, const char *const *cursors)
{
    for (size_t i = 0; i < intakes->n; i++)
        if (!make(&intakes->items[i], cursors[intakes->items[i].source]))
            return false;
    return true;
}

struct sa_intakes *
sa_intakes_new(struct sa_loop *loop, struct sa_core *core, const struct sa_config *config,
               const char *const *cursors, const struct sa_intakes_events *events, void *arg)
{
    struct sa_intakes *intakes = calloc(1, sizeof *intakes);
    int r = 0;

    if (intakes == NULL)
        return NULL;
    intakes->loop = loop;
    intakes->core = core;
    intakes->config = config;
    intakes->events = events;
    intakes->arg = arg;
    intakes->timer = sa_loop_timer(loop, on_timer, intakes);
    for (unsigned i = 0; i < config->n_sources && r == 0; i++)
        r = add_source(intakes, i);
    if (intakes->timer == NULL || r < 0 || !make_all(intakes, cursors))
        return sa_intakes_close(intakes);
    return intakes;
}

void
sa_intakes_start(struct sa_intakes *intakes)
{
    if (intakes->n == 0)
        return;
    intakes->starting = true;
    on_timer(intakes);
    intakes->starting = false;
    for (size_t i = 0; i < intakes->n; i++)
        update(intakes, intakes->items[i].source);
}

const struct sa_follow_status *
sa_intakes_status(const struct sa_intakes *intakes, unsigned source)
{
    return &intakes->status[source];
}

const char *
sa_intakes_cursor(const struct sa_intakes *intakes, unsigned source)
{
    for (size_t i = 0; i < intakes->n; i++)
        if (intakes->items[i].source == source && intakes->items[i].journal != NULL)
            return sa_journal_cursor(intakes->items[i].journal);
    return NULL;
}

struct sa_intakes *
sa_intakes_close(struct sa_intakes *intakes)
{
    if (intakes == NULL)
        return NULL;
    for (size_t i = 0; i < intakes->n; i++) {
        (void)sa_listener_close(intakes->items[i].listener);
        (void)sa_pipe_close(intakes->items[i].pipe);
        (void)sa_journal_close(intakes->items[i].journal);
    }
    (void)sa_watch_free(intakes->timer);
    free(intakes->items);
    free(intakes);
    return NULL;
}
