/*
 * Sources that are not files: a syslog listener (UDP, TCP, unix datagram), a FIFO, standard input, the
 * journal. Each hands lines to its owner as a follower does; none can be read twice, except the journal. Main
 * thread.
 *
 * Each kind is made once and lives until it is closed, open or not: sa_*_look() opens what is not open, and
 * opens again what is no longer what its path names.  The owner calls it at the start and every few seconds,
 * from one timer for all; each tells its state whenever it learns something, also when it is the same.
 */
#ifndef SA_INTAKE_H
#define SA_INTAKE_H

#include "loop.h"
#include "network.h"
#include "types.h"

#define SA_INTAKE_LOOK_MS 5000

/* What the owner is told.  arg and stream are the owner's; all calls come from the loop. */
struct sa_intake_events {
    void *(*opened)(void *arg); /* a stream of lines; NULL: cannot */
    void (*lines)(void *arg, void *stream, const char *buf, size_t len, bool late);
    void (*closed)(void *arg, void *stream);
    void (*lost)(void *arg, uint64_t lines, const char *why); /* why: English, to be translated */
    void (*refused)(void *arg, uint64_t n); /* datagrams or connections, of senders that are not allowed */
    void (*state)(void *arg, enum sa_source_state state, const char *text);
    void (*note)(void *arg, const char *text); /* something to tell once */
    void (*read_some)(void *arg);
};

/* What an intake is made of: its owner, and the owner's limits. */
struct sa_intake_host {
    struct sa_loop *loop;
    const struct sa_intake_events *events;
    void *arg;
    size_t line_limit;        /* bytes of a message; a longer one is handed over a byte longer than that */
    unsigned max_connections; /* of a TCP listener */
    const struct sa_network *allow; /* senders of a UDP or TCP listener; none: everybody.  The owner's */
    unsigned n_allow;
};

struct sa_listener;
struct sa_pipe;
struct sa_journal;

/*
 * "udp:127.0.0.1:5514", "tcp:[::1]:5514", "unix:/run/sipalert/log".  Messages of RFC 3164 and RFC 5424, on
 * TCP in both framings of RFC 6587; a message's line breaks are escaped as rsyslog does.  What the kernel
 * dropped for want of buffer is reported as lost, and so is a TCP connection that had to be cut off.  spec
 * stays the caller's and has to live as long.  NULL: out of memory.
 */
struct sa_listener *sa_listener_new(const struct sa_intake_host *host, const char *spec);
void sa_listener_look(struct sa_listener *listener);
struct sa_listener *sa_listener_close(struct sa_listener *listener);

/* A FIFO, made if it is missing; or standard input for NULL.  path stays the caller's.  NULL: out of memory.
 */
struct sa_pipe *sa_pipe_new(const struct sa_intake_host *host, const char *path);
void sa_pipe_look(struct sa_pipe *pipe);
struct sa_pipe *sa_pipe_close(struct sa_pipe *pipe);

/*
 * The journal: matches ("FIELD=value", of different fields all, of one field any), and instead of the
 * system's the path of a directory of journals or paths of journal files.  matches stay the caller's.
 * Beside what they select, journald's own records of messages that its rate limit dropped are read, and
 * reported as lost if they are of a unit that the source reads. cursor: where an earlier life ended, or "" ;
 * then at_end: begin with what comes.  NULL: out of memory.
 */
struct sa_journal *sa_journal_new(const struct sa_intake_host *host, char *const *matches, const char *cursor,
                                  bool at_end);
void sa_journal_look(struct sa_journal *journal);
struct sa_journal *sa_journal_close(struct sa_journal *journal);

/* The position behind the last entry that was handed over; "" before the first. */
const char *sa_journal_cursor(const struct sa_journal *journal);

#endif
