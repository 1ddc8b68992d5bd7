#include "items.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CURSOR      "cursor" /* the key of the bookmark */
#define CURSOR_SIZE 256

/* One configured item of a source, and how it stands. */
struct entrance {
    struct inlet *part;
    const char *location; /* or NULL */
    void *intake;         /* NULL: not made yet */
    enum sa_source_state state;
    char text[SA_TEXT_SIZE];
};

/* A source. */
struct inlet {
    struct items *items;
    unsigned number;
    const struct sa_source_def *def;
    struct entrance *at;
    size_t n;
    struct sa_source_status status;
    bool told;                /* the status to the host */
    char cursor[CURSOR_SIZE]; /* as it was last saved, or loaded */
};

struct items {
    struct sa_source_host host;
    const struct sa_item_methods *methods;
    struct inlet **parts;
    size_t n;
    bool starting; /* the states are not complete yet */
};

static void *
on_opened(void *arg)
{
    const struct inlet *part = ((struct entrance *)arg)->part;

    return part->items->host.events->opened(part->items->host.arg, part->number, 0, false);
}

static void
on_lines(void *arg, void *stream, const char *buf, size_t len, bool late)
{
    const struct sa_source_host *host = &((struct entrance *)arg)->part->items->host;

    (void)host->events->bytes(host->arg, stream, buf, len, late);
}

static void
on_closed(void *arg, void *stream)
{
    const struct sa_source_host *host = &((struct entrance *)arg)->part->items->host;

    host->events->closed(host->arg, stream);
}

static void
on_lost(void *arg, uint64_t lines, const char *why)
{
    const struct inlet *part = ((struct entrance *)arg)->part;

    part->items->host.events->lost(part->items->host.arg, part->number, lines, why);
}

static void
on_refused(void *arg, uint64_t n)
{
    const struct inlet *part = ((struct entrance *)arg)->part;

    part->items->host.events->refused(part->items->host.arg, part->number, n);
}

/* A source is following when all its items are; otherwise it says of each that is not, which and why. */
static void
sum_up(const struct inlet *part, struct sa_source_status *ret_status)
{
    size_t len = 0;

    *ret_status = (struct sa_source_status){.state = SA_SOURCE_FOLLOWING};
    for (size_t i = 0; i < part->n; i++) {
        const struct entrance *item = &part->at[i];

        if (item->state == SA_SOURCE_FOLLOWING)
            continue;
        if (ret_status->state == SA_SOURCE_FOLLOWING)
            ret_status->state = item->state;
        len += sa_text_format(ret_status->text + len, sizeof ret_status->text - len, "%s%s%s%s",
                              len != 0 ? "; " : "", item->location != NULL ? item->location : "",
                              item->location != NULL ? ": " : "", item->text);
    }
}

static void
update(struct inlet *part)
{
    struct sa_source_status now;

    sum_up(part, &now);
    if (part->told && part->status.state == now.state && strcmp(part->status.text, now.text) == 0)
        return;
    part->told = true;
    part->status = now;
    part->items->host.events->state(part->items->host.arg, part->number);
}

static void
on_state(void *arg, enum sa_source_state state, const char *text)
{
    struct entrance *item = arg;

    item->state = state;
    (void)sa_text_copy(item->text, sizeof item->text, text);
    if (!item->part->items->starting)
        update(item->part);
}

static void
on_note(void *arg, const char *text)
{
    const struct entrance *item = arg;
    const struct sa_source_host *host = &item->part->items->host;
    char named[SA_LONG_SIZE];

    (void)sa_text_format(named, sizeof named, "%s%s%s", item->location != NULL ? item->location : "",
                         item->location != NULL ? ": " : "", text);
    host->events->note(host->arg, item->part->number, named);
}

static void
on_read_some(void *arg)
{
    const struct sa_source_host *host = &((struct entrance *)arg)->part->items->host;

    host->events->read_some(host->arg);
}

void *
sa_items_open(const struct sa_source_host *host, const struct sa_item_methods *methods)
{
    struct items *items = calloc(1, sizeof *items);

    if (items == NULL)
        return NULL;
    items->host = *host;
    items->methods = methods;
    return items;
}

/* The items stay where they are from now on: what they are made of points to them. */
static int
fill(struct inlet *part, const struct sa_source_spec *spec)
{
    bool each = part->items->methods->each;
    size_t n = each ? spec->n_locations : 1;

    part->at = calloc(n, sizeof *part->at);
    if (part->at == NULL)
        return -ENOMEM;
    part->n = n;
    for (size_t i = 0; i < n; i++)
        part->at[i] = (struct entrance){.part = part, .location = each ? spec->locations[i] : NULL};
    return 0;
}

int
sa_items_add(void *arg, const struct sa_source_spec *spec)
{
    struct items *items = arg;
    struct inlet **grown = realloc(items->parts, (items->n + 1) * sizeof *grown), *part;

    if (grown == NULL)
        return -ENOMEM;
    items->parts = grown;
    part = calloc(1, sizeof *part);
    if (part == NULL)
        return -ENOMEM;
    items->parts[items->n++] = part;
    part->items = items;
    part->number = spec->number;
    part->def = spec->def;
    part->status.state = SA_SOURCE_WAITING;
    return fill(part, spec);
}

static struct inlet *
find(const struct items *items, unsigned source)
{
    size_t i = 0;

    while (items->parts[i]->number != source)
        i++;
    return items->parts[i];
}

bool
sa_items_load(void *arg, unsigned source, const char *key, const char *value)
{
    const struct items *items = arg;

    if (items->methods->cursor == NULL || strcmp(key, CURSOR) != 0 || value[0] == '\0' ||
        strlen(value) >= CURSOR_SIZE)
        return false;
    (void)sa_text_copy(find(items, source)->cursor, CURSOR_SIZE, value);
    return true;
}

static int
make_all(struct inlet *part)
{
    static const struct sa_intake_events events = {on_opened,  on_lines, on_closed, on_lost,
                                                   on_refused, on_state, on_note,   on_read_some};
    const struct sa_source_def *def = part->def;

    for (size_t i = 0; i < part->n; i++) {
        const struct sa_intake_host host = {.loop = part->items->host.loop,
                                            .events = &events,
                                            .arg = &part->at[i],
                                            .line_limit = def->line_limit,
                                            .max_connections = def->max_connections,
                                            .allow = def->allow,
                                            .n_allow = def->n_allow};

        part->at[i].intake = part->items->methods->make(&host, def, part->at[i].location, part->cursor);
        if (part->at[i].intake == NULL)
            return -ENOMEM;
    }
    return 0;
}

int
sa_items_start(void *arg)
{
    struct items *items = arg;

    for (size_t i = 0; i < items->n; i++)
        if (make_all(items->parts[i]) < 0)
            return -ENOMEM;
    items->starting = true;
    sa_items_look(items);
    items->starting = false;
    for (size_t i = 0; i < items->n; i++)
        update(items->parts[i]);
    return 0;
}

void
sa_items_look(void *arg)
{
    const struct items *items = arg;

    for (size_t i = 0; i < items->n; i++)
        for (size_t k = 0; k < items->parts[i]->n; k++)
            items->methods->look(items->parts[i]->at[k].intake);
}

void
sa_items_status(const void *arg, unsigned source, struct sa_source_status *ret_status)
{
    *ret_status = find(arg, source)->status;
}

static void
save_cursor(struct inlet *part, bool all, const struct sa_bookmark_sink *sink)
{
    const void *intake = part->at[0].intake;
    const char *cursor = intake == NULL ? "" : part->items->methods->cursor(intake);

    if (cursor[0] == '\0')
        cursor = part->cursor; /* where the earlier life was, until it can be opened */
    if (cursor[0] == '\0' || (!all && strcmp(cursor, part->cursor) == 0))
        return;
    sink->keep(sink->arg, part->number, CURSOR, cursor, NULL);
    if (cursor != part->cursor)
        (void)sa_text_copy(part->cursor, sizeof part->cursor, cursor);
}

void
sa_items_save(void *arg, bool all, const struct sa_bookmark_sink *sink)
{
    const struct items *items = arg;

    for (size_t i = 0; i < items->n && items->methods->cursor != NULL; i++)
        save_cursor(items->parts[i], all, sink);
}

void
sa_items_close(void *arg)
{
    struct items *items = arg;

    for (size_t i = 0; i < items->n; i++) {
        struct inlet *part = items->parts[i];

        for (size_t k = 0; k < part->n; k++)
            if (part->at[k].intake != NULL)
                items->methods->close(part->at[k].intake);
        free(part->at);
        free(part);
    }
    free(items->parts);
    free(items);
}
