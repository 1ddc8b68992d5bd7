/*
 * Limits to verdicts: each rule runs once per source (its group) as a small state machine with hysteresis.
 * Time is given by the caller (monotonic milliseconds); pure, one thread; memory is sized when it is made.
 * How a group is judged stands in judge.h.
 *
 * A group whose source is blind stays where it is: no data never clears an alarm.
 */
#ifndef SA_RULES_H
#define SA_RULES_H

#include "alarm.h"
#include "judge.h"
#include "rule_def.h"

/* What an evaluation found for one group. */
struct sa_verdict {
    unsigned group; /* stable number of the rule and source */
    const struct sa_rule_def *rule;
    const char *source;
    enum sa_transition transition; /* 0: nothing changed but the numbers of a firing group */
    enum sa_severity severity;     /* of the level; of the level that was left, on SA_CLEARED */
    uint32_t count;                /* matching responses in the window */
    uint32_t total;                /* base of the ratio */
    uint32_t value, threshold;     /* in unit */
    enum sa_unit unit;
    uint16_t codes[8]; /* seen in the window, most frequent first */
    unsigned n_codes;
    bool rule_gone;       /* cleared because the rule left the configuration */
    const char *evidence; /* Call-ID of the latest matching response, "" if not known */
};

typedef void (*sa_verdict_fn)(void *arg, const struct sa_verdict *verdict);

struct sa_rules;

/* defs and names stay valid for the life of the object.  NULL: out of memory. */
struct sa_rules *sa_rules_new(const struct sa_rule_def *defs, unsigned n_defs, const char *const *sources,
                              unsigned n_sources);
struct sa_rules *sa_rules_free(struct sa_rules *rules);

/* Number of groups; verdicts have group numbers below it. */
unsigned sa_rules_groups(const struct sa_rules *rules);

/* Counts a response of a source.  Returns whether it can have crossed a limit: then evaluate soon. */
bool sa_rules_count(struct sa_rules *rules, unsigned source, const struct sa_response *response,
                    int64_t now_ms);

#define SA_NO_GROUP   UINT32_MAX
#define SA_RULE_CODES 8 /* codes of a group that are told apart; all count, the frequent ones are named */

/* Whether any rule of the source wants to know of responses that were seen before. */
bool sa_rules_count_transactions(const struct sa_rules *rules, unsigned source);

/*
 * After a change of the rules: fresh takes over windows and states from old, group by group, where rule and
 * source have the same names and the rule still counts the same responses over the same window; its limits
 * may be others.  map gets, for each group of old, its number in fresh, or SA_NO_GROUP.  A firing group that
 * has no successor is reported as cleared.  old can only be freed afterwards.
 */
void sa_rules_adopt(struct sa_rules *fresh, struct sa_rules *old, uint32_t *map, int64_t now_ms,
                    sa_verdict_fn fn, void *arg);

/* What a group has to remember over a restart.  Times are monotonic; the pointers are valid during the call.
 */
struct sa_rule_memory {
    const char *rule, *source;
    int64_t counted; /* fingerprint of what the rule counts */
    struct sa_standing standing;
    const char *evidence;
    const uint8_t *windows;
    size_t windows_len;
};

/* Calls fn for each group that changed since the last call, or for all. */
void sa_rules_keep(struct sa_rules *rules, bool all,
                   void (*fn)(void *arg, const struct sa_rule_memory *memory), void *arg);

/*
 * Gives a group its memory back; shift_s is added to its times, for a clock that started anew, and then the
 * group counts as changed.  Returns the group, or SA_NO_GROUP if its rule is gone or counts other responses
 * now.
 */
uint32_t sa_rules_recall(struct sa_rules *rules, const struct sa_rule_memory *memory, int64_t shift_s);

/* Whether the windows of a memory are such as sa_rules_keep() hands out, and nothing in it is of a time after
 * latest_ms. */
bool sa_rule_memory_is_sound(const struct sa_rule_memory *memory, int64_t latest_ms);

/* The group of a rule and a source if its alarm is up, or SA_NO_GROUP. */
uint32_t sa_rules_firing(const struct sa_rules *rules, const char *rule, const char *source);

/* A blind source cannot clear: its log is missing or unreadable. */
void sa_rules_set_blind(struct sa_rules *rules, unsigned source, bool blind);

/*
 * Judges the groups that got matching responses since the last time and all groups that are not ok.
 * Returns whether some group is not ok, that is, whether evaluation has to be repeated within a second.
 */
bool sa_rules_evaluate(struct sa_rules *rules, int64_t now_ms, sa_verdict_fn fn, void *arg);

#endif
