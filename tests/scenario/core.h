/*
 * One life of the daemon, as the player sees it: a process of its own in which the real daemon runs, with
 * its real log follower, rules, store and control socket, and with a clock, a loop, an SNMP agent and a
 * syslog that are the player's.  core.c is the only file of the player that knows the product; what it says
 * comes as plain texts.
 */
#ifndef CORE_H
#define CORE_H

#include <stdbool.h>
#include <stdint.h>

#define CORE_FIELDS 20

enum core_kind {
    CORE_EVENT,    /* an alarm event as it goes to syslog */
    CORE_NOTIFIED, /* an alarm event that an SNMP receiver has taken */
    CORE_LINE      /* a line of the daemon's own log: field "line" */
};

struct core_field {
    char key[16];
    char value[512];
};

/* What the daemon said.  The first field of an event is its transition, the second its rule. */
struct core_item {
    enum core_kind kind;
    int64_t at_ms; /* since this life began */
    unsigned n;
    struct core_field fields[CORE_FIELDS];
};

typedef void (*core_item_fn)(void *arg, const struct core_item *item);

struct core_options {
    const char *config, *control; /* paths: of the configuration file, of the control socket in it */
    int64_t mono_ms, wall_ms;     /* of the two clocks when the life begins */
    bool snmp_up;
    core_item_fn said; /* called for each item, while one of the functions below runs */
    void *arg;
};

struct core;

/* Starts the daemon and returns when it is at rest; NULL: it did not start, and the items say why. */
struct core *core_begin(const struct core_options *options);

/* Time passes, 0 for what is to be done now.  False: the daemon is dead. */
bool core_turn(struct core *core, int64_t ms);

/* Whether SNMP receivers take notifications. */
bool core_set_snmp(struct core *core, bool up);

/* Whether the daemon's files may grow. */
void core_set_disk(struct core *core, bool full);

/* Somebody sets the wall clock forward or back. */
bool core_move_wall(struct core *core, int64_t ms);

/* A request over the control socket.  Returns the line that answers it, to be freed, or NULL. */
char *core_ask(struct core *core, const char *command);

/* SIGKILL, and SIGTERM; core is freed.  Returns whether it left with 0. */
void core_kill(struct core *core);
bool core_stop(struct core *core);

#endif
