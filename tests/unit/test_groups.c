/* Rules by more than source: which groups there are, what each counts, when they go, and what they take. */
#include "check.h"
#include "rules.h"
#include "rules_rows.h"

#include <malloc.h>
#include <stdbool.h>

static const char *const sources[] = {"edge", "core"};

struct event {
    enum sa_transition transition;
    enum sa_severity severity;
    uint32_t count, total;
    uint16_t codes[SA_GROUP_CODES];
    unsigned n_codes;
    char source[SA_NAME_SIZE], peer[SA_PEER_SIZE], method[SA_METHOD_SIZE];
    uint16_t code;
    bool overflow, rule_gone;
};

static struct event events[4096];
static unsigned n_events;
static struct sa_rules *rules;
static int64_t ms;

static int
setup(void **state)
{
    (void)state;
    rules = NULL;
    n_events = 0;
    ms = 1000000;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    rules = sa_rules_free(rules);
    return 0;
}

static void
on_verdict(void *arg, const struct sa_verdict *v)
{
    struct event *e = &events[n_events];

    (void)arg;
    if (v->transition == 0)
        return;
    assert_true(n_events < ROWS(events));
    memset(e, 0, sizeof *e);
    e->transition = v->transition;
    e->severity = v->severity;
    e->count = v->count;
    e->total = v->total;
    e->n_codes = v->n_codes;
    memcpy(e->codes, v->codes, v->n_codes * sizeof *v->codes);
    snprintf(e->source, sizeof e->source, "%s", v->group.source);
    snprintf(e->peer, sizeof e->peer, "%s", v->group.peer);
    snprintf(e->method, sizeof e->method, "%s", v->group.method);
    e->code = v->group.code;
    e->overflow = v->group.overflow;
    e->rule_gone = v->rule_gone;
    n_events++;
}

/* Minor at 5 of class 3, in 10 s. */
static struct sa_rule_def
rule(unsigned by)
{
    struct sa_rule_def def = {.name = "redirects",
                              .enabled = true,
                              .by = by,
                              .direction = SA_RULE_ANY,
                              .window_s = 10,
                              .min_total = SA_MIN_TOTAL_UNSET,
                              .clear_at_per_mille = 800,
                              .clear_for_s = 5,
                              .levels = {[1] = {.enabled = true, .count = 5}}};

    sa_code_set_add_range(&def.codes, 300, 399, true);
    return def;
}

static void
start(const struct sa_rule_def *defs, unsigned n)
{
    rules = sa_rules_new(defs, n, sources, ROWS(sources));
    assert_non_null(rules);
}

static bool
count(unsigned source, unsigned code, const char *peer, const char *method, uint32_t n)
{
    struct sa_response r = {.code = (uint16_t)code, .direction = SA_DIR_RECEIVED, .repeat = n};

    snprintf(r.peer, sizeof r.peer, "%s", peer);
    snprintf(r.method, sizeof r.method, "%s", method);
    return sa_rules_count(rules, source, &r, ms);
}

static bool
judge(void)
{
    return sa_rules_evaluate(rules, ms, on_verdict, NULL);
}

static void
seconds(unsigned n)
{
    for (; n > 0; n--) {
        ms += 1000;
        (void)judge();
    }
}

static void
test_by_each(void **state)
{
    static const struct {
        const char *name;
        unsigned by;
        unsigned raised; /* of the eight combinations, each with two responses */
        struct event first;
    } cases[] = {
        {"rule alone", SA_BY_SOURCE, 2, {.source = "edge"}},
        {"default", 0, 2, {.source = "edge"}},
        {"peer", SA_BY_PEER, 2, {.peer = "192.0.2.1"}},
        {"method", SA_BY_METHOD, 2, {.method = "INVITE"}},
        {"code", SA_BY_CODE, 2, {.code = 301}},
        {"source and peer", SA_BY_SOURCE | SA_BY_PEER, 4, {.source = "edge", .peer = "192.0.2.1"}},
        {"peer and method", SA_BY_PEER | SA_BY_METHOD, 4, {.peer = "192.0.2.1", .method = "INVITE"}},
        {"all",
         SA_BY_SOURCE | SA_BY_PEER | SA_BY_METHOD | SA_BY_CODE,
         16,
         {.source = "edge", .peer = "192.0.2.1", .method = "INVITE", .code = 301}},
    };

    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_rule_def def = rule(cases[i].by);

        setup(state);
        start(&def, 1);
        for (unsigned c = 0; c < 16; c++)
            (void)count(c & 1, c & 2 ? 302 : 301, c & 4 ? "192.0.2.2" : "192.0.2.1", c & 8 ? "BYE" : "INVITE",
                        5);
        judge();
        CHECK_INT(cases[i].name, n_events, cases[i].raised);
        CHECK_STR(cases[i].name, events[0].source, cases[i].first.source);
        CHECK_STR(cases[i].name, events[0].peer, cases[i].first.peer);
        CHECK_STR(cases[i].name, events[0].method, cases[i].first.method);
        CHECK_INT(cases[i].name, events[0].code, cases[i].first.code);
        for (unsigned e = 0; e < n_events; e++) {
            CHECK_INT(cases[i].name, events[e].transition, SA_RAISED);
            CHECK_INT(cases[i].name, events[e].count, 16 * 5 / cases[i].raised);
            CHECK_INT(cases[i].name, events[e].n_codes, (cases[i].by & SA_BY_CODE) != 0 ? 1 : 2);
        }
        seconds(30);
        CHECK_INT(cases[i].name, n_events, 2 * cases[i].raised);
        for (unsigned e = cases[i].raised; e < n_events; e++) {
            CHECK_INT(cases[i].name, events[e].transition, SA_CLEARED);
            CHECK_STR(cases[i].name, events[e].peer, events[e - cases[i].raised].peer);
            CHECK_INT(cases[i].name, events[e].code, events[e - cases[i].raised].code);
        }
        teardown(state);
    }
    setup(state);
}

/* What a log calls a peer is shown in alarms: printable, and two stay two. */
static void
test_hostile_peers(void **state)
{
    struct sa_rule_def def = rule(SA_BY_PEER);
    char one[SA_PEER_SIZE], other[SA_PEER_SIZE];

    (void)state;
    memset(one, '\n', sizeof one - 1);
    one[sizeof one - 1] = '\0';
    strcpy(other, one);
    other[sizeof other - 2] = '\033';
    start(&def, 1);
    (void)count(0, 302, one, "INVITE", 5);
    (void)count(0, 302, other, "INVITE", 5);
    (void)count(0, 302, "a\"b", "INVITE", 5);
    (void)count(0, 302, "", "INVITE", 5);
    judge();
    assert_int_equal(n_events, 4);
    for (unsigned i = 0; i < n_events; i++) {
        const struct sa_group_name name = {"redirects", "", events[i].peer, "", 0, false};

        for (const char *c = events[i].peer; *c != '\0'; c++)
            assert_in_range(*c, 0x21, 0x7e);
        assert_true(sa_rules_is_up(rules, &name) || strchr(events[i].peer, '\\') != NULL);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(events[i].peer, events[k].peer);
    }
    assert_string_equal(events[2].peer, "a\\\"b");
    assert_string_equal(events[3].peer, "");
}

/* A ratio has the base of its group; by code that of all codes, whoever comes first. */
static void
test_bases(void **state)
{
    struct sa_rule_def def = rule(SA_BY_PEER);

    (void)state;
    def.levels[1] = (struct sa_rule_level){.enabled = true, .ratio_per_mille = 100};
    def.min_total = 50;
    start(&def, 1);
    (void)count(0, 200, "192.0.2.1", "INVITE", 40);
    (void)count(0, 200, "192.0.2.2", "INVITE", 1000);
    (void)count(0, 302, "192.0.2.1", "INVITE", 10);
    (void)count(0, 302, "192.0.2.2", "INVITE", 10);
    judge();
    assert_int_equal(n_events, 1);
    assert_string_equal(events[0].peer, "192.0.2.1");
    assert_int_equal(events[0].total, 50);
    rules = sa_rules_free(rules);

    n_events = 0;
    def.by = SA_BY_CODE;
    start(&def, 1);
    (void)count(0, 302, "", "INVITE", 10);
    (void)count(0, 301, "", "INVITE", 2);
    judge();
    assert_int_equal(n_events, 0); /* no volume */
    ms += 1000;
    assert_false(count(0, 100, "", "INVITE", 500)); /* no base */
    assert_true(count(0, 200, "", "INVITE", 38));   /* completes the volume of a code that is there */
    judge();
    assert_int_equal(n_events, 1);
    assert_int_equal(events[0].code, 302);
    assert_int_equal(events[0].count, 10);
    assert_int_equal(events[0].total, 50);
}

/* Limits that do not look at the base make no group for a peer that only works. */
static void
test_no_group_without_need(void **state)
{
    struct sa_rule_def def = rule(SA_BY_PEER);

    (void)state;
    start(&def, 1);
    assert_false(count(0, 200, "192.0.2.1", "INVITE", 40));
    assert_int_equal(sa_rules_groups(rules), 0);
    (void)count(0, 302, "192.0.2.1", "INVITE", 5);
    (void)count(0, 200, "192.0.2.1", "INVITE", 15);
    assert_int_equal(sa_rules_groups(rules), 1);
    judge();
    assert_int_equal(n_events, 1);
    assert_int_equal(events[0].total, 15);
}

static const char *
address(unsigned n)
{
    static char text[SA_PEER_SIZE];

    snprintf(text, sizeof text, "10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255);
    return text;
}

static void
test_overflow(void **state)
{
    struct sa_rule_def def = rule(SA_BY_SOURCE | SA_BY_PEER);

    (void)state;
    def.max_groups = 3;
    start(&def, 1);
    assert_int_equal(sa_rules_room(rules), 3 + 2); /* and an overflow of each source */
    for (unsigned i = 0; i < 3; i++)
        (void)count(0, 302, address(i), "INVITE", 1);
    assert_int_equal(sa_rules_unfitted(rules), 0);
    for (unsigned i = 3; i < 7; i++)
        (void)count(0, 302, address(i), "INVITE", 1);
    judge();
    assert_int_equal(n_events, 0);
    assert_int_equal(sa_rules_groups(rules), 4);
    assert_int_equal(sa_rules_unfitted(rules), 4);
    (void)count(0, 302, address(7), "INVITE", 2);
    (void)count(1, 302, address(7), "INVITE", 4); /* another source, another overflow */
    (void)count(0, 302, address(0), "INVITE", 4); /* has its group */
    judge();
    assert_int_equal(n_events, 2);
    assert_true(events[0].overflow);
    assert_string_equal(events[0].source, "edge");
    assert_string_equal(events[0].peer, "");
    assert_int_equal(events[0].count, 6);
    assert_false(events[1].overflow);
    assert_string_equal(events[1].peer, address(0));
    assert_int_equal(sa_rules_unfitted(rules), 10);
    assert_int_equal(sa_rules_groups(rules), 5);
    seconds(40);
    assert_int_equal(n_events, 4); /* both clear */
    assert_int_equal(events[2].transition, SA_CLEARED);
}

/* By code what finds no room is a share of all that there is, too. */
static void
test_overflow_by_code(void **state)
{
    struct sa_rule_def def = rule(SA_BY_CODE);

    (void)state;
    def.max_groups = 2; /* the group of all codes, and one code */
    def.levels[1] = (struct sa_rule_level){.enabled = true, .ratio_per_mille = 500};
    def.min_total = 20;
    start(&def, 1);
    (void)count(0, 302, "", "INVITE", 5);
    (void)count(0, 301, "", "INVITE", 1);
    (void)count(0, 200, "", "INVITE", 100);
    judge();
    assert_int_equal(n_events, 0);
    assert_int_equal(sa_rules_unfitted(rules), 1);
    (void)count(0, 300, "", "INVITE", 120);
    judge();
    assert_int_equal(n_events, 1);
    assert_true(events[0].overflow);
    assert_int_equal(events[0].count, 121);
    assert_int_equal(events[0].total, 220); /* from the first on that found no room */
}

/* Idle groups make room; one that is up never does. */
static void
test_reclaim(void **state)
{
    struct sa_rule_def def = rule(SA_BY_PEER);
    struct sa_group_name up = {"redirects", "", "10.0.0.0", "", 0, false};

    (void)state;
    def.max_groups = 10;
    def.clear_for_s = 100000;
    start(&def, 1);
    (void)count(0, 302, address(0), "INVITE", 5);
    for (unsigned i = 1; i < 10; i++)
        (void)count(0, 302, address(i), "INVITE", 1);
    judge();
    ms += 5000;
    (void)count(0, 302, address(1), "INVITE", 1);
    (void)count(0, 302, address(10), "INVITE", 1);
    assert_int_equal(sa_rules_unfitted(rules), 1);
    ms += 6000; /* the first are out of the window; one has a later response, one is up */
    judge();
    for (unsigned i = 10; i < 18; i++)
        (void)count(0, 302, address(i), "INVITE", 1);
    assert_int_equal(sa_rules_unfitted(rules), 1);
    assert_int_equal(sa_rules_groups(rules), 11);
    assert_true(sa_rules_is_up(rules, &up));
    (void)count(0, 302, address(18), "INVITE", 1);
    assert_int_equal(sa_rules_unfitted(rules), 2);
    seconds(300); /* all but the one that is up */
    assert_int_equal(sa_rules_groups(rules), 1);
    assert_true(sa_rules_is_up(rules, &up));
    assert_int_equal(n_events, 1);
}

/* A flood of new peers at a rule that is full: each costs a look at one table, not one at all groups. */
static void
test_flood(void **state)
{
    struct sa_rule_def def = rule(SA_BY_PEER);

    (void)state;
    def.max_groups = 20000;
    start(&def, 1);
    for (unsigned i = 0; i < 400000; i++) /* at 20,000 each this would be 7.6 billion looks */
        (void)count(0, 302, address(i), "INVITE", 1);
    assert_int_equal(sa_rules_groups(rules), 20001);
    assert_int_equal(sa_rules_unfitted(rules), 380000);
    judge();
    assert_int_equal(n_events, 1);
    assert_true(events[0].overflow);
}

/* A group over all sources cannot clear while one of them is blind. */
static void
test_blind(void **state)
{
    struct sa_rule_def def = rule(SA_BY_PEER);

    (void)state;
    start(&def, 1);
    (void)count(0, 302, "192.0.2.1", "INVITE", 5);
    judge();
    sa_rules_set_blind(rules, 1, true);
    seconds(100);
    assert_int_equal(n_events, 1);
    sa_rules_set_blind(rules, 1, false);
    seconds(10);
    assert_int_equal(n_events, 2);
}

/* A source that the rule does not name says nothing about its groups. */
static void
test_blind_elsewhere(void **state)
{
    struct sa_rule_def def = rule(SA_BY_PEER);

    (void)state;
    strcpy(def.sources[0], "edge");
    def.n_sources = 1;
    start(&def, 1);
    (void)count(0, 302, "192.0.2.1", "INVITE", 5);
    (void)count(1, 302, "192.0.2.2", "INVITE", 5);
    judge();
    assert_int_equal(n_events, 1);
    sa_rules_set_blind(rules, 1, true);
    seconds(30);
    assert_int_equal(n_events, 2);
}

/*
 * By source and peer is what by source would be, were there a source for each of these pairs: over any
 * traffic the verdicts are the same.
 */
static void
test_like_sources_of_their_own(void **state)
{
    enum { PEERS = 5, PAIRS = 2 * PEERS };
    char names[PAIRS][SA_NAME_SIZE];
    const char *own[PAIRS];
    unsigned transitions = 0;

    (void)state;
    srand(11);
    for (unsigned i = 0; i < PAIRS; i++) {
        snprintf(names[i], sizeof names[i], "%s %.20s", sources[i / PEERS], address(i % PEERS));
        own[i] = names[i];
    }
    for (unsigned round = 0; round < 60; round++) {
        struct sa_rule_def by_pair = rule(SA_BY_SOURCE | SA_BY_PEER), by_source;
        struct sa_rules *others;

        by_pair.direction = (enum sa_rule_direction)(rand() % 4);
        by_pair.window_s = 1 + (uint32_t)rand() % (round % 2 ? 10 : 300);
        by_pair.for_s = (uint32_t)rand() % 3;
        by_pair.min_total = 1; /* so that the base counts from the beginning */
        by_pair.levels[2] = (struct sa_rule_level){.enabled = true, .count = 9};
        if (round % 3 == 0)
            by_pair.levels[1].ratio_per_mille = 300;
        by_source = by_pair;
        by_source.by = SA_BY_SOURCE;
        start(&by_pair, 1);
        others = sa_rules_new(&by_source, 1, own, PAIRS);
        ms = 1000000;
        for (unsigned step = 0; step < 300; step++, ms += 100 + rand() % 2000) {
            unsigned n_pairs, n_own;

            for (unsigned n = (unsigned)rand() % (step % 60 < 40 ? 12 : 2); n > 0; n--) {
                unsigned pair = (unsigned)rand() % PAIRS;
                struct sa_response r = {.code = (uint16_t)(rand() % 2 ? 300 + rand() % 4 : 200),
                                        .direction = (enum sa_direction)(rand() % 3),
                                        .repeat = 1 + (uint32_t)rand() % 2};

                snprintf(r.peer, sizeof r.peer, "%s", address(pair % PEERS));
                (void)sa_rules_count(rules, pair / PEERS, &r, ms);
                (void)sa_rules_count(others, pair, &r, ms);
            }
            n_events = 0;
            (void)judge();
            n_pairs = n_events;
            (void)sa_rules_evaluate(others, ms, on_verdict, NULL);
            n_own = n_events - n_pairs;
            assert_int_equal(n_pairs, n_own);
            transitions += n_pairs;
            for (unsigned i = 0; i < n_pairs; i++) {
                struct event *a = &events[i], *b = NULL;
                char name[SA_NAME_SIZE + SA_PEER_SIZE];

                snprintf(name, sizeof name, "%s %s", a->source, a->peer);
                for (unsigned k = n_pairs; k < n_events && b == NULL; k++)
                    if (strcmp(events[k].source, name) == 0)
                        b = &events[k];
                assert_non_null(b);
                assert_int_equal(a->transition, b->transition);
                assert_int_equal(a->severity, b->severity);
                assert_int_equal(a->count, b->count);
                assert_int_equal(a->total, b->total);
                assert_int_equal(a->n_codes, b->n_codes);
                assert_memory_equal(a->codes, b->codes, sizeof a->codes);
            }
        }
        rules = sa_rules_free(rules);
        others = sa_rules_free(others);
    }
    assert_true(transitions > 500);
}

/* What the store would hold. */
static struct stored {
    struct sa_row_group row;
    char texts[5][SA_CALLID_SIZE];
    uint8_t windows[4096];
} rows[64];
static unsigned n_rows, n_cleared;

static struct stored *
find_row(const struct sa_row_group *row)
{
    for (unsigned i = 0; i < n_rows; i++)
        if (strcmp(rows[i].texts[0], row->rule) == 0 && strcmp(rows[i].texts[1], row->source) == 0 &&
            strcmp(rows[i].texts[2], row->peer) == 0 && strcmp(rows[i].texts[3], row->method) == 0 &&
            rows[i].row.code == row->code && rows[i].row.overflow == row->overflow)
            return &rows[i];
    return NULL;
}

static void
on_clear(void *arg)
{
    (void)arg;
    n_rows = 0;
    n_cleared++;
}

static void
on_gone(void *arg, const struct sa_row_group *row)
{
    struct stored *s = find_row(row);

    (void)arg;
    assert_non_null(s);
    *s = rows[--n_rows];
}

static void
on_put(void *arg, const struct sa_row_group *row)
{
    const char *const texts[5] = {row->rule, row->source, row->peer, row->method, row->evidence};
    struct stored *s = find_row(row);

    (void)arg;
    if (s == NULL) {
        assert_true(n_rows < ROWS(rows));
        s = &rows[n_rows++];
    }
    s->row = *row;
    for (unsigned i = 0; i < 5; i++)
        snprintf(s->texts[i], sizeof s->texts[i], "%s", texts[i]);
    assert_true(row->windows.len <= sizeof s->windows);
    memcpy(s->windows, row->windows.p, row->windows.len);
}

static const struct sa_group_rows store = {on_clear, on_gone, on_put, NULL};

static int
load(struct sa_rules *into, struct stored *s, int64_t shift_s)
{
    s->row.rule = s->texts[0];
    s->row.source = s->texts[1];
    s->row.peer = s->texts[2];
    s->row.method = s->texts[3];
    s->row.evidence = s->texts[4];
    s->row.windows.p = s->windows;
    return sa_rules_load(into, &s->row, ms, shift_s);
}

/* Over a restart: each group has its own back, of whatever it is by, also the overflow and those of codes. */
static void
test_save_and_load(void **state)
{
    static const unsigned by[] = {SA_BY_PEER, SA_BY_SOURCE | SA_BY_PEER | SA_BY_METHOD,
                                  SA_BY_SOURCE | SA_BY_CODE, SA_BY_PEER | SA_BY_CODE, SA_BY_METHOD};

    for (unsigned i = 0; i < ROWS(by); i++) {
        struct sa_rule_def def = rule(by[i]);
        struct sa_rules *again;
        unsigned before;

        setup(state);
        n_rows = 0;
        def.max_groups = 6;
        def.levels[1] = (struct sa_rule_level){.enabled = true, .count = 4, .ratio_per_mille = 10};
        def.min_total = 4;
        start(&def, 1);
        for (unsigned n = 0; n < 12; n++)
            (void)count(n % 2, 300 + n % 3, address(n % 4), n % 3 ? "INVITE" : "BYE", 2 + n % 4);
        judge();
        assert_true(n_events > 0);
        sa_rules_save(rules, false, &store);
        assert_int_equal(n_rows, sa_rules_groups(rules));
        again = sa_rules_new(&def, 1, sources, ROWS(sources));
        for (unsigned k = n_rows; k > 0; k--) /* in whatever order */
            CHECK_INT("load", load(again, &rows[k - 1], 777), 0);
        CHECK_INT("groups", sa_rules_groups(again), sa_rules_groups(rules));
        before = n_events = 0;
        seconds(40);
        before = n_events;
        ms -= 40000;
        for (unsigned s = 0; s < 40; s++) {
            ms += 1000;
            (void)sa_rules_evaluate(again, ms + 777000, on_verdict, NULL);
        }
        CHECK_INT("cleared", n_events, 2 * before);
        assert_true(before > 0);
        for (unsigned k = 0; k < before; k++) {
            bool found = false;

            for (unsigned j = before; j < n_events; j++)
                found = found || memcmp(&events[k], &events[j], sizeof events[k]) == 0;
            assert_true(found);
        }
        sa_rules_free(again);
        teardown(state);
    }
    setup(state);
}

/* What was reclaimed goes from the store too, and what came back meanwhile stays. */
static void
test_rows_of_the_reclaimed(void **state)
{
    struct sa_rule_def def = rule(SA_BY_PEER);

    (void)state;
    n_rows = 0;
    def.max_groups = 4;
    start(&def, 1);
    for (unsigned i = 0; i < 4; i++)
        (void)count(0, 302, address(i), "INVITE", 1);
    judge();
    sa_rules_save(rules, false, &store);
    assert_int_equal(n_rows, 4);
    ms += 20000;
    judge(); /* all four are idle */
    (void)count(0, 302, address(9), "INVITE", 1);
    (void)count(0, 302, address(2), "INVITE", 1);
    assert_int_equal(sa_rules_groups(rules), 2);
    sa_rules_save(rules, false, &store);
    assert_int_equal(n_rows, 2);
    sa_rules_save(rules, false, &store);
    assert_int_equal(n_rows, 2);
    assert_int_equal(n_cleared, 0);
}

static unsigned n_counted;

static void
on_put_to_count(void *arg, const struct sa_row_group *row)
{
    (void)arg;
    (void)row;
    n_counted++;
}

static const struct sa_group_rows counter = {on_clear, on_gone, on_put_to_count, NULL};

/* More of them than are remembered by name: then the store begins anew. */
static void
test_rows_of_very_many(void **state)
{
    struct sa_rule_def def = rule(SA_BY_PEER);

    (void)state;
    def.max_groups = 5000;
    start(&def, 1);
    for (unsigned i = 0; i < 5000; i++)
        (void)count(0, 302, address(i), "INVITE", 1);
    judge();
    sa_rules_save(rules, true, &counter); /* 5,000 rows */
    assert_int_equal(n_counted, 5000);
    n_rows = 0;
    n_cleared = 0;
    ms += 100000;
    judge();
    (void)count(0, 302, address(1), "INVITE", 1);
    judge();
    assert_int_equal(sa_rules_groups(rules), 1);
    sa_rules_save(rules, false, &store);
    assert_int_equal(n_cleared, 1);
    assert_int_equal(n_rows, 1);
    sa_rules_save(rules, false, &store);
    assert_int_equal(n_cleared, 1);
}

/* A reload: what still counts the same goes on, the rest ends. */
static void
test_adopt(void **state)
{
    struct sa_rule_def old[3] = {rule(SA_BY_SOURCE | SA_BY_PEER), rule(SA_BY_SOURCE), rule(SA_BY_PEER)};
    struct sa_rule_def fresh[3] = {rule(SA_BY_SOURCE), rule(SA_BY_SOURCE | SA_BY_PEER), rule(SA_BY_METHOD)};
    struct sa_rules *next;

    (void)state;
    n_rows = 0;
    strcpy(old[0].name, "pairs");
    strcpy(fresh[1].name, "pairs"); /* in another place, and not of core any more */
    strcpy(fresh[1].sources[0], "edge");
    fresh[1].n_sources = 1;
    strcpy(old[1].name, "sources");
    strcpy(fresh[0].name, "sources");
    fresh[0].levels[1].count = 11; /* above what there is, but it holds */
    fresh[0].clear_at_per_mille = 500;
    strcpy(old[2].name, "by");
    strcpy(fresh[2].name, "by"); /* by something else */
    start(old, 3);
    (void)count(0, 302, "192.0.2.1", "INVITE", 6);
    (void)count(1, 302, "192.0.2.1", "INVITE", 7);
    judge();
    assert_int_equal(n_events, 5); /* two pairs, two sources, one peer */
    sa_rules_save(rules, false, &store);
    assert_int_equal(n_rows, 5);
    n_events = 0;
    next = sa_rules_new(fresh, 3, sources, ROWS(sources));
    sa_rules_adopt(next, rules, ms, on_verdict, NULL);
    sa_rules_free(rules);
    rules = next;
    assert_int_equal(n_events, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(events[i].transition, SA_CLEARED);
        assert_true(events[i].rule_gone);
    }
    assert_string_equal(events[0].source, "core");
    assert_int_equal(events[0].count, 7);
    assert_string_equal(events[1].source, "");
    assert_int_equal(events[1].count, 13);
    assert_int_equal(sa_rules_groups(rules), 3);
    sa_rules_save(rules, false, &store);
    assert_int_equal(n_rows, 3);
    n_events = 0;
    (void)count(0, 302, "192.0.2.1", "INVITE", 1);
    judge();
    assert_int_equal(n_events, 0);
    seconds(40);
    assert_int_equal(n_events, 3);
    for (unsigned i = 0; i < n_events; i++) {
        assert_int_equal(events[i].transition, SA_CLEARED);
        assert_false(events[i].rule_gone);
    }
}

/* Bytes from malloc, or 0 where something else gives the memory (valgrind, a sanitizer). */
static size_t
allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* Every direction, eight codes, in every step of the window: more a group cannot have. */
static void
fill(unsigned source, const char *peer, unsigned window_s)
{
    struct sa_response r = {.repeat = 1};

    snprintf(r.peer, sizeof r.peer, "%s", peer);
    memset(r.call_id, 'x', sizeof r.call_id - 1);
    for (unsigned i = 0; i < 64; i++) {
        r.code = (uint16_t)(300 + i % 9);
        r.direction = (enum sa_direction)(i % 3);
        (void)sa_rules_count(rules, source, &r, ms + (int64_t)i * window_s * 1000 / 64);
    }
}

/* "100 sources with 100 rules over an hour" took 1.6 GB. */
static void
test_memory_of_many_rules(void **state)
{
    enum { SOURCES = 100, RULES = 100 };
    static char names[SOURCES][SA_NAME_SIZE];
    static const char *many[SOURCES];
    static struct sa_rule_def defs[RULES];
    size_t before, after;

    (void)state;
    for (unsigned i = 0; i < SOURCES; i++) {
        snprintf(names[i], sizeof names[i], "source %u", i);
        many[i] = names[i];
    }
    for (unsigned i = 0; i < RULES; i++) {
        defs[i] = rule(SA_BY_SOURCE);
        defs[i].window_s = SA_WINDOW_MAX_S;
        snprintf(defs[i].name, sizeof defs[i].name, "rule %u", i);
    }
    before = allocated();
    rules = sa_rules_new(defs, RULES, many, SOURCES);
    after = allocated();
    assert_true(after - before < 1000000); /* nothing was counted */
    for (unsigned i = 0; i < SOURCES; i++)
        fill(i, "", SA_WINDOW_MAX_S);
    after = allocated();
    assert_int_equal(sa_rules_groups(rules), SOURCES * RULES);
    print_message("100 sources, 100 rules, 1 h: %zu bytes\n", after - before);
    if (after == 0)
        skip();
    assert_in_range(after - before, 10000000, 25000000);
}

static void
test_memory_of_many_groups(void **state)
{
    static const unsigned windows[] = {60, 61, 300, SA_WINDOW_MAX_S};
    struct sa_rule_def def = rule(SA_BY_PEER);
    size_t before, after;

    (void)state;
    def.max_groups = 10000;
    for (unsigned w = 0; w < ROWS(windows); w++) {
        def.window_s = windows[w];
        before = allocated();
        start(&def, 1);
        for (unsigned i = 0; i < 10000; i++)
            fill(0, address(i), windows[w]);
        after = allocated();
        assert_int_equal(sa_rules_groups(rules), 10000);
        print_message("10,000 groups, %u s: %zu bytes\n", windows[w], after - before);
        if (after != 0)
            assert_true((after - before) / 10000 <= 2400); /* bytes of a group, with its share of the table */
        rules = sa_rules_free(rules);
    }
    if (after == 0)
        skip();
}

#define GROUPS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        GROUPS_TEST(test_by_each),
        GROUPS_TEST(test_hostile_peers),
        GROUPS_TEST(test_bases),
        GROUPS_TEST(test_no_group_without_need),
        GROUPS_TEST(test_overflow),
        GROUPS_TEST(test_overflow_by_code),
        GROUPS_TEST(test_reclaim),
        GROUPS_TEST(test_flood),
        GROUPS_TEST(test_blind),
        GROUPS_TEST(test_blind_elsewhere),
        GROUPS_TEST(test_like_sources_of_their_own),
        GROUPS_TEST(test_save_and_load),
        GROUPS_TEST(test_rows_of_the_reclaimed),
        GROUPS_TEST(test_rows_of_very_many),
        GROUPS_TEST(test_adopt),
        GROUPS_TEST(test_memory_of_many_rules),
        GROUPS_TEST(test_memory_of_many_groups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
