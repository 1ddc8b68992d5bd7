/* What keeps the counts from being believable: when it is said, and when its end. */
#include "check.h"
#include "faults.h"

static const char *const sources[] = {"edge", "core", "lab"};

static struct {
    struct sa_faults *faults;
    int64_t ms;
    unsigned raised, ended;
    bool up[SA_FAULT_KINDS][3];
    uint64_t lost; /* of the last */
    char source[32], text[256];
    enum sa_fault_kind kind;
    bool again;
} t;

static void
on_fault(void *arg, const struct sa_fault *fault)
{
    unsigned source = 0;

    assert_ptr_equal(arg, &t);
    assert_true(fault->kind < SA_FAULT_KINDS);
    assert_non_null(fault->source);
    assert_non_null(fault->text);
    if (fault->kind == SA_FAULT_STATE)
        assert_string_equal(fault->source, "");
    else
        while (strcmp(sources[source], fault->source) != 0)
            assert_true(++source < ROWS(sources));
    assert_int_not_equal(t.up[fault->kind][source], fault->raised); /* in turn, and each once */
    t.up[fault->kind][source] = fault->raised;
    *(fault->raised ? &t.raised : &t.ended) += 1;
    t.lost = fault->lost;
    t.kind = fault->kind;
    snprintf(t.source, sizeof t.source, "%s", fault->source);
    snprintf(t.text, sizeof t.text, "%s", fault->text);
}

static int
setup(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    t.ms = 1000000;
    t.faults = sa_faults_new(sources, ROWS(sources));
    assert_non_null(t.faults);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    assert_null(sa_faults_free(t.faults));
    return 0;
}

static void
judge(void)
{
    t.again = sa_faults_evaluate(t.faults, t.ms, on_fault, &t);
}

/* As long as the object asks for it, once in 100 ms; at most ms. */
static void
pass(int64_t ms)
{
    for (int64_t end = t.ms + ms; t.ms < end; t.ms += 100)
        judge();
    judge();
}

static void
set(enum sa_fault_kind kind, unsigned source, bool holds)
{
    sa_faults_set(t.faults, kind, source, holds, holds ? "why" : "", 0, t.ms);
}

static void
test_nothing(void **state)
{
    (void)state;
    judge();
    assert_false(t.again);
    set(SA_FAULT_BLIND, 0, false);
    set(SA_FAULT_STATE, 0, false);
    pass(60000);
    assert_false(t.again);
    assert_int_equal(t.raised + t.ended, 0);
    assert_null(sa_faults_free(NULL));
}

static void
test_blind(void **state)
{
    (void)state;
    set(SA_FAULT_BLIND, 1, true);
    judge();
    assert_int_equal(t.raised, 0); /* a moment first */
    assert_true(t.again);
    pass(60000);
    assert_false(t.again);
    assert_int_equal(t.raised, 1);
    assert_int_equal(t.kind, SA_FAULT_BLIND);
    assert_string_equal(t.source, "core");
    assert_string_equal(t.text, "why");
    set(SA_FAULT_BLIND, 1, true); /* said again: no news */
    pass(60000);
    assert_int_equal(t.raised, 1);
    set(SA_FAULT_BLIND, 1, false);
    judge();
    assert_int_equal(t.ended, 0);
    assert_true(t.again);
    pass(60000);
    assert_false(t.again);
    assert_int_equal(t.ended, 1);
    assert_string_equal(t.source, "core");
    pass(60000);
    assert_int_equal(t.raised, 1);
    assert_int_equal(t.ended, 1);
}

/* Saying every moment that it holds does not put off the alarm. */
static void
test_said_again_and_again(void **state)
{
    (void)state;
    for (int i = 0; i < 600; i++) {
        set(SA_FAULT_BLIND, 0, true);
        judge();
        t.ms += 100;
    }
    assert_int_equal(t.raised, 1);
    for (int i = 0; i < 600; i++) {
        set(SA_FAULT_BLIND, 0, false);
        judge();
        t.ms += 100;
    }
    assert_int_equal(t.ended, 1);
}

static void
test_blip(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        set(SA_FAULT_BLIND, 0, true);
        pass(300);
        set(SA_FAULT_BLIND, 0, false);
        pass(10000);
    }
    assert_int_equal(t.raised + t.ended, 0);
    assert_false(t.again);
}

static void
test_flapping_is_one_fault(void **state)
{
    (void)state;
    set(SA_FAULT_BLIND, 0, true);
    pass(60000);
    for (int i = 0; i < 100; i++) {
        set(SA_FAULT_BLIND, 0, i % 2);
        pass(500);
    }
    assert_int_equal(t.raised, 1);
    assert_int_equal(t.ended, 0);
    set(SA_FAULT_BLIND, 0, false);
    pass(60000);
    assert_int_equal(t.raised, 1);
    assert_int_equal(t.ended, 1);
}

/* Every kind of every source is a fault of its own, and the room is theirs. */
static void
test_room(void **state)
{
    (void)state;
    assert_int_equal(sa_faults_room(ROWS(sources)), 1 + 2 * ROWS(sources));
    assert_int_equal(sa_faults_room(0), 1);
    for (unsigned source = 0; source < ROWS(sources); source++) {
        set(SA_FAULT_BLIND, source, true);
        set(SA_FAULT_UNDERCOUNT, source, true);
        set(SA_FAULT_STATE, source, true); /* any: it is one */
    }
    pass(60000);
    assert_int_equal(t.raised, sa_faults_room(ROWS(sources)));
    set(SA_FAULT_UNDERCOUNT, 2, false);
    set(SA_FAULT_STATE, 1, false);
    pass(60000);
    assert_int_equal(t.ended, 2);
    assert_false(t.up[SA_FAULT_UNDERCOUNT][2]);
    assert_false(t.up[SA_FAULT_STATE][0]);
    assert_true(t.up[SA_FAULT_BLIND][2]);
    assert_true(t.up[SA_FAULT_UNDERCOUNT][1]);
}

static void
test_event(void **state)
{
    int64_t last;

    (void)state;
    sa_faults_event(t.faults, SA_FAULT_UNDERCOUNT, 0, 5, "dropped", 0, 600000, t.ms);
    pass(60000);
    assert_int_equal(t.raised, 1);
    assert_int_equal(t.lost, 5);
    assert_string_equal(t.text, "dropped");
    assert_true(t.again); /* it will end by itself */
    t.ms += 500000;
    judge();
    sa_faults_event(t.faults, SA_FAULT_UNDERCOUNT, 0, 7, "dropped more", 0, 600000, t.ms);
    last = t.ms;
    t.ms = last + 599999;
    judge();
    assert_int_equal(t.ended, 0);
    t.ms = last + 600000;
    pass(60000);
    assert_int_equal(t.raised, 1);
    assert_int_equal(t.ended, 1);
    assert_int_equal(t.lost, 12);
    assert_false(t.again);

    sa_faults_event(t.faults, SA_FAULT_UNDERCOUNT, 0, 3, "once more", 0, 1000, t.ms);
    pass(60000);
    assert_int_equal(t.raised, 2);
    assert_int_equal(t.ended, 2);
    assert_int_equal(t.lost, 3);
    assert_false(t.again);
}

static void
test_huge_loss(void **state)
{
    (void)state;
    sa_faults_event(t.faults, SA_FAULT_UNDERCOUNT, 2, UINT64_C(1) << 40, "much", 0, 1000, t.ms);
    sa_faults_event(t.faults, SA_FAULT_UNDERCOUNT, 2, 1, "much", 0, 1000, t.ms);
    judge();
    assert_true(t.raised == 1 && t.lost == (UINT64_C(1) << 40) + 1);
}

/* Of an earlier life: it is up already, and ends if its condition does not hold any more. */
static void
test_recall(void **state)
{
    (void)state;
    for (unsigned source = 0; source < ROWS(sources); source++) {
        sa_faults_recall(t.faults, SA_FAULT_BLIND, source, "", t.ms);
        t.up[SA_FAULT_BLIND][source] = true;
    }
    sa_faults_recall(t.faults, SA_FAULT_STATE, 0, "", t.ms);
    t.up[SA_FAULT_STATE][0] = true;
    set(SA_FAULT_BLIND, 1, true); /* still blind */
    pass(60000);
    assert_int_equal(t.raised, 0);
    assert_int_equal(t.ended, 3);
    assert_true(t.up[SA_FAULT_BLIND][1]);
    assert_false(t.again);
    set(SA_FAULT_BLIND, 1, false);
    pass(60000);
    assert_int_equal(t.ended, 4);
    set(SA_FAULT_BLIND, 1, true);
    pass(60000);
    assert_int_equal(t.raised, 1);
}

/* Blind from the start, found out a moment after the recall: one fault over both lives. */
static void
test_recalled_and_found_a_moment_later(void **state)
{
    (void)state;
    sa_faults_recall(t.faults, SA_FAULT_BLIND, 0, "", t.ms);
    t.up[SA_FAULT_BLIND][0] = true;
    pass(500);
    set(SA_FAULT_BLIND, 0, true);
    pass(60000);
    assert_int_equal(t.raised + t.ended, 0);
    assert_false(t.again);
}

/* An event is over and its condition still holds: so is the fault. */
static void
test_condition_outlasts_event(void **state)
{
    (void)state;
    sa_faults_event(t.faults, SA_FAULT_STATE, 0, 0, "damaged", 0, 1000, t.ms);
    set(SA_FAULT_STATE, 0, true);
    pass(60000);
    assert_int_equal(t.raised, 1);
    assert_int_equal(t.ended, 0);
    set(SA_FAULT_STATE, 0, false);
    pass(60000);
    assert_int_equal(t.ended, 1);
}

/* And the other way round: it stays up for its time although the condition does not hold. */
static void
test_event_outlasts_condition(void **state)
{
    (void)state;
    sa_faults_event(t.faults, SA_FAULT_STATE, 0, 0, "damaged", 0, 100000, t.ms);
    set(SA_FAULT_STATE, 0, true);
    pass(10000);
    set(SA_FAULT_STATE, 0, false);
    pass(10000);
    assert_int_equal(t.raised, 1);
    assert_int_equal(t.ended, 0);
    pass(100000);
    assert_int_equal(t.ended, 1);
}

/* Whatever happens: raised and ended take turns, and in quiet all is over. */
static void
test_random(void **state)
{
    (void)state;
    srand(6);
    for (int step = 0; step < 5000; step++) {
        enum sa_fault_kind kind = (enum sa_fault_kind)(rand() % SA_FAULT_KINDS);
        unsigned source = (unsigned)rand() % ROWS(sources);

        if (rand() % 3 == 0)
            sa_faults_event(t.faults, kind, source, (uint64_t)rand() % 9, "x", 0, 1 + rand() % 9000, t.ms);
        else
            set(kind, source, rand() % 2);
        t.ms += rand() % 2000;
        judge();
    }
    assert_true(t.raised > 10);
    for (unsigned source = 0; source < ROWS(sources); source++)
        for (enum sa_fault_kind kind = 0; kind < SA_FAULT_KINDS; kind++)
            set(kind, source, false);
    pass(60000);
    assert_false(t.again);
    assert_int_equal(t.raised, t.ended);
}

int
main(void)
{
#define FAULT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        FAULT_TEST(test_nothing),
        FAULT_TEST(test_blind),
        FAULT_TEST(test_said_again_and_again),
        FAULT_TEST(test_blip),
        FAULT_TEST(test_flapping_is_one_fault),
        FAULT_TEST(test_room),
        FAULT_TEST(test_event),
        FAULT_TEST(test_huge_loss),
        FAULT_TEST(test_recall),
        FAULT_TEST(test_recalled_and_found_a_moment_later),
        FAULT_TEST(test_condition_outlasts_event),
        FAULT_TEST(test_event_outlasts_condition),
        FAULT_TEST(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
