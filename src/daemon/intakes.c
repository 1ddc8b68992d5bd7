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
    enum sa_source_state state;
    char text[SA_TEXT_SIZE];
};

struct sa_intakes {
    struct sa_loop *loop;
    struct sa_engine *engine;
    const struct sa_intakes_events *events;
    void *arg;
    struct sa_watch *timer;
    struct intake *items;
    size_t n;
    bool starting; /* the states are not complete yet */
};

static void *
on_opened(void *arg)
{
    struct intake *item = arg;

    return sa_engine_open(item->intakes->engine, item->source);
}

static void
on_lines(void *arg, void *stream, const char *buf, size_t len, bool late)
{
    struct intake *item = arg;

    (void)sa_engine_feed(item->intakes->engine, stream, buf, len, late);
}

static void
on_closed(void *arg, void *stream)
{
    struct intake *item = arg;

    sa_engine_close(item->intakes->engine, stream);
}

static void
on_lost(void *arg, uint64_t lines, const char *why)
{
    struct intake *item = arg;

    sa_engine_lost(item->intakes->engine, item->source, lines, _(why));
}

static void
on_refused(void *arg, uint64_t n)
{
    struct intake *item = arg;

    item->intakes->engine->sources[item->source].refused += n;
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
    struct sa_follow_status *status = &intakes->engine->sources[source].intake, now;

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

    sa_log(LOG_WARNING, "intake", "source %s: %s%s%s", item->intakes->engine->names[item->source],
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
make(struct intake *item)
{
    static const struct sa_intake_events events = {on_opened,  on_lines, on_closed, on_lost,
                                                   on_refused, on_state, on_note,   on_read_some};
    struct sa_engine_source *source = &item->intakes->engine->sources[item->source];
    const struct sa_source_def *def = source->def;
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
        source->journal = sa_journal_new(&host, def->journal, source->cursor, def->start_at_end);
        return source->journal != NULL;
    case SA_SOURCE_FILE:
        break;
    }
    return false;
}

static void
look(struct intake *item)
{
    struct sa_engine_source *source = &item->intakes->engine->sources[item->source];

    if (item->listener != NULL)
        sa_listener_look(item->listener);
    else if (item->pipe != NULL)
        sa_pipe_look(item->pipe);
    else if (source->journal != NULL)
        sa_journal_look(source->journal);
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
    const struct sa_source_def *def = intakes->engine->sources[number].def;
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
make_all(struct sa_intakes *intakes)
{
    for (size_t i = 0; i < intakes->n; i++)
        if (!make(&intakes->items[i]))
            return false;
    return true;
}

static void
look_first(struct sa_intakes *intakes)
{
    intakes->starting = true;
    on_timer(intakes);
    intakes->starting = false;
    for (size_t i = 0; i < intakes->n; i++)
        update(intakes, intakes->items[i].source);
}

struct sa_intakes *
sa_intakes_open(struct sa_loop *loop, struct sa_engine *engine, const struct sa_intakes_events *events,
                void *arg)
{
    struct sa_intakes *intakes = calloc(1, sizeof *intakes);
    int r = 0;

    if (intakes == NULL)
        return NULL;
    intakes->loop = loop;
    intakes->engine = engine;
    intakes->events = events;
    intakes->arg = arg;
    intakes->timer = sa_loop_timer(loop, on_timer, intakes);
    for (unsigned i = 0; i < engine->config->n_sources && r == 0; i++)
        r = add_source(intakes, i);
    if (intakes->timer == NULL || r < 0 || !make_all(intakes))
        return sa_intakes_close(intakes);
    if (intakes->n > 0)
        look_first(intakes);
    return intakes;
}

struct sa_intakes *
sa_intakes_close(struct sa_intakes *intakes)
{
    if (intakes == NULL)
        return NULL;
    for (size_t i = 0; i < intakes->n; i++) {
        struct sa_engine_source *source = &intakes->engine->sources[intakes->items[i].source];

        (void)sa_listener_close(intakes->items[i].listener);
        (void)sa_pipe_close(intakes->items[i].pipe);
        if (source->def->kind == SA_SOURCE_JOURNAL)
            source->journal = sa_journal_close(source->journal);
    }
    (void)sa_watch_free(intakes->timer);
    free(intakes->items);
    free(intakes);
    return NULL;
}
