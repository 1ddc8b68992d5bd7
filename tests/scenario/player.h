/* Plays a script: makes its world, runs the daemon in it, and compares what it says with what is expected. */
#ifndef PLAYER_H
#define PLAYER_H

#include "life.h"
#include "script.h"
#include "world.h"

/* What the daemon said of one kind, in order. */
struct player_said {
    struct life_item *items;
    unsigned n;
    unsigned next;  /* the first that no expect has taken */
    unsigned since; /* the first since the last expect */
};

struct player {
    const char *path;
    struct script script;
    struct world world;
    struct life *life;           /* NULL: the daemon does not run */
    int64_t elapsed_ms, life_ms; /* since the scenario began; when this life of the daemon began */
    int64_t mono_ms, wall_ms;    /* what the two clocks show now */
    bool configured, made_logs, snmp_up, disk_full;
    struct player_said events, notified, lines;
    unsigned expects;
    unsigned line; /* of the statement that is being played */
};

/* What is wrong with the scenario: an expectation that is not met, or a script that cannot be played.  Both
 * print FILE:LINE and end the process, with the status PLAYER_RED or PLAYER_UNUSABLE. */
enum { PLAYER_GREEN, PLAYER_RED, PLAYER_UNUSABLE };
void player_red(struct player *player, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
void player_unusable(struct player *player, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Whether the red message has to contain what the script's "# red: " line says; a red that does not becomes
 * green, so that a test that has to fail notices. */
extern bool player_wants_red;

/* One word of the script and those behind it. */
void player_do(struct player *player, const struct script_word *words, unsigned n);

/* The word "expect" and those behind it. */
void player_expect(struct player *player, const struct script_word *words, unsigned n);

/* Plays all statements; returns if everything was as expected. */
void player_play(struct player *player);

#endif
