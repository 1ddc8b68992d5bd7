/* The bounded queue between threads, and the board. */
#include "board.h"
#include "check.h"
#include "mailbox.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

static bool
readable(const struct sa_mailbox *box, int timeout_ms)
{
    struct pollfd fd = {.fd = sa_mailbox_fd(box), .events = POLLIN};

    return poll(&fd, 1, timeout_ms) == 1;
}

static void
test_order_and_bound(void **state)
{
    struct sa_mailbox *box = sa_mailbox_new(sizeof(int), 3);
    int out = 0;

    (void)state;
    assert_non_null(box);
    assert_false(readable(box, 0));
    assert_false(sa_mailbox_take(box, &out));
    for (int i = 1; i <= 3; i++)
        assert_int_equal(sa_mailbox_post(box, &i), 0);
    for (int i = 4; i <= 5; i++)
        assert_int_equal(sa_mailbox_post(box, &i), -ENOBUFS);
    assert_true(readable(box, 0));
    sa_mailbox_acknowledge(box);
    for (int round = 0; round < 10; round++) { /* around the ring */
        int item = 100 + round;

        assert_true(sa_mailbox_take(box, &out));
        assert_int_equal(out, round < 3 ? round + 1 : 100 + round - 3);
        assert_int_equal(sa_mailbox_post(box, &item), 0);
    }
    assert_null(sa_mailbox_free(box));
}

static void
test_wake(void **state)
{
    struct sa_mailbox *box = sa_mailbox_new(1, 1);
    char out;

    (void)state;
    sa_mailbox_wake(box);
    assert_true(readable(box, 0));
    sa_mailbox_acknowledge(box);
    assert_false(readable(box, 0));
    assert_false(sa_mailbox_take(box, &out));
    sa_mailbox_acknowledge(box); /* does not block when there is nothing */
    sa_mailbox_free(box);
}

enum { POSTERS = 3, EACH = 20000 };

struct item {
    int poster, number;
};

struct poster {
    pthread_t thread;
    struct sa_mailbox *box;
    int id;
    uint64_t refused;
};

static atomic_int posters_done;

static void *
post_all(void *arg)
{
    struct poster *me = arg;

    for (int i = 0; i < EACH; i++) {
        struct item item = {me->id, i};

        if (sa_mailbox_post(me->box, &item) != 0)
            me->refused++;
    }
    atomic_fetch_add(&posters_done, 1);
    return NULL;
}

/* Nothing is lost that was not refused, and each poster's items keep their order. */
static void
test_threads(void **state)
{
    struct sa_mailbox *box = sa_mailbox_new(sizeof(struct item), 64);
    struct poster posters[POSTERS];
    int last[POSTERS] = {-1, -1, -1};
    uint64_t taken = 0, refused = 0;

    (void)state;
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.box = box, .id = i};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    }
    for (bool over = false; !over;) {
        struct item item;

        over = atomic_load(&posters_done) == POSTERS; /* asked before the last look */
        if (!over)
            (void)readable(box, 10);
        sa_mailbox_acknowledge(box);
        while (sa_mailbox_take(box, &item)) {
            assert_true(item.poster >= 0 && item.poster < POSTERS);
            assert_true(item.number > last[item.poster]);
            last[item.poster] = item.number;
            taken++;
        }
    }
    for (int i = 0; i < POSTERS; i++) {
        assert_int_equal(pthread_join(posters[i].thread, NULL), 0);
        refused += posters[i].refused;
    }
    assert_int_equal(taken + refused, POSTERS * EACH);
    sa_mailbox_free(box);
}

static void
test_board(void **state)
{
    struct sa_board *board = sa_board_new();
    struct sa_snapshot *first = sa_snapshot_new(2, 3, 1, 4), *second = sa_snapshot_new(0, 0, 0, 0), *taken;

    (void)state;
    assert_non_null(board);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(sa_board_take(board));
    sa_board_publish(board, first);
    sa_board_publish(board, second); /* nobody took the first: the board frees it */
    taken = sa_board_take(board);
    assert_ptr_equal(taken, second);
    assert_null(sa_board_take(board));
    assert_null(sa_snapshot_free(taken));
    sa_board_publish(board, sa_snapshot_new(1, 1, 1, 1));
    assert_null(sa_board_free(board));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_bound),
        cmocka_unit_test(test_wake),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
