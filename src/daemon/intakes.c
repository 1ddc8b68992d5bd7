#include "intakes.h"
#include "lang.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 5000

/* What a source listens to; one configured item of it. */
struct intake {
    unsigned source;
    const char *item; /* a syslog address or a FIFO; NULL: standard input or the journal */
    struct sa_listener *listener;
    struct sa_pipe *pipe;
    bool open;
};

struct sa_intakes {
    struct sa_loop *loop;
    struct sa_engine *engine;
    const struct sa_intakes_events *events;
    void *arg;
    struct sa_watch *retry;
    struct intake *items;
    size_t n;
};

static void *
on_opened(void *arg, unsigned source)
{
    struct sa_intakes *intakes = arg;

    return sa_engine_open(intakes->engine, source);
}

static void
on_lines(void *arg, void *stream, const char *buf, size_t len, bool late)
{
    struct sa_intakes *intakes = arg;

    (void)sa_engine_feed(intakes->engine, stream, buf, len, late);
}

static void
on_closed(void *arg, void *stream)
{
    struct sa_intakes *intakes = arg;

    sa_engine_close(intakes->engine, stream);
}

static void
on_lost(void *arg, unsigned source, uint64_t lines, const char *why)
{
    struct sa_intakes *intakes = arg;

    sa_engine_lost(intakes->engine, source, lines, why);
}

static void
set_state(struct sa_intakes *intakes, unsigned source, enum sa_source_state state, const char *text)
{
    struct sa_follow_status *status = &intakes->engine->sources[source].intake;

    if (status->state == state && strcmp(status->text, text) == 0)
        return;
    status->state = state;
    (void)sa_text_copy(status->text, sizeof status->text, text);
    intakes->events->state(intakes->arg, source);
}

static void
on_state(void *arg, unsigned source, enum sa_source_state state, const char *text)
{
    set_state(arg, source, state, text);
}

static void
on_read_some(void *arg)
{
    struct sa_intakes *intakes = arg;

    intakes->events->read_some(intakes->arg);
}

static int
open_item(struct sa_intakes *intakes, struct intake *item)
{
    static const struct sa_intake_events events = {on_opened, on_lines, on_closed,
                                                   on_lost,   on_state, on_read_some};
    struct sa_engine_source *source = &intakes->engine->sources[item->source];
    const struct sa_intake_host host = {intakes->loop, &events, intakes, item->source};

    switch (source->def->kind) {
    case SA_SOURCE_SYSLOG:
        return sa_listener_open(&host, item->item, &item->listener);
    case SA_SOURCE_FIFO:
    case SA_SOURCE_STDIN:
        return sa_pipe_open(&host, item->item, &item->pipe);
    case SA_SOURCE_JOURNAL:
        return sa_journal_open(&host, source->def->journal, source->cursor, source->def->start_at_end,
                               &source->journal);
    case SA_SOURCE_FILE:
        break;
    }
    return -EINVAL;
}

static enum sa_source_state
state_of(int error)
{
    return error == -EACCES || error == -EPERM ? SA_SOURCE_DENIED : SA_SOURCE_FAILED;
}

static void
open_items(struct sa_intakes *intakes)
{
    bool again = false;

    for (size_t i = 0; i < intakes->n; i++) {
        struct intake *item = &intakes->items[i];
        char text[SA_LONG_SIZE];
        int r;

        if (item->open)
            continue;
        r = open_item(intakes, item);
        item->open = r == 0;
        if (r == 0)
            continue;
        again = true;
        (void)sa_text_format(text, sizeof text, "%s: %s",
                             item->item != NULL ? item->item
                             : intakes->engine->sources[item->source].def->kind == SA_SOURCE_STDIN
                                 ? "stdin"
                                 : "journal",
                             r == -EMEDIUMTYPE ? N_("not a FIFO")
                             : r == -ENOTSUP   ? N_("this build has no journal support")
                                               : strerror(-r));
        set_state(intakes, item->source, state_of(r), text);
    }
    if (again)
        sa_watch_arm(intakes->retry, RETRY_MS);
}

static void
on_retry(void *arg)
{
    open_items(arg);
}

static int
add_item(struct sa_intakes *intakes, unsigned source, const char *item)
{
    struct intake *items = realloc(intakes->items, (intakes->n + 1) * sizeof *items);

    if (items == NULL)
        return -ENOMEM;
    intakes->items = items;
    items[intakes->n++] = (struct intake){.source = source, .item = item};
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
    intakes->retry = sa_loop_timer(loop, on_retry, intakes);
    for (unsigned i = 0; i < engine->config->n_sources && r == 0; i++)
        r = add_source(intakes, i);
    if (intakes->retry == NULL || r < 0)
        return sa_intakes_close(intakes);
    open_items(intakes);
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
    (void)sa_watch_free(intakes->retry);
    free(intakes->items);
    free(intakes);
    return NULL;
}
