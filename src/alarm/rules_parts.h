/* What rules.c and rules_rows.c share of the rules; for nobody else. */
#ifndef SA_RULES_PARTS_H
#define SA_RULES_PARTS_H

#include "groups.h"
#include "rules.h"

/* A rule that applies to a source. */
struct sa_rules_line {
    struct sa_groups *groups;
    struct sa_group *only; /* of a rule by source alone: its group, or NULL if nothing was counted so far */
};

/* A group that was reclaimed while the store has a row of it. */
struct sa_rules_gone {
    struct sa_group_key key;
    char rule[SA_NAME_SIZE], source[SA_NAME_SIZE];
};

#define SA_RULES_GONE 1024 /* of these; with more, everything is saved anew */

struct sa_rules {
    struct sa_groups *groups; /* one for each rule, in their order */
    unsigned n_rules;
    const char *const *sources;
    unsigned n_sources;
    struct sa_rules_line *lines; /* sorted by source, then by rule */
    unsigned *first;             /* n_sources + 1 entries: the lines of a source */
    bool *blind;                 /* n_sources */
    struct sa_group *hot;        /* what is to be judged */
    int64_t swept_s;
    struct sa_rules_gone *gone; /* SA_RULES_GONE; NULL: none yet */
    unsigned n_gone;
    bool rewrite; /* the store has rows that nobody knows: it is to forget all */
};

/* The line of a rule and a source; NULL: it does not apply to it. */
struct sa_rules_line *sa_rules_line(const struct sa_rules *rules, const struct sa_groups *groups,
                                    unsigned source);

/* The group is judged at the next evaluation. */
void sa_rules_heat(struct sa_rules *rules, struct sa_group *group);

#endif
