/*
 * One group's counts to a verdict: hysteresis, hold, rise and fall.  A pure function of the rule, what the
 * group remembers, what its windows hold, and the time; it keeps nothing.
 *
 *   ok -> pending   a level's conditions hold, `for` has not passed yet
 *      -> firing    they held for `for`: raised; a higher level later: changed
 *      -> clearing  below clear_at of the level's limits
 *      -> ok        every level for clear_for: cleared
 *
 * A level is over once it, and every level above it, was below clear_at of its limits for clear_for.  When
 * the level of the alarm is over, a lower one that holds takes its place (changed).  One that does not hold
 * but is not over either is waited for: so what is wholly over is cleared once, by one clear_for after the
 * last level fell, and never goes down the levels one by one.
 */
#ifndef SA_JUDGE_H
#define SA_JUDGE_H

#include "alarm.h"
#include "rule_def.h"

enum sa_rule_state { SA_RULE_OK = 1, SA_RULE_PENDING = 2, SA_RULE_FIRING = 3, SA_RULE_CLEARING = 4 };

/* What a group remembers between two judgements.  Times are monotonic milliseconds. */
struct sa_standing {
    enum sa_rule_state state;
    int level;                        /* of the alarm: index into the rule's levels; -1: none */
    int64_t since_ms;                 /* pending: since when a level's conditions hold */
    int64_t below_ms[SA_RULE_LEVELS]; /* since when this level and those above do not hold; 0: it holds */
};

extern const struct sa_standing sa_standing_ok;

/* One way to look at the windows: a direction by itself, or all together. */
struct sa_measure {
    uint64_t count; /* matching responses */
    uint64_t total; /* base of the ratio */
};

struct sa_measures {
    struct sa_measure of[SA_DIR_COUNT];
    unsigned n; /* at least 1 */
    bool blind; /* the source cannot be read: no data never lets an alarm fall */
};

struct sa_judgement {
    struct sa_standing next;
    enum sa_transition transition; /* SA_RAISED, SA_CHANGED, SA_CLEARED; 0: none */
    int level;                     /* of the alarm; of the level that was left on SA_CLEARED; -1: no alarm */
    struct sa_measure shown;       /* the measure that shows it best */
};

struct sa_judgement sa_judge(const struct sa_rule_def *rule, const struct sa_standing *was,
                             const struct sa_measures *measures, int64_t now_ms);

/* Of all measures the one that meets the highest level; of these the larger count, then the larger total. */
struct sa_measure sa_judge_shown(const struct sa_rule_def *rule, const struct sa_measures *measures);

#endif
