/*
 * The MIB as a manager sees it: the real net-snmp agent in this process, asked through its callback
 * transport, without sockets.  OIDs and types are written out here, apart from those that the agent uses.
 */
#include "board.h"
#include "catalog.h"
#include "clock.h"
#include "text.h"
#include "varbinds.h"
#include "mib.h"
#include "view.h"

#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/library/snmpCallbackDomain.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define APPLICATION        "test_mib"
#define AGENTX_VERSION_1   0xC1 /* not in net-snmp's public headers */
#define TURNS              1000 /* far more than an answer needs */
#define BIG                (UINT64_C(7) << 32)
#define WALL_MS            INT64_C(1795193117900) /* 2026-11-20 16:45:17.9 UTC */
#define NOW_S              INT64_C(123456)
#define EXPECTED_MAX       2048
#define NOTIFICATION_LIMIT 1400

extern int callback_master_num;

static const oid mib_root[] = {SA_OID_ROOT};

static const char date[] = {0x07, (char)0xea, 11, 20, 16, 45, 17, 9, '+', 0, 0}, never[8];

/* One instance and its value. */
struct expected {
    oid name[MAX_OID_LEN];
    size_t len;
    u_char type;
    uint64_t number;
    const char *octets;
    size_t n_octets;
};

static struct expected golden[EXPECTED_MAX];
static unsigned n_golden;

/* The values to come from the snapshot that set_snapshot() made, in the order of their OIDs. */

static struct expected *
expect(u_char type, unsigned group, unsigned column, uint32_t row)
{
    struct expected *e = &golden[n_golden++];

    assert_true(n_golden < EXPECTED_MAX);
    *e = (struct expected){.len = OID_LENGTH(mib_root), .type = type};
    memcpy(e->name, mib_root, sizeof mib_root);
    e->name[e->len++] = 1;
    e->name[e->len++] = group;
    if (group != 1)
        e->name[e->len++] = 1;
    e->name[e->len++] = column;
    e->name[e->len++] = row;
    return e;
}

static void
expect_number(u_char type, unsigned group, unsigned column, uint32_t row, uint64_t number)
{
    expect(type, group, column, row)->number = number;
}

static void
expect_octets(unsigned group, unsigned column, uint32_t row, const char *octets, size_t n)
{
    struct expected *e = expect(ASN_OCTET_STR, group, column, row);

    e->octets = octets;
    e->n_octets = n;
}

static void
expect_text(unsigned group, unsigned column, uint32_t row, const char *text)
{
    expect_octets(group, column, row, text, strlen(text));
}

static void
expect_date(unsigned group, unsigned column, uint32_t row, int64_t wall_ms)
{
    if (wall_ms == 0)
        expect_octets(group, column, row, never, sizeof never);
    else
        expect_octets(group, column, row, date, sizeof date);
}

static void
expect_agent(const struct sa_snapshot *snapshot)
{
    expect_text(1, 1, 0, SIPALERT_VERSION);
    expect_date(1, 2, 0, WALL_MS);
    expect_date(1, 3, 0, WALL_MS);
    expect_date(1, 4, 0, WALL_MS);
    expect_number(ASN_COUNTER64, 1, 5, 0, BIG + 5);
    expect_number(ASN_COUNTER64, 1, 6, 0, UINT64_MAX);
    expect_number(ASN_COUNTER64, 1, 7, 0, BIG + 7);
    expect_number(ASN_COUNTER64, 1, 8, 0, 8);
    expect_number(ASN_INTEGER, 1, 9, 0, 4);
    expect_number(ASN_GAUGE, 1, 10, 0, snapshot->n_alarms);
    expect_date(1, 11, 0, 0);
    expect_number(ASN_COUNTER64, 1, 12, 0, BIG + 12);
    expect_number(ASN_GAUGE, 1, 13, 0, 13);
    expect_number(ASN_COUNTER64, 1, 14, 0, BIG + 14);
    expect_number(ASN_UNSIGNED, 1, 15, 0, UINT32_MAX);
    expect_text(1, 16, 0, "edge1");
}

static void
expect_source(const struct sa_snapshot_source *s, unsigned column)
{
    const uint64_t counters[] = {s->lines,    s->bytes,     s->responses,   s->unmatched,
                                 s->oversize, s->rotations, s->truncations, s->backlog_bytes};

    switch (column) {
    case 2:
        expect_text(2, column, s->index, s->name);
        break;
    case 3:
        expect_number(ASN_INTEGER, 2, column, s->index, 1);
        break;
    case 4:
        expect_text(2, column, s->index, s->location);
        break;
    case 5:
        expect_text(2, column, s->index, s->format);
        break;
    case 6:
        expect_number(ASN_INTEGER, 2, column, s->index, (uint64_t)s->state);
        break;
    case 7:
        expect_text(2, column, s->index, s->state_text);
        break;
    case 16:
        expect_date(2, column, s->index, s->last_line_ms);
        break;
    case 17:
        expect_date(2, column, s->index, s->last_response_ms);
        break;
    default:
        expect_number(ASN_COUNTER64, 2, column, s->index, counters[column - 8]);
    }
}

/* The clock of the process, set by the tests. */
static struct sa_time now = {.wall_ms = WALL_MS};

struct sa_time __wrap_sa_clock_now(void);

struct sa_time
__wrap_sa_clock_now(void)
{
    return now;
}

static void
set_now(int64_t seconds)
{
    now.mono_ms = seconds * 1000 + 999;
}

/* What each code's gauges have to show at NOW_S; a code that is not here was never seen. */
static const struct seen {
    uint16_t code;
    int64_t newest_age_s;
    struct {
        int64_t age_s;
        uint32_t count;
    } seconds[6];
    uint32_t windows[3];
} seen[] = {
    {299, 0, {{30, 1}}, {1, 1, 1}}, /* not registered */
    {302, 0, {{0, 2}, {59, 3}, {60, 7}, {299, 11}, {300, 13}, {899, 17}}, {5, 23, 53}},
    {408, 100, {{110, 9}}, {0, 9, 9}}, /* nothing since */
    {430, 0, {{5, UINT32_MAX}, {6, UINT32_MAX}}, {UINT32_MAX, UINT32_MAX, UINT32_MAX}},
    {486, 1000, {{1000, 4}}, {0, 0, 0}}, /* too long ago */
    {799, 0, {{850, 6}}, {0, 0, 6}},     /* of no class */
};

#define SEEN (sizeof seen / sizeof seen[0])

static const struct seen *
find_seen(unsigned code)
{
    for (size_t i = 0; i < SEEN; i++)
        if (seen[i].code == code)
            return &seen[i];
    return NULL;
}

static void
expect_code(const struct sa_snapshot_code *c, unsigned column)
{
    const struct sa_catalog_entry *entry = sa_catalog_find(c->code);
    const struct seen *s = find_seen(c->code);

    switch (column) {
    case 2:
        expect_text(3, column, c->code, entry != NULL ? entry->phrase : "(unregistered)");
        break;
    case 3:
        expect_number(ASN_COUNTER64, 3, column, c->code, c->responses);
        break;
    case 4:
        expect_number(ASN_COUNTER64, 3, column, c->code, c->received);
        break;
    case 5:
        expect_number(ASN_COUNTER64, 3, column, c->code, c->sent);
        break;
    case 9:
        expect_date(3, column, c->code, c->last_seen_ms);
        break;
    case 10:
        expect_text(3, column, c->code, sa_catalog_explain(c->code).meaning);
        break;
    case 11:
        expect_text(3, column, c->code, sa_catalog_explain(c->code).remediation);
        break;
    default:
        expect_number(ASN_GAUGE, 3, column, c->code, s == NULL ? 0 : s->windows[column - 6]);
    }
}

static void
expect_alarm(const struct sa_alarm *a, unsigned column)
{
    const char *const texts[] = {
        [2] = a->identity, [5] = a->rule,  [6] = a->source,       [7] = a->peer,
        [8] = a->codes,    [16] = a->text, [17] = a->remediation, [18] = a->evidence};
    const uint64_t numbers[] = {[3] = a->severity,   [4] = a->kind,      [9] = a->value,  [10] = a->unit,
                                [11] = a->threshold, [12] = a->window_s, [13] = a->total, [19] = 2};

    switch (column) {
    case 3:
    case 4:
    case 10:
    case 19:
        expect_number(ASN_INTEGER, 7, column, a->id, numbers[column]);
        break;
    case 9:
    case 11:
    case 12:
    case 13:
        expect_number(ASN_UNSIGNED, 7, column, a->id, numbers[column]); /* as Gauge32 */
        break;
    case 14:
        expect_date(7, column, a->id, a->raised_ms);
        break;
    case 15:
        expect_date(7, column, a->id, a->changed_ms);
        break;
    default:
        expect_text(7, column, a->id, texts[column]);
    }
}

static void
expect_snapshot(const struct sa_snapshot *snapshot)
{
    n_golden = 0;
    expect_agent(snapshot);
    for (unsigned column = 2; column <= 17; column++)
        for (unsigned i = 0; i < snapshot->n_sources; i++)
            expect_source(&snapshot->sources[i], column);
    for (unsigned column = 2; column <= 11; column++)
        for (unsigned i = 0; i < snapshot->n_codes; i++)
            expect_code(&snapshot->codes[i], column);
    for (unsigned column = 2; column <= 19; column++)
        for (unsigned i = 0; i < snapshot->n_alarms; i++)
            expect_alarm(&snapshot->alarms[i], column);
}

/* The snapshot. */

static struct sa_alarm
make_alarm(uint32_t id)
{
    struct sa_alarm a = {.id = id,
                         .severity = SA_SEV_MAJOR,
                         .kind = SA_KIND_FLOW_FAILURE,
                         .value = 3000000000,
                         .unit = SA_UNIT_PER_MILLE,
                         .threshold = 300,
                         .window_s = 60,
                         .total = UINT32_MAX,
                         .raised_ms = WALL_MS,
                         .changed_ms = WALL_MS};

    (void)sa_text_copy(a.identity, sizeof a.identity, "edge1/flow-failures/edge");
    (void)sa_text_copy(a.rule, sizeof a.rule, "flow-failures");
    (void)sa_text_copy(a.source, sizeof a.source, "edge");
    (void)sa_text_copy(a.codes, sizeof a.codes, "430,302");
    (void)sa_text_copy(a.text, sizeof a.text, "30% of the responses are 430");
    (void)sa_text_copy(a.remediation, sizeof a.remediation, "look at the edge proxy \xe2\x82\xac");
    (void)sa_text_copy(a.evidence, sizeof a.evidence, "1-46@127.11.0.2");
    return a;
}

static void
fill_agent(struct sa_snapshot_agent *agent)
{
    *agent = (struct sa_snapshot_agent){.start_ms = WALL_MS,
                                        .counters_since_ms = WALL_MS,
                                        .config_ms = WALL_MS,
                                        .lines = BIG + 5,
                                        .bytes = UINT64_MAX,
                                        .responses = BIG + 7,
                                        .unmatched = 8,
                                        .worst_severity = SA_SEV_MAJOR,
                                        .notifications_sent = BIG + 12,
                                        .notifications_suppressed = BIG + 14,
                                        .notifications_queued = 13,
                                        .sequence = UINT32_MAX};
    (void)sa_text_copy(agent->node, sizeof agent->node, "edge1");
}

static void
fill_source(struct sa_snapshot_source *source, uint32_t index)
{
    *source = (struct sa_snapshot_source){.index = index,
                                          .kind = SA_SOURCE_FILE,
                                          .state = index == 1 ? SA_SOURCE_FOLLOWING : SA_SOURCE_FAILED,
                                          .lines = BIG + index,
                                          .bytes = BIG + 20 + index,
                                          .responses = BIG + 30 + index,
                                          .unmatched = BIG + 40 + index,
                                          .oversize = 50 + index,
                                          .rotations = 60 + index,
                                          .truncations = 70 + index,
                                          .backlog_bytes = BIG + 80 + index,
                                          .last_line_ms = index == 1 ? WALL_MS : 0,
                                          .last_response_ms = index == 1 ? WALL_MS : 0};
    (void)sa_text_format(source->name, sizeof source->name, "source%u", index);
    (void)sa_text_copy(source->location, sizeof source->location,
                       "/var/log/\xd0\xb6\xd1\x83\xd1\x80\xd0\xbd.log");
    (void)sa_text_copy(source->format, sizeof source->format, "auto");
    (void)sa_text_copy(source->state_text, sizeof source->state_text, index == 1 ? "" : "cannot read");
}

static void
fill_code(struct sa_snapshot_code *code, unsigned number, uint32_t **bucket)
{
    const struct seen *s = find_seen(number);
    int64_t now_s = sa_clock_now().mono_ms / 1000;

    *code = (struct sa_snapshot_code){.code = (uint16_t)number,
                                      .phrase = sa_catalog_explain(number).phrase,
                                      .meaning = sa_catalog_explain(number).meaning,
                                      .remediation = sa_catalog_explain(number).remediation};
    if (s == NULL)
        return;
    code->responses = BIG + number;
    code->received = BIG + number - 1;
    code->sent = 1;
    code->last_seen_ms = WALL_MS;
    code->newest_s = now_s - s->newest_age_s;
    code->bucket = *bucket;
    for (unsigned i = 0; i < sizeof s->seconds / sizeof s->seconds[0]; i++)
        if (s->seconds[i].count != 0 && s->seconds[i].age_s <= now_s)
            (*bucket)[(now_s - s->seconds[i].age_s) % SA_MINUTES_S] = s->seconds[i].count;
    *bucket += SA_MINUTES_S;
}

/* All registered codes, and those of seen[] that are not registered, from `first` on. */
static unsigned
fill_codes(struct sa_snapshot_code *codes, uint32_t *bucket, unsigned first)
{
    unsigned n = 0;

    for (unsigned number = first; number <= SA_CODE_MAX; number++)
        if (sa_catalog_find(number) != NULL || find_seen(number) != NULL)
            fill_code(&codes[n++], number, &bucket);
    return n;
}

static void
set_snapshot(void)
{
    struct sa_snapshot *snapshot = sa_snapshot_new(2, SA_CODE_MAX, SEEN, 2);

    assert_non_null(snapshot);
    fill_agent(&snapshot->agent);
    fill_source(&snapshot->sources[0], 1);
    fill_source(&snapshot->sources[1], 2);
    snapshot->n_codes = fill_codes(snapshot->codes, snapshot->buckets, SA_CODE_MIN);
    snapshot->alarms[0] = make_alarm(17);
    snapshot->alarms[1] = make_alarm(4000000000); /* an index above 2^31 */
    sa_mib_show(snapshot);
    expect_snapshot(snapshot);
}

/* Requests. */

static netsnmp_session *session;

static int
on_answer(int operation, netsnmp_session *from, int reqid, netsnmp_pdu *pdu, void *arg)
{
    netsnmp_pdu **answer = arg;

    (void)from;
    (void)reqid;
    if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE)
        *answer = snmp_clone_pdu(pdu);
    return 1;
}

static netsnmp_pdu *
new_request(int command)
{
    netsnmp_pdu *pdu = snmp_pdu_create(command);

    assert_non_null(pdu);
    pdu->version = AGENTX_VERSION_1;
    pdu->flags |= UCD_MSG_FLAG_ALWAYS_IN_VIEW;
    return pdu;
}

/* Sends the request and turns the agent until it has answered.  The answer is the caller's. */
static netsnmp_pdu *
ask(netsnmp_pdu *request)
{
    netsnmp_pdu *answer = NULL;

    assert_int_not_equal(snmp_async_send(session, request, on_answer, &answer), 0);
    for (int turn = 0; turn < TURNS && answer == NULL; turn++)
        (void)agent_check_and_process(0);
    assert_non_null(answer);
    return answer;
}

static netsnmp_pdu *
ask_one(int command, const oid *name, size_t len)
{
    netsnmp_pdu *request = new_request(command), *answer;

    (void)snmp_add_null_var(request, name, len);
    answer = ask(request);
    assert_int_equal(answer->errstat, SNMP_ERR_NOERROR);
    assert_non_null(answer->variables);
    assert_null(answer->variables->next_variable);
    return answer;
}

static void
check_value(const struct expected *e, const netsnmp_variable_list *var)
{
    char name[256];

    (void)snprint_objid(name, sizeof name, e->name, e->len);
    if (var->type != e->type)
        fail_msg("%s: type %#x instead of %#x", name, var->type, e->type);
    switch (e->type) {
    case ASN_OCTET_STR:
        if (var->val_len != e->n_octets || memcmp(var->val.string, e->octets, e->n_octets) != 0)
            fail_msg("%s: \"%.*s\" instead of \"%.*s\"", name, (int)var->val_len, var->val.string,
                     (int)e->n_octets, e->octets);
        assert_in_range(var->val_len, 0, 255);
        break;
    case ASN_COUNTER64:
        assert_in_range(var->val.counter64->low, 0, UINT32_MAX);
        if (((uint64_t)var->val.counter64->high << 32 | var->val.counter64->low) != e->number)
            fail_msg("%s: %lu:%lu instead of %llu", name, var->val.counter64->high, var->val.counter64->low,
                     (unsigned long long)e->number);
        break;
    default:
        if ((uint64_t)*var->val.integer != e->number)
            fail_msg("%s: %ld instead of %llu", name, *var->val.integer, (unsigned long long)e->number);
    }
}

static void
check_exception(int type, const struct expected *e)
{
    netsnmp_pdu *answer = ask_one(SNMP_MSG_GET, e->name, e->len);

    assert_int_equal(answer->variables->type, type);
    snmp_free_pdu(answer);
}

/* Whether two answers name the same instance. */
static bool
is_at(const netsnmp_variable_list *var, const struct expected *e)
{
    return snmp_oid_compare(var->name, var->name_length, e->name, e->len) == 0;
}

static void
check_walk(void)
{
    const oid *at = mib_root;
    size_t len = OID_LENGTH(mib_root);
    netsnmp_pdu *answer, *previous = NULL;

    for (unsigned i = 0; i < n_golden; i++) {
        answer = ask_one(SNMP_MSG_GETNEXT, at, len);
        assert_true(is_at(answer->variables, &golden[i]));
        check_value(&golden[i], answer->variables);
        if (previous != NULL)
            snmp_free_pdu(previous);
        previous = answer;
        at = answer->variables->name;
        len = answer->variables->name_length;
    }
    answer = ask_one(SNMP_MSG_GETNEXT, at, len);
    assert_true(answer->variables->type == SNMP_ENDOFMIBVIEW ||
                netsnmp_oid_is_subtree(mib_root, OID_LENGTH(mib_root), answer->variables->name,
                                       answer->variables->name_length) != 0);
    snmp_free_pdu(answer);
    snmp_free_pdu(previous);
}

/* The tests. */

static void
test_golden_is_complete(void **state)
{
    size_t registered;

    (void)state;
    (void)sa_catalog_all(&registered);
    assert_int_equal(registered, 75);
    assert_int_equal(n_golden, 16 + 2 * 16 + (75 + 2) * 10 + 2 * 18);
    for (unsigned i = 1; i < n_golden; i++)
        assert_true(snmp_oid_compare(golden[i - 1].name, golden[i - 1].len, golden[i].name, golden[i].len) <
                    0);
}

static void
test_get_each(void **state)
{
    (void)state;
    set_snapshot();
    for (unsigned i = 0; i < n_golden; i++) {
        netsnmp_pdu *answer = ask_one(SNMP_MSG_GET, golden[i].name, golden[i].len);

        assert_true(is_at(answer->variables, &golden[i]));
        check_value(&golden[i], answer->variables);
        snmp_free_pdu(answer);
    }
}

static void
test_getnext_chain(void **state)
{
    (void)state;
    set_snapshot();
    check_walk();
}

static void
test_getbulk(void **state)
{
    netsnmp_pdu *request = new_request(SNMP_MSG_GETBULK), *answer;
    unsigned n = 0;

    (void)state;
    set_snapshot();
    request->non_repeaters = 0;
    request->max_repetitions = 100;
    (void)snmp_add_null_var(request, mib_root, OID_LENGTH(mib_root));
    answer = ask(request);
    assert_int_equal(answer->errstat, SNMP_ERR_NOERROR);
    for (netsnmp_variable_list *var = answer->variables; var != NULL; var = var->next_variable, n++) {
        assert_true(is_at(var, &golden[n]));
        check_value(&golden[n], var);
    }
    assert_int_equal(n, 100);
    snmp_free_pdu(answer);
}

static void
test_what_is_not_there(void **state)
{
    struct expected *e;

    (void)state;
    set_snapshot();
    e = expect(ASN_NULL, 3, 3, 298);
    check_exception(SNMP_NOSUCHINSTANCE, e);
    e = expect(ASN_NULL, 7, 2, 0);
    check_exception(SNMP_NOSUCHINSTANCE, e);
    e = expect(ASN_NULL, 1, 5, 1);
    check_exception(SNMP_NOSUCHINSTANCE, e);
    e = expect(ASN_NULL, 3, 12, 302);
    check_exception(SNMP_NOSUCHOBJECT, e);
    e = expect(ASN_NULL, 3, 1, 302); /* the index is not-accessible */
    check_exception(SNMP_NOSUCHOBJECT, e);
    e = expect(ASN_NULL, 1, 17, 0);
    check_exception(SNMP_NOSUCHOBJECT, e);
}

static void
test_rows_come_and_go(void **state)
{
    struct sa_snapshot *fewer = sa_snapshot_new(1, SA_CODE_MAX, SEEN, 1), *none = sa_snapshot_new(0, 0, 0, 0);
    struct expected *gone;

    (void)state;
    set_snapshot();
    assert_non_null(fewer);
    assert_non_null(none);
    fill_agent(&fewer->agent);
    fill_source(&fewer->sources[0], 2);
    fewer->n_codes = fill_codes(fewer->codes, fewer->buckets, 300);
    fewer->alarms[0] = make_alarm(18);
    sa_mib_show(fewer);
    expect_snapshot(fewer);
    check_walk();
    gone = expect(ASN_NULL, 7, 2, 17);
    check_exception(SNMP_NOSUCHINSTANCE, gone);
    gone = expect(ASN_NULL, 2, 2, 1);
    check_exception(SNMP_NOSUCHINSTANCE, gone);
    gone = expect(ASN_NULL, 3, 3, 299);
    check_exception(SNMP_NOSUCHINSTANCE, gone);

    fill_agent(&none->agent);
    sa_mib_show(none);
    expect_snapshot(none);
    assert_int_equal(n_golden, 16);
    check_walk();

    set_snapshot(); /* and 299, which is not registered, is back */
    check_walk();
}

static void
check_gauges(unsigned code, uint64_t minute, uint64_t five_minutes, uint64_t fifteen_minutes)
{
    const uint64_t windows[] = {minute, five_minutes, fifteen_minutes};

    for (unsigned i = 0; i < 3; i++) {
        struct expected *e = expect(ASN_GAUGE, 3, 6 + i, code);
        netsnmp_pdu *answer = ask_one(SNMP_MSG_GET, e->name, e->len);

        e->number = windows[i];
        check_value(e, answer->variables);
        snmp_free_pdu(answer);
    }
}

static void
test_gauges_fall_by_themselves(void **state)
{
    (void)state;
    set_snapshot();
    set_now(NOW_S + 1);
    check_gauges(302, 2, 12, 36);
    set_now(NOW_S + 59);
    check_gauges(302, 2, 12, 36);
    set_now(NOW_S + 60);
    check_gauges(302, 0, 12, 36);
    set_now(NOW_S + 299);
    check_gauges(302, 0, 2, 36);
    set_now(NOW_S + 899);
    check_gauges(302, 0, 0, 2);
    set_now(NOW_S + 900);
    check_gauges(302, 0, 0, 0);
    set_now(NOW_S + 1000000);
    check_gauges(430, 0, 0, 0);
}

/* A host that has been up for less than a window. */
static void
test_gauges_of_a_young_host(void **state)
{
    (void)state;
    set_now(100);
    set_snapshot();
    check_gauges(302, 5, 12, 12);
    check_gauges(299, 1, 1, 1);
    check_gauges(100, 0, 0, 0);
}

static void
check_set_refused(const struct expected *e, u_char type, const void *value, size_t size)
{
    netsnmp_pdu *request = new_request(SNMP_MSG_SET), *answer;

    (void)snmp_pdu_add_variable(request, e->name, e->len, type, value, size);
    answer = ask(request);
    assert_int_equal(answer->errstat, SNMP_ERR_NOTWRITABLE);
    assert_int_equal(answer->errindex, 1);
    snmp_free_pdu(answer);
}

static void
test_set_is_refused(void **state)
{
    const struct counter64 zero = {0, 0};
    const u_long number = 1;
    const long integer = 1;
    unsigned n;

    (void)state;
    set_snapshot();
    n = n_golden;
    for (unsigned i = 0; i < n; i++)
        switch (golden[i].type) {
        case ASN_OCTET_STR:
            check_set_refused(&golden[i], ASN_OCTET_STR, "x", 1);
            break;
        case ASN_COUNTER64:
            check_set_refused(&golden[i], ASN_COUNTER64, &zero, sizeof zero);
            break;
        case ASN_INTEGER:
            check_set_refused(&golden[i], ASN_INTEGER, &integer, sizeof integer);
            break;
        default:
            check_set_refused(&golden[i], golden[i].type, &number, sizeof number);
        }
    check_set_refused(expect(ASN_NULL, 7, 2, 99), ASN_OCTET_STR, "x", 1); /* nor does it make rows */
    n_golden = n;
    check_walk();
}

/* Notifications. */

static const struct expected *
find_golden(const netsnmp_variable_list *var)
{
    for (unsigned i = 0; i < n_golden; i++)
        if (is_at(var, &golden[i]))
            return &golden[i];
    return NULL;
}

static void
check_notification(enum sa_transition transition)
{
    static const oid trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
    const oid notification[] = {SA_OID_ROOT, 0, (oid)transition};
    const struct sa_alarm_event event = {
        .sequence = UINT32_MAX, .transition = transition, .alarm = make_alarm(4000000000)};
    netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_TRAP2);
    netsnmp_variable_list *var;

    assert_non_null(pdu);
    assert_int_equal(sa_varbinds_add(pdu, &event), 0);
    var = pdu->variables;
    assert_int_equal(snmp_oid_compare(var->name, var->name_length, trap_oid, OID_LENGTH(trap_oid)), 0);
    assert_int_equal(var->type, ASN_OBJECT_ID);
    assert_int_equal(var->val_len, sizeof notification);
    assert_memory_equal(var->val.objid, notification, sizeof notification);
    var = var->next_variable;
    /* The same instances, types and values that a GET shows: the sequence, then columns 2 to 17. */
    for (unsigned i = 1; i <= 17; i++, var = var->next_variable) {
        const struct expected *e;

        assert_non_null(var);
        e = find_golden(var);
        assert_non_null(e);
        check_value(e, var);
        assert_int_not_equal(var->type, ASN_COUNTER64);
        assert_int_equal(var->name[OID_LENGTH(mib_root) + 1], i == 1 ? 1 : 7);
        assert_int_equal(var->name[OID_LENGTH(mib_root) + (i == 1 ? 2 : 3)], i == 1 ? 15 : i);
    }
    assert_null(var);
    snmp_free_pdu(pdu);
}

static void
test_notification_objects(void **state)
{
    (void)state;
    set_snapshot();
    check_notification(SA_RAISED);
    check_notification(SA_CLEARED);
    check_notification(SA_CHANGED);
}

/* An event whose texts fill their fields, as far as whole characters do. */
static struct sa_alarm_event
longest_event(const char *character)
{
    struct sa_alarm_event event = {.sequence = UINT32_MAX,
                                   .transition = SA_CHANGED,
                                   .alarm = {.id = UINT32_MAX,
                                             .severity = SA_SEV_WARNING,
                                             .kind = SA_KIND_RESPONSE,
                                             .value = UINT32_MAX,
                                             .unit = SA_UNIT_MILLI_PER_SECOND,
                                             .threshold = UINT32_MAX,
                                             .window_s = UINT32_MAX,
                                             .total = UINT32_MAX,
                                             .raised_ms = WALL_MS,
                                             .changed_ms = WALL_MS}};
    struct sa_alarm *a = &event.alarm;
    char text[1024];

    for (size_t len = 0; len + strlen(character) < sizeof text; len += strlen(character))
        (void)strcpy(text + len, character);
    (void)sa_text_copy(a->identity, sizeof a->identity, text);
    (void)sa_text_copy(a->rule, sizeof a->rule, text);
    (void)sa_text_copy(a->source, sizeof a->source, text);
    (void)sa_text_copy(a->peer, sizeof a->peer, text);
    (void)sa_text_copy(a->codes, sizeof a->codes, text);
    (void)sa_text_copy(a->text, sizeof a->text, text);
    (void)sa_text_copy(a->remediation, sizeof a->remediation, text);
    (void)sa_text_copy(a->evidence, sizeof a->evidence, text);
    return event;
}

/* Octets of the whole v2c message, with the sysUpTime.0 that the sender adds. */
static size_t
message_size(const struct sa_alarm_event *event)
{
    static const oid up_time[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};
    netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_TRAP2);
    const u_long ticks = UINT32_MAX;
    netsnmp_session v2c;
    u_char *packet = malloc(4096);
    size_t room = 4096, size = 0;

    assert_non_null(pdu);
    assert_non_null(packet);
    snmp_sess_init(&v2c);
    v2c.version = SNMP_VERSION_2c;
    v2c.community = (u_char *)strdup("public");
    v2c.community_len = 6;
    pdu->version = SNMP_VERSION_2c;
    pdu->reqid = INT32_MAX;
    (void)snmp_pdu_add_variable(pdu, up_time, OID_LENGTH(up_time), ASN_TIMETICKS, &ticks, sizeof ticks);
    assert_int_equal(sa_varbinds_add(pdu, event), 0);
    assert_int_equal(snmp_build(&packet, &room, &size, &v2c, pdu), 0);
    free(v2c.community);
    free(packet);
    snmp_free_pdu(pdu);
    return size;
}

static void
test_longest_notification(void **state)
{
    /* 3 of 4 octets of a character left over at most: nothing is cut inside one. */
    static const struct {
        const char *character;
        size_t identity, peer, text, remediation;
    } cases[] = {{"x", 128, 46, 200, 255},
                 {"\xc3\xa9", 128, 46, 200, 254},
                 {"\xe1\xba\xbf", 126, 45, 198, 255},
                 {"\xf0\x9f\x93\x9e", 128, 44, 200, 252}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sa_alarm_event event = longest_event(cases[i].character);
        size_t size = message_size(&event);

        assert_int_equal(strlen(event.alarm.identity), cases[i].identity);
        assert_int_equal(strlen(event.alarm.peer), cases[i].peer);
        assert_int_equal(strlen(event.alarm.text), cases[i].text);
        assert_int_equal(strlen(event.alarm.remediation), cases[i].remediation);
        print_message("longest notification: %zu octets\n", size);
        assert_in_range(size, 1000, NOTIFICATION_LIMIT - 1);
    }
}

static int
reset_clock(void **state)
{
    (void)state;
    set_now(NOW_S);
    return 0;
}

static int
set_up(void **state)
{
    (void)reset_clock(state);
    (void)setenv("MIBS", "", 1); /* no names are needed */
    (void)setenv("MIBDIRS", "", 1);
    snmp_disable_log();
    snmp_enable_calllog();
    (void)netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    (void)netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    if (init_agent(APPLICATION) != 0 || sa_mib_register() != 0)
        return -1;
    set_snapshot();
    init_snmp(APPLICATION);
    session = netsnmp_callback_open(callback_master_num, on_answer, NULL, NULL);
    return session == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
    (void)state;
    (void)snmp_close(session);
    snmp_shutdown(APPLICATION);
    sa_mib_done();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_golden_is_complete, reset_clock),
        cmocka_unit_test_setup(test_get_each, reset_clock),
        cmocka_unit_test_setup(test_getnext_chain, reset_clock),
        cmocka_unit_test_setup(test_getbulk, reset_clock),
        cmocka_unit_test_setup(test_what_is_not_there, reset_clock),
        cmocka_unit_test_setup(test_rows_come_and_go, reset_clock),
        cmocka_unit_test_setup(test_set_is_refused, reset_clock),
        cmocka_unit_test_setup(test_gauges_fall_by_themselves, reset_clock),
        cmocka_unit_test_setup(test_gauges_of_a_young_host, reset_clock),
        cmocka_unit_test_setup(test_notification_objects, reset_clock),
        cmocka_unit_test_setup(test_longest_notification, reset_clock),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
