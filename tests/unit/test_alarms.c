/* Verdicts to alarms: identity, the active list, the texts. */
#include "advice.h"
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
    static const char *const sources[] = {"edge", "core"};
    static char peers[32][SA_PEER_SIZE];

    if (group >= 2)
        snprintf(peers[group], sizeof peers[group], "192.0.2.%u", group);
    return (struct sa_verdict){.rule = &redirects,
                               .group = {"redirects", sources[group % 2], peers[group], "", 0, false},
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
    struct sa_alarms *alarms = sa_alarms_new("edge1");
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
    assert_string_equal(raised.alarm.peer, "192.0.2.2");
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

/* What people see of an active alarm moves with its numbers; the event keeps what it said. */
static void
test_text_moves(void **state)
{
    struct sa_alarms *alarms = sa_alarms_new("n");
    struct sa_verdict v = verdict(0, SA_RAISED, SA_SEV_MINOR, 302);
    struct sa_alarm_event raised, other;
    const struct sa_alarm *active;
    unsigned n;

    (void)state;
    v.count = v.value = 102;
    assert_int_equal(sa_alarms_apply(alarms, &v, 1, &raised), 1);
    CHECK_HAS("raised", raised.alarm.text, "302 Moved Temporarily: 102 responses");
    v.transition = 0;
    v.count = v.value = v.total = 6900;
    assert_int_equal(sa_alarms_apply(alarms, &v, 2, &other), 0);
    active = sa_alarms_active(alarms, &n);
    assert_int_equal(n, 1);
    CHECK_HAS("active", active[0].text, "302 Moved Temporarily: 6900 responses");
    assert_int_equal(active[0].value, 6900);
    assert_int_equal(active[0].total, 6900);
    CHECK_HAS("raised", raised.alarm.text, "302 Moved Temporarily: 102 responses");
    v.unit = SA_UNIT_PER_MILLE; /* one more in so many that the share stays */
    v.value = 690;
    v.total = 10000;
    assert_int_equal(sa_alarms_apply(alarms, &v, 3, &other), 0);
    v.count++;
    assert_int_equal(sa_alarms_apply(alarms, &v, 4, &other), 0);
    active = sa_alarms_active(alarms, &n);
    CHECK_HAS("active", active[0].text, "6901 of 10000");
    sa_alarms_free(alarms);
}

/* A window that is empty names no code: the alarm keeps those of before, and what to do about them. */
static void
test_codes_stay(void **state)
{
    static const enum sa_transition transitions[] = {0, SA_CHANGED, 0, SA_CLEARED};
    struct sa_alarms *alarms = sa_alarms_new("n");
    struct sa_verdict v = verdict(0, SA_RAISED, SA_SEV_MAJOR, 302);
    struct sa_alarm_event raised, e;
    unsigned n;

    (void)state;
    v.codes[1] = 301;
    v.n_codes = 2;
    assert_int_equal(sa_alarms_apply(alarms, &v, 1, &raised), 1);
    assert_string_equal(raised.alarm.codes, "302,301");
    for (unsigned i = 0; i < ROWS(transitions); i++) {
        v = verdict(0, transitions[i], SA_SEV_MINOR, 0);
        v.n_codes = 0;
        v.count = v.value = v.total = 0;
        if (sa_alarms_apply(alarms, &v, 2 + i, &e) == 0)
            e.alarm = *sa_alarms_active(alarms, &n);
        CHECK_STR("codes", e.alarm.codes, "302,301");
        CHECK_STR("remediation", e.alarm.remediation, sa_catalog_explain(302).remediation);
        CHECK_HAS("text", e.alarm.text, "0 responses");
        if (transitions[i] != SA_CLEARED)
            CHECK_HAS("text", e.alarm.text, "302 Moved Temporarily and others");
    }
    sa_alarms_free(alarms);
}

static void
test_active_list(void **state)
{
    enum { GROUPS = 20 };
    struct sa_alarms *alarms = sa_alarms_new("n");
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
    struct sa_alarms *alarms = sa_alarms_new("n");
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
        struct sa_alarms *alarms = sa_alarms_new("n");
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

        alarms = sa_alarms_new("n");
        strcpy(def.remediation, "Call the duty engineer");
        sa_alarms_apply(alarms, &v, 1, &e);
        CHECK_STR(name, e.alarm.remediation, "Call the duty engineer");
        sa_alarms_free(alarms);
    }
}

static void
test_codes(void **state)
{
    struct sa_alarms *alarms = sa_alarms_new("n");
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
    v.group.source = source;
    v.evidence = evidence;
    v.count = v.total = v.value = v.threshold = UINT32_MAX;
    alarms = sa_alarms_new(node);
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

/* Whatever is wrong, the advice fits into the notification whole; and it names what can be done of each
 * cause. */
static void
test_advice(void **state)
{
    static const char *const lost[] = {"imuxsock",           "imjournal",     "RateLimitBurst", "rmem_max",
                                       "logger_queue_limit", "xlog_buf_size", "max_connections"};
    static const char *const blind[] = {"Not all", "address", "FIFO", "socket", "journal", "another's"};

    (void)state;
    for (int kind = 0; kind < SA_FAULT_KINDS; kind++)
        for (int error = 0; error < 200; error++) {
            const char *text = sa_advice((enum sa_fault_kind)kind, -error);

            assert_in_range(strlen(text), 1, 255);
            for (const char *c = text; *c != '\0'; c++)
                assert_true(*c >= 0x20 && *c < 0x7f);
        }
    for (unsigned i = 0; i < ROWS(lost); i++)
        CHECK_HAS("undercount", sa_advice(SA_FAULT_UNDERCOUNT, 0), lost[i]);
    for (unsigned i = 0; i < ROWS(blind); i++)
        CHECK_HAS("blind", sa_advice(SA_FAULT_BLIND, 0), blind[i]);
}

static struct sa_fault
fault(enum sa_fault_kind kind, const char *source, bool raised)
{
    return (struct sa_fault){.kind = kind, .source = source, .raised = raised, .text = "it is so"};
}

static void
test_fault_kinds(void **state)
{
    static const enum sa_alarm_kind kinds[SA_FAULT_KINDS] = {[SA_FAULT_BLIND] = SA_KIND_SOURCE_BLIND,
                                                             [SA_FAULT_UNDERCOUNT] = SA_KIND_UNDERCOUNT,
                                                             [SA_FAULT_STATE] = SA_KIND_STATE_LOST};
    static const enum sa_alarm_kind others[] = {SA_KIND_REDIRECT, SA_KIND_FLOW_FAILURE, SA_KIND_RESPONSE, 0,
                                                99};
    enum sa_fault_kind got;

    (void)state;
    for (unsigned i = 0; i < SA_FAULT_KINDS; i++) {
        assert_true(sa_alarms_fault_kind(kinds[i], &got));
        assert_int_equal(got, i);
    }
    for (unsigned i = 0; i < ROWS(others); i++)
        assert_false(sa_alarms_fault_kind(others[i], &got));
}

static void
test_fault(void **state)
{
    static const enum sa_alarm_kind kinds[] = {SA_KIND_SOURCE_BLIND, SA_KIND_UNDERCOUNT, SA_KIND_STATE_LOST};

    (void)state;
    for (enum sa_fault_kind kind = 0; kind < SA_FAULT_KINDS; kind++) {
        struct sa_alarms *alarms = sa_alarms_new("edge1");
        const char *source = kind == SA_FAULT_STATE ? "" : "edge";
        struct sa_fault up = fault(kind, source, true), down = fault(kind, source, false);
        struct sa_alarm_event raised, ended, again;
        const struct sa_alarm *active;
        unsigned n;

        assert_int_equal(sa_alarms_fault(alarms, &down, 500, &ended), 0); /* nothing to clear */
        assert_int_equal(sa_alarms_changed_ms(alarms), 0);
        memset(&raised, 0xAA, sizeof raised);
        up.lost = 17;
        assert_int_equal(sa_alarms_fault(alarms, &up, 1000, &raised), 1);
        assert_int_equal(raised.sequence, 0);
        assert_int_equal(raised.transition, SA_FAULT);
        assert_true(raised.alarm.id >= 1);
        assert_int_equal(raised.alarm.kind, kinds[kind]);
        assert_true(sa_severity_gravity(raised.alarm.severity) > 0);
        assert_string_equal(raised.alarm.source, source);
        assert_true(strncmp(raised.alarm.identity, "edge1/", 6) == 0);
        assert_string_equal(raised.alarm.peer, "");
        assert_string_equal(raised.alarm.codes, "");
        assert_int_equal(raised.alarm.raised_ms, 1000);
        assert_int_equal(raised.alarm.changed_ms, 1000);
        CHECK_HAS("text", raised.alarm.text, "it is so");
        assert_true(raised.alarm.remediation[0] != '\0');
        assert_true(strlen(raised.alarm.remediation) < sizeof raised.alarm.remediation - 1); /* not cut */
        active = sa_alarms_active(alarms, &n);
        assert_int_equal(n, 1);
        assert_int_equal(active[0].id, raised.alarm.id);
        assert_int_equal(sa_alarms_worst(alarms), raised.alarm.severity);
        assert_int_equal(sa_alarms_changed_ms(alarms), 1000);

        down.lost = UINT64_MAX;
        assert_int_equal(sa_alarms_fault(alarms, &down, 2000, &ended), 1);
        assert_int_equal(ended.transition, SA_RESTORED);
        assert_int_equal(ended.alarm.severity, SA_SEV_CLEARED);
        assert_int_equal(ended.alarm.id, raised.alarm.id);
        assert_string_equal(ended.alarm.identity, raised.alarm.identity);
        assert_int_equal(ended.alarm.raised_ms, 1000);
        assert_int_equal(ended.alarm.changed_ms, 2000);
        sa_alarms_active(alarms, &n);
        assert_int_equal(n, 0);
        assert_int_equal(sa_alarms_worst(alarms), SA_SEV_CLEARED);
        assert_int_equal(sa_alarms_changed_ms(alarms), 2000);
        assert_int_equal(sa_alarms_fault(alarms, &down, 3000, &ended), 0);

        assert_int_equal(sa_alarms_fault(alarms, &up, 4000, &again), 1);
        assert_true(again.alarm.id > raised.alarm.id);
        assert_string_equal(again.alarm.identity, raised.alarm.identity);
        sa_alarms_free(alarms);
    }
}

/* Faults of other sources and kinds, and the alarms of rules, do not touch one another. */
static void
test_faults_beside_rules(void **state)
{
    static const char *const names[] = {"edge", "core"};
    struct sa_alarms *alarms = sa_alarms_new("n");
    char identities[16][SA_IDENT_SIZE];
    const struct sa_alarm *active;
    struct sa_alarm_event e;
    struct sa_verdict v;
    struct sa_fault f;
    unsigned n;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        v = verdict(i, SA_RAISED, SA_SEV_MINOR, 302);
        v.group.source = names[i];
        assert_int_equal(sa_alarms_apply(alarms, &v, 1, &e), 1);
        for (enum sa_fault_kind kind = 0; kind < SA_FAULT_STATE; kind++) {
            f = fault(kind, names[i], true);
            assert_int_equal(sa_alarms_fault(alarms, &f, 1, &e), 1);
        }
    }
    f = fault(SA_FAULT_STATE, "", true);
    assert_int_equal(sa_alarms_fault(alarms, &f, 1, &e), 1);
    active = sa_alarms_active(alarms, &n);
    assert_int_equal(n, 7);
    for (unsigned i = 0; i < n; i++) {
        strcpy(identities[i], active[i].identity);
        for (unsigned k = 0; k < i; k++) {
            assert_true(active[k].id < active[i].id);
            assert_string_not_equal(identities[i], identities[k]);
        }
    }
    f = fault(SA_FAULT_BLIND, "core", false);
    assert_int_equal(sa_alarms_fault(alarms, &f, 2, &e), 1);
    assert_string_equal(e.alarm.source, "core");
    assert_int_equal(e.alarm.kind, SA_KIND_SOURCE_BLIND);
    v = verdict(0, SA_CLEARED, SA_SEV_MINOR, 302);
    assert_int_equal(sa_alarms_apply(alarms, &v, 2, &e), 1);
    assert_string_equal(e.alarm.source, "edge");
    assert_int_equal(e.alarm.kind, SA_KIND_REDIRECT);
    active = sa_alarms_active(alarms, &n);
    assert_int_equal(n, 5);
    for (unsigned i = 1; i < n; i++)
        assert_true(active[i - 1].id < active[i].id);
    sa_alarms_free(alarms);
}

/* Each group of a rule has an alarm of its own, found by what it is about and by nothing else. */
static void
test_found_by_key(void **state)
{
    static const struct sa_group_name names[] = {
        {"redirects", "edge", "", "", 0, false},
        {"redirects", "core", "", "", 0, false},
        {"redirects", "", "", "", 0, false},
        {"redirects", "edge", "192.0.2.1", "", 0, false},
        {"redirects", "edge", "192.0.2.1", "INVITE", 0, false},
        {"redirects", "edge", "192.0.2.1", "INVITE", 302, false},
        {"redirects", "edge", "192.0.2.1", "INVITE", 301, false},
        {"redirects", "edge", "", "INVITE", 0, false},
        {"redirects", "edge", "", "", 302, false},
        {"redirects", "edge", "", "", 0, true},
        {"source-blind", "edge", "", "", 0, false}, /* a rule may have the name of a fault */
    };
    struct sa_alarms *alarms = sa_alarms_new("n");
    struct sa_fault blind = fault(SA_FAULT_BLIND, "edge", true);
    struct sa_alarm_event e;
    unsigned n;

    (void)state;
    for (unsigned i = 0; i < ROWS(names); i++) {
        struct sa_rule_def def = redirects;
        struct sa_verdict v = verdict(0, SA_RAISED, SA_SEV_MINOR, 302);

        strcpy(def.name, names[i].rule);
        v.rule = &def;
        v.group = names[i];
        assert_int_equal(sa_alarms_apply(alarms, &v, 1, &e), 1);
        CHECK_INT("id", e.alarm.id, i + 1);
        (void)sa_alarms_active(alarms, &n);
        CHECK_INT("active", n, i + 1);
    }
    assert_int_equal(sa_alarms_fault(alarms, &blind, 2, &e), 1);
    assert_int_equal(e.transition, SA_FAULT);
    for (unsigned i = 0; i < ROWS(names); i += 2) {
        struct sa_rule_def def = redirects;
        struct sa_verdict v = verdict(0, SA_CLEARED, SA_SEV_MINOR, 302);

        strcpy(def.name, names[i].rule);
        v.rule = &def;
        v.group = names[i];
        assert_int_equal(sa_alarms_apply(alarms, &v, 3, &e), 1);
        CHECK_INT("id", e.alarm.id, i + 1);
        CHECK_STR("source", e.alarm.source, names[i].source);
        CHECK_STR("peer", e.alarm.peer, names[i].peer);
        CHECK_STR("method", e.alarm.method, names[i].method);
        CHECK_INT("code", e.alarm.code, names[i].code);
    }
    blind.raised = false;
    assert_int_equal(sa_alarms_fault(alarms, &blind, 4, &e), 1);
    assert_int_equal(e.transition, SA_RESTORED);
    sa_alarms_free(alarms);
}

/* The identity has a part for each thing that the rule is by. */
static void
test_identity(void **state)
{
    static const struct {
        unsigned by;
        struct sa_group_name group;
        const char *identity;
    } cases[] = {
        {0, {"redirects", "edge", "", "", 0, false}, "n/redirects/edge"},
        {SA_BY_SOURCE, {"redirects", "edge", "", "", 0, false}, "n/redirects/edge"},
        {SA_BY_SOURCE | SA_BY_PEER,
         {"redirects", "edge", "192.0.2.1", "", 0, false},
         "n/redirects/edge/192.0.2.1"},
        {SA_BY_PEER, {"redirects", "", "2001:db8::1", "", 0, false}, "n/redirects/2001:db8::1"},
        {SA_BY_PEER, {"redirects", "", "", "", 0, false}, "n/redirects/-"},
        {SA_BY_SOURCE | SA_BY_METHOD,
         {"redirects", "edge", "", "INVITE", 0, false},
         "n/redirects/edge/INVITE"},
        {SA_BY_CODE, {"redirects", "", "", "", 302, false}, "n/redirects/302"},
        {SA_BY_SOURCE | SA_BY_PEER | SA_BY_METHOD | SA_BY_CODE,
         {"redirects", "edge", "192.0.2.1", "INVITE", 302, false},
         "n/redirects/edge/192.0.2.1/INVITE/302"},
        {SA_BY_SOURCE | SA_BY_PEER, {"redirects", "edge", "", "", 0, true}, "n/redirects/edge/(others)"},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_alarms *alarms = sa_alarms_new("n");
        struct sa_rule_def def = redirects;
        struct sa_verdict v = verdict(0, SA_RAISED, SA_SEV_MINOR, 302);
        struct sa_alarm_event e;

        def.by = cases[i].by;
        v.rule = &def;
        v.group = cases[i].group;
        assert_int_equal(sa_alarms_apply(alarms, &v, 1, &e), 1);
        CHECK_STR("identity", e.alarm.identity, cases[i].identity);
        if (cases[i].group.overflow)
            CHECK_HAS("text", e.alarm.text, "; of all that found no room in max_groups together");
        sa_alarms_free(alarms);
    }
}

/* However much else there is to say, it is said what the numbers are of. */
static void
test_overflow_is_said(void **state)
{
    struct sa_alarms *alarms = sa_alarms_new("n");
    struct sa_verdict v = verdict(0, SA_RAISED, SA_SEV_CRITICAL, 511);
    struct sa_rule_def def = redirects;
    struct sa_alarm_event e;

    (void)state;
    v.rule = &def;
    def.window_s = UINT32_MAX;
    v.count = v.total = v.value = v.threshold = UINT32_MAX;
    v.unit = SA_UNIT_PER_MILLE;
    v.codes[1] = 503;
    v.n_codes = 2;
    v.group.overflow = true;
    assert_int_equal(sa_alarms_apply(alarms, &v, 1, &e), 1);
    assert_true(strlen(e.alarm.text) < SA_TEXT_SIZE);
    CHECK_HAS("text", e.alarm.text, "; of all that found no room in max_groups together");
    sa_alarms_free(alarms);
}

/* A group that is up and has no alarm gets one as soon as there is something to show. */
static void
test_up_without_an_alarm(void **state)
{
    struct sa_alarms *alarms = sa_alarms_new("n");
    struct sa_verdict v = verdict(0, 0, SA_SEV_MAJOR, 302);
    struct sa_alarm_event e;
    unsigned n;

    (void)state;
    v.n_codes = 0;
    assert_int_equal(sa_alarms_apply(alarms, &v, 1, &e), 0); /* it will be over before there is */
    v.transition = SA_CLEARED;
    assert_int_equal(sa_alarms_apply(alarms, &v, 1, &e), 0);
    v = verdict(0, 0, SA_SEV_MAJOR, 302);
    assert_int_equal(sa_alarms_apply(alarms, &v, 2, &e), 1);
    assert_int_equal(e.transition, SA_RAISED);
    assert_int_equal(e.alarm.severity, SA_SEV_MAJOR);
    assert_string_equal(e.alarm.identity, "n/redirects/edge");
    CHECK_HAS("text", e.alarm.text, "302 Moved Temporarily: 231 responses");
    (void)sa_alarms_active(alarms, &n);
    assert_int_equal(n, 1);
    sa_alarms_free(alarms);
}

/* Ten thousand alarms come and go in moments: none is looked for among the others. */
static void
test_many(void **state)
{
    enum { MANY = 10000 };
    struct sa_alarms *alarms = sa_alarms_new("n");
    struct sa_alarm_event e;
    const struct sa_alarm *active;
    unsigned n;

    (void)state;
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < MANY; i++) {
            struct sa_verdict v = verdict(0, round == 0 ? SA_RAISED : SA_CLEARED, SA_SEV_MINOR, 302);
            unsigned which = round == 0 ? i : (i * 7919u + 13) % MANY;
            char peer[SA_PEER_SIZE];

            snprintf(peer, sizeof peer, "192.0.%u.%u", which / 256, which % 256);
            v.group.peer = peer;
            assert_int_equal(sa_alarms_apply(alarms, &v, 1, &e), 1);
            assert_string_equal(e.alarm.peer, peer);
            assert_int_equal(e.alarm.id, which + 1);
            if (i % 1000 == 0) {
                active = sa_alarms_active(alarms, &n);
                assert_int_equal(n, round == 0 ? i + 1 : MANY - 1 - i);
                for (unsigned k = 1; k < n; k++)
                    assert_true(active[k - 1].id < active[k].id);
            }
        }
    (void)sa_alarms_active(alarms, &n);
    assert_int_equal(n, 0);
    assert_int_equal(sa_alarms_worst(alarms), SA_SEV_CLEARED);
    sa_alarms_free(alarms);
}

/* A restart: the alarms go on where they were, numbers and all. */
static void
test_restore(void **state)
{
    struct sa_alarms *before = sa_alarms_new("n"), *after = sa_alarms_new("n");
    struct sa_fault blind = fault(SA_FAULT_BLIND, "edge", true);
    struct sa_alarms_memory memory;
    const struct sa_alarm *old, *now;
    struct sa_alarm_event e, raised;
    struct sa_verdict v;
    unsigned n;

    (void)state;
    v = verdict(0, SA_RAISED, SA_SEV_MINOR, 302);
    sa_alarms_apply(before, &v, 10, &e);
    v = verdict(5, SA_RAISED, SA_SEV_MAJOR, 302);
    sa_alarms_apply(before, &v, 20, &raised);
    sa_alarms_fault(before, &blind, 30, &e);
    v = verdict(6, SA_RAISED, SA_SEV_MINOR, 302);
    sa_alarms_apply(before, &v, 40, &e);
    v = verdict(6, SA_CLEARED, SA_SEV_MINOR, 302);
    sa_alarms_apply(before, &v, 50, &e);

    memory = sa_alarms_keep(before);
    sa_alarms_recall(after, &memory);
    old = sa_alarms_active(before, &n);
    assert_int_equal(n, 3);
    for (unsigned i = 0; i < n; i++)
        assert_true(sa_alarms_restore(after, &old[i]));
    assert_false(sa_alarms_restore(after, &old[2])); /* it is there */
    now = sa_alarms_active(after, &n);
    assert_int_equal(n, 3);
    for (unsigned i = 0; i < n; i++)
        assert_memory_equal(&now[i], &old[i], sizeof *now);
    assert_int_equal(sa_alarms_worst(after), SA_SEV_MAJOR);
    assert_int_equal(sa_alarms_changed_ms(after), 50);

    v = verdict(5, SA_CLEARED, SA_SEV_MAJOR, 302);
    assert_int_equal(sa_alarms_apply(after, &v, 60, &e), 1);
    assert_int_equal(e.alarm.id, raised.alarm.id);
    assert_string_equal(e.alarm.identity, raised.alarm.identity);
    assert_int_equal(e.alarm.raised_ms, 20);
    blind.raised = false;
    assert_int_equal(sa_alarms_fault(after, &blind, 70, &e), 1);
    assert_int_equal(e.alarm.raised_ms, 30);
    v = verdict(7, SA_RAISED, SA_SEV_MINOR, 302);
    assert_int_equal(sa_alarms_apply(after, &v, 80, &e), 1);
    assert_true(e.alarm.id > memory.last_id); /* numbers are never used again */
    sa_alarms_free(before);
    sa_alarms_free(after);
}

static void
test_end(void **state)
{
    struct sa_alarms *alarms = sa_alarms_new("n");
    struct sa_fault blind = fault(SA_FAULT_BLIND, "edge", true);
    struct sa_verdict v = verdict(0, SA_RAISED, SA_SEV_MAJOR, 302);
    struct sa_alarm_event raised[2], ended;
    unsigned n;

    (void)state;
    sa_alarms_apply(alarms, &v, 10, &raised[0]);
    sa_alarms_fault(alarms, &blind, 20, &raised[1]);
    for (unsigned i = 0; i < 2; i++) {
        memset(&ended, 0xAA, sizeof ended);
        sa_alarms_end(&raised[i].alarm, 99, &ended);
        assert_int_equal(ended.transition, i == 0 ? SA_CLEARED : SA_RESTORED);
        assert_int_equal(ended.sequence, 0);
        assert_int_equal(ended.alarm.severity, SA_SEV_CLEARED);
        assert_int_equal(ended.alarm.changed_ms, 99);
        assert_int_equal(ended.alarm.id, raised[i].alarm.id);
        assert_int_equal(ended.alarm.kind, raised[i].alarm.kind);
        assert_int_equal(ended.alarm.raised_ms, raised[i].alarm.raised_ms);
        assert_string_equal(ended.alarm.identity, raised[i].alarm.identity);
        assert_string_equal(ended.alarm.source, "edge");
        assert_true(ended.alarm.text[0] != '\0');
    }
    sa_alarms_active(alarms, &n); /* the list is not touched */
    assert_int_equal(n, 2);
    sa_alarms_free(alarms);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raise_change_clear),
        cmocka_unit_test(test_text_moves),
        cmocka_unit_test(test_codes_stay),
        cmocka_unit_test(test_active_list),
        cmocka_unit_test(test_worst),
        cmocka_unit_test(test_kind_and_remediation),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_advice),
        cmocka_unit_test(test_fault_kinds),
        cmocka_unit_test(test_fault),
        cmocka_unit_test(test_faults_beside_rules),
        cmocka_unit_test(test_found_by_key),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_overflow_is_said),
        cmocka_unit_test(test_up_without_an_alarm),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_restore),
        cmocka_unit_test(test_end),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
