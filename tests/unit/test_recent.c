/* What was seen a moment ago, against a naive memory of everything. */
#include "check.h"
#include "recent.h"

#include <stdlib.h>

static bool
again(struct sa_recent *recent, unsigned call, int64_t now_ms)
{
    struct sa_response response = {.code = 302, .repeat = 1, .transaction = 7, .method = "INVITE"};

    (void)snprintf(response.call_id, sizeof response.call_id, "call-%u@example.net", call);
    return sa_recent_again(recent, &response, now_ms);
}

static void
test_within_the_time(void **state)
{
    struct sa_recent *recent = sa_recent_new();
    const int64_t start = INT64_C(1795000000000);

    (void)state;
    assert_false(again(recent, 1, start));
    assert_true(again(recent, 1, start + SA_RECENT_MS));
    assert_false(again(recent, 1, start + SA_RECENT_MS + 1));
    assert_true(again(recent, 1, start + SA_RECENT_MS + 2));
    assert_null(sa_recent_free(recent));
}

/* 10,000 a second for longer than the time, each sent again 31 s later: none counts twice. */
static void
test_ten_thousand_a_second(void **state)
{
    struct sa_recent *recent = sa_recent_new();
    unsigned wrong = 0;

    (void)state;
    for (unsigned second = 0; second < 45; second++)
        for (unsigned i = 0; i < 10000; i++) {
            wrong += again(recent, second * 10000 + i, 1000 * (int64_t)second);
            if (second >= 31)
                wrong += !again(recent, (second - 31) * 10000 + i, 1000 * (int64_t)second);
        }
    assert_int_equal(wrong, 0);
    assert_int_equal(sa_recent_forgotten(recent), 0);
    sa_recent_free(recent);
}

/* More than the room holds: what is forgotten is said, and the latest are known. */
static void
test_overflow_is_counted(void **state)
{
    struct sa_recent *recent = sa_recent_new();
    unsigned counted_again = 0;
    const unsigned n = 600000;

    (void)state;
    for (unsigned i = 0; i < n; i++)
        assert_false(again(recent, i, i / 60)); /* within 10 s */
    assert_true(again(recent, n - 1, 10000));
    for (unsigned i = 0; i < n; i += 7)
        counted_again += !again(recent, i, 10000);
    assert_true(sa_recent_forgotten(recent) >= n - SA_RECENT_MAX);
    assert_true(counted_again > 0);
    sa_recent_free(recent);
}

/* Rows as a store keeps them; every piece replaces the one of the same number. */
struct row {
    uint8_t *bytes;
    size_t len;
};

static void
keep(struct sa_recent *recent, bool all, int64_t wall_s, struct row rows[SA_RECENT_ROWS])
{
    struct sa_buffer buffer = {0};
    int piece = sa_recent_keep(recent, all, wall_s, &buffer);

    if (piece < 0)
        return;
    free(rows[piece].bytes);
    rows[piece] = (struct row){malloc(buffer.len + 1), buffer.len};
    memcpy(rows[piece].bytes, buffer.bytes, buffer.len);
    sa_buffer_done(&buffer);
}

static struct sa_recent *
recalled(struct row rows[SA_RECENT_ROWS])
{
    struct sa_recent *recent = sa_recent_new();

    for (unsigned i = 0; i < SA_RECENT_ROWS; i++)
        sa_recent_recall(recent, rows[i].bytes, rows[i].len);
    return recent;
}

static void
test_over_a_restart(void **state)
{
    struct row rows[SA_RECENT_ROWS] = {0};
    struct sa_recent *recent = sa_recent_new();
    unsigned call = 0;

    (void)state;
    for (int64_t second = 1000; second < 1200; second++) {
        for (unsigned twice = 0; twice < 2; twice++) { /* two commits in a second */
            for (unsigned i = 0; i < 50; i++)
                assert_false(again(recent, call++, second * 1000));
            keep(recent, false, second, rows);
        }
        if (second % 40 == 39) { /* a kill, and another life */
            sa_recent_free(recent);
            recent = recalled(rows);
            for (unsigned back = 1; back <= 3100; back++)
                assert_true(again(recent, call - back, second * 1000));
        }
    }
    for (unsigned i = 0; i < SA_RECENT_ROWS; i++)
        free(rows[i].bytes);
    sa_recent_free(recent);
}

static void
test_everything_in_one_piece(void **state)
{
    struct row rows[SA_RECENT_ROWS] = {0};
    struct sa_recent *recent = sa_recent_new();

    (void)state;
    for (unsigned i = 0; i < 100000; i++) /* more than the pieces take */
        assert_false(again(recent, i, 5000));
    keep(recent, false, 5, rows);
    assert_non_null(rows[SA_RECENT_ROWS - 1].bytes);
    sa_recent_free(recent);
    recent = recalled(rows);
    for (unsigned i = 0; i < 100000; i++)
        assert_true(again(recent, i, 6000));
    free(rows[SA_RECENT_ROWS - 1].bytes);
    sa_recent_free(recent);
}

/* A row from a disk is anything. */
static void
test_broken_rows(void **state)
{
    struct sa_recent *recent = sa_recent_new();
    uint8_t bytes[64];

    (void)state;
    srand(1);
    for (unsigned turn = 0; turn < 2000; turn++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)rand();
        sa_recent_recall(recent, bytes, (size_t)rand() % sizeof bytes);
    }
    assert_false(again(recent, 1, 1000));
    sa_recent_free(recent);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_within_the_time),         cmocka_unit_test(test_ten_thousand_a_second),
        cmocka_unit_test(test_overflow_is_counted),     cmocka_unit_test(test_over_a_restart),
        cmocka_unit_test(test_everything_in_one_piece), cmocka_unit_test(test_broken_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
