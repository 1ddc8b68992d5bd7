/*
 * The configuration file to one immutable, validated value, or to errors with file and line; and back to
 * text. Reads files, nothing else; one thread.  Every key is described in table.c.
 */
#ifndef SA_CONFIG_H
#define SA_CONFIG_H

#include "errors.h"
#include "format.h"
#include "rule_def.h"
#include "source_def.h"

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

/* Kept as it was written, too. */
struct sa_facility_def {
    char text[16];
    int number; /* syslog(3)'s */
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

#endif
