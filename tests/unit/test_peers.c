/* Responses by peer, bounded. */
#include "check.h"
#include "peers.h"

static struct sa_response
response(unsigned code, const char *peer, uint32_t repeat)
{
    struct sa_response r = {.code = (uint16_t)code, .repeat = repeat};

    snprintf(r.peer, sizeof r.peer, "%s", peer);
    return r;
}

static int
find(const struct sa_peers *peers, const char *name)
{
    for (unsigned i = 0; i < peers->n_peers; i++)
        if (strcmp(peers->names[i], name) == 0)
            return (int)i;
    return -1;
}

static void
test_counts(void **state)
{
    struct sa_peers *peers = sa_peers_new();
    struct sa_response r = response(302, "192.0.2.1", 5);
    int first, second;

    (void)state;
    assert_non_null(peers);
    sa_peers_add(peers, &r);
    r = response(430, "192.0.2.1", 1);
    sa_peers_add(peers, &r);
    r = response(302, "2001:db8::1", 2);
    sa_peers_add(peers, &r);
    r = response(302, "", 9);
    sa_peers_add(peers, &r);
    assert_int_equal(peers->n_peers, 2);
    first = find(peers, "192.0.2.1");
    second = find(peers, "2001:db8::1");
    assert_true(first >= 0 && second >= 0);
    assert_int_equal(sa_peers_count(peers, (unsigned)first, 302), 5);
    assert_int_equal(sa_peers_count(peers, (unsigned)first, 430), 1);
    assert_int_equal(sa_peers_count(peers, (unsigned)first, 301), 0);
    assert_int_equal(sa_peers_count(peers, (unsigned)second, 302), 2);
    assert_int_equal(sa_peers_count(peers, (unsigned)second, 430), 0);
    assert_int_equal(peers->responses[first], 6);
    assert_int_equal(peers->responses[second], 2);
    assert_int_equal(peers->lost, 0);
    assert_null(sa_peers_free(peers));
}

static void
test_too_many_peers(void **state)
{
    struct sa_peers *peers = sa_peers_new();
    uint64_t sum = 0;

    (void)state;
    for (unsigned i = 0; i < SA_PEERS_MAX + 100; i++) {
        char name[32];
        struct sa_response r;

        snprintf(name, sizeof name, "10.%u.%u.1", i / 256, i % 256);
        r = response(302, name, 2);
        sa_peers_add(peers, &r);
    }
    assert_int_equal(peers->n_peers, SA_PEERS_MAX);
    for (unsigned i = 0; i < peers->n_peers; i++)
        sum += peers->responses[i];
    assert_int_equal(sum + peers->lost, 2 * (SA_PEERS_MAX + 100));
    assert_int_equal(peers->lost, 200);
    sa_peers_free(peers);
}

static void
test_too_many_cells(void **state)
{
    struct sa_peers *peers = sa_peers_new();
    uint64_t cells = 0;
    unsigned fed = 0;

    (void)state;
    for (unsigned i = 0; i < 50; i++)
        for (unsigned code = 100; code <= 999; code++) {
            char name[32];
            struct sa_response r;

            snprintf(name, sizeof name, "10.0.0.%u", i);
            r = response(code, name, 1);
            sa_peers_add(peers, &r);
            fed++;
        }
    assert_true(peers->n_cells <= SA_PEER_CELLS_MAX);
    for (unsigned i = 0; i < peers->n_peers; i++)
        for (unsigned code = 100; code <= 999; code++)
            cells += sa_peers_count(peers, i, code);
    assert_int_equal(cells + peers->lost, fed);
    sa_peers_free(peers);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_too_many_peers),
        cmocka_unit_test(test_too_many_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
