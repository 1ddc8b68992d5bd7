/* The ring of notifications: window, outcomes, stall and probe, and who has to make room for whom. */
#include "check.h"
#include "notify.h"

#include <stdlib.h>

#define NOW INT64_C(1000000)

static struct sa_mailbox *reports;
static struct sa_notify *notify;

static void
open_ring(unsigned n_channels)
{
    reports = sa_mailbox_new(sizeof(struct sa_agent_report), 1024);
    notify = sa_notify_new(n_channels, reports);
    assert_non_null(notify);
}

static void
close_ring(void)
{
    assert_null(sa_notify_free(notify));
    sa_mailbox_free(reports);
}

static void
add(uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i <= last; i++) {
        struct sa_alarm_event event = {.sequence = i, .transition = SA_RAISED};

        assert_true(sa_notify_has_room(notify));
        sa_notify_add(notify, &event);
    }
}

static void
expect_report(enum sa_agent_outcome outcome, uint32_t sequence)
{
    struct sa_agent_report report = {0};

    assert_true(sa_mailbox_take(reports, &report));
    assert_int_equal(report.outcome, outcome);
    assert_int_equal(report.sequence, sequence);
}

static void
expect_no_report(void)
{
    struct sa_agent_report report;

    assert_false(sa_mailbox_take(reports, &report));
}

/* Sends what may be sent; returns how many that were, from this number on. */
static unsigned
send_all(unsigned channel, uint32_t first, int64_t now_ms)
{
    const struct sa_alarm_event *event;
    unsigned n = 0;

    while ((event = sa_notify_next(notify, channel, now_ms)) != NULL) {
        assert_int_equal(event->sequence, first + n);
        sa_notify_sent(notify, channel, event->sequence);
        n++;
    }
    return n;
}

static void
test_window(void **state)
{
    (void)state;
    open_ring(1);
    assert_null(sa_notify_next(notify, 0, NOW));
    assert_false(sa_notify_in_flight(notify, 0));
    add(1, 40);
    assert_int_equal(send_all(0, 1, NOW), SA_NOTIFY_WINDOW);
    assert_true(sa_notify_in_flight(notify, 0));
    assert_false(sa_notify_answered(notify, 0, 3)); /* out of order */
    expect_no_report();                             /* 1 is before it */
    assert_int_equal(send_all(0, SA_NOTIFY_WINDOW + 1, NOW), 1);
    assert_false(sa_notify_answered(notify, 0, 1));
    expect_report(SA_AGENT_DONE, 1);
    assert_false(sa_notify_answered(notify, 0, 2));
    expect_report(SA_AGENT_DONE, 2);
    expect_report(SA_AGENT_DONE, 3);
    assert_false(sa_notify_answered(notify, 0, 2)); /* twice says nothing new */
    expect_no_report();
    assert_int_equal(send_all(0, SA_NOTIFY_WINDOW + 2, NOW), 2);
    assert_true(sa_notify_due_ms(notify, 0) == INT64_MAX);
    close_ring();
}

static void
test_two_channels(void **state)
{
    (void)state;
    open_ring(2);
    add(7, 7);
    assert_int_equal(send_all(0, 7, NOW), 1);
    assert_int_equal(send_all(1, 7, NOW), 1);
    assert_false(sa_notify_answered(notify, 1, 7));
    expect_report(SA_AGENT_TAKEN, 7);
    expect_no_report();
    assert_false(sa_notify_answered(notify, 0, 7));
    expect_report(SA_AGENT_DONE, 7);
    expect_no_report();
    close_ring();
}

/* What goes unanswered together is one stall; the probe is the oldest alone, and later each time. */
static void
test_stall_and_probe(void **state)
{
    int64_t now_ms = NOW, wait_ms = SA_NOTIFY_PROBE_MIN_MS;

    (void)state;
    open_ring(1);
    add(1, 5);
    assert_int_equal(send_all(0, 1, now_ms), 5);
    assert_true(sa_notify_unanswered(notify, 0, 2, now_ms));
    for (uint32_t i = 1; i <= 5; i++)
        assert_false(sa_notify_unanswered(notify, 0, i, now_ms + 1)); /* stalled already */
    assert_false(sa_notify_in_flight(notify, 0));
    for (int probe = 0; probe < 8; probe++) {
        assert_true(sa_notify_due_ms(notify, 0) == now_ms + wait_ms);
        assert_int_equal(send_all(0, 1, now_ms + wait_ms - 1), 0);
        now_ms += wait_ms;
        assert_int_equal(send_all(0, 1, now_ms), 1);
        assert_true(sa_notify_due_ms(notify, 0) == INT64_MAX); /* its answer is waited for */
        now_ms += 3000;
        assert_false(sa_notify_unanswered(notify, 0, 1, now_ms));
        wait_ms = wait_ms * 2 < SA_NOTIFY_PROBE_MAX_MS ? wait_ms * 2 : SA_NOTIFY_PROBE_MAX_MS;
    }
    now_ms += wait_ms;
    assert_int_equal(send_all(0, 1, now_ms), 1);
    assert_true(sa_notify_answered(notify, 0, 1)); /* it is back: */
    assert_int_equal(send_all(0, 2, now_ms), 4);   /* everything again */
    assert_true(sa_notify_unanswered(notify, 0, 2, now_ms));
    assert_true(sa_notify_due_ms(notify, 0) == INT64_MAX); /* 3 to 5 are still out */
    for (uint32_t i = 3; i <= 5; i++)
        assert_false(sa_notify_unanswered(notify, 0, i, now_ms));
    assert_true(sa_notify_due_ms(notify, 0) == now_ms + SA_NOTIFY_PROBE_MIN_MS); /* from the beginning */
    expect_report(SA_AGENT_DONE, 1);
    expect_no_report();
    close_ring();
}

/* A reason to hope brings the probe on, and one event alone is at stake. */
static void
test_hurry(void **state)
{
    (void)state;
    open_ring(1);
    add(1, 3);
    assert_int_equal(send_all(0, 1, NOW), 3);
    for (uint32_t i = 1; i <= 3; i++)
        (void)sa_notify_unanswered(notify, 0, i, NOW);
    assert_int_equal(send_all(0, 1, NOW + 10), 0);
    sa_notify_hurry(notify, 0, NOW + 10);
    assert_true(sa_notify_due_ms(notify, 0) == NOW + 10);
    assert_int_equal(send_all(0, 1, NOW + 10), 1);
    assert_false(sa_notify_unanswered(notify, 0, 1, NOW + 20));
    assert_true(sa_notify_due_ms(notify, 0) == NOW + 20 + 2 * SA_NOTIFY_PROBE_MIN_MS);
    close_ring();
}

/* A new session gets everything that the old one did not acknowledge. */
static void
test_forget(void **state)
{
    (void)state;
    open_ring(1);
    add(1, 3);
    assert_int_equal(send_all(0, 1, NOW), 3);
    assert_false(sa_notify_answered(notify, 0, 1));
    assert_true(sa_notify_stall(notify, 0, NOW));
    sa_notify_forget(notify, 0);
    assert_true(sa_notify_unstall(notify, 0));
    assert_false(sa_notify_unstall(notify, 0));
    assert_false(sa_notify_in_flight(notify, 0));
    assert_int_equal(send_all(0, 2, NOW), 2);
    close_ring();
}

/* A dead channel keeps what it can, and then gives up the oldest one by one for the sake of a living one. */
static void
test_room_for_the_living(void **state)
{
    (void)state;
    open_ring(2);
    for (uint32_t i = 1; i <= SA_NOTIFY_ROOM + 50; i++) {
        add(i, i);
        assert_int_equal(send_all(1, i, NOW), 1);
        (void)sa_notify_answered(notify, 1, i);
        (void)sa_notify_stall(notify, 0, NOW);
        if (i > SA_NOTIFY_ROOM)
            expect_report(SA_AGENT_LOST, i - SA_NOTIFY_ROOM);
        expect_report(SA_AGENT_TAKEN, i);
        expect_no_report();
    }
    (void)sa_notify_unstall(notify, 0);
    assert_non_null(sa_notify_next(notify, 0, NOW));
    assert_int_equal(sa_notify_next(notify, 0, NOW)->sequence, 51);
    close_ring();
}

/* Nobody is better off if the only channel loses its oldest: the rest waits where it is. */
static void
test_alone_and_full(void **state)
{
    (void)state;
    open_ring(1);
    add(1, SA_NOTIFY_ROOM);
    assert_false(sa_notify_has_room(notify));
    assert_true(sa_notify_stall(notify, 0, NOW));
    assert_false(sa_notify_has_room(notify));
    expect_no_report();
    sa_notify_unstall(notify, 0);
    assert_int_equal(send_all(0, 1, NOW), SA_NOTIFY_WINDOW);
    (void)sa_notify_answered(notify, 0, 1);
    assert_true(sa_notify_has_room(notify));
    close_ring();
}

/* What does not fit into the mailbox of the reports is reported later, in order, and nothing twice. */
static void
test_reports_later(void **state)
{
    (void)state;
    reports = sa_mailbox_new(sizeof(struct sa_agent_report), 4);
    notify = sa_notify_new(1, reports);
    add(1, 10);
    assert_int_equal(send_all(0, 1, NOW), 10);
    for (uint32_t i = 1; i <= 10; i++)
        (void)sa_notify_answered(notify, 0, i);
    for (uint32_t i = 1; i <= 10; i++) {
        expect_report(SA_AGENT_DONE, i);
        if (i % 4 == 0)
            sa_notify_flush(notify);
    }
    expect_no_report();
    close_ring();
}

/* Whatever answers, fails, stalls and comes back: every event is reported once, in order. */
static void
test_random(void **state)
{
    uint32_t added = 0, reported = 0, sent[3] = {0};
    int64_t now_ms = NOW;

    (void)state;
    srand(11);
    open_ring(3);
    while (reported < 5000) {
        unsigned channel = (unsigned)rand() % 3;
        uint32_t one = reported + 1 + (uint32_t)rand() % 20;
        const struct sa_alarm_event *event;
        struct sa_agent_report report;

        now_ms += rand() % 200;
        if (added < 5000 && sa_notify_has_room(notify)) {
            added++;
            add(added, added);
        }
        if ((event = sa_notify_next(notify, channel, now_ms)) != NULL) {
            sent[channel]++;
            sa_notify_sent(notify, channel, event->sequence);
        }
        if (rand() % 20 == 0)
            (void)sa_notify_unanswered(notify, channel, one, now_ms);
        else
            (void)sa_notify_answered(notify, channel, one);
        if (rand() % 500 == 0)
            sa_notify_forget(notify, channel);
        while (sa_mailbox_take(reports, &report)) {
            if (report.outcome == SA_AGENT_TAKEN) {
                assert_true(report.sequence > reported);
                continue;
            }
            assert_int_equal(report.sequence, ++reported);
        }
    }
    for (unsigned i = 0; i < 3; i++)
        assert_true(sent[i] > 0);
    close_ring();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window),          cmocka_unit_test(test_two_channels),
        cmocka_unit_test(test_stall_and_probe), cmocka_unit_test(test_forget),
        cmocka_unit_test(test_hurry),           cmocka_unit_test(test_room_for_the_living),
        cmocka_unit_test(test_alone_and_full),  cmocka_unit_test(test_reports_later),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
