/* The pure function behind the rules: what a group remembers, what its windows hold, and what follows. */
#include "check.h"
#include "judge.h"

/* Minor from 20 on, major from 100 on; clear_at is 80 %, so they hold from 16 and from 80 on. */
static struct sa_rule_def
rule(uint32_t for_s, uint32_t clear_for_s)
{
    return (struct sa_rule_def){
        .name = "r",
        .enabled = true,
        .min_total = SA_MIN_TOTAL_UNSET,
        .clear_at_per_mille = 800,
        .for_s = for_s,
        .clear_for_s = clear_for_s,
        .levels = {[1] = {.enabled = true, .count = 20}, [2] = {.enabled = true, .count = 100}}};
}

enum { NONE = -1, MINOR = 1, MAJOR = 2 };

/* One judgement: what was remembered, what is counted now, and what is remembered then. */
struct step {
    const char *name;
    struct sa_standing was;
    uint64_t count;
    bool blind;
    int64_t now_ms;
    enum sa_transition transition;
    enum sa_rule_state state;
    int level; /* of what is remembered */
    int told;  /* of the judgement */
    int64_t minor_below_ms, major_below_ms;
};

static void
check(const struct sa_rule_def *def, const struct step *steps, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct step *s = &steps[i];
        const struct sa_measures measures = {.of = {{s->count, 1000}}, .n = 1, .blind = s->blind};
        struct sa_judgement j = sa_judge(def, &s->was, &measures, s->now_ms);

        CHECK_INT(s->name, j.transition, s->transition);
        CHECK_INT(s->name, j.next.state, s->state);
        CHECK_INT(s->name, j.next.level, s->level);
        CHECK_INT(s->name, j.level, s->told);
        CHECK_INT(s->name, j.next.below_ms[MINOR], s->minor_below_ms);
        CHECK_INT(s->name, j.next.below_ms[MAJOR], s->major_below_ms);
        CHECK_INT(s->name, j.shown.count, s->count);
        CHECK_INT(s->name, j.shown.total, 1000);
    }
}

#define OK_                                                                                                  \
    {                                                                                                        \
        SA_RULE_OK, NONE, 0,                                                                                 \
        {                                                                                                    \
            0                                                                                                \
        }                                                                                                    \
    }
#define PENDING(since)                                                                                       \
    {                                                                                                        \
        SA_RULE_PENDING, NONE, since,                                                                        \
        {                                                                                                    \
            0                                                                                                \
        }                                                                                                    \
    }
#define FIRING(level)                                                                                        \
    {                                                                                                        \
        SA_RULE_FIRING, level, 0,                                                                            \
        {                                                                                                    \
            0                                                                                                \
        }                                                                                                    \
    }
#define CLEARING(level, minor, major)                                                                        \
    {                                                                                                        \
        SA_RULE_CLEARING, level, 0,                                                                          \
        {                                                                                                    \
            minor, minor, major                                                                              \
        }                                                                                                    \
    }

static void
test_without_hold(void **state)
{
    static const struct step steps[] = {
        {"nothing", OK_, 0, false, 5000, 0, SA_RULE_OK, NONE, NONE, 0, 0},
        {"below", OK_, 19, false, 5000, 0, SA_RULE_OK, NONE, NONE, 0, 0},
        {"minor", OK_, 20, false, 5000, SA_RAISED, SA_RULE_FIRING, MINOR, MINOR, 0, 0},
        {"major", OK_, 100, false, 5000, SA_RAISED, SA_RULE_FIRING, MAJOR, MAJOR, 0, 0},
        {"blind and quiet", OK_, 0, true, 5000, 0, SA_RULE_OK, NONE, NONE, 0, 0},
        {"rises", FIRING(MINOR), 100, false, 5000, SA_CHANGED, SA_RULE_FIRING, MAJOR, MAJOR, 0, 0},
        {"holds", FIRING(MINOR), 16, false, 5000, 0, SA_RULE_FIRING, MINOR, MINOR, 0, 0},
        {"falls", FIRING(MINOR), 15, false, 5000, 0, SA_RULE_CLEARING, MINOR, MINOR, 5000, 0},
        {"falls at the first moment of the clock", FIRING(MINOR), 15, false, 0, 0, SA_RULE_CLEARING, MINOR,
         MINOR, 1, 0},
        {"still below", CLEARING(MINOR, 5000, 0), 15, false, 124999, 0, SA_RULE_CLEARING, MINOR, MINOR, 5000,
         0},
        {"back", CLEARING(MINOR, 5000, 0), 16, false, 124999, 0, SA_RULE_FIRING, MINOR, MINOR, 0, 0},
        {"over", CLEARING(MINOR, 5000, 0), 15, false, 125000, SA_CLEARED, SA_RULE_OK, NONE, MINOR, 0, 0},
        {"rises while clearing", CLEARING(MINOR, 5000, 0), 100, false, 6000, SA_CHANGED, SA_RULE_FIRING,
         MAJOR, MAJOR, 0, 0},
        {"blind holds", FIRING(MINOR), 0, true, 5000, 0, SA_RULE_FIRING, MINOR, MINOR, 0, 0},
        {"blind ends the clearing", CLEARING(MINOR, 5000, 0), 0, true, 125000, 0, SA_RULE_FIRING, MINOR,
         MINOR, 0, 0},
        {"blind can rise", FIRING(MINOR), 100, true, 5000, SA_CHANGED, SA_RULE_FIRING, MAJOR, MAJOR, 0, 0},
        {"a clock that went back", CLEARING(MINOR, 500000, 0), 0, false, 5000, 0, SA_RULE_CLEARING, MINOR,
         MINOR, 500000, 0},
    };
    const struct sa_rule_def def = rule(0, 120);

    (void)state;
    check(&def, steps, ROWS(steps));
}

static void
test_two_levels_down(void **state)
{
    static const struct step steps[] = {
        {"major falls, minor holds", FIRING(MAJOR), 79, false, 5000, 0, SA_RULE_CLEARING, MAJOR, MAJOR, 0,
         5000},
        {"both fall", FIRING(MAJOR), 15, false, 5000, 0, SA_RULE_CLEARING, MAJOR, MAJOR, 5000, 5000},
        {"minor falls later", CLEARING(MAJOR, 0, 5000), 15, false, 65000, 0, SA_RULE_CLEARING, MAJOR, MAJOR,
         65000, 5000},
        {"minor is back", CLEARING(MAJOR, 65000, 5000), 16, false, 70000, 0, SA_RULE_CLEARING, MAJOR, MAJOR,
         0, 5000},
        {"major is back", CLEARING(MAJOR, 65000, 5000), 80, false, 70000, 0, SA_RULE_FIRING, MAJOR, MAJOR, 0,
         0},
        {"major is over, minor holds", CLEARING(MAJOR, 0, 5000), 16, false, 125000, SA_CHANGED,
         SA_RULE_FIRING, MINOR, MINOR, 0, 5000},
        {"major is over, minor is not", CLEARING(MAJOR, 65000, 5000), 15, false, 125000, 0, SA_RULE_CLEARING,
         MAJOR, MAJOR, 65000, 5000},
        {"major is over, minor comes back", CLEARING(MAJOR, 65000, 5000), 16, false, 126000, SA_CHANGED,
         SA_RULE_FIRING, MINOR, MINOR, 0, 5000},
        {"wholly over", CLEARING(MAJOR, 65000, 5000), 15, false, 185000, SA_CLEARED, SA_RULE_OK, NONE, MAJOR,
         0, 0},
        {"over at once", CLEARING(MAJOR, 5000, 5000), 0, false, 125000, SA_CLEARED, SA_RULE_OK, NONE, MAJOR,
         0, 0},
    };
    const struct sa_rule_def def = rule(0, 120);

    (void)state;
    check(&def, steps, ROWS(steps));
}

static void
test_no_clear_for(void **state)
{
    static const struct step steps[] = {
        {"down", FIRING(MAJOR), 50, false, 5000, SA_CHANGED, SA_RULE_FIRING, MINOR, MINOR, 0, 5000},
        {"out", FIRING(MAJOR), 0, false, 5000, SA_CLEARED, SA_RULE_OK, NONE, MAJOR, 0, 0},
    };
    const struct sa_rule_def def = rule(0, 0);

    (void)state;
    check(&def, steps, ROWS(steps));
}

static void
test_hold(void **state)
{
    static const struct step steps[] = {
        {"begins", OK_, 20, false, 5000, 0, SA_RULE_PENDING, NONE, NONE, 0, 0},
        {"goes on", PENDING(5000), 100, false, 14999, 0, SA_RULE_PENDING, NONE, NONE, 0, 0},
        {"held", PENDING(5000), 100, false, 15000, SA_RAISED, SA_RULE_FIRING, MAJOR, MAJOR, 0, 0},
        {"lower by then", PENDING(5000), 20, false, 15000, SA_RAISED, SA_RULE_FIRING, MINOR, MINOR, 0, 0},
        {"a gap", PENDING(5000), 19, false, 14999, 0, SA_RULE_OK, NONE, NONE, 0, 0},
        {"no hold to rise", FIRING(MINOR), 100, false, 5000, SA_CHANGED, SA_RULE_FIRING, MAJOR, MAJOR, 0, 0},
    };
    const struct sa_rule_def def = rule(10, 120);

    (void)state;
    check(&def, steps, ROWS(steps));
}

/* The level whose place it is may have left the configuration. */
static void
test_level_disabled(void **state)
{
    static const struct step steps[] = {
        {"minor holds", FIRING(MAJOR), 100, false, 5000, 0, SA_RULE_CLEARING, MAJOR, MAJOR, 0, 5000},
        {"and takes its place", CLEARING(MAJOR, 0, 5000), 100, false, 125000, SA_CHANGED, SA_RULE_FIRING,
         MINOR, MINOR, 0, 5000},
        {"nothing holds", CLEARING(MAJOR, 5000, 5000), 0, false, 125000, SA_CLEARED, SA_RULE_OK, NONE, MAJOR,
         0, 0},
    };
    struct sa_rule_def def = rule(0, 120);

    (void)state;
    def.levels[2].enabled = false;
    check(&def, steps, ROWS(steps));
}

/* Which of several measures is shown: by level, then by count, then by total. */
static void
test_shown(void **state)
{
    static const struct {
        const char *name;
        struct sa_measure of[SA_DIR_COUNT];
        uint64_t count, total;
    } cases[] = {
        {"all empty", {{0, 0}, {0, 0}, {0, 0}}, 0, 0},
        {"a tie of nothing", {{0, 0}, {0, 50}, {0, 40}}, 0, 50},
        {"a tie of nothing, the last", {{0, 0}, {0, 40}, {0, 50}}, 0, 50},
        {"the larger count", {{0, 900}, {7, 40}, {6, 50}}, 7, 40},
        {"a tie of counts", {{0, 900}, {7, 40}, {7, 50}}, 7, 50},
        {"the higher level, of a smaller count", {{0, 0}, {30, 1000}, {25, 50}}, 25, 50},
    };
    struct sa_rule_def def = rule(0, 120);

    (void)state;
    def.levels[1].ratio_per_mille = 500;
    def.min_total = 10;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_measures measures = {.n = SA_DIR_COUNT};
        struct sa_measure shown;

        memcpy(measures.of, cases[i].of, sizeof measures.of);
        shown = sa_judge_shown(&def, &measures);
        CHECK_INT(cases[i].name, shown.count, cases[i].count);
        CHECK_INT(cases[i].name, shown.total, cases[i].total);
    }
}

/*
 * Any course of counts: an alarm ends within one clear_for after its last level fell and not before, it never
 * falls to a level that does not hold, and nothing falls that held within clear_for.
 */
static void
test_any_course(void **state)
{
    const struct sa_rule_def def = rule(0, 10);
    unsigned transitions = 0;

    (void)state;
    srand(5);
    for (unsigned round = 0; round < 500; round++) {
        struct sa_standing standing = sa_standing_ok;
        int64_t held_ms[SA_RULE_LEVELS] = {0}, now_ms = 1000000;

        for (unsigned step = 0; step < 200; step++, now_ms += 1000) {
            uint64_t count = (uint64_t)rand() % (rand() % 4 == 0 ? 130 : 25);
            const struct sa_measures measures = {.of = {{count, 1000}}, .n = 1};
            struct sa_judgement j = sa_judge(&def, &standing, &measures, now_ms);
            int before = standing.level;

            for (int level = MINOR; level <= MAJOR; level++)
                if (count * 1000 >= def.levels[level].count * 800)
                    held_ms[level] = now_ms;
            if (j.transition == SA_CLEARED) {
                for (int level = MINOR; level <= before; level++)
                    assert_true(now_ms - held_ms[level] >= 10000);
            } else if (before >= 0) {
                assert_true(now_ms - held_ms[MINOR] <= 10000);
            }
            if (j.transition == SA_CHANGED && j.level < before) {
                assert_true(count >= 16);
                assert_true(now_ms - held_ms[MAJOR] >= 10000);
            }
            transitions += j.transition != 0;
            standing = j.next;
        }
    }
    assert_true(transitions > 2000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_hold),   cmocka_unit_test(test_two_levels_down),
        cmocka_unit_test(test_no_clear_for),   cmocka_unit_test(test_hold),
        cmocka_unit_test(test_level_disabled), cmocka_unit_test(test_shown),
        cmocka_unit_test(test_any_course),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
