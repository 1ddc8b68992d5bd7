/*
 * What stands around the daemon: a temporary directory with its configuration, its logs and its state, and
 * what happens to these.  A source NAME has the log DIR/NAME.log.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world {
    char dir[64], config[96], control[96];
    unsigned calls; /* numbers the Call-IDs */
};

void world_begin(struct world *world);
void world_end(struct world *world);

/*
 * Writes the configuration: the body with @DIR@ put in, behind what each scenario needs.  A source "edge" and
 * a format "edge" are added to a body that has no source, or no format.  Logs of the sources that are named
 * are made if they are missing and make_logs is set.
 */
void world_configure(struct world *world, const char *body, bool make_logs);

/* A line as the recommended xlog of Kamailio writes it. */
struct world_line {
    unsigned code;
    const char *peer, *method, *call_id; /* call_id NULL: one that was never used */
    bool sent;                           /* by the proxy itself; otherwise it was received */
    int64_t wall_ms;                     /* its stamp */
};

/* Text of at most 511 bytes with its line feed; returns its length. */
size_t world_line(struct world *world, const struct world_line *line, char text[512]);

/* Each returns false if the log is not as it has to be for that.  name: of a source, or of a file of the
 * directory if it has a dot. */
bool world_append(struct world *world, const char *name, const char *bytes, size_t len, int64_t wall_ms);
bool world_rotate(struct world *world, const char *name);
bool world_copytruncate(struct world *world, const char *name);
bool world_truncate(struct world *world, const char *name);
bool world_blind(struct world *world, const char *name);
bool world_seeing(struct world *world, const char *name);

/* Runs SQL on the state, while the daemon does not run.  Returns how many rows changed, or -1 with a text. */
int world_sql(struct world *world, const char *sql, char error[128]);

/* Something overwrites the state. */
bool world_damage(struct world *world);

#endif
