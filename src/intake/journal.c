#include "clock.h"
#include "condition.h"
#include "intake.h"
#include "lang.h"
#include "record.h"
#include "survey.h"
#include "text.h"
#include "turn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef SIPALERT_JOURNAL
#include "journal_entry.h"

#include <stdio.h>
#include <sys/stat.h>

#define BATCH       512   /* entries in one turn of the loop */
#define PROBES      64    /* files that are opened to see whether they can be, at one look */
#define HEAD_BYTES  1024  /* time, host and program in front of the message */
#define FIELD_BYTES 65536 /* the least that is taken of a message */

static const char dropped[] = N_("journald's rate limit dropped them");
static const char *const system_roots[] = {"/var/log/journal", "/run/log/journal"};

struct sa_journal {
    struct sa_intake_host host;
    char *const *matches;
    bool at_end; /* begin with what comes: nothing is known of what is there */
    struct sa_survey_place places[SA_SURVEY_PLACES];
    unsigned n_places;
    bool of_system;      /* no place was named */
    sd_journal *journal; /* NULL: not open */
    struct sa_watch *readable, *work;
    bool seeking; /* the next entry may be the cursor's, which was handed over */
    bool woken;   /* libsystemd has to look what happened, once everything it knows of is read */
    bool reopen;  /* a place is not what it was: once everything is read */
    bool seen;    /* there is something to read, and nothing that cannot be */
    bool empty;   /* there is nothing to read yet, and that was told */
    bool told_not_forwarded;
    struct sa_unit_losses losses;
    char cursor[256];
    char *line, *record;
    size_t line_room;
    void *stream;
    uint64_t late_until_us; /* entries before were written before we looked */
};

/* Time, host and program as a syslog file has them; returns the length. */
static size_t
put_head(struct sa_journal *journal, uint64_t time_us, const char *ident)
{
    char stamp[SA_TIME_TEXT_SIZE], host[256];

    sa_text_time(stamp, (int64_t)(time_us / 1000));
    sa_journal_entry_text(journal->journal, "_HOSTNAME", host, sizeof host);
    return (size_t)snprintf(journal->line, HEAD_BYTES, "%s %s %s: ", stamp, host[0] == '\0' ? "-" : host,
                            sa_journal_entry_program(ident));
}

static void
tell_lost(struct sa_journal *journal, uint64_t lines, const char *why)
{
    if (lines > 0)
        journal->host.events->lost(journal->host.arg, lines, why);
}

/* What journald dropped of this entry's unit is of this source, as the entry is. */
static void
learn_unit(struct sa_journal *journal)
{
    char unit[SA_UNIT_SIZE];

    sa_journal_entry_text(journal->journal, "_SYSTEMD_UNIT", unit, sizeof unit);
    if (unit[0] != '\0')
        tell_lost(journal, sa_unit_losses_read(&journal->losses, unit), dropped);
}

/* The entry as a line of a syslog file: what reads those reads this. */
static void
hand_over_line(struct sa_journal *journal, const char *ident)
{
    const struct sa_intake_host *host = &journal->host;
    uint64_t time_us = 0;
    ssize_t message_len;
    size_t len;

    (void)sd_journal_get_realtime_usec(journal->journal, &time_us);
    len = put_head(journal, time_us, ident);
    message_len =
        sa_journal_entry_field(journal->journal, "MESSAGE", journal->line + len, journal->line_room - len);
    if (message_len < 0) {
        tell_lost(journal, 1, N_("an entry of the journal is damaged"));
    } else {
        len = sa_intake_record(journal->record, journal->line, len + (size_t)message_len);
        host->events->lines(host->arg, journal->stream, journal->record, len,
                            time_us < journal->late_until_us);
    }
    if (sa_unit_losses_learns(&journal->losses))
        learn_unit(journal);
}

static void
take_loss(struct sa_journal *journal, const struct sa_unit_loss *loss)
{
    switch (sa_unit_losses_judge(&journal->losses, loss)) {
    case SA_LOSS_OURS:
        tell_lost(journal, loss->lines, dropped);
        break;
    case SA_LOSS_PERHAPS:
        tell_lost(journal, loss->lines,
                  N_("journald's rate limit dropped them, or others: it does not say of which unit"));
        break;
    case SA_LOSS_OTHERS:
    case SA_LOSS_WAITS:
        break;
    }
}

/* journald passes on a copy: what it missed there is in the journal, and was counted. */
static void
note_not_forwarded(struct sa_journal *journal)
{
    if (!journal->told_not_forwarded)
        journal->host.events->note(
            journal->host.arg, "journald did not forward everything to syslog; the journal has it all the "
                               "same, nothing is missing from this source");
    journal->told_not_forwarded = true;
}

/* Returns 0 or negative errno. */
static int
keep_cursor(struct sa_journal *journal)
{
    char *cursor = NULL;
    int r = sd_journal_get_cursor(journal->journal, &cursor);

    if (r < 0)
        return r;
    (void)sa_text_copy(journal->cursor, sizeof journal->cursor, cursor);
    free(cursor);
    return 0;
}

static void
hand_over(struct sa_journal *journal)
{
    char ident[SA_IDENTIFIER_SIZE];
    struct sa_unit_loss loss;

    sa_journal_entry_text(journal->journal, "SYSLOG_IDENTIFIER", ident, sizeof ident);
    switch (sa_journal_entry_kind(journal->journal, ident, &loss)) {
    case SA_JOURNAL_ENTRY_LINE:
        hand_over_line(journal, ident);
        break;
    case SA_JOURNAL_ENTRY_DROPPED:
        take_loss(journal, &loss);
        break;
    case SA_JOURNAL_ENTRY_NOT_FORWARDED:
        note_not_forwarded(journal);
        break;
    case SA_JOURNAL_ENTRY_FORGED:
        break;
    }
    (void)keep_cursor(journal);
}

/* Opens the file as the reader would: who may read it cannot always make sense of it. */
static int
probe(const char *path)
{
    const char *paths[] = {path, NULL};
    sd_journal *journal;
    int r = sd_journal_open_files(&journal, paths, 0);

    if (r < 0)
        return r;
    sd_journal_close(journal);
    return 0;
}

/* The system's journal is where the machine's id says; one of its two places may be missing. */
static void
look_at_system(struct sa_survey *survey)
{
    char id[SD_ID128_STRING_MAX], path[512];
    sd_id128_t machine;
    struct stat status;

    if (sd_id128_get_machine(&machine) < 0)
        return;
    (void)sd_id128_to_string(machine, id);
    for (size_t i = 0; i < sizeof system_roots / sizeof system_roots[0]; i++) {
        (void)sa_text_format(path, sizeof path, "%s/%s", system_roots[i], id);
        if (stat(path, &status) == 0 || errno != ENOENT)
            sa_survey_look(survey, path);
    }
}

static void
survey(struct sa_journal *journal, struct sa_survey *ret_survey)
{
    *ret_survey = (struct sa_survey){.probe = probe, .probes = PROBES};
    if (journal->of_system)
        look_at_system(ret_survey);
    for (unsigned i = 0; i < journal->n_places && !journal->of_system; i++)
        sa_survey_look(ret_survey, journal->places[i].path);
    if (ret_survey->error == 0 && ret_survey->readable == 0)
        ret_survey->error = ret_survey->past_error;
}

static const char *
reason(int error)
{
    switch (error) {
    case -ENOENT:
        return N_("it does not exist");
    case -EACCES:
    case -EPERM:
        return N_("it may not be read (is the user in group systemd-journal?)");
    case -EBADMSG:
    case -ENODATA:
        return N_("it is damaged, or no journal");
    case -EPROTONOSUPPORT:
        return N_("it was written by a newer systemd than the one installed here");
    case -EISDIR:
        return N_("a directory of journals has to be the only path of its source");
    default:
        return strerror(-error);
    }
}

static void
tell_trouble(struct sa_journal *journal, int error, const char *path)
{
    char text[SA_LONG_SIZE];

    journal->seen = journal->empty = false;
    (void)sa_text_format(text, sizeof text, "%s%s%s", path, path[0] != '\0' ? ": " : "", reason(error));
    sa_intake_tell(&journal->host, error, text);
}

/* By what is there and can be opened; a journal that may not be read opens as one without files. */
static void
judge(struct sa_journal *journal, const struct sa_survey *found)
{
    if (found->error != 0) {
        tell_trouble(journal, found->error, found->path);
        return;
    }
    journal->seen = found->readable > 0;
    journal->empty = !journal->seen;
    if (journal->seen)
        sa_intake_tell(&journal->host, 0, NULL);
    else
        journal->host.events->state(journal->host.arg, SA_SOURCE_WAITING, N_("there is no journal file yet"));
}

static void
stop(struct sa_journal *journal)
{
    journal->readable = sa_watch_free(journal->readable);
    sd_journal_close(journal->journal);
    journal->journal = NULL;
    journal->woken = journal->reopen = journal->seeking = false;
}

/* The files that can be opened: without the others, which a look will find when they come. */
static int
open_files(struct sa_journal *journal)
{
    const char *paths[SA_SURVEY_PLACES + 1];
    unsigned n = 0;
    int r = -ENOENT, tried;

    for (unsigned i = 0; i < journal->n_places; i++) {
        tried = probe(journal->places[i].path);
        if (tried == 0)
            paths[n++] = journal->places[i].path;
        else
            r = tried;
    }
    paths[n] = NULL;
    return n == 0 ? r : sd_journal_open_files(&journal->journal, paths, 0);
}

static bool
is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int
open_journal(struct sa_journal *journal)
{
    for (unsigned i = 0; i < journal->n_places; i++)
        sa_survey_keep(&journal->places[i]); /* before it is opened: a change in between is found later */
    if (journal->of_system)
        return sd_journal_open(&journal->journal, SD_JOURNAL_LOCAL_ONLY);
    for (unsigned i = 0; i < journal->n_places && journal->n_places > 1; i++)
        if (is_directory(journal->places[i].path))
            return -EISDIR;
    if (is_directory(journal->places[0].path))
        return sd_journal_open_directory(&journal->journal, journal->places[0].path, 0);
    return open_files(journal);
}

/* The last entry that is there counts as handed over.  Returns its being there, or negative errno. */
static int
pass_what_is_there(struct sa_journal *journal)
{
    int r = sd_journal_seek_tail(journal->journal);

    if (r >= 0)
        r = sd_journal_previous(journal->journal);
    if (r <= 0)
        return r;
    if (keep_cursor(journal) < 0)
        return -EBADMSG;
    /* No line, but a position for later lives. */
    journal->host.events->lines(journal->host.arg, journal->stream, "", 0, false);
    journal->host.events->read_some(journal->host.arg);
    return 1;
}

/*
 * To where reading goes on.  A seek to the cursor of an entry that is gone leads to the first one after it;
 * which of the two it was is seen when it is read.
 */
static int
seek(struct sa_journal *journal, const struct sa_survey *found)
{
    if (journal->cursor[0] == '\0' && journal->at_end) {
        int r = pass_what_is_there(journal);

        if (r < 0)
            return r;
        /* Of what may not be read now, what was written before may be read later: that is still passed. */
        journal->at_end = found->error != 0 && found->error != -ENOENT;
    }
    if (journal->cursor[0] == '\0')
        return sd_journal_seek_head(journal->journal);
    journal->seeking = true;
    return sd_journal_seek_cursor(journal->journal, journal->cursor);
}

static void on_wake(void *arg);

static int
begin(struct sa_journal *journal, const struct sa_survey *found)
{
    int r = open_journal(journal);

    if (r >= 0)
        r = sa_journal_entry_select(journal->journal, journal->matches);
    if (r >= 0)
        r = seek(journal, found);
    if (r >= 0) /* also lets it watch its directories, before the first entry is read */
        r = sd_journal_get_fd(journal->journal);
    if (r >= 0) {
        journal->readable = sa_loop_readable(journal->host.loop, r, on_wake, journal);
        r = journal->readable == NULL ? -ENOMEM : 0;
    }
    if (r < 0)
        stop(journal);
    else
        sa_watch_activate(journal->work);
    return r;
}

static void
start(struct sa_journal *journal)
{
    struct sa_survey found;
    int r;

    survey(journal, &found);
    if (found.error == -ENOENT && found.readable == 0)
        journal->at_end = false; /* nothing is there: everything that will be is new */
    r = begin(journal, &found);
    if (r < 0)
        tell_trouble(journal, found.error != 0 ? found.error : r, found.path);
    else
        judge(journal, &found);
}

static bool
stands(const struct sa_journal *journal)
{
    for (unsigned i = 0; i < journal->n_places; i++)
        if (!sa_survey_stands(&journal->places[i]))
            return false;
    return true;
}

/* Returns whether there is more, or negative errno. */
static int
read_batch(struct sa_journal *journal, unsigned *ret_read)
{
    struct sa_turn turn = sa_turn_begin();
    int r = 0;

    *ret_read = 0;
    for (unsigned i = 0;
         i < BATCH && (i == 0 || !sa_turn_is_over(&turn)) && (r = sd_journal_next(journal->journal)) > 0;
         i++) {
        bool again = journal->seeking && sd_journal_test_cursor(journal->journal, journal->cursor) > 0;

        journal->seeking = false;
        if (again)
            continue;
        hand_over(journal);
        ++*ret_read;
    }
    return r;
}

/* Only once everything is read: libsystemd closes files that have gone. */
static int
look_what_happened(struct sa_journal *journal)
{
    int r = sd_journal_process(journal->journal);

    journal->woken = false;
    sa_watch_resume(journal->readable);
    return r < 0 ? r : 1;
}

static void
tell_read(struct sa_journal *journal)
{
    struct sa_survey found;

    journal->host.events->read_some(journal->host.arg);
    if (!journal->empty)
        return;
    survey(journal, &found);
    judge(journal, &found);
}

static void
restart(struct sa_journal *journal)
{
    bool replaced = !stands(journal);

    stop(journal);
    start(journal);
    if (replaced && journal->journal != NULL)
        journal->host.events->note(journal->host.arg, "the journal was replaced, reading the new one");
}

static void
on_work(void *arg)
{
    struct sa_journal *journal = arg;
    unsigned n_read;
    int r;

    if (journal->journal == NULL)
        return;
    r = read_batch(journal, &n_read);
    if (n_read > 0)
        tell_read(journal);
    if (r == 0 && journal->woken)
        r = look_what_happened(journal);
    if (r > 0) {
        sa_watch_activate(journal->work);
    } else if (r < 0) { /* opened again at the next look, behind the last entry that could be read */
        stop(journal);
        tell_trouble(journal, r, "");
    } else if (journal->reopen) {
        restart(journal);
    }
}

static void
wake(struct sa_journal *journal)
{
    sa_watch_pause(journal->readable);
    journal->woken = true;
    sa_watch_activate(journal->work);
}

static void
on_wake(void *arg)
{
    wake(arg);
}

void
sa_journal_look(struct sa_journal *journal)
{
    struct sa_survey found;
    bool unseen = !journal->seen;

    if (journal->journal == NULL) {
        start(journal);
        return;
    }
    survey(journal, &found);
    judge(journal, &found);
    journal->reopen = !stands(journal) || (unseen && journal->seen);
    wake(journal); /* not every file system tells of changes */
}

static void
find_places(struct sa_journal *journal)
{
    for (char *const *match = journal->matches; *match != NULL && journal->n_places < SA_SURVEY_PLACES;
         match++)
        if (**match == '/')
            journal->places[journal->n_places++] = (struct sa_survey_place){*match, -1};
    journal->of_system = journal->n_places == 0;
    for (size_t i = 0; journal->of_system && i < sizeof system_roots / sizeof system_roots[0]; i++)
        journal->places[journal->n_places++] = (struct sa_survey_place){system_roots[i], -1};
}

struct sa_journal *
sa_journal_new(const struct sa_intake_host *host, char *const *matches, const char *cursor, bool at_end)
{
    struct sa_journal *journal = calloc(1, sizeof *journal);

    if (journal == NULL)
        return NULL;
    journal->host = *host;
    journal->matches = matches;
    journal->at_end = at_end;
    find_places(journal);
    sa_unit_losses_init(&journal->losses, matches);
    (void)sa_text_copy(journal->cursor, sizeof journal->cursor, cursor);
    journal->late_until_us = (uint64_t)sa_clock_now().wall_ms * 1000;
    journal->line_room = HEAD_BYTES + 1 + (host->line_limit > FIELD_BYTES ? host->line_limit : FIELD_BYTES);
    journal->line = malloc(journal->line_room);
    journal->record = malloc(SA_RECORD_ROOM(journal->line_room));
    journal->stream = host->events->opened(host->arg);
    journal->work = sa_loop_work(host->loop, on_work, journal);
    if (journal->line == NULL || journal->record == NULL || journal->stream == NULL || journal->work == NULL)
        return sa_journal_close(journal);
    return journal;
}

struct sa_journal *
sa_journal_close(struct sa_journal *journal)
{
    if (journal == NULL)
        return NULL;
    stop(journal);
    (void)sa_watch_free(journal->work);
    if (journal->stream != NULL)
        journal->host.events->closed(journal->host.arg, journal->stream);
    for (unsigned i = 0; i < journal->n_places; i++)
        sa_survey_release(&journal->places[i]);
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

struct sa_journal {
    struct sa_intake_host host;
};

struct sa_journal *
sa_journal_new(const struct sa_intake_host *host, char *const *matches, const char *cursor, bool at_end)
{
    struct sa_journal *journal = calloc(1, sizeof *journal);

    (void)matches;
    (void)cursor;
    (void)at_end;
    if (journal != NULL)
        journal->host = *host;
    return journal;
}

void
sa_journal_look(struct sa_journal *journal)
{
    sa_intake_tell(&journal->host, -ENOTSUP, N_("this build has no journal support"));
}

struct sa_journal *
sa_journal_close(struct sa_journal *journal)
{
    free(journal);
    return NULL;
}

const char *
sa_journal_cursor(const struct sa_journal *journal)
{
    (void)journal;
    return "";
}

#endif
