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
    assert_null(sa_outbox_next(outbox, SA_SINK_MASTER));
    sa_outbox_push(outbox, &e, SA_SINK_MASTER | SA_SINK_SYSLOG);
    assert_int_equal(sa_outbox_sequence(outbox), 1);
    next = sa_outbox_next(outbox, SA_SINK_MASTER);
    assert_non_null(next);
    assert_int_equal(next->sequence, 1);
    assert_int_equal(next->alarm.id, 17);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_MASTER), 1);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SYSLOG), 1);
    sa_outbox_handed(outbox, SA_SINK_MASTER, 1);
    assert_null(sa_outbox_next(outbox, SA_SINK_MASTER)); /* its outcome is awaited */
    assert_non_null(sa_outbox_next(outbox, SA_SINK_SYSLOG));
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_MASTER), 1);
    assert_int_equal(sa_outbox_sent(outbox), 0);
    sa_outbox_finished(outbox, SA_SINK_MASTER, 1, true);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_MASTER), 0);
    assert_int_equal(sa_outbox_sent(outbox), 1);
    sa_outbox_handed(outbox, SA_SINK_SYSLOG, 1);
    sa_outbox_finished(outbox, SA_SINK_SYSLOG, 1, true);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SYSLOG), 0);
    assert_int_equal(sa_outbox_sent(outbox), 1); /* syslog's do not count */
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

        sa_outbox_push(outbox, &e, SA_SINK_MASTER);
    }
    for (uint32_t i = 1; i <= 10; i++) {
        const struct sa_alarm_event *next = sa_outbox_next(outbox, SA_SINK_MASTER);

        assert_non_null(next);
        assert_int_equal(next->sequence, i);
        assert_int_equal(next->alarm.id, i);
        assert_ptr_equal(sa_outbox_next(outbox, SA_SINK_MASTER), next); /* asking changes nothing */
        sa_outbox_handed(outbox, SA_SINK_MASTER, i);
    }
    assert_null(sa_outbox_next(outbox, SA_SINK_MASTER));
    assert_null(sa_outbox_next(outbox, SA_SINK_SYSLOG)); /* not for this sink */
    for (uint32_t i = 10; i >= 1; i--)                   /* outcomes in any order */
        sa_outbox_finished(outbox, SA_SINK_MASTER, i, true);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_MASTER), 0);
    assert_int_equal(sa_outbox_sent(outbox), 10);
    sa_outbox_free(outbox);
}

/* Two sinks of SNMP take the same event, each at its own time: it counts once. */
static void
test_two_ways_out(void **state)
{
    struct sa_outbox *outbox = sa_outbox_new(SA_OUTBOX_ROOM);

    (void)state;
    for (uint32_t i = 1; i <= 2; i++) {
        struct sa_alarm_event e = event(i);

        sa_outbox_push(outbox, &e, SA_SINK_SNMP);
        sa_outbox_handed(outbox, SA_SINK_RECEIVERS, i);
        assert_int_equal(sa_outbox_next(outbox, SA_SINK_MASTER)->sequence,
                         1); /* not held back, nor brought on */
    }
    sa_outbox_finished(outbox, SA_SINK_RECEIVERS, 1, true);
    sa_outbox_finished(outbox, SA_SINK_RECEIVERS, 2, false);
    assert_int_equal(sa_outbox_sent(outbox), 1);
    assert_int_equal(sa_outbox_suppressed(outbox), 1);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_RECEIVERS), 0);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_MASTER), 2);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SNMP), 2);
    sa_outbox_finished(outbox, SA_SINK_MASTER, 1, true);
    sa_outbox_finished(outbox, SA_SINK_MASTER, 2, false);
    assert_int_equal(sa_outbox_sent(outbox), 1);
    assert_int_equal(sa_outbox_suppressed(outbox), 1);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_SNMP), 0);
    sa_outbox_free(outbox);
}

static void
test_given_up(void **state)
{
    struct sa_outbox *outbox = sa_outbox_new(SA_OUTBOX_ROOM);
    struct sa_alarm_event e = event(1);

    (void)state;
    sa_outbox_push(outbox, &e, SA_SINK_MASTER);
    sa_outbox_handed(outbox, SA_SINK_MASTER, 1);
    sa_outbox_finished(outbox, SA_SINK_MASTER, 1, false);
    assert_int_equal(sa_outbox_sent(outbox), 0);
    assert_int_equal(sa_outbox_suppressed(outbox), 1);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_MASTER), 0);
    sa_outbox_finished(outbox, SA_SINK_MASTER, 1, true); /* a late second outcome counts nothing */
    sa_outbox_finished(outbox, SA_SINK_MASTER, 77, true);
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

        sa_outbox_push(outbox, &e, SA_SINK_MASTER);
    }
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_MASTER), SA_OUTBOX_ROOM);
    assert_int_equal(sa_outbox_suppressed(outbox), 5);
    assert_int_equal(sa_outbox_sequence(outbox), SA_OUTBOX_ROOM + 5);
    next = sa_outbox_next(outbox, SA_SINK_MASTER);
    assert_non_null(next);
    assert_int_equal(next->sequence, 6); /* the oldest made room */
    for (uint32_t i = 6; i <= SA_OUTBOX_ROOM + 5; i++) {
        next = sa_outbox_next(outbox, SA_SINK_MASTER);
        assert_non_null(next);
        assert_int_equal(next->sequence, i);
        sa_outbox_handed(outbox, SA_SINK_MASTER, i);
        sa_outbox_finished(outbox, SA_SINK_MASTER, i, true);
    }
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_MASTER), 0);
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

            sa_outbox_push(outbox, &e, SA_SINK_MASTER);
        } else if (what < 8 && n_handed < ROWS(handed)) {
            const struct sa_alarm_event *next = sa_outbox_next(outbox, SA_SINK_MASTER);

            if (next != NULL) {
                handed[n_handed++] = next->sequence;
                sa_outbox_handed(outbox, SA_SINK_MASTER, next->sequence);
            }
        } else if (n_handed > 0) {
            unsigned pick = (unsigned)rand() % n_handed;

            sa_outbox_finished(outbox, SA_SINK_MASTER, handed[pick], rand() % 4 != 0);
            handed[pick] = handed[--n_handed];
        }
        assert_int_equal(sa_outbox_sequence(outbox), pushed);
        assert_int_equal(sa_outbox_sent(outbox) + sa_outbox_suppressed(outbox) +
                             sa_outbox_queued(outbox, SA_SINK_MASTER),
                         pushed);
    }
    sa_outbox_free(outbox);
}

/* What is on disk, as put() and gone() made it, beside what has to be there. */
enum { EVENTS = 4000 };

static struct row {
    bool stored;
    struct sa_outbox_entry entry;
    unsigned waiting;       /* the model: sinks that have not finished */
    bool taken, lost, gone; /* lost: since the program started */
} disk[EVENTS + 1];

static void
put_row(void *arg, const struct sa_outbox_entry *entry)
{
    uint32_t sequence = entry->event.sequence;

    assert_ptr_equal(arg, disk);
    assert_true(sequence >= 1 && sequence <= EVENTS);
    assert_int_equal(entry->event.alarm.id, sequence + 100000); /* nobody else's */
    assert_int_equal(entry->event.transition, SA_RAISED);
    assert_false(disk[sequence].gone);
    disk[sequence].entry = *entry;
    disk[sequence].stored = true;
}

static void
delete_row(void *arg, uint32_t sequence)
{
    assert_ptr_equal(arg, disk);
    assert_true(sequence >= 1 && sequence <= EVENTS);
    assert_int_equal(disk[sequence].waiting, 0); /* only what left */
    assert_false(disk[sequence].gone);           /* and once */
    disk[sequence].gone = true;
    disk[sequence].stored = false;
}

/* Every event that somebody waits for is on disk as it is, and no other is waited for. */
static void
compare_disk(uint32_t pushed)
{
    for (uint32_t i = 1; i <= pushed; i++) {
        struct row *row = &disk[i];

        if (row->waiting != 0) {
            assert_true(row->stored);
            assert_int_equal(row->entry.wanted, row->waiting);
            assert_int_equal(row->entry.taken, row->taken);
        } else {
            assert_true(!row->stored || row->entry.wanted == 0);
        }
    }
}

static struct sa_outbox *
restart(struct sa_outbox *outbox, uint32_t pushed)
{
    struct sa_outbox_numbers numbers = {sa_outbox_sequence(outbox), sa_outbox_sent(outbox),
                                        sa_outbox_suppressed(outbox)};
    struct sa_outbox *fresh = sa_outbox_new(SA_OUTBOX_ROOM);

    sa_outbox_free(outbox);
    sa_outbox_recall(fresh, &numbers);
    for (uint32_t i = 1; i <= pushed; i++) {
        disk[i].lost = false;
        if (disk[i].stored)
            sa_outbox_restore(fresh, &disk[i].entry);
    }
    assert_int_equal(sa_outbox_sequence(fresh), numbers.sequence);
    assert_int_equal(sa_outbox_sent(fresh), numbers.sent);
    assert_int_equal(sa_outbox_suppressed(fresh), numbers.suppressed);
    return fresh;
}

/* An event that several sinks give up counts once. */
static unsigned
count_lost(struct row *row)
{
    bool first = !row->lost;

    row->lost = true;
    return first;
}

/* Events come, go to the sinks and end there, and now and then the program starts anew. */
static void
test_over_restarts(void **state)
{
    struct sa_outbox *outbox = sa_outbox_new(SA_OUTBOX_ROOM);
    uint32_t pushed = 0, oldest = 1;
    uint64_t sent = 0, suppressed = 0;

    (void)state;
    memset(disk, 0, sizeof disk);
    srand(7);
    for (unsigned step = 0; step < 20000; step++) {
        int what = rand() % 100;
        unsigned sink = 1u << rand() % 3;
        uint32_t one = pushed > 60 ? pushed - (uint32_t)rand() % 60 : pushed;

        if (what < 20 && pushed < EVENTS) {
            struct sa_alarm_event e = event(100001 + pushed);
            unsigned sinks = 1 + (unsigned)rand() % 7;

            sa_outbox_push(outbox, &e, sinks);
            disk[++pushed].waiting = sinks;
        } else if (what < 60) {
            const struct sa_alarm_event *next = sa_outbox_next(outbox, sink);

            if (next != NULL) {
                assert_true(disk[next->sequence].waiting & sink);
                assert_int_equal(next->alarm.id, next->sequence + 100000);
                sa_outbox_handed(outbox, sink, next->sequence);
            }
        } else if (what < 65 && one > 0) {
            if (disk[one].waiting & SA_SINK_SNMP) {
                sa_outbox_taken(outbox, one);
                sent += !disk[one].taken;
                disk[one].taken = true;
            }
        } else if (what < 90 && one > 0) {
            bool delivered = rand() % 4 != 0, wanted = (disk[one].waiting & sink) != 0;

            sa_outbox_finished(outbox, sink, one, delivered);
            if (wanted && !delivered)
                suppressed += count_lost(&disk[one]);
            if (wanted && delivered && sink != SA_SINK_SYSLOG) {
                sent += !disk[one].taken;
                disk[one].taken = true;
            }
            disk[one].waiting &= ~sink;
        } else if (what < 98) {
            sa_outbox_keep(outbox, false, put_row, delete_row, disk);
            compare_disk(pushed);
        } else {
            sa_outbox_keep(outbox, rand() % 2, put_row, delete_row, disk);
            compare_disk(pushed);
            outbox = restart(outbox, pushed);
        }
        while (oldest < pushed && oldest + 200 < pushed) { /* nothing waits for ever */
            for (unsigned bit = 1; bit <= 4; bit <<= 1)
                if (disk[oldest].waiting & bit) {
                    sa_outbox_finished(outbox, bit, oldest, false);
                    suppressed += count_lost(&disk[oldest]);
                    disk[oldest].waiting &= ~bit;
                }
            oldest++;
        }
        assert_int_equal(sa_outbox_sequence(outbox), pushed);
        assert_int_equal(sa_outbox_sent(outbox), sent);
        assert_int_equal(sa_outbox_suppressed(outbox), suppressed);
        if (step % 50 == 0)
            for (unsigned bit = 1; bit <= 4; bit <<= 1) {
                unsigned n = 0;

                for (uint32_t i = 1; i <= pushed; i++)
                    n += (disk[i].waiting & bit) != 0;
                assert_int_equal(sa_outbox_queued(outbox, bit), n);
            }
    }
    for (uint32_t i = 1; i <= pushed; i++)
        for (unsigned bit = 1; bit <= 4; bit <<= 1) {
            sa_outbox_finished(outbox, bit, i, true);
            disk[i].waiting &= ~bit;
        }
    sa_outbox_keep(outbox, false, put_row, delete_row, disk);
    for (uint32_t i = 1; i <= pushed; i++)
        assert_false(disk[i].stored); /* all went */
    sa_outbox_free(outbox);
}

static unsigned n_put;

static void
count_put(void *arg, const struct sa_outbox_entry *entry)
{
    (void)arg;
    (void)entry;
    n_put++;
}

static void
no_gone(void *arg, uint32_t sequence)
{
    (void)arg;
    fail_msg("%u is gone", sequence);
}

/* Only what changed is kept, unless all is asked for. */
static void
test_keep_changes(void **state)
{
    struct sa_outbox *outbox = sa_outbox_new(SA_OUTBOX_ROOM);

    (void)state;
    for (uint32_t i = 1; i <= 5; i++) {
        struct sa_alarm_event e = event(i);

        sa_outbox_push(outbox, &e, SA_SINK_MASTER | SA_SINK_SYSLOG);
    }
    n_put = 0;
    sa_outbox_keep(outbox, false, count_put, no_gone, NULL);
    assert_int_equal(n_put, 5);
    sa_outbox_keep(outbox, false, count_put, no_gone, NULL);
    assert_int_equal(n_put, 5);
    sa_outbox_taken(outbox, 3);
    sa_outbox_finished(outbox, SA_SINK_SYSLOG, 5, true);
    sa_outbox_keep(outbox, false, count_put, no_gone, NULL);
    assert_int_equal(n_put, 7);
    sa_outbox_keep(outbox, true, count_put, no_gone, NULL);
    assert_int_equal(n_put, 12);
    sa_outbox_keep(outbox, false, count_put, no_gone, NULL);
    assert_int_equal(n_put, 12);
    sa_outbox_free(outbox);
}

/* An event that made room is gone from the disk too; what was handed over but not finished goes out again. */
static void
test_full_and_restarted(void **state)
{
    struct sa_outbox *outbox = sa_outbox_new(SA_OUTBOX_ROOM);
    const struct sa_alarm_event *next;
    uint32_t pushed = 0;

    (void)state;
    memset(disk, 0, sizeof disk);
    for (; pushed < SA_OUTBOX_ROOM; pushed++) {
        struct sa_alarm_event e = event(100001 + pushed);

        sa_outbox_push(outbox, &e, SA_SINK_MASTER);
        disk[pushed + 1].waiting = SA_SINK_MASTER;
    }
    sa_outbox_keep(outbox, false, put_row, delete_row, disk);
    for (int i = 0; i < 3; i++) {
        struct sa_alarm_event e = event(100001 + pushed);

        disk[i + 1].waiting = 0;
        sa_outbox_push(outbox, &e, SA_SINK_MASTER);
        disk[++pushed].waiting = SA_SINK_MASTER;
    }
    sa_outbox_handed(outbox, SA_SINK_MASTER, 4);
    sa_outbox_keep(outbox, false, put_row, delete_row, disk);
    compare_disk(pushed);
    for (uint32_t i = 1; i <= 3; i++)
        assert_true(disk[i].gone);
    outbox = restart(outbox, pushed);
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_MASTER), SA_OUTBOX_ROOM);
    assert_int_equal(sa_outbox_suppressed(outbox), 3);
    next = sa_outbox_next(outbox, SA_SINK_MASTER);
    assert_non_null(next);
    assert_int_equal(next->sequence, 4);
    sa_outbox_keep(outbox, true, put_row, delete_row, disk);
    compare_disk(pushed);
    sa_outbox_free(outbox);
}

/* The numbers go on although no event was left, and what the box held before is forgotten. */
static void
test_recall_numbers(void **state)
{
    struct sa_outbox_numbers numbers = {4711, UINT64_C(1) << 40, 13};
    struct sa_outbox *outbox = sa_outbox_new(SA_OUTBOX_ROOM);
    struct sa_alarm_event e = event(1);

    (void)state;
    sa_outbox_push(outbox, &e, SA_SINK_MASTER);
    sa_outbox_recall(outbox, &numbers);
    assert_null(sa_outbox_next(outbox, SA_SINK_MASTER));
    assert_int_equal(sa_outbox_queued(outbox, SA_SINK_MASTER), 0);
    assert_int_equal(sa_outbox_sequence(outbox), 4711);
    assert_true(sa_outbox_sent(outbox) == UINT64_C(1) << 40);
    assert_int_equal(sa_outbox_suppressed(outbox), 13);
    n_put = 0;
    sa_outbox_keep(outbox, true, count_put, no_gone, NULL);
    assert_int_equal(n_put, 0);
    sa_outbox_push(outbox, &e, SA_SINK_MASTER);
    assert_int_equal(sa_outbox_next(outbox, SA_SINK_MASTER)->sequence, 4712);
    sa_outbox_keep(outbox, false, count_put, no_gone, NULL);
    assert_int_equal(n_put, 1);
    sa_outbox_free(outbox);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_of_an_event), cmocka_unit_test(test_order_and_numbers),
        cmocka_unit_test(test_given_up),         cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_random_balance),   cmocka_unit_test(test_over_restarts),
        cmocka_unit_test(test_keep_changes),     cmocka_unit_test(test_full_and_restarted),
        cmocka_unit_test(test_recall_numbers),   cmocka_unit_test(test_two_ways_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
