/*
 * The configuration file to one immutable, validated value, or to errors with file and line; and back to
 * text. Reads files, nothing else; one thread.  Every key is described in table.c.
 */
#ifndef SA_CONFIG_H
#define SA_CONFIG_H

#include "errors.h"
#include "format.h"
#include "network.h"
#include "rule_def.h"

#include <stdio.h>

#define SA_CONFIG_PATH       "/etc/sipalert/sipalertd.conf"
#define SA_CONFIG_CONTROL    "/run/sipalert/control.sock"
#define SA_CONFIG_SOURCES    256 /* limits: more is an error of the configuration */
#define SA_CONFIG_RULES      256
#define SA_CONFIG_NOTIFIES   15
#define SA_CONFIG_ALLOW      64
#define SA_CONFIG_LINE_LIMIT 65536
#define SA_CONFIG_MASK       "********" /* printed instead of a community */

enum sa_log_to { SA_LOG_TO_AUTO, SA_LOG_TO_STDERR, SA_LOG_TO_SYSLOG };

/* Values that are kept as they were written, too. */
struct sa_timezone_def {
    char text[16]; /* "local", "utc" or "+02:00" */
    bool fixed;    /* it is not the process' zone */
    int64_t ms;    /* east of Greenwich */
};

struct sa_facility_def {
    char text[16];
    int number; /* syslog(3)'s */
};

struct sa_source_def {
    char name[SA_NAME_SIZE];
    enum sa_source_kind kind;
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

enum sa_snmp_mode { SA_SNMP_AGENTX, SA_SNMP_STANDALONE, SA_SNMP_OFF };

struct sa_snmp_def {
    enum sa_snmp_mode mode;
    bool notify_master;
    char *master; /* net-snmp address of the AgentX master */
    char **listen;
    char *access; /* file of net-snmp directives; NULL: none */
};

/* A receiver of our own, beside those of the master agent. */
struct sa_notify_def {
    char name[SA_NAME_SIZE];
    char *address;
    char *community;
    char *community_file; /* whose first line it is; NULL: it stands in the configuration */
    bool inform;
};

struct sa_syslog_def {
    bool enabled;
    struct sa_facility_def facility;
};

struct sa_config {
    char *path;
    char node[SA_NODE_SIZE];
    bool node_cut; /* it is the host name, which is too long: its start and a hash */
    char *state_dir, *control;
    enum sa_log_to log;
    char *language;
    int log_level; /* of syslog(3): the least grave that is written */
    struct sa_source_def *sources;
    struct sa_format_def *formats;
    struct sa_rule_def *rules;
    struct sa_notify_def *notifies;
    unsigned n_sources, n_formats, n_rules, n_notifies;
    struct sa_snmp_def snmp;
    struct sa_syslog_def syslog;
};

/* Returns 0, or -EINVAL with the errors filled (also for a file that cannot be read).  What is in force and
 * should not be so is among the errors' warnings in any case. */
int sa_config_load(const char *path, struct sa_config **ret_config, struct sa_config_errors *errors);
struct sa_config *sa_config_free(struct sa_config *config);

/* The effective configuration in its own syntax, without communities; loading it gives the same configuration
 * but for these. */
void sa_config_print(const struct sa_config *config, FILE *out);

/* Whether the two differ in nothing but their rules. */
bool sa_config_differs_in_rules_only(const struct sa_config *a, const struct sa_config *b);

/* Compiles the formats that a source names.  NULL with a message if that cannot be done. */
struct sa_format *sa_config_format(const struct sa_config *config, char *const *names,
                                   char error[SA_PATTERN_ERROR_SIZE]);

/*
 * What the key of its kind says of a source: patterns of files, matches, addresses, a path.  They stay the
 * configuration's.  Returns how many there are; 0 for a kind that needs none.
 */
size_t sa_config_locations(const struct sa_source_def *source, char *const **ret_items);

#endif
