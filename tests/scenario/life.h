/*
 * One life of the daemon, as the player sees it: a process of its own in which the real daemon runs, with
 * its real log follower, rules, store and control socket, and with a clock, a loop, an SNMP agent and a
 * syslog that are the player's.  life.c is the only file of the player that knows the product; what it says
 * comes as plain texts.
 */
#ifndef LIFE_H
#define LIFE_H

#include <stdbool.h>
#include <stdint.h>

#define LIFE_FIELDS 20

enum life_kind {
    LIFE_EVENT,    /* an alarm event as it goes to syslog */
    LIFE_NOTIFIED, /* an alarm event that an SNMP receiver has taken */
    LIFE_LINE      /* a line of the daemon's own log: field "line" */
};

struct life_field {
    char key[16];
    char value[512];
};

/* What the daemon said.  The first field of an event is its transition, the second its rule. */
struct life_item {
    enum life_kind kind;
    int64_t at_ms; /* since this life began */
    unsigned n;
    struct life_field fields[LIFE_FIELDS];
};

typedef void (*life_item_fn)(void *arg, const struct life_item *item);

struct life_options {
    const char *config, *control; /* paths: of the configuration file, of the control socket in it */
    int64_t mono_ms, wall_ms;     /* of the two clocks when the life begins */
    bool snmp_up;
    life_item_fn said; /* called for each item, while one of the functions below runs */
    void *arg;
};

struct life;

/* Starts the daemon and returns when it is at rest; NULL: it did not start, and the items say why. */
struct life *life_begin(const struct life_options *options);

/* Time passes, 0 for what is to be done now.  False: the daemon is dead. */
bool life_turn(struct life *life, int64_t ms);

/* Whether SNMP receivers take notifications. */
bool life_set_snmp(struct life *life, bool up);

/* Whether the daemon's files may grow. */
void life_set_disk(struct life *life, bool full);

/* Somebody sets the wall clock forward or back. */
bool life_move_wall(struct life *life, int64_t ms);

/* A request over the control socket.  Returns the line that answers it, to be freed, or NULL. */
char *life_ask(struct life *life, const char *command);

/* SIGKILL, and SIGTERM; life is freed.  Returns whether it left with 0. */
void life_kill(struct life *life);
bool life_stop(struct life *life);

#endif
