/* Limits to verdicts, with a clock of our own. */
#include "check.h"
#include "rules.h"
#include "rules_rows.h"

#include <errno.h>
#include <stdbool.h>

struct event {
    int64_t ms;
    enum sa_transition transition;
    enum sa_severity severity;
    uint32_t count, total, value, threshold;
    enum sa_unit unit;
    uint16_t codes[8];
    unsigned n_codes;
    char evidence[SA_CALLID_SIZE];
    char rule[SA_NAME_SIZE], source[SA_NAME_SIZE], peer[SA_PEER_SIZE], method[SA_METHOD_SIZE];
    uint16_t code;
    bool overflow;
};

static struct {
    struct sa_rules *rules;
    int64_t ms;
    struct event events[4096];
    unsigned n;
    bool again;
} t;

static void
put_name(struct event *e, const struct sa_group_name *name)
{
    snprintf(e->rule, sizeof e->rule, "%s", name->rule);
    snprintf(e->source, sizeof e->source, "%s", name->source);
    snprintf(e->peer, sizeof e->peer, "%s", name->peer);
    snprintf(e->method, sizeof e->method, "%s", name->method);
    e->code = name->code;
    e->overflow = name->overflow;
}

static void
on_verdict(void *arg, const struct sa_verdict *v)
{
    struct event *e = &t.events[t.n];

    assert_ptr_equal(arg, &t);
    assert_non_null(v->rule);
    assert_string_equal(v->group.rule, v->rule->name);
    assert_non_null(v->evidence);
    assert_true(v->n_codes <= 8);
    if (v->transition == 0)
        return;
    assert_true(t.n < ROWS(t.events));
    *e = (struct event){.ms = t.ms,
                        .transition = v->transition,
                        .severity = v->severity,
                        .count = v->count,
                        .total = v->total,
                        .value = v->value,
                        .threshold = v->threshold,
                        .unit = v->unit,
                        .n_codes = v->n_codes};
    memcpy(e->codes, v->codes, sizeof e->codes);
    snprintf(e->evidence, sizeof e->evidence, "%s", v->evidence);
    put_name(e, &v->group);
    t.n++;
}

static const char *const one_source[] = {"edge"};

/* 5 responses of class 3 in 10 s, whatever the direction. */
static struct sa_rule_def
rule(uint32_t minor, uint32_t window_s)
{
    struct sa_rule_def def = {
        .name = "redirects",
        .enabled = true,
        .direction = SA_RULE_BOTH,
        .ratio_of = SA_RATIO_FINAL,
        .window_s = window_s,
        .min_total = SA_MIN_TOTAL_UNSET,
        .clear_at_per_mille = 800,
        .clear_for_s = 20,
    };

    sa_code_set_add_range(&def.codes, 300, 399, true);
    if (minor != 0) {
        def.levels[1].enabled = true;
        def.levels[1].count = minor;
    }
    return def;
}

static void
start(const struct sa_rule_def *defs, unsigned n)
{
    memset(&t, 0, sizeof t);
    t.ms = 1000000;
    t.rules = sa_rules_new(defs, n, one_source, 1);
    assert_non_null(t.rules);
}

static void
stop(void)
{
    assert_null(sa_rules_free(t.rules));
}

static bool
count(unsigned code, enum sa_direction direction, uint32_t n)
{
    struct sa_response r = {.code = (uint16_t)code, .direction = direction, .repeat = n, .method = "INVITE"};

    snprintf(r.call_id, sizeof r.call_id, "%u@h", code);
    return sa_rules_count(t.rules, 0, &r, t.ms);
}

static void
judge(void)
{
    t.again = sa_rules_evaluate(t.rules, t.ms, on_verdict, &t);
}

/* n responses of 302 now, judged; then a second passes. */
static void
second(uint32_t n)
{
    if (n > 0)
        (void)count(302, SA_DIR_RECEIVED, n);
    judge();
    t.ms += 1000;
}

static void
seconds(unsigned how_many, uint32_t n)
{
    while (how_many-- > 0)
        second(n);
}

static void
expect(unsigned i, enum sa_transition transition, enum sa_severity severity)
{
    char name[32];

    snprintf(name, sizeof name, "event %u", i);
    CHECK_INT(name, i < t.n, true);
    CHECK_INT(name, t.events[i].transition, transition);
    CHECK_INT(name, t.events[i].severity, severity);
}

static void
test_ratio(void **state)
{
    static const struct {
        const char *name;
        uint32_t min_total, ratio, count;
        enum sa_ratio_of of;
        unsigned n302, n200, n100;
        bool raised;
    } cases[] = {
        {"at the limit", 100, 100, 0, SA_RATIO_FINAL, 10, 90, 0, true},
        {"below", 100, 100, 0, SA_RATIO_FINAL, 9, 91, 0, false},
        {"base too small", 100, 100, 0, SA_RATIO_FINAL, 50, 49, 0, false},
        {"base just enough", 100, 100, 0, SA_RATIO_FINAL, 50, 50, 0, true},
        {"default base too small", SA_MIN_TOTAL_UNSET, 100, 0, SA_RATIO_FINAL, 50, 49, 0, false},
        {"default base", SA_MIN_TOTAL_UNSET, 100, 0, SA_RATIO_FINAL, 50, 50, 0, true},
        {"no base asked", 0, 100, 0, SA_RATIO_FINAL, 1, 9, 0, true},
        {"provisional is no base", 100, 100, 0, SA_RATIO_FINAL, 10, 90, 1000, true},
        {"provisional does not fill the base", 100, 100, 0, SA_RATIO_FINAL, 10, 89, 1000, false},
        {"all", 100, 100, 0, SA_RATIO_ALL, 10, 40, 50, true},
        {"all, below", 100, 100, 0, SA_RATIO_ALL, 10, 90, 1, false},
        {"both conditions", 100, 100, 10, SA_RATIO_FINAL, 10, 90, 0, true},
        {"count fails", 100, 100, 11, SA_RATIO_FINAL, 10, 90, 0, false},
        {"ratio fails", 100, 101, 10, SA_RATIO_FINAL, 10, 90, 0, false},
        {"everything", 100, 1000, 0, SA_RATIO_FINAL, 100, 0, 0, true},
        {"count with a base", 100, 0, 10, SA_RATIO_FINAL, 10, 89, 0, false},
        {"count with a base, met", 100, 0, 10, SA_RATIO_FINAL, 10, 90, 0, true},
        {"count needs no base", SA_MIN_TOTAL_UNSET, 0, 10, SA_RATIO_FINAL, 10, 0, 0, true},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_rule_def def = rule(0, 60);

        def.min_total = cases[i].min_total;
        def.ratio_of = cases[i].of;
        def.levels[1] = (struct sa_rule_level){
            .enabled = true, .count = cases[i].count, .ratio_per_mille = cases[i].ratio};
        start(&def, 1);
        if (cases[i].n200 > 0)
            (void)count(200, SA_DIR_RECEIVED, cases[i].n200);
        if (cases[i].n100 > 0)
            (void)count(100, SA_DIR_RECEIVED, cases[i].n100);
        (void)count(302, SA_DIR_RECEIVED, cases[i].n302);
        judge();
        CHECK_INT(cases[i].name, t.n, cases[i].raised);
        if (cases[i].raised && cases[i].ratio != 0) {
            unsigned total =
                cases[i].n302 + cases[i].n200 + (cases[i].of == SA_RATIO_ALL ? cases[i].n100 : 0);

            CHECK_INT(cases[i].name, t.events[0].unit, SA_UNIT_PER_MILLE);
            CHECK_INT(cases[i].name, t.events[0].threshold, cases[i].ratio);
            CHECK_INT(cases[i].name, t.events[0].value, cases[i].n302 * 1000 / total);
            CHECK_INT(cases[i].name, t.events[0].total, total);
            CHECK_INT(cases[i].name, t.events[0].count, cases[i].n302);
        }
        stop();
    }
}

static void
test_directions(void **state)
{
    static const struct {
        const char *name;
        enum sa_rule_direction direction;
        unsigned received, sent, unknown;
        bool raised;
        unsigned value;
    } cases[] = {
        {"received: enough", SA_RULE_RECEIVED, 5, 0, 0, true, 5},
        {"received: sent is not", SA_RULE_RECEIVED, 4, 100, 0, false, 0},
        {"sent: enough", SA_RULE_SENT, 100, 5, 0, true, 5},
        {"sent: received is not", SA_RULE_SENT, 100, 4, 0, false, 0},
        {"both: sums", SA_RULE_BOTH, 2, 3, 0, true, 5},
        {"both: not enough", SA_RULE_BOTH, 2, 2, 0, false, 0},
        {"any: each by itself", SA_RULE_ANY, 4, 4, 0, false, 0},
        {"any: received", SA_RULE_ANY, 5, 4, 0, true, 5},
        {"any: sent", SA_RULE_ANY, 4, 6, 0, true, 6},
        {"any: the larger", SA_RULE_ANY, 7, 6, 0, true, 7},
        {"any: the log does not tell", SA_RULE_ANY, 0, 0, 5, true, 5},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_rule_def def = rule(5, 10);

        def.direction = cases[i].direction;
        start(&def, 1);
        if (cases[i].received > 0)
            (void)count(302, SA_DIR_RECEIVED, cases[i].received);
        if (cases[i].sent > 0)
            (void)count(302, SA_DIR_SENT, cases[i].sent);
        if (cases[i].unknown > 0)
            (void)count(302, SA_DIR_UNKNOWN, cases[i].unknown);
        judge();
        CHECK_INT(cases[i].name, t.n, cases[i].raised);
        if (cases[i].raised)
            CHECK_INT(cases[i].name, t.events[0].value, cases[i].value);
        stop();
    }
}

/* A relayed response is logged twice and must not make a ratio of its own. */
/* When no direction has a match any more, the one with the traffic is shown. */
static void
test_tie_shows_traffic(void **state)
{
    struct sa_rule_def def = rule(5, 10);

    (void)state;
    def.direction = SA_RULE_ANY;
    start(&def, 1);
    second(5);
    for (unsigned i = 0; i < 60 && t.n < 2; i++) {
        (void)count(200, SA_DIR_SENT, 7);
        second(0);
    }
    assert_int_equal(t.n, 2);
    expect(1, SA_CLEARED, SA_SEV_MINOR);
    assert_int_equal(t.events[1].count, 0);
    assert_int_equal(t.events[1].total, 70);
    stop();
}

/* However the traffic goes: raise, changes, clear, in this order, and everything clears in the end. */
static void
test_random_traffic(void **state)
{
    enum { RULES = 4, SOURCES = 2 };
    static const char *const sources[SOURCES] = {"edge", "core"};

    (void)state;
    srand(41);
    for (unsigned round = 0; round < 60; round++) {
        struct sa_rule_def defs[RULES];
        enum sa_severity active[RULES * SOURCES] = {0};
        bool blind[SOURCES] = {false};
        unsigned seen = 0;

        for (unsigned i = 0; i < RULES; i++) {
            defs[i] = rule(1 + (unsigned)rand() % 20, 1 + (unsigned)rand() % 20);
            snprintf(defs[i].name, sizeof defs[i].name, "%u", i);
            defs[i].direction = (enum sa_rule_direction)(rand() % 4);
            defs[i].for_s = (unsigned)rand() % 4;
            defs[i].clear_for_s = (unsigned)rand() % 10;
            defs[i].clear_at_per_mille = 100 + (unsigned)rand() % 900;
            defs[i].levels[2] = (struct sa_rule_level){
                .enabled = rand() % 2, .count = defs[i].levels[1].count + (unsigned)rand() % 20};
            if (rand() % 3 == 0)
                defs[i].levels[1].ratio_per_mille = 1 + (unsigned)rand() % 999;
        }
        memset(&t, 0, sizeof t);
        t.ms = 777;
        t.rules = sa_rules_new(defs, RULES, sources, SOURCES);
        assert_non_null(t.rules);
        for (unsigned step = 0; step < 600; step++) {
            bool quiet = step > 400;

            for (unsigned n = quiet ? 0 : (unsigned)rand() % 12; n > 0; n--) {
                struct sa_response r = {.code = (uint16_t)(rand() % 2 ? 302 : 200),
                                        .repeat = 1 + (unsigned)rand() % 3,
                                        .direction = (enum sa_direction)(rand() % 3)};

                (void)sa_rules_count(t.rules, (unsigned)rand() % SOURCES, &r, t.ms);
            }
            if (rand() % 50 == 0 || step == 401) {
                unsigned s = (unsigned)rand() % SOURCES;

                blind[s] = !quiet && !blind[s];
                sa_rules_set_blind(t.rules, s, blind[s]);
            }
            if (step == 401)
                for (unsigned s = 0; s < SOURCES; s++) {
                    blind[s] = false;
                    sa_rules_set_blind(t.rules, s, false);
                }
            judge();
            for (; seen < t.n; seen++) {
                const struct event *e = &t.events[seen];
                enum sa_severity *up = &active[atoi(e->rule) * SOURCES + (strcmp(e->source, "core") == 0)];

                switch (e->transition) {
                case SA_RAISED:
                    assert_int_equal(*up, 0);
                    *up = e->severity;
                    break;
                case SA_CHANGED:
                    assert_int_not_equal(*up, 0);
                    assert_int_not_equal(*up, e->severity);
                    *up = e->severity;
                    break;
                default:
                    assert_int_equal(e->transition, SA_CLEARED);
                    assert_int_equal(*up, e->severity);
                    assert_false(blind[strcmp(e->source, "core") == 0]);
                    *up = 0;
                }
            }
            t.ms += 100 + rand() % 1000;
        }
        assert_false(t.again);
        for (unsigned i = 0; i < ROWS(active); i++)
            assert_int_equal(active[i], 0);
        stop();
    }
}

/* Time that goes back, or jumps far, changes nothing but the time. */
static void
test_odd_clock(void **state)
{
    struct sa_rule_def def = rule(5, 10);

    (void)state;
    start(&def, 1);
    second(4);
    t.ms -= 500000;
    second(0);
    assert_int_equal(t.n, 0);
    t.ms += INT64_C(4000000000);
    second(5);
    assert_int_equal(t.n, 1);
    expect(0, SA_RAISED, SA_SEV_MINOR);
    t.ms += INT64_C(4000000000);
    second(0); /* long unseen: from now on it has to be quiet for clear_for */
    seconds(25, 0);
    assert_int_equal(t.n, 2);
    stop();
}

/* What is wholly over is cleared once, by one clear_for after the last level fell. */
static void
test_wholly_over_clears_once(void **state)
{
    struct sa_rule_def def = rule(5, 2);

    (void)state;
    def.clear_for_s = 4;
    def.levels[2] = (struct sa_rule_level){.enabled = true, .count = 50};
    start(&def, 1);
    second(60);
    expect(0, SA_RAISED, SA_SEV_MAJOR);
    seconds(4, 3); /* six in two seconds: minor holds, major does not */
    seconds(10, 0);
    assert_int_equal(t.n, 2);
    expect(1, SA_CLEARED, SA_SEV_MAJOR);
    assert_int_equal(t.events[1].ms - t.events[0].ms, 9000); /* minor fell in the fifth second */
    stop();
}

/* The built-in rule, a storm of two minutes and what comes after it. */
static void
test_storm_and_documented_clear_for(void **state)
{
    struct sa_rule_def def = rule(20, 60);

    (void)state;
    def.clear_for_s = 120;
    def.levels[2] = (struct sa_rule_level){.enabled = true, .count = 100};
    start(&def, 1);
    seconds(120, 30);
    assert_int_equal(t.n, 2);
    expect(0, SA_RAISED, SA_SEV_MINOR);
    expect(1, SA_CHANGED, SA_SEV_MAJOR);
    seconds(600, 0);
    assert_int_equal(t.n, 3);
    expect(2, SA_CLEARED, SA_SEV_MAJOR);
    assert_in_range(t.events[2].ms - 1119000, 179000,
                    181000); /* since the last response: window, clear_for */
    stop();
}

/* What the store has after each save, in memory of its own. */
static struct stored {
    bool there;
    char rule[SA_NAME_SIZE], source[SA_NAME_SIZE], peer[SA_PEER_SIZE], method[SA_METHOD_SIZE],
        evidence[SA_CALLID_SIZE];
    uint8_t *windows;
    struct sa_row_group row;
} rows[2048];
static unsigned n_put, n_gone, n_clear;

static bool
is_row(const struct stored *s, const struct sa_row_group *row)
{
    return s->there && strcmp(s->rule, row->rule) == 0 && strcmp(s->source, row->source) == 0 &&
           strcmp(s->peer, row->peer) == 0 && strcmp(s->method, row->method) == 0 &&
           s->row.code == row->code && s->row.overflow == row->overflow;
}

static struct stored *
row_of(const struct sa_row_group *row)
{
    struct stored *free_one = NULL;

    for (unsigned i = 0; i < ROWS(rows); i++) {
        if (is_row(&rows[i], row))
            return &rows[i];
        if (!rows[i].there && free_one == NULL)
            free_one = &rows[i];
    }
    return free_one;
}

static void
take_away(struct stored *s)
{
    free(s->windows);
    *s = (struct stored){0};
}

static void
forget(void)
{
    for (unsigned i = 0; i < ROWS(rows); i++)
        take_away(&rows[i]);
    n_put = n_gone = n_clear = 0;
}

static void
on_clear(void *arg)
{
    unsigned n = ++n_clear;

    assert_ptr_equal(arg, rows);
    forget();
    n_clear = n;
}

static void
on_gone(void *arg, const struct sa_row_group *row)
{
    struct stored *s = row_of(row);

    assert_ptr_equal(arg, rows);
    assert_non_null(s);
    assert_true(s->there); /* nothing is taken away that was not stored */
    take_away(s);
    n_gone++;
}

static void
on_put(void *arg, const struct sa_row_group *row)
{
    struct stored *s = row_of(row);

    assert_ptr_equal(arg, rows);
    assert_non_null(s);
    take_away(s);
    s->there = true;
    snprintf(s->rule, sizeof s->rule, "%s", row->rule);
    snprintf(s->source, sizeof s->source, "%s", row->source);
    snprintf(s->peer, sizeof s->peer, "%s", row->peer);
    snprintf(s->method, sizeof s->method, "%s", row->method);
    snprintf(s->evidence, sizeof s->evidence, "%s", row->evidence);
    s->windows = malloc(row->windows.len + 1);
    memcpy(s->windows, row->windows.p, row->windows.len);
    s->row = *row;
    s->row.rule = s->rule;
    s->row.source = s->source;
    s->row.peer = s->peer;
    s->row.method = s->method;
    s->row.evidence = s->evidence;
    s->row.windows.p = s->windows;
    n_put++;
}

static const struct sa_group_rows store = {on_clear, on_gone, on_put, rows};

static unsigned
stored(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ROWS(rows); i++)
        n += rows[i].there;
    return n;
}

static bool
is_up(const struct sa_rules *rules, const char *rule_name, const char *source)
{
    const struct sa_group_name name = {rule_name, source, "", "", 0, false};

    return sa_rules_is_up(rules, &name);
}

/* The transitions of one evaluation, to be compared. */
struct judged {
    struct event events[16];
    unsigned n;
};

static void
note(void *arg, const struct sa_verdict *v)
{
    struct judged *judged = arg;
    struct event *e = &judged->events[judged->n];

    if (v->transition == 0)
        return;
    assert_true(judged->n++ < ROWS(judged->events));
    memset(e, 0, sizeof *e);
    e->transition = v->transition;
    e->severity = v->severity;
    e->count = v->count;
    e->total = v->total;
    e->value = v->value;
    e->threshold = v->threshold;
    e->unit = v->unit;
    e->n_codes = v->n_codes;
    memcpy(e->codes, v->codes, v->n_codes * sizeof *v->codes);
    snprintf(e->evidence, sizeof e->evidence, "%s", v->evidence);
    put_name(e, &v->group);
}

/* By rule and source: groups are judged in the order in which something came to them, or they were loaded. */
static int
compare_events(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    int order = strcmp(x->rule, y->rule);

    return order != 0 ? order : strcmp(x->source, y->source);
}

static void
sort(struct judged *judged)
{
    qsort(judged->events, judged->n, sizeof *judged->events, compare_events);
}

/*
 * Rules that were recalled from what others kept, their clock shifted, give the same verdicts from then on.
 * What is kept is only ever what changed, as on disk.
 */
static void
test_recalled_rules_behave_the_same(void **state)
{
    enum { RULES = 4, SOURCES = 2 };
    static const char *const sources[SOURCES] = {"edge", "core"};
    static const int64_t shifts[] = {0, 1, 86400, -5000, 1000000000};
    unsigned transitions = 0, states[5] = {0};

    (void)state;
    srand(43);
    for (unsigned round = 0; round < 120; round++) {
        struct sa_rule_def defs[RULES];
        int64_t ms = 10000777, shift = shifts[round % ROWS(shifts)];
        struct sa_rules *rules, *again = NULL;
        bool blind[SOURCES] = {false};
        unsigned moment = 5 + (unsigned)rand() % 100;

        for (unsigned i = 0; i < RULES; i++) {
            defs[i] = rule(1 + (unsigned)rand() % 20, 1 + (unsigned)rand() % 20);
            snprintf(defs[i].name, sizeof defs[i].name, "rule%u", i);
            defs[i].direction = (enum sa_rule_direction)(rand() % 4);
            defs[i].for_s = (unsigned)rand() % 4;
            defs[i].clear_for_s = (unsigned)rand() % 10;
            defs[i].clear_at_per_mille = 100 + (unsigned)rand() % 900;
            defs[i].levels[2] = (struct sa_rule_level){
                .enabled = rand() % 2, .count = defs[i].levels[1].count + (unsigned)rand() % 20};
            if (rand() % 3 == 0)
                defs[i].levels[1].ratio_per_mille = 1 + (unsigned)rand() % 999;
        }
        rules = sa_rules_new(defs, RULES, sources, SOURCES);
        assert_non_null(rules);
        for (unsigned step = 0; step < 250; step++) {
            struct judged judged = {.n = 0}, other = {.n = 0};
            bool more, quiet = step % 70 > 40;

            for (unsigned n = quiet ? (unsigned)rand() % 2 : (unsigned)rand() % 12; n > 0; n--) {
                unsigned source = (unsigned)rand() % SOURCES;
                struct sa_response r = {.code = (uint16_t)(rand() % 2 ? 300 + rand() % SA_GROUP_CODES : 200),
                                        .repeat = 1 + (unsigned)rand() % 3,
                                        .direction = (enum sa_direction)(rand() % 3)};

                snprintf(r.call_id, sizeof r.call_id, "%d@h", rand());
                (void)sa_rules_count(rules, source, &r, ms);
                if (again != NULL)
                    (void)sa_rules_count(again, source, &r, ms + shift * 1000);
            }
            if (rand() % 50 == 0) {
                unsigned s = (unsigned)rand() % SOURCES;

                blind[s] = !blind[s];
                sa_rules_set_blind(rules, s, blind[s]);
                if (again != NULL)
                    sa_rules_set_blind(again, s, blind[s]);
            }
            more = sa_rules_evaluate(rules, ms, note, &judged);
            transitions += judged.n;
            if (again != NULL) {
                assert_int_equal(sa_rules_evaluate(again, ms + shift * 1000, note, &other), more);
                assert_int_equal(other.n, judged.n);
                sort(&other);
                sort(&judged);
                assert_memory_equal(other.events, judged.events, judged.n * sizeof *judged.events);
                for (unsigned i = 0; i < RULES; i++)
                    for (unsigned s = 0; s < SOURCES; s++)
                        assert_int_equal(is_up(rules, defs[i].name, sources[s]),
                                         is_up(again, defs[i].name, sources[s]));
            } else {
                sa_rules_save(rules, false, &store);
            }
            if (step == moment) {
                again = sa_rules_new(defs, RULES, sources, SOURCES);
                for (unsigned s = 0; s < SOURCES; s++)
                    sa_rules_set_blind(again, s, blind[s]);
                for (unsigned i = 0; i < ROWS(rows); i++)
                    if (rows[i].there) {
                        states[rows[i].row.state]++;
                        assert_int_equal(sa_rules_load(again, &rows[i].row, ms, shift), 0);
                    }
            }
            ms += 100 + rand() % 1000;
        }
        sa_rules_free(rules);
        sa_rules_free(again);
        forget();
    }
    assert_true(transitions > 500); /* something was compared, and every state was recalled */
    for (unsigned i = SA_RULE_OK; i <= SA_RULE_CLEARING; i++)
        assert_true(states[i] > 5);
}

static const struct stored *
row_named(const char *name)
{
    for (unsigned i = 0; i < ROWS(rows); i++)
        if (rows[i].there && strcmp(rows[i].rule, name) == 0)
            return &rows[i];
    fail_msg("no row of %s", name);
    return NULL;
}

static void
test_keep_what_changed(void **state)
{
    struct sa_rule_def defs[2] = {rule(5, 10), rule(50, 20)};

    (void)state;
    strcpy(defs[1].name, "other");
    sa_code_set_add_range(&defs[1].codes, 300, 399, false);
    sa_code_set_add_range(&defs[1].codes, 486, 486, true);
    start(defs, 2);
    sa_rules_save(t.rules, true, &store);
    assert_int_equal(n_put, 0); /* no group before something is counted in it */
    (void)count(200, SA_DIR_RECEIVED, 1);
    judge();
    sa_rules_save(t.rules, true, &store);
    assert_int_equal(n_put, 2);
    sa_rules_save(t.rules, false, &store);
    assert_int_equal(n_put, 2);
    (void)count(486, SA_DIR_RECEIVED, 1);
    sa_rules_save(t.rules, false, &store);
    assert_true(n_put > 2); /* those of a ratio may have changed both */
    n_put = 0;
    sa_rules_save(t.rules, false, &store);
    assert_int_equal(n_put, 0);
    (void)count(302, SA_DIR_RECEIVED, 5);
    judge();
    sa_rules_save(t.rules, false, &store);
    assert_int_equal(row_named("redirects")->row.state, SA_RULE_FIRING);
    assert_string_equal(row_named("redirects")->evidence, "302@h");
    seconds(40, 0); /* states move although nothing is counted */
    sa_rules_save(t.rules, false, &store);
    assert_int_equal(row_named("redirects")->row.state, SA_RULE_OK);
    forget();
    stop();
}

static void
test_up(void **state)
{
    struct sa_rule_def def = rule(5, 10);

    (void)state;
    def.for_s = 3;
    start(&def, 1);
    assert_false(is_up(t.rules, "redirects", "edge"));
    second(5);
    assert_int_equal(t.n, 0);
    assert_false(is_up(t.rules, "redirects", "edge")); /* pending */
    seconds(5, 1);
    assert_int_equal(t.n, 1);
    assert_true(is_up(t.rules, "redirects", "edge"));
    assert_false(is_up(t.rules, "redirects", "core"));
    assert_false(is_up(t.rules, "redirects", ""));
    assert_false(is_up(t.rules, "redirect", "edge"));
    assert_false(is_up(t.rules, "", ""));
    seconds(15, 0);
    assert_int_equal(t.n, 1); /* clearing: still up */
    assert_true(is_up(t.rules, "redirects", "edge"));
    seconds(40, 0);
    assert_int_equal(t.n, 2);
    assert_false(is_up(t.rules, "redirects", "edge"));
    stop();
}

/* A rule that counts other responses now, or in another window, is not given the old ones. */
static void
test_load_refuses(void **state)
{
    static const char *const core[] = {"core"};
    struct sa_rule_def def = rule(5, 10), others[9], limits = def;
    struct sa_rules *rules;

    (void)state;
    start(&def, 1);
    second(5);
    assert_int_equal(t.n, 1);
    sa_rules_save(t.rules, false, &store);
    assert_int_equal(stored(), 1);
    for (unsigned i = 0; i < ROWS(others); i++)
        others[i] = def;
    sa_code_set_add_range(&others[0].codes, 404, 404, true);
    sa_code_set_add_range(&others[1].codes, 305, 305, false);
    others[2].window_s = 11;
    others[3].n_methods = 1;
    strcpy(others[3].methods[0], "INVITE");
    others[4].ratio_of = SA_RATIO_ALL;
    strcpy(others[5].name, "renamed");
    others[6].by = SA_BY_SOURCE | SA_BY_PEER;
    others[7].by = SA_BY_METHOD;
    others[8].enabled = false;
    for (unsigned i = 0; i < ROWS(others); i++) {
        char name[16];

        snprintf(name, sizeof name, "other %u", i);
        rules = sa_rules_new(&others[i], 1, one_source, 1);
        CHECK_INT(name, sa_rules_load(rules, &rows[0].row, t.ms, 0), -ENOENT);
        CHECK_INT(name, is_up(rules, others[i].name, "edge"), false);
        CHECK_INT(name, sa_rules_evaluate(rules, t.ms, note, &(struct judged){.n = 0}), false);
        sa_rules_free(rules);
    }
    rules = sa_rules_new(&def, 1, core, 1); /* another source */
    assert_int_equal(sa_rules_load(rules, &rows[0].row, t.ms, 0), -ENOENT);
    sa_rules_free(rules);

    limits.levels[1].count = 4; /* other limits are judged anew, over the same window */
    limits.for_s = 1;
    limits.clear_for_s = 3;
    rules = sa_rules_new(&limits, 1, one_source, 1);
    assert_int_equal(sa_rules_load(rules, &rows[0].row, t.ms, 0), 0);
    assert_true(is_up(rules, "redirects", "edge"));
    assert_int_equal(sa_rules_load(rules, &rows[0].row, t.ms, 0), -EBADMSG); /* twice */
    sa_rules_free(rules);
    forget();
    stop();
}

/* A damaged row is refused or harmless. */
static void
test_load_damaged(void **state)
{
    struct sa_rule_def def = rule(5, 10);
    unsigned taken = 0;

    (void)state;
    start(&def, 1);
    second(5);
    sa_rules_save(t.rules, false, &store);
    for (int i = 0; i < 600; i++) {
        struct sa_row_group row = rows[0].row;
        struct sa_rules *rules = sa_rules_new(&def, 1, one_source, 1);
        struct judged judged = {.n = 0};

        row.windows.len = (size_t)i < row.windows.len ? (size_t)i : row.windows.len;
        if (i % 7 == 1)
            row.state = i - 100;
        if (i % 7 == 2)
            row.level = i - 100;
        if (i % 7 == 3)
            row.below_mono_ms[i % SA_RULE_LEVELS] = (i - 300) * INT64_C(100000);
        if (i % 7 == 4)
            row.code = i - 100;
        if (i % 7 == 5)
            row.overflow = 1;
        if (i % 7 == 6)
            row.peer = "192.0.2.1";
        if (sa_rules_load(rules, &row, t.ms, i) == 0)
            taken++;
        else
            assert_int_equal(sa_rules_groups(rules), 0);
        for (int s = 0; s < 60; s++)
            (void)sa_rules_evaluate(rules, t.ms + s * 1000, note, &judged);
        assert_true(judged.n <= 3);
        sa_rules_free(rules);
    }
    assert_in_range(taken, 80, 500);
    forget();
    stop();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_wholly_over_clears_once),
        cmocka_unit_test(test_storm_and_documented_clear_for),
        cmocka_unit_test(test_tie_shows_traffic),
        cmocka_unit_test(test_random_traffic),
        cmocka_unit_test(test_odd_clock),
        cmocka_unit_test(test_recalled_rules_behave_the_same),
        cmocka_unit_test(test_keep_what_changed),
        cmocka_unit_test(test_up),
        cmocka_unit_test(test_load_refuses),
        cmocka_unit_test(test_load_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
