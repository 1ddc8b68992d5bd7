#include "clock.h"
#include "intake.h"
#include "record.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef SIPALERT_JOURNAL
#include <stdio.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

#define BATCH       512 /* entries in one turn of the loop */
#define PATHS       64
#define FIELD_BYTES 65536
#define RETRY_MS    5000

struct sa_journal {
    struct sa_intake_host host;
    sd_journal *journal;
    struct sa_watch *readable, *timer, *work;
    char cursor[256];
    char *line, *record;
    void *stream;
    uint64_t late_until_us; /* entries before were written before we looked */
};

/* The field's value without its name; empty if the entry has none. */
static size_t
field(sd_journal *journal, const char *name, char *dst, size_t room)
{
    const void *data;
    size_t len, skip = strlen(name) + 1;

    if (sd_journal_get_data(journal, name, &data, &len) < 0 || len < skip)
        return 0;
    len -= skip;
    if (len > room)
        len = room;
    memcpy(dst, (const char *)data + skip, len);
    return len;
}

/* The entry as a line of a syslog file: what reads those reads this. */
static void
hand_over(struct sa_journal *journal)
{
    char stamp[SA_TIME_TEXT_SIZE], host[256], ident[256];
    size_t host_len = field(journal->journal, "_HOSTNAME", host, sizeof host);
    size_t ident_len = field(journal->journal, "SYSLOG_IDENTIFIER", ident, sizeof ident), len, message_len;
    uint64_t time_us = 0;
    char *cursor = NULL;

    (void)sd_journal_get_realtime_usec(journal->journal, &time_us);
    sa_text_time(stamp, (int64_t)(time_us / 1000));
    len = (size_t)snprintf(journal->line, 1024, "%s %.*s %.*s: ", stamp, host_len == 0 ? 1 : (int)host_len,
                           host_len == 0 ? "-" : host, ident_len == 0 ? 1 : (int)ident_len,
                           ident_len == 0 ? "-" : ident);
    message_len = field(journal->journal, "MESSAGE", journal->line + len, FIELD_BYTES - len);
    len = sa_intake_record(journal->record, journal->line, len + message_len);
    journal->host.events->lines(journal->host.arg, journal->stream, journal->record, len,
                                time_us < journal->late_until_us);
    if (sd_journal_get_cursor(journal->journal, &cursor) >= 0)
        (void)sa_text_copy(journal->cursor, sizeof journal->cursor, cursor);
    free(cursor);
}

/* A journal that may not be read opens without an error, as one without files. */
static void
say_state(struct sa_journal *journal)
{
    bool seen = sd_journal_has_runtime_files(journal->journal) > 0 ||
                sd_journal_has_persistent_files(journal->journal) > 0;

    journal->host.events->state(journal->host.arg, journal->host.source,
                                seen ? SA_SOURCE_FOLLOWING : SA_SOURCE_DENIED,
                                seen ? "" : "no journal can be read: is the user in group systemd-journal?");
}

static void
on_work(void *arg)
{
    struct sa_journal *journal = arg;
    int r = 0;

    for (unsigned i = 0; i < BATCH && (r = sd_journal_next(journal->journal)) > 0; i++)
        hand_over(journal);
    if (r < 0) { /* for example a file that was vacuumed away: the next wake-up processes that */
        journal->host.events->state(journal->host.arg, journal->host.source, SA_SOURCE_FAILED, strerror(-r));
        sa_watch_arm(journal->timer, RETRY_MS);
        return;
    }
    say_state(journal);
    journal->host.events->read_some(journal->host.arg);
    if (r > 0)
        sa_watch_activate(journal->work);
}

static void
on_wake(void *arg)
{
    struct sa_journal *journal = arg;

    (void)sd_journal_process(journal->journal);
    sa_watch_activate(journal->work);
}

static void
on_timer(void *arg)
{
    struct sa_journal *journal = arg;

    on_wake(journal);
    sa_watch_arm(journal->timer, RETRY_MS); /* an open that cannot be watched is polled */
}

static int
open_journal(sd_journal **ret_journal, char *const *matches)
{
    const char *paths[PATHS + 1];
    unsigned n = 0;
    struct stat status;

    for (; *matches != NULL; matches++)
        if (**matches == '/' && n < PATHS)
            paths[n++] = *matches;
    paths[n] = NULL;
    if (n == 0)
        return sd_journal_open(ret_journal, SD_JOURNAL_LOCAL_ONLY);
    if (stat(paths[0], &status) == 0 && S_ISDIR(status.st_mode))
        return sd_journal_open_directory(ret_journal, paths[0], 0);
    return sd_journal_open_files(ret_journal, paths, 0);
}

/* To where reading goes on: behind the cursor's entry, which a seek lands on. */
static int
seek(sd_journal *journal, const char *cursor, bool at_end)
{
    int r;

    if (cursor[0] == '\0' && !at_end)
        return sd_journal_seek_head(journal);
    if (cursor[0] == '\0') {
        r = sd_journal_seek_tail(journal);
        if (r >= 0)
            r = sd_journal_previous(journal);
        /* Nothing there yet: behind the tail nothing would ever come, behind the head everything does. */
        return r == 0 ? sd_journal_seek_head(journal) : r;
    }
    r = sd_journal_seek_cursor(journal, cursor);
    if (r < 0)
        return r;
    r = sd_journal_next(journal);
    if (r > 0 && sd_journal_test_cursor(journal, cursor) == 0)
        r = sd_journal_previous(journal); /* that entry is gone, this one comes after it: not to be skipped */
    return r;
}

int
sa_journal_open(const struct sa_intake_host *host, char *const *matches, const char *cursor, bool at_end,
                struct sa_journal **ret_journal)
{
    struct sa_journal *journal = calloc(1, sizeof *journal);
    int r = journal == NULL ? -ENOMEM : open_journal(&journal->journal, matches);

    if (r < 0) {
        free(journal);
        return r;
    }
    journal->host = *host;
    for (; *matches != NULL && r >= 0; matches++)
        if (**matches != '/')
            r = sd_journal_add_match(journal->journal, *matches, 0);
    if (r >= 0)
        r = seek(journal->journal, cursor, at_end);
    (void)sa_text_copy(journal->cursor, sizeof journal->cursor, cursor);
    journal->late_until_us = (uint64_t)sa_clock_now().wall_ms * 1000;
    journal->line = malloc(FIELD_BYTES);
    journal->record = malloc(SA_RECORD_ROOM(FIELD_BYTES));
    journal->stream = host->events->opened(host->arg, host->source);
    journal->timer = sa_loop_timer(host->loop, on_timer, journal);
    journal->work = sa_loop_work(host->loop, on_work, journal);
    if (r >= 0)
        r = sd_journal_get_fd(journal->journal);
    if (r >= 0)
        journal->readable = sa_loop_readable(host->loop, r, on_wake, journal);
    if (r >= 0 && (journal->line == NULL || journal->record == NULL || journal->stream == NULL ||
                   journal->timer == NULL || journal->work == NULL || journal->readable == NULL))
        r = -ENOMEM;
    if (r < 0) {
        (void)sa_journal_close(journal);
        return r;
    }
    sa_watch_arm(journal->timer, RETRY_MS);
    sa_watch_activate(journal->work);
    *ret_journal = journal;
    return 0;
}

struct sa_journal *
sa_journal_close(struct sa_journal *journal)
{
    if (journal == NULL)
        return NULL;
    (void)sa_watch_free(journal->readable);
    (void)sa_watch_free(journal->timer);
    (void)sa_watch_free(journal->work);
    if (journal->stream != NULL)
        journal->host.events->closed(journal->host.arg, journal->stream);
    sd_journal_close(journal->journal);
    free(journal->line);
    free(journal->record);
    free(journal);
    return NULL;
}

const char *
sa_journal_cursor(const struct sa_journal *journal)
{
    return journal->cursor;
}

#else

int
sa_journal_open(const struct sa_intake_host *host, char *const *matches, const char *cursor, bool at_end,
                struct sa_journal **ret_journal)
{
    (void)host;
    (void)matches;
    (void)cursor;
    (void)at_end;
    (void)ret_journal;
    return -ENOTSUP;
}

struct sa_journal *
sa_journal_close(struct sa_journal *journal)
{
    (void)journal;
    return NULL;
}

const char *
sa_journal_cursor(const struct sa_journal *journal)
{
    (void)journal;
    return "";
}

#endif
