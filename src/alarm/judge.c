#include "judge.h"

const struct sa_standing sa_standing_ok = {.state = SA_RULE_OK, .level = -1};

/* Whether the level's limits, scaled by per_mille/1000, are reached. */
static bool
reaches(const struct sa_rule_level *level, const struct sa_measure *measure, uint64_t per_mille)
{
    if (!level->enabled)
        return false;
    if (level->count != 0 && measure->count * 1000 < level->count * per_mille)
        return false;
    if (level->ratio_per_mille != 0 &&
        (measure->total == 0 ||
         measure->count * 1000000 < level->ratio_per_mille * per_mille * measure->total))
        return false;
    return true;
}

static bool
has_volume(const struct sa_rule_def *rule, const struct sa_rule_level *level,
           const struct sa_measure *measure)
{
    if (rule->min_total != SA_MIN_TOTAL_UNSET)
        return measure->total >= rule->min_total;
    return level->ratio_per_mille == 0 || measure->total >= SA_MIN_TOTAL_DEFAULT;
}

/* The highest level that the measure meets, or -1. */
static int
level_met(const struct sa_rule_def *rule, const struct sa_measure *measure)
{
    int level = SA_RULE_LEVELS - 1;

    while (level >= 0 &&
           !(reaches(&rule->levels[level], measure, 1000) && has_volume(rule, &rule->levels[level], measure)))
        level--;
    return level;
}

/* The highest level met by any measure, or -1. */
static int
highest_met(const struct sa_rule_def *rule, const struct sa_measures *measures, struct sa_measure *ret_shown)
{
    int best = level_met(rule, &measures->of[0]);

    *ret_shown = measures->of[0];
    for (unsigned i = 1; i < measures->n; i++) {
        const struct sa_measure *measure = &measures->of[i];
        int level = level_met(rule, measure);

        if (level > best ||
            (level == best && (measure->count > ret_shown->count ||
                               (measure->count == ret_shown->count && measure->total > ret_shown->total)))) {
            best = level;
            *ret_shown = *measure;
        }
    }
    return best;
}

struct sa_measure
sa_judge_shown(const struct sa_rule_def *rule, const struct sa_measures *measures)
{
    struct sa_measure shown;

    (void)highest_met(rule, measures, &shown);
    return shown;
}

/* The highest level not above `from` that has not fallen below clear_at of its limits, or -1. */
static int
highest_held(const struct sa_rule_def *rule, const struct sa_measures *measures, int from)
{
    for (int level = from; level >= 0; level--)
        for (unsigned i = 0; i < measures->n; i++)
            if (reaches(&rule->levels[level], &measures->of[i], rule->clear_at_per_mille))
                return level;
    return -1;
}

/* A group that is ok or pending: does it fire? */
static void
judge_quiet(const struct sa_rule_def *rule, int met, int64_t now_ms, struct sa_judgement *judgement)
{
    struct sa_standing *next = &judgement->next;

    if (met < 0) {
        next->state = SA_RULE_OK;
        return;
    }
    if (next->state == SA_RULE_OK) {
        next->state = SA_RULE_PENDING;
        next->since_ms = now_ms;
    }
    if (now_ms - next->since_ms < (int64_t)rule->for_s * 1000)
        return;
    *next = (struct sa_standing){.state = SA_RULE_FIRING, .level = met, .since_ms = next->since_ms};
    judgement->transition = SA_RAISED;
    judgement->level = met;
}

/* Notes since when the levels above the one that is held are below their limits. */
static void
note_fallen(struct sa_standing *standing, int held, int64_t now_ms)
{
    for (int level = 0; level <= standing->level; level++) {
        if (level <= held)
            standing->below_ms[level] = 0;
        else if (standing->below_ms[level] == 0)
            standing->below_ms[level] = now_ms != 0 ? now_ms : 1;
    }
}

/* The highest level that is not over, or -1. */
static int
highest_standing(const struct sa_rule_def *rule, const struct sa_standing *standing, int64_t now_ms)
{
    int level = standing->level;

    while (level >= 0 && standing->below_ms[level] != 0 &&
           now_ms - standing->below_ms[level] >= (int64_t)rule->clear_for_s * 1000)
        level--;
    return level;
}

/* A group that is firing or clearing: does it rise, hold, fall or end? */
static void
judge_firing(const struct sa_rule_def *rule, int met, int held, int64_t now_ms,
             struct sa_judgement *judgement)
{
    struct sa_standing *next = &judgement->next;
    int standing;

    judgement->level = next->level;
    if (met > next->level) {
        *next = (struct sa_standing){.state = SA_RULE_FIRING, .level = met};
        judgement->transition = SA_CHANGED;
        judgement->level = met;
        return;
    }
    note_fallen(next, held, now_ms);
    standing = highest_standing(rule, next, now_ms);
    if (standing < 0) {
        *next = sa_standing_ok;
        judgement->transition = SA_CLEARED;
        return;
    }
    if (standing < next->level && next->below_ms[standing] == 0) {
        next->level = judgement->level = standing;
        judgement->transition = SA_CHANGED;
    }
    next->state = next->below_ms[next->level] == 0 ? SA_RULE_FIRING : SA_RULE_CLEARING;
}

struct sa_judgement
sa_judge(const struct sa_rule_def *rule, const struct sa_standing *was, const struct sa_measures *measures,
         int64_t now_ms)
{
    struct sa_judgement judgement = {.next = *was, .level = -1};
    int met = highest_met(rule, measures, &judgement.shown);

    if (was->state < SA_RULE_FIRING)
        judge_quiet(rule, met, now_ms, &judgement);
    else
        judge_firing(rule, met, measures->blind ? was->level : highest_held(rule, measures, was->level),
                     now_ms, &judgement);
    return judgement;
}
