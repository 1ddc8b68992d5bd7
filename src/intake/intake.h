/*
 * Sources that are not files: a syslog listener (UDP, TCP, unix datagram), a FIFO, standard input, the
 * journal. Each hands lines to its owner as a follower does; none can be read twice, except the journal. Main
 * thread.
 */
#ifndef SA_INTAKE_H
#define SA_INTAKE_H

#include "loop.h"
#include "types.h"

/* What the owner is told.  arg and stream are the owner's; all calls come from the loop. */
struct sa_intake_events {
    void *(*opened)(void *arg, unsigned source); /* a stream of lines; NULL: cannot */
    void (*lines)(void *arg, void *stream, const char *buf, size_t len, bool late);
    void (*closed)(void *arg, void *stream);
    void (*lost)(void *arg, unsigned source, uint64_t lines, const char *why);
    void (*state)(void *arg, unsigned source, enum sa_source_state state, const char *text);
    void (*read_some)(void *arg);
};

/* What an intake is made of: its kind's functions and the owner it reports to. */
struct sa_intake_host {
    struct sa_loop *loop;
    const struct sa_intake_events *events;
    void *arg;
    unsigned source;
};

struct sa_listener;
struct sa_pipe;
struct sa_journal;

/*
 * "udp:127.0.0.1:5514", "tcp:[::1]:5514", "unix:/run/sipalert/log".  Messages of RFC 3164 and RFC 5424, on
 * TCP in both framings of RFC 6587; a message's line breaks are escaped as rsyslog does.  What the kernel
 * dropped for want of buffer is reported as lost.  Returns 0 or negative errno.
 */
int sa_listener_open(const struct sa_intake_host *host, const char *spec, struct sa_listener **ret_listener);
struct sa_listener *sa_listener_close(struct sa_listener *listener);

/* A FIFO, made if it is missing; or standard input for NULL.  Returns 0 or negative errno. */
int sa_pipe_open(const struct sa_intake_host *host, const char *path, struct sa_pipe **ret_pipe);
struct sa_pipe *sa_pipe_close(struct sa_pipe *pipe);

/*
 * The journal: matches ("FIELD=value", of different fields all, of one field any), and paths of journal files
 * or directories instead of the system's.  cursor: where an earlier life ended, or "" ; then at_end: begin
 * with what comes.  Returns 0, -ENOTSUP if it was not built in, or negative errno.
 */
int sa_journal_open(const struct sa_intake_host *host, char *const *matches, const char *cursor, bool at_end,
                    struct sa_journal **ret_journal);
struct sa_journal *sa_journal_close(struct sa_journal *journal);

/* The position behind the last entry that was handed over; "" before the first. */
const char *sa_journal_cursor(const struct sa_journal *journal);

#endif
