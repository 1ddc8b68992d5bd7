/* Prefixes of addresses: how they are written, and what is in them. */
#include "check.h"
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

static void
test_parse(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: is none */
        int result;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.0/24", 0},
        {"192.0.2.1", "192.0.2.1/32", 0},
        {"0.0.0.0/0", "0.0.0.0/0", 0},
        {"255.255.255.255/32", "255.255.255.255/32", 0},
        {"2001:db8::/32", "2001:db8::/32", 0},
        {"2001:DB8:0::1", "2001:db8::1/128", 0},
        {"::/0", "::/0", 0},
        {"::1/128", "::1/128", 0},
        {"::ffff:192.0.2.0/120", "192.0.2.0/24", 0}, /* of IPv4, written as IPv6 */
        {"::ffff:0:0/96", "0.0.0.0/0", 0},
        {"192.0.2.1/24", "192.0.2.0/24", -ERANGE},
        {"2001:db8::1/33", "2001:db8::/33", -ERANGE},
        {"192.0.2.128/25", "192.0.2.128/25", 0},
        {"192.0.2.0/33", NULL, -EINVAL},
        {"::/129", NULL, -EINVAL},
        {"192.0.2.0/256", NULL, -EINVAL},
        {"192.0.2.0/4294967320", NULL, -EINVAL}, /* 2^32 + 24 */
        {"192.0.2.0/", NULL, -EINVAL},
        {"192.0.2.0/-1", NULL, -EINVAL},
        {"192.0.2.0/+8", NULL, -EINVAL},
        {"192.0.2.0/ 8", NULL, -EINVAL},
        {"192.0.2.0/24 ", NULL, -EINVAL},
        {"192.0.2.0/24/24", NULL, -EINVAL},
        {"192.0.2/24", NULL, -EINVAL},
        {"192.000.2.0/24", NULL, -EINVAL},
        {"fe80::1%lo", NULL, -EINVAL},
        {"localhost", NULL, -EINVAL},
        {"", NULL, -EINVAL},
        {"/8", NULL, -EINVAL},
    };
    char text[SA_NETWORK_TEXT];

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_network network;

        CHECK_INT(cases[i].text, sa_network_parse(cases[i].text, &network), cases[i].result);
        if (cases[i].want == NULL)
            continue;
        sa_network_format(&network, text);
        CHECK_STR(cases[i].text, text, cases[i].want);
        CHECK_INT(text, sa_network_parse(text, &network), 0);
    }
}

static struct sockaddr_in6
address_of(const char *text)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(514)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(514)};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        memcpy(&v6, &v4, sizeof v4);
    else
        assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return v6;
}

static void
test_holds(void **state)
{
    static const struct {
        const char *network, *address;
        bool in;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.0", true},
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.0/24", "192.0.1.255", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.4/31", "192.0.2.5", true},
        {"192.0.2.4/31", "192.0.2.6", false},
        {"192.0.2.1/32", "192.0.2.1", true},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"192.0.2.0/24", "::ffff:192.0.2.9", true}, /* of a socket that takes both */
        {"192.0.2.0/24", "::ffff:192.0.3.9", false},
        {"0.0.0.0/0", "::ffff:203.0.113.9", true},
        {"::ffff:192.0.2.0/120", "192.0.2.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"0.0.0.0/0", "::192.0.2.1", false}, /* compatible, not mapped */
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", false},
        {"::/0", "::ffff:192.0.2.1", false},
        {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"2001:db8::/32", "2001:db9::1", false},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::1", "::1", true},
        {"::1", "::2", false},
        {"fe80::/10", "fe80::1", true},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_network network;
        struct sockaddr_in6 address = address_of(cases[i].address);
        char name[128];

        (void)snprintf(name, sizeof name, "%s in %s", cases[i].address, cases[i].network);
        CHECK_INT(name, sa_network_parse(cases[i].network, &network), 0);
        CHECK_INT(name, sa_network_holds(&network, (const struct sockaddr *)&address), cases[i].in);
    }
}

static void
test_other_families(void **state)
{
    const struct sockaddr local = {.sa_family = AF_UNIX};
    struct sa_network network;
    char text[SA_NETWORK_TEXT];

    (void)state;
    assert_int_equal(sa_network_parse("::/0", &network), 0);
    assert_false(sa_network_holds(&network, &local));
    sa_network_address(&local, text);
    assert_string_equal(text, "-");
}

static void
test_address(void **state)
{
    static const char *const cases[][2] = {
        {"192.0.2.1", "192.0.2.1"}, {"::ffff:192.0.2.1", "192.0.2.1"}, {"2001:db8::1", "2001:db8::1"}};
    char text[SA_NETWORK_TEXT];

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sockaddr_in6 address = address_of(cases[i][0]);

        sa_network_address((const struct sockaddr *)&address, text);
        CHECK_STR(cases[i][0], text, cases[i][1]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_holds),
                                       cmocka_unit_test(test_other_families), cmocka_unit_test(test_address)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
