/*
 * A rule as the operator wrote it, validated.  The configuration makes it, the rule engine runs it.
 */
#ifndef SA_RULE_DEF_H
#define SA_RULE_DEF_H

#include "code_set.h"
#include "types.h"

#define SA_RULE_LEVELS  4  /* warning, minor, major, critical */
#define SA_RULE_METHODS 16 /* methods or sources a rule can name */
#define SA_WINDOW_MAX_S 3600

/* min_total when the operator gave none: a ratio needs a base to mean something, a plain count does not. */
#define SA_MIN_TOTAL_UNSET   UINT32_MAX
#define SA_MIN_TOTAL_DEFAULT 100

/* Which responses a rule's direction takes; ANY judges each direction by itself and takes the worst. */
enum sa_rule_direction { SA_RULE_ANY, SA_RULE_RECEIVED, SA_RULE_SENT, SA_RULE_BOTH };

enum sa_ratio_of { SA_RATIO_FINAL, SA_RATIO_ALL };

/* All conditions that are set must hold; 0 means not set.  At least one is. */
struct sa_rule_level {
    bool enabled;
    uint32_t count;
    uint32_t ratio_per_mille;
};

/* What a rule is judged for, each combination that is seen by itself. */
enum { SA_BY_SOURCE = 1, SA_BY_PEER = 2, SA_BY_METHOD = 4, SA_BY_CODE = 8 };

#define SA_MAX_GROUPS_DEFAULT 1000

struct sa_rule_def {
    char name[SA_NAME_SIZE];
    bool enabled;
    unsigned by;         /* SA_BY_ bits; 0: SA_BY_SOURCE */
    uint32_t max_groups; /* of a rule by more than source; 0: SA_MAX_GROUPS_DEFAULT */
    struct sa_code_set codes;
    char codes_text[128]; /* as written, for showing */
    char methods[SA_RULE_METHODS][SA_METHOD_SIZE];
    unsigned n_methods; /* 0: all */
    char sources[SA_RULE_METHODS][SA_NAME_SIZE];
    unsigned n_sources; /* 0: all */
    enum sa_rule_direction direction;
    enum sa_ratio_of ratio_of;
    enum sa_count_of count_of;
    uint32_t window_s;
    uint32_t min_total; /* responses in the window below which no level is met, or SA_MIN_TOTAL_UNSET */
    struct sa_rule_level levels[SA_RULE_LEVELS]; /* ascending gravity, see sa_severity_of_level() */
    uint32_t for_s;
    uint32_t clear_at_per_mille;
    uint32_t clear_for_s;
    char remediation[SA_LONG_SIZE]; /* "": the catalog's */
};

static inline unsigned
sa_rule_by(const struct sa_rule_def *rule)
{
    return rule->by == 0 ? SA_BY_SOURCE : rule->by;
}

static inline enum sa_severity
sa_severity_of_level(unsigned level)
{
    static const enum sa_severity severities[SA_RULE_LEVELS] = {SA_SEV_WARNING, SA_SEV_MINOR, SA_SEV_MAJOR,
                                                                SA_SEV_CRITICAL};
    return level < SA_RULE_LEVELS ? severities[level] : SA_SEV_INDETERMINATE;
}

#endif
