#include "items.h"

#define KIND(kind)                                                                                           \
    extern const struct sa_source_kind sa_##kind##_source;                                                   \
    const struct sa_source_kind sa_##kind##_source = {.open = open_##kind,                                   \
                                                      .add = sa_items_add,                                   \
                                                      .load = sa_items_load,                                 \
                                                      .start = sa_items_start,                               \
                                                      .look = sa_items_look,                                 \
                                                      .status = sa_items_status,                             \
                                                      .save = sa_items_save,                                 \
                                                      .close = sa_items_close}

/* Addresses of syslog. */

static void *
make_listener(const struct sa_intake_host *host, const struct sa_source_def *def, const char *item,
              const char *cursor)
{
    (void)def;
    (void)cursor;
    return sa_listener_new(host, item);
}

static void
look_at_listener(void *listener)
{
    sa_listener_look(listener);
}

static void
close_listener(void *listener)
{
    (void)sa_listener_close(listener);
}

static void *
open_syslog(const struct sa_source_host *host)
{
    static const struct sa_item_methods methods = {
        .each = true, .make = make_listener, .look = look_at_listener, .close = close_listener};

    return sa_items_open(host, &methods);
}

KIND(syslog);

/* A FIFO, or standard input, which is one without a path. */

static void *
make_pipe(const struct sa_intake_host *host, const struct sa_source_def *def, const char *item,
          const char *cursor)
{
    (void)def;
    (void)cursor;
    return sa_pipe_new(host, item);
}

static void
look_at_pipe(void *pipe)
{
    sa_pipe_look(pipe);
}

static void
close_pipe(void *pipe)
{
    (void)sa_pipe_close(pipe);
}

static void *
open_fifo(const struct sa_source_host *host)
{
    static const struct sa_item_methods methods = {
        .each = true, .make = make_pipe, .look = look_at_pipe, .close = close_pipe};

    return sa_items_open(host, &methods);
}

KIND(fifo);

static void *
open_stdin(const struct sa_source_host *host)
{
    static const struct sa_item_methods methods = {
        .make = make_pipe, .look = look_at_pipe, .close = close_pipe};

    return sa_items_open(host, &methods);
}

KIND(stdin);

/* The journal, which alone can be read twice. */

static void *
make_journal(const struct sa_intake_host *host, const struct sa_source_def *def, const char *item,
             const char *cursor)
{
    (void)item;
    return sa_journal_new(host, def->journal, cursor, def->start_at_end);
}

static void
look_at_journal(void *journal)
{
    sa_journal_look(journal);
}

static const char *
cursor_of_journal(const void *journal)
{
    return sa_journal_cursor(journal);
}

static void
close_journal(void *journal)
{
    (void)sa_journal_close(journal);
}

static void *
open_journal(const struct sa_source_host *host)
{
    static const struct sa_item_methods methods = {
        .make = make_journal, .look = look_at_journal, .cursor = cursor_of_journal, .close = close_journal};

    return sa_items_open(host, &methods);
}

KIND(journal);
