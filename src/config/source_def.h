/*
 * A source as the configuration describes it.
 */
#ifndef SA_SOURCE_DEF_H
#define SA_SOURCE_DEF_H

#include "network.h"
#include "types.h"

/* Kept as it was written, too. */
struct sa_timezone_def {
    char text[16]; /* "local", "utc" or "+02:00" */
    bool fixed;    /* it is not the process' zone */
    int64_t ms;    /* east of Greenwich */
};

struct sa_source_def {
    char name[SA_NAME_SIZE];
    enum sa_source_kind_number kind;
    char **files; /* globs; lists of strings end with NULL */
    char **journal, **syslog;
    char *fifo;
    bool standard_input;
    char **watch;   /* files where log daemons say what they lost of this source */
    char **formats; /* preset names, "auto", names of format sections */
    bool start_at_end;
    size_t line_limit;
    enum sa_count_of count_of;
    struct sa_timezone_def timezone; /* of stamps that name none */
    char *olddir;                    /* where rotated files go; "": beside the log */
    uint32_t rotate_wait_s, backfill_max_age_s;
    size_t backfill_max_bytes;
    unsigned max_connections; /* of a syslog source: TCP places of each address */
    struct sa_network *allow; /* of a syslog source: senders that are heard; none: everybody */
    unsigned n_allow;
};

/*
 * What the key of its kind says of a source: patterns of files, matches, addresses, a path.  They stay the
 * configuration's.  Returns how many there are; 0 for a kind that needs none.
 */
size_t sa_config_locations(const struct sa_source_def *source, char *const **ret_items);

#endif
