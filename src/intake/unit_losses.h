/*
 * Messages of units that the log daemon dropped, and whether a journal source would have read them.  A source
 * that names units reads those.  One that selects otherwise reads the units of which it has read an entry: a
 * loss of another one waits until there is such an entry, which follows at once if the source reads that
 * unit, because journald tells the loss when it lets the next message pass.  Bounded; pure, one thread.
 */
#ifndef SA_UNIT_LOSSES_H
#define SA_UNIT_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

#define SA_UNIT_SIZE  256 /* of a unit's name, with its NUL */
#define SA_LOSS_UNITS 64  /* that are remembered; of more the one that came first is forgotten */

struct sa_unit_loss {
    uint64_t lines;
    char unit[SA_UNIT_SIZE]; /* "": not known */
};

enum sa_loss_verdict {
    SA_LOSS_OURS,
    SA_LOSS_PERHAPS, /* the unit is not known, so it can be one that the source reads */
    SA_LOSS_OTHERS,
    SA_LOSS_WAITS /* for an entry of that unit */
};

struct sa_unit_losses {
    enum { SA_UNITS_ALL, SA_UNITS_NAMED, SA_UNITS_LEARNT } which;
    char *const *matches; /* not owned */
    struct sa_known_unit {
        char name[SA_UNIT_SIZE];
        bool read;     /* the source has read an entry of it */
        uint64_t lost; /* lines that wait */
    } units[SA_LOSS_UNITS];
    unsigned n, next, latest; /* next: the one that gives way; latest: the one that was read last */
};

/* matches: of the source, "FIELD=value" or a path, ended by NULL; they have to live as long. */
void sa_unit_losses_init(struct sa_unit_losses *losses, char *const *matches);

enum sa_loss_verdict sa_unit_losses_judge(struct sa_unit_losses *losses, const struct sa_unit_loss *loss);

/* Whether sa_unit_losses_read() has to be told of entries. */
bool sa_unit_losses_learns(const struct sa_unit_losses *losses);

/* An entry of the unit was read.  Returns how many lines had waited for it. */
uint64_t sa_unit_losses_read(struct sa_unit_losses *losses, const char *unit);

/*
 * The unit of "Suppressed 12 messages from UNIT" in the journal's own words: a name, or the path of its
 * control group in old versions.  "" if there is none.
 */
void sa_unit_losses_unit_of(char dst[SA_UNIT_SIZE], const char *message);

#endif
