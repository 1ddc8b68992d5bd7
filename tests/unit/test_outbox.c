/* Alarm events on their way: numbered, bounded, kept until the sinks are through. */
#include "check.h"
#include "outbox.h"

static struct sa_alarm_event
event(uint32_t id)
{
    struct sa_alarm_event e = {.transition = SA_RAISED};

    e.alarm.id = id;
    return e;
}

static void
test_life_of_an_event(void **state)
{
    struct sa_outbox *outbox = sa_outbox_new(SA_OUTBOX_ROOM);
    struct sa_alarm_event e = event(17);
    const struct sa_alarm_event *next;

    (void)state;
    assert_non_null(outbox);
    assert_int_equal(sa_outbox_sequence(outbox), 0);
    assert_null(sa_outbox_next(outbox, SA_SINK_SNMP));
    sa_outbox_push(outbox, &e, SA_SINK_SNMP | SA_SINK_SYSLOG);
    assert_int_equal(sa_outbox_sequence(outbox), 1);
    next = sa_outbox_next(outbox, SA_SINK_SNMP);
    assert_non_null(next);
    assert_int_equal(next->sequence, 1);
    assert_int_equal(next->alarm.id, 17);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SNMP), 1);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SYSLOG), 1);
    sa_outbox_handed(outbox, SA_SINK_SNMP, 1);
    assert_null(sa_outbox_next(outbox, SA_SINK_SNMP)); /* its outcome is awaited */
    assert_non_null(sa_outbox_next(outbox, SA_SINK_SYSLOG));
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SNMP), 1);
    assert_int_equal(sa_outbox_sent(outbox), 0);
    sa_outbox_finished(outbox, SA_SINK_SNMP, 1, true);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SNMP), 0);
    assert_int_equal(sa_outbox_sent(outbox), 1);
    sa_outbox_handed(outbox, SA_SINK_SYSLOG, 1);
    sa_outbox_finished(outbox, SA_SINK_SYSLOG, 1, true);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SYSLOG), 0);
    assert_int_equal(sa_outbox_sent(outbox), 1); /* only the SNMP sink's deliveries */
    assert_int_equal(sa_outbox_suppressed(outbox), 0);
    assert_null(sa_outbox_free(outbox));
}

static void
test_order_and_numbers(void **state)
{
    struct sa_outbox *outbox = sa_outbox_new(SA_OUTBOX_ROOM);

    (void)state;
    for (uint32_t i = 1; i <= 10; i++) {
        struct sa_alarm_event e = event(i);

        sa_outbox_push(outbox, &e, SA_SINK_SNMP);
    }
    for (uint32_t i = 1; i <= 10; i++) {
        const struct sa_alarm_event *next = sa_outbox_next(outbox, SA_SINK_SNMP);

        assert_non_null(next);
        assert_int_equal(next->sequence, i);
        assert_int_equal(next->alarm.id, i);
        assert_ptr_equal(sa_outbox_next(outbox, SA_SINK_SNMP), next); /* asking changes nothing */
        sa_outbox_handed(outbox, SA_SINK_SNMP, i);
    }
    assert_null(sa_outbox_next(outbox, SA_SINK_SNMP));
    assert_null(sa_outbox_next(outbox, SA_SINK_SYSLOG)); /* not for this sink */
    for (uint32_t i = 10; i >= 1; i--)                   /* outcomes in any order */
        sa_outbox_finished(outbox, SA_SINK_SNMP, i, true);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SNMP), 0);
    assert_int_equal(sa_outbox_sent(outbox), 10);
    sa_outbox_free(outbox);
}

static void
test_given_up(void **state)
{
    struct sa_outbox *outbox = sa_outbox_new(SA_OUTBOX_ROOM);
    struct sa_alarm_event e = event(1);

    (void)state;
    sa_outbox_push(outbox, &e, SA_SINK_SNMP);
    sa_outbox_handed(outbox, SA_SINK_SNMP, 1);
    sa_outbox_finished(outbox, SA_SINK_SNMP, 1, false);
    assert_int_equal(sa_outbox_sent(outbox), 0);
    assert_int_equal(sa_outbox_suppressed(outbox), 1);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SNMP), 0);
    sa_outbox_finished(outbox, SA_SINK_SNMP, 1, true); /* a late second outcome counts nothing */
    sa_outbox_finished(outbox, SA_SINK_SNMP, 77, true);
    assert_int_equal(sa_outbox_sent(outbox), 0);
    assert_int_equal(sa_outbox_suppressed(outbox), 1);
    sa_outbox_free(outbox);
}

static void
test_bounded(void **state)
{
    struct sa_outbox *outbox = sa_outbox_new(SA_OUTBOX_ROOM);
    const struct sa_alarm_event *next;

    (void)state;
    for (uint32_t i = 1; i <= SA_OUTBOX_ROOM + 5; i++) {
        struct sa_alarm_event e = event(i);

        sa_outbox_push(outbox, &e, SA_SINK_SNMP);
    }
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SNMP), SA_OUTBOX_ROOM);
    assert_int_equal(sa_outbox_suppressed(outbox), 5);
    assert_int_equal(sa_outbox_sequence(outbox), SA_OUTBOX_ROOM + 5);
    next = sa_outbox_next(outbox, SA_SINK_SNMP);
    assert_non_null(next);
    assert_int_equal(next->sequence, 6); /* the oldest made room */
    for (uint32_t i = 6; i <= SA_OUTBOX_ROOM + 5; i++) {
        next = sa_outbox_next(outbox, SA_SINK_SNMP);
        assert_non_null(next);
        assert_int_equal(next->sequence, i);
        sa_outbox_handed(outbox, SA_SINK_SNMP, i);
        sa_outbox_finished(outbox, SA_SINK_SNMP, i, true);
    }
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SNMP), 0);
    assert_int_equal(sa_outbox_sent(outbox), SA_OUTBOX_ROOM);
    assert_int_equal(sa_outbox_suppressed(outbox), 5);
    sa_outbox_free(outbox);
}

/* Every event ends once: delivered, given up, or still queued. */
static void
test_random_balance(void **state)
{
    struct sa_outbox *outbox = sa_outbox_new(SA_OUTBOX_ROOM);
    uint32_t pushed = 0, handed[SA_OUTBOX_ROOM * 2];
    unsigned n_handed = 0;

    (void)state;
    srand(5);
    for (unsigned step = 0; step < 30000; step++) {
        int what = rand() % 10;

        if (what < 5) {
            struct sa_alarm_event e = event(++pushed);

            sa_outbox_push(outbox, &e, SA_SINK_SNMP);
        } else if (what < 8 && n_handed < ROWS(handed)) {
            const struct sa_alarm_event *next = sa_outbox_next(outbox, SA_SINK_SNMP);

            if (next != NULL) {
                handed[n_handed++] = next->sequence;
                sa_outbox_handed(outbox, SA_SINK_SNMP, next->sequence);
            }
        } else if (n_handed > 0) {
            unsigned pick = (unsigned)rand() % n_handed;

            sa_outbox_finished(outbox, SA_SINK_SNMP, handed[pick], rand() % 4 != 0);
            handed[pick] = handed[--n_handed];
        }
        assert_int_equal(sa_outbox_sequence(outbox), pushed);
        assert_int_equal(sa_outbox_sent(outbox) + sa_outbox_suppressed(outbox) +
                             sa_outbox_queued(outbox, SA_SINK_SNMP),
                         pushed);
    }
    sa_outbox_free(outbox);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_of_an_event), cmocka_unit_test(test_order_and_numbers),
        cmocka_unit_test(test_given_up),         cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_random_balance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
