/* Verdicts to alarms: identity, the active list, the texts. */
#include "alarms.h"
#include "catalog.h"
#include "check.h"
#include "text.h"

#include <stdbool.h>

static struct sa_rule_def redirects = {
    .name = "redirects", .enabled = true, .window_s = 60, .codes_text = "3xx"};

/* The codes of the rule, which say what kind of alarm it raises. */
static int
setup(void **state)
{
    (void)state;
    sa_code_set_add_range(&redirects.codes, 300, 302, true);
    return 0;
}

static struct sa_verdict
verdict(unsigned group, enum sa_transition transition, enum sa_severity severity, unsigned code)
{
    return (struct sa_verdict){.group = group,
                               .rule = &redirects,
                               .source = "edge",
                               .transition = transition,
                               .severity = severity,
                               .count = 231,
                               .total = 1000,
                               .value = 231,
                               .threshold = 200,
                               .unit = SA_UNIT_RESPONSES,
                               .codes = {(uint16_t)code},
                               .n_codes = 1,
                               .evidence = "a@b"};
}

static void
test_raise_change_clear(void **state)
{
    struct sa_alarms *alarms = sa_alarms_new("edge1", 4);
    struct sa_verdict v = verdict(2, SA_RAISED, SA_SEV_MINOR, 302);
    struct sa_alarm_event raised, changed, cleared;
    const struct sa_alarm *active;
    unsigned n;

    (void)state;
    assert_non_null(alarms);
    assert_int_equal(sa_alarms_changed_ms(alarms), 0);
    assert_int_equal(sa_alarms_worst(alarms), SA_SEV_CLEARED);
    sa_alarms_active(alarms, &n);
    assert_int_equal(n, 0);

    memset(&raised, 0xAA, sizeof raised);
    assert_int_equal(sa_alarms_apply(alarms, &v, 1000, &raised), 1);
    assert_int_equal(raised.sequence, 0);
    assert_int_equal(raised.transition, SA_RAISED);
    assert_true(raised.alarm.id >= 1);
    assert_string_equal(raised.alarm.identity, "edge1/redirects/edge");
    assert_int_equal(raised.alarm.severity, SA_SEV_MINOR);
    assert_int_equal(raised.alarm.kind, SA_KIND_REDIRECT);
    assert_string_equal(raised.alarm.rule, "redirects");
    assert_string_equal(raised.alarm.source, "edge");
    assert_string_equal(raised.alarm.peer, "");
    assert_string_equal(raised.alarm.codes, "302");
    assert_int_equal(raised.alarm.value, 231);
    assert_int_equal(raised.alarm.threshold, 200);
    assert_int_equal(raised.alarm.unit, SA_UNIT_RESPONSES);
    assert_int_equal(raised.alarm.window_s, 60);
    assert_int_equal(raised.alarm.total, 1000);
    assert_int_equal(raised.alarm.raised_ms, 1000);
    assert_int_equal(raised.alarm.changed_ms, 1000);
    assert_string_equal(raised.alarm.evidence, "a@b");
    assert_true(raised.alarm.text[0] != '\0');
    active = sa_alarms_active(alarms, &n);
    assert_int_equal(n, 1);
    assert_int_equal(active[0].id, raised.alarm.id);
    assert_int_equal(sa_alarms_worst(alarms), SA_SEV_MINOR);
    assert_int_equal(sa_alarms_changed_ms(alarms), 1000);

    v = verdict(2, 0, SA_SEV_MINOR, 302); /* only the numbers */
    v.value = v.count = 300;
    assert_int_equal(sa_alarms_apply(alarms, &v, 2000, &changed), 0);
    active = sa_alarms_active(alarms, &n);
    assert_int_equal(n, 1);
    assert_int_equal(active[0].value, 300);
    assert_int_equal(sa_alarms_changed_ms(alarms), 1000);

    v = verdict(2, SA_CHANGED, SA_SEV_MAJOR, 302);
    assert_int_equal(sa_alarms_apply(alarms, &v, 3000, &changed), 1);
    assert_int_equal(changed.transition, SA_CHANGED);
    assert_int_equal(changed.alarm.id, raised.alarm.id);
    assert_string_equal(changed.alarm.identity, raised.alarm.identity);
    assert_int_equal(changed.alarm.severity, SA_SEV_MAJOR);
    assert_int_equal(changed.alarm.raised_ms, 1000);
    assert_int_equal(changed.alarm.changed_ms, 3000);
    assert_int_equal(sa_alarms_worst(alarms), SA_SEV_MAJOR);

    v = verdict(2, SA_CLEARED, SA_SEV_MAJOR, 302);
    v.n_codes = 0;
    v.value = v.count = 0;
    assert_int_equal(sa_alarms_apply(alarms, &v, 4000, &cleared), 1);
    assert_int_equal(cleared.transition, SA_CLEARED);
    assert_int_equal(cleared.alarm.severity, SA_SEV_CLEARED);
    assert_int_equal(cleared.alarm.id, raised.alarm.id);
    assert_memory_equal(cleared.alarm.identity, raised.alarm.identity, strlen(raised.alarm.identity) + 1);
    assert_int_equal(cleared.alarm.kind, raised.alarm.kind);
    assert_int_equal(cleared.alarm.raised_ms, 1000);
    assert_int_equal(cleared.alarm.changed_ms, 4000);
    sa_alarms_active(alarms, &n);
    assert_int_equal(n, 0);
    assert_int_equal(sa_alarms_worst(alarms), SA_SEV_CLEARED);
    assert_int_equal(sa_alarms_changed_ms(alarms), 4000);

    v = verdict(2, SA_RAISED, SA_SEV_MINOR, 302); /* the next one is another row with the same identity */
    assert_int_equal(sa_alarms_apply(alarms, &v, 5000, &changed), 1);
    assert_true(changed.alarm.id > raised.alarm.id);
    assert_string_equal(changed.alarm.identity, raised.alarm.identity);
    assert_null(sa_alarms_free(alarms));
}

static void
test_active_list(void **state)
{
    enum { GROUPS = 20 };
    struct sa_alarms *alarms = sa_alarms_new("n", GROUPS);
    struct sa_alarm_event e;
    bool on[GROUPS] = {false};
    uint32_t highest = 0;

    (void)state;
    srand(2);
    for (unsigned step = 0; step < 3000; step++) {
        unsigned group = (unsigned)rand() % GROUPS, n, expected = 0;
        struct sa_verdict v = verdict(group, on[group] ? SA_CLEARED : SA_RAISED, SA_SEV_WARNING, 302);
        const struct sa_alarm *active;

        assert_int_equal(sa_alarms_apply(alarms, &v, step + 1, &e), 1);
        on[group] = !on[group];
        if (on[group]) {
            assert_true(e.alarm.id > highest); /* never used again */
            highest = e.alarm.id;
        }
        active = sa_alarms_active(alarms, &n);
        for (unsigned i = 0; i < GROUPS; i++)
            expected += on[i];
        assert_int_equal(n, expected);
        for (unsigned i = 1; i < n; i++)
            assert_true(active[i - 1].id < active[i].id);
    }
    sa_alarms_free(alarms);
}

static void
test_worst(void **state)
{
    struct sa_alarms *alarms = sa_alarms_new("n", 4);
    static const enum sa_severity order[] = {SA_SEV_WARNING, SA_SEV_MINOR, SA_SEV_MAJOR, SA_SEV_CRITICAL};
    struct sa_alarm_event e;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct sa_verdict v = verdict(i, SA_RAISED, order[i], 302);

        sa_alarms_apply(alarms, &v, 1, &e);
        assert_int_equal(sa_alarms_worst(alarms), order[i]);
    }
    for (unsigned i = 3; i > 0; i--) {
        struct sa_verdict v = verdict(i, SA_CLEARED, order[i], 302);

        sa_alarms_apply(alarms, &v, 1, &e);
        assert_int_equal(sa_alarms_worst(alarms), order[i - 1]);
    }
    sa_alarms_free(alarms);
}

static void
test_kind_and_remediation(void **state)
{
    static const struct {
        unsigned code;
        enum sa_alarm_kind kind;
    } cases[] = {{300, SA_KIND_REDIRECT}, {301, SA_KIND_REDIRECT}, {302, SA_KIND_REDIRECT},
                 {305, SA_KIND_REDIRECT}, {380, SA_KIND_REDIRECT}, {430, SA_KIND_FLOW_FAILURE},
                 {503, SA_KIND_RESPONSE}, {404, SA_KIND_RESPONSE}, {699, SA_KIND_RESPONSE},
                 {999, SA_KIND_RESPONSE}};

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_rule_def def = {.name = "r", .enabled = true, .window_s = 60};
        struct sa_alarms *alarms = sa_alarms_new("n", 1);
        struct sa_verdict v = verdict(0, SA_RAISED, SA_SEV_MINOR, cases[i].code);
        struct sa_alarm_event e;
        char name[8];

        snprintf(name, sizeof name, "%u", cases[i].code);
        sa_code_set_add_range(&def.codes, cases[i].code, cases[i].code, true);
        v.rule = &def;
        sa_alarms_apply(alarms, &v, 1, &e);
        CHECK_INT(name, e.alarm.kind, cases[i].kind);
        CHECK_STR(name, e.alarm.codes, name);
        CHECK_STR(name, e.alarm.remediation, sa_catalog_explain(cases[i].code).remediation);
        sa_alarms_free(alarms);

        alarms = sa_alarms_new("n", 1);
        strcpy(def.remediation, "Call the duty engineer");
        sa_alarms_apply(alarms, &v, 1, &e);
        CHECK_STR(name, e.alarm.remediation, "Call the duty engineer");
        sa_alarms_free(alarms);
    }
}

static void
test_codes(void **state)
{
    struct sa_alarms *alarms = sa_alarms_new("n", 1);
    struct sa_verdict v = verdict(0, SA_RAISED, SA_SEV_MINOR, 302);
    struct sa_alarm_event e;

    (void)state;
    for (unsigned i = 0; i < 8; i++)
        v.codes[i] = (uint16_t)(307 - i);
    v.n_codes = 8;
    sa_alarms_apply(alarms, &v, 1, &e);
    assert_string_equal(e.alarm.codes, "307,306,305,304,303,302,301,300");
    sa_alarms_free(alarms);
}

/* The longest names and the most hostile Call-ID keep to the sizes and are shown escaped. */
static void
test_sizes(void **state)
{
    struct sa_rule_def def = redirects;
    char node[SA_NODE_SIZE], source[SA_NAME_SIZE], evidence[SA_CALLID_SIZE];
    struct sa_alarms *alarms;
    struct sa_verdict v = verdict(0, SA_RAISED, SA_SEV_CRITICAL, 302);
    struct sa_alarm_event e, cleared;

    (void)state;
    memset(node, 'n', sizeof node - 1);
    node[sizeof node - 1] = '\0';
    memset(source, 's', sizeof source - 1);
    source[sizeof source - 1] = '\0';
    for (unsigned i = 0; i < sizeof evidence - 1; i++)
        evidence[i] = "\n\"\\\033\xff\xd0\x9f"[i % 7];
    evidence[sizeof evidence - 1] = '\0';
    memset(def.name, 'r', sizeof def.name - 1);
    memset(def.remediation, 'w', sizeof def.remediation - 1);
    v.rule = &def;
    v.source = source;
    v.evidence = evidence;
    v.count = v.total = v.value = v.threshold = UINT32_MAX;
    alarms = sa_alarms_new(node, 1);
    assert_int_equal(sa_alarms_apply(alarms, &v, 1, &e), 1);
    assert_true(strlen(e.alarm.identity) <= 128);
    assert_true(strlen(e.alarm.text) <= 200);
    assert_true(strlen(e.alarm.remediation) <= 255);
    assert_true(strlen(e.alarm.codes) <= 48);
    assert_true(strlen(e.alarm.evidence) <= 128);
    assert_int_equal(sa_text_utf8_prefix(e.alarm.evidence, strlen(e.alarm.evidence), 128),
                     strlen(e.alarm.evidence));
    for (const char *c = e.alarm.evidence; *c != '\0'; c++)
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7f && (unsigned char)*c != 0xff);
    for (const char *c = e.alarm.text; *c != '\0'; c++)
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
    CHECK_HAS("identity", e.alarm.identity, node);
    v.transition = SA_CLEARED;
    assert_int_equal(sa_alarms_apply(alarms, &v, 1, &cleared), 1);
    assert_string_equal(cleared.alarm.identity, e.alarm.identity);
    sa_alarms_free(alarms);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raise_change_clear),
        cmocka_unit_test(test_active_list),
        cmocka_unit_test(test_worst),
        cmocka_unit_test(test_kind_and_remediation),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
