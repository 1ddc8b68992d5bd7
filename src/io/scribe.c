#include "scribe.h"
#include "clock.h"
#include "limiter.h"
#include "mailbox.h"
#include "text.h"
#include "thread.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#define QUEUE 1024

struct line {
    int priority;
    bool alarm;
    char text[SA_SCRIBE_LINE];
};

static struct scribe {
    struct sa_mailbox *mailbox;
    pthread_t thread;
    enum sa_scribe_log own_lines;
    struct sa_limiter limiter; /* of own lines; the thread's */
    bool journal;              /* standard error is read by journald */
    int facility;
    atomic_bool stop;
    atomic_ullong lost; /* own lines; an alarm that finds no room is offered again */
} scribe;

/* systemd sets JOURNAL_STREAM to the device and inode of the descriptors that journald reads. */
static bool
stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    char expected[64];

    if (stream == NULL || fstat(STDERR_FILENO, &status) == -1)
        return false;
    (void)snprintf(expected, sizeof expected, "%llu:%llu", (unsigned long long)status.st_dev,
                   (unsigned long long)status.st_ino);
    return strcmp(stream, expected) == 0;
}

static bool
syslog_listens(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool listens = fd != -1 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;

    if (fd != -1)
        (void)close(fd);
    return listens;
}

enum sa_scribe_log
sa_scribe_choose(void)
{
    return !stderr_is_journal() && syslog_listens() ? SA_SCRIBE_SYSLOG : SA_SCRIBE_STDERR;
}

int
sa_scribe_format(const struct sa_alarm_event *event, char line[SA_SCRIBE_LINE])
{
    static const char *const words[] = {
        [SA_RAISED] = "raised", [SA_CLEARED] = "cleared",  [SA_CHANGED] = "changed",
        [SA_FAULT] = "raised",  [SA_RESTORED] = "cleared", [SA_TEST] = "test"};
    const struct sa_alarm *alarm = &event->alarm;
    char identity[2 * SA_IDENT_SIZE], text[2 * SA_TEXT_SIZE], remediation[2 * SA_LONG_SIZE];
    char rule[2 * SA_NAME_SIZE], source[2 * SA_NAME_SIZE], peer[2 * SA_PEER_SIZE];

    (void)sa_text_escape(identity, sizeof identity, alarm->identity, strlen(alarm->identity));
    (void)sa_text_escape(rule, sizeof rule, alarm->rule, strlen(alarm->rule));
    (void)sa_text_escape(source, sizeof source, alarm->source, strlen(alarm->source));
    (void)sa_text_escape(peer, sizeof peer, alarm->peer, strlen(alarm->peer));
    (void)sa_text_escape(text, sizeof text, alarm->text, strlen(alarm->text));
    (void)sa_text_escape(remediation, sizeof remediation, alarm->remediation, strlen(alarm->remediation));
    (void)sa_text_format(
        line, SA_SCRIBE_LINE,
        "ALARM %s id=%u identity=\"%s\" severity=%s rule=%s source=%s peer=%s codes=%s value=%u "
        "threshold=%u window=%us text=\"%s\" remediation=\"%s\"",
        words[event->transition], alarm->id, identity, sa_severity_name(alarm->severity), rule, source,
        peer[0] == '\0' ? "-" : peer, alarm->codes, alarm->value, alarm->threshold, alarm->window_s, text,
        remediation);

    /* RFC 5674 section 2 */
    switch (alarm->severity) {
    case SA_SEV_CRITICAL:
        return LOG_ALERT;
    case SA_SEV_MAJOR:
        return LOG_CRIT;
    case SA_SEV_MINOR:
        return LOG_ERR;
    case SA_SEV_WARNING:
        return LOG_WARNING;
    case SA_SEV_INDETERMINATE:
    case SA_SEV_CLEARED:
        break;
    }
    return LOG_NOTICE;
}

/*
 * journald adds the time itself, and takes the priority from the front of the line (sd-daemon(3)).  An alarm
 * begins as in syslog, for whoever looks for it there and here.
 */
static void
write_stderr(const struct line *line)
{
    char stamp[SA_TIME_TEXT_SIZE] = "";

    if (!line->alarm)
        sa_text_time(stamp, sa_clock_now().wall_ms);
    if (scribe.journal)
        (void)fprintf(stderr, "<%d>%s\n", line->priority, line->text);
    else
        (void)fprintf(stderr, "%s%ssipalertd[%ld]: %s\n", stamp, line->alarm ? "" : " ", (long)getpid(),
                      line->text);
}

static void
write_line(const struct line *line)
{
    bool to_syslog = line->alarm || scribe.own_lines == SA_SCRIBE_SYSLOG;

    if (to_syslog)
        syslog(line->priority, "%s", line->text);
    if (!to_syslog || !scribe.journal)
        write_stderr(line);
}

static void
report_held(bool at_once)
{
    int64_t now_ms = sa_clock_now().mono_ms;
    const struct sa_limiter_kind *kind;

    while ((kind = sa_limiter_due(&scribe.limiter, now_ms, at_once)) != NULL) {
        struct line line = {.priority = kind->priority};

        (void)snprintf(line.text, sizeof line.text, "log: %llu more lines like this were not written: %s",
                       (unsigned long long)kind->held, kind->line);
        write_line(&line);
        sa_limiter_told(&scribe.limiter, kind, now_ms);
    }
}

static void
report_lost(void)
{
    unsigned long long lost = atomic_exchange(&scribe.lost, 0);
    struct line line = {.priority = LOG_WARNING};

    if (lost == 0)
        return;
    (void)snprintf(line.text, sizeof line.text,
                   "log: %llu lines were not written, the log was too slow for them", lost);
    write_line(&line);
}

static void *
run(void *arg)
{
    struct pollfd wake = {.fd = sa_mailbox_fd(scribe.mailbox), .events = POLLIN};
    struct line line;

    (void)arg;
    openlog("sipalertd", LOG_PID | LOG_NDELAY, scribe.facility);
    for (;;) {
        bool stop = atomic_load(&scribe.stop); /* read first: what was posted before it is still written */

        while (sa_mailbox_take(scribe.mailbox, &line))
            if (line.alarm ||
                sa_limiter_pass(&scribe.limiter, line.priority, line.text, sa_clock_now().mono_ms))
                write_line(&line);
        report_held(stop);
        report_lost();
        if (stop)
            return NULL;
        (void)poll(&wake, 1, scribe.limiter.holding > 0 ? SA_LIMITER_MS : -1);
        sa_mailbox_acknowledge(scribe.mailbox);
    }
}

int
sa_scribe_start(int facility, enum sa_scribe_log own_lines)
{
    int r;

    scribe.facility = facility;
    scribe.own_lines = own_lines;
    scribe.journal = stderr_is_journal();
    scribe.mailbox = sa_mailbox_new(sizeof(struct line), QUEUE);
    if (scribe.mailbox == NULL)
        return -ENOMEM;
    r = sa_thread_start(&scribe.thread, run, NULL);
    if (r < 0)
        scribe.mailbox = sa_mailbox_free(scribe.mailbox);
    return r;
}

bool
sa_scribe_stop(int timeout_ms)
{
    if (scribe.mailbox == NULL)
        return true;
    atomic_store(&scribe.stop, true);
    sa_mailbox_wake(scribe.mailbox);
    if (!sa_thread_join(scribe.thread, timeout_ms))
        return false;
    scribe.mailbox = sa_mailbox_free(scribe.mailbox);
    return true;
}

static int
post(int priority, bool alarm, const char *text)
{
    struct line line = {.priority = priority, .alarm = alarm};

    (void)sa_text_copy(line.text, sizeof line.text, text);
    return sa_mailbox_post(scribe.mailbox, &line);
}

int
sa_scribe_alarm(const struct sa_alarm_event *event)
{
    char text[SA_SCRIBE_LINE];
    int priority = sa_scribe_format(event, text);

    return post(priority, true, text);
}

void
sa_scribe_line(int priority, const char *line)
{
    if (post(priority, false, line) < 0)
        (void)atomic_fetch_add(&scribe.lost, 1);
}
