/*
 * Limits to verdicts: each rule is judged for each of its groups (by source, or by what the rule says), as a
 * small state machine with hysteresis (judge.h).  Time is given by the caller (monotonic milliseconds); pure,
 * one thread.  Memory grows with the groups that are seen, up to each rule's max_groups (groups.h).
 *
 * A group whose source is blind stays where it is: no data never clears an alarm.
 */
#ifndef SA_RULES_H
#define SA_RULES_H

#include "alarm.h"
#include "group_name.h"
#include "judge.h"
#include "rule_def.h"

/* What an evaluation found for one group. */
struct sa_verdict {
    const struct sa_rule_def *rule;
    struct sa_group_name group;    /* which of the rule's groups */
    enum sa_transition transition; /* 0: nothing changed but the numbers of a firing group */
    enum sa_severity severity;     /* of the level; of the level that was left, on SA_CLEARED */
    uint32_t count;                /* matching responses in the window */
    uint32_t total;                /* base of the ratio */
    uint32_t value, threshold;     /* in unit */
    enum sa_unit unit;
    uint16_t codes[SA_GROUP_CODES]; /* seen in the window, most frequent first */
    unsigned n_codes;               /* 0: the window is empty */
    bool rule_gone;                 /* cleared because the rule left the configuration */
    const char *evidence;           /* Call-ID of the latest matching response, "" if not known */
};

typedef void (*sa_verdict_fn)(void *arg, const struct sa_verdict *verdict);

struct sa_rules;

/* defs and names stay valid for the life of the object.  NULL: out of memory. */
struct sa_rules *sa_rules_new(const struct sa_rule_def *defs, unsigned n_defs, const char *const *sources,
                              unsigned n_sources);
struct sa_rules *sa_rules_free(struct sa_rules *rules);

/* The most groups that there can be, those that are there, and responses that found no room in one of their
 * own. */
unsigned sa_rules_room(const struct sa_rules *rules);
unsigned sa_rules_groups(const struct sa_rules *rules);
uint64_t sa_rules_unfitted(const struct sa_rules *rules);

/* Counts a response of a source.  Returns whether it can have crossed a limit: then evaluate soon. */
bool sa_rules_count(struct sa_rules *rules, unsigned source, const struct sa_response *response,
                    int64_t now_ms);

/* Whether any rule of the source wants to know of responses that were seen before. */
bool sa_rules_count_transactions(const struct sa_rules *rules, unsigned source);

/*
 * After a change of the rules: fresh, made for the same sources, takes over groups from old where rule and
 * source have the same names and the rule still counts the same responses over the same window by the same
 * things; its limits may be others.  A firing group that has no successor is reported as cleared.  old can
 * only be freed afterwards.
 */
void sa_rules_adopt(struct sa_rules *fresh, struct sa_rules *old, int64_t now_ms, sa_verdict_fn fn,
                    void *arg);

/* Whether the alarm of a group is up. */
bool sa_rules_is_up(const struct sa_rules *rules, const struct sa_group_name *group);

/* A blind source cannot clear: its log is missing or unreadable. */
void sa_rules_set_blind(struct sa_rules *rules, unsigned source, bool blind);

/*
 * Judges the groups that got matching responses since the last time and all groups that are not ok.
 * Returns whether some group is not ok, that is, whether evaluation has to be repeated within a second.
 */
bool sa_rules_evaluate(struct sa_rules *rules, int64_t now_ms, sa_verdict_fn fn, void *arg);

#endif
