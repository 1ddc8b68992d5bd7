/* net-snmp's transport addresses, and the endpoints of those that need no name to be looked up. */
#include "address.h"
#include "check.h"
#include "resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>

static const struct {
    const char *text;
    int result;
    enum sa_address_kind kind;
    int family;
    const char *host, *interface;
    uint16_t port;
    const char *number; /* NULL: the host is a name, or there is none */
} addresses[] = {
    {"udp:192.0.2.5:162", 0, SA_ADDRESS_UDP, AF_INET, "192.0.2.5", "", 162, "192.0.2.5"},
    {"UDP:192.0.2.5", 0, SA_ADDRESS_UDP, AF_INET, "192.0.2.5", "", 99, "192.0.2.5"},
    {"192.0.2.5:1162", 0, SA_ADDRESS_UDP, AF_UNSPEC, "192.0.2.5", "", 1162, "192.0.2.5"},
    {"nms.example.net", 0, SA_ADDRESS_UDP, AF_UNSPEC, "nms.example.net", "", 99, NULL},
    {"nms.example.net:162", 0, SA_ADDRESS_UDP, AF_UNSPEC, "nms.example.net", "", 162, NULL},
    {"udp:nms:162", 0, SA_ADDRESS_UDP, AF_INET, "nms", "", 162, NULL},
    {"tcp:nms:162", 0, SA_ADDRESS_TCP, AF_INET, "nms", "", 162, NULL},
    {"udp6:[2001:db8::5]:162", 0, SA_ADDRESS_UDP, AF_INET6, "2001:db8::5", "", 162, "2001:db8::5"},
    {"udp6:[2001:db8::5]", 0, SA_ADDRESS_UDP, AF_INET6, "2001:db8::5", "", 99, "2001:db8::5"},
    {"udp6:2001:db8::5", 0, SA_ADDRESS_UDP, AF_INET6, "2001:db8::5", "", 99, "2001:db8::5"},
    {"udpv6:nms:162", 0, SA_ADDRESS_UDP, AF_INET6, "nms", "", 162, NULL},
    {"tcp6:[::1]:705", 0, SA_ADDRESS_TCP, AF_INET6, "::1", "", 705, "::1"},
    {"[::1]:162", 0, SA_ADDRESS_UDP, AF_UNSPEC, "::1", "", 162, "::1"},
    {"::1", 0, SA_ADDRESS_UDP, AF_UNSPEC, "::1", "", 99, "::1"},
    {"udp:[192.0.2.5]:162", 0, SA_ADDRESS_UDP, AF_INET, "192.0.2.5", "", 162, "192.0.2.5"},
    {"udp:192.0.2.5@eth0:162", 0, SA_ADDRESS_UDP, AF_INET, "192.0.2.5", "eth0", 162, "192.0.2.5"},
    {"udp:@eth0", 0, SA_ADDRESS_UDP, AF_INET, "", "eth0", 99, "127.0.0.1"},
    {"udp:1162", 0, SA_ADDRESS_UDP, AF_INET, "", "", 1162, "127.0.0.1"},
    {"udp::1162", 0, SA_ADDRESS_UDP, AF_INET, "", "", 1162, "127.0.0.1"},
    {"1162", 0, SA_ADDRESS_UDP, AF_UNSPEC, "", "", 1162, "127.0.0.1"},
    {"udp6:1162", 0, SA_ADDRESS_UDP, AF_INET6, "", "", 1162, "::1"},
    {"unix:/run/x", 0, SA_ADDRESS_UNIX, AF_UNIX, "/run/x", "", 0, NULL},
    {"/run/x", 0, SA_ADDRESS_UNIX, AF_UNIX, "/run/x", "", 0, NULL},
    {"udp:192.0.2.5:65536", -ERANGE, 0, 0, NULL, NULL, 0, NULL},
    {"udp:192.0.2.5:18446744073709551617", -ERANGE, 0, 0, NULL, NULL, 0, NULL},
    {"udp:192.0.2.5:65535", 0, SA_ADDRESS_UDP, AF_INET, "192.0.2.5", "", 65535, "192.0.2.5"},
    {"udp:192.0.2.5:", -EINVAL, 0, 0, NULL, NULL, 0, NULL},
    {"udp:192.0.2.5:snmp", -EINVAL, 0, 0, NULL, NULL, 0, NULL},
    {"udp6:[::1", -EINVAL, 0, 0, NULL, NULL, 0, NULL},
    {"udp6:[::1]x", -EINVAL, 0, 0, NULL, NULL, 0, NULL},
    {"udp:192.0.2.5@an-interface-of-this-length:1", -EINVAL, 0, 0, NULL, NULL, 0, NULL},
    {"unix:", -EINVAL, 0, 0, NULL, NULL, 0, NULL},
    {"dtlsudp:192.0.2.5:10162", -EPROTONOSUPPORT, 0, 0, NULL, NULL, 0, NULL},
    {"tlstcp:nms:10162", -EPROTONOSUPPORT, 0, 0, NULL, NULL, 0, NULL},
};

static void
test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct sa_address address = {0};
        int r = sa_address_parse(addresses[i].text, SA_ADDRESS_UDP, 99, &address);

        print_message("%s\n", addresses[i].text);
        assert_int_equal(r, addresses[i].result);
        if (r < 0)
            continue;
        assert_int_equal(address.kind, addresses[i].kind);
        assert_int_equal(address.family, addresses[i].family);
        if (address.kind == SA_ADDRESS_UNIX) {
            assert_string_equal(address.path, addresses[i].host);
            continue;
        }
        assert_string_equal(address.host, addresses[i].host);
        assert_string_equal(address.interface, addresses[i].interface);
        assert_int_equal(address.port, addresses[i].port);
    }
}

static void
test_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct sa_address address = {0}, again = {0};
        struct sa_endpoint endpoint = {0};
        char number[64], text[128];

        if (addresses[i].result < 0 || addresses[i].kind == SA_ADDRESS_UNIX)
            continue;
        print_message("%s\n", addresses[i].text);
        assert_int_equal(sa_address_parse(addresses[i].text, SA_ADDRESS_UDP, 99, &address), 0);
        assert_int_equal(sa_endpoint_of_number(&address, &endpoint), addresses[i].number != NULL);
        if (addresses[i].number == NULL)
            continue;
        sa_endpoint_number(&endpoint, number, sizeof number);
        assert_string_equal(number, addresses[i].number);
        assert_int_equal(
            ntohs(endpoint.to.any.sa_family == AF_INET ? endpoint.to.in.sin_port : endpoint.to.in6.sin6_port),
            addresses[i].port);
        sa_address_format(&address, number, text, sizeof text);
        assert_int_equal(sa_address_parse(text, SA_ADDRESS_TCP, 1, &again), 0);
        assert_int_equal(again.kind, address.kind);
        assert_string_equal(again.host, number);
        assert_string_equal(again.interface, address.interface);
        assert_int_equal(again.port, address.port);
    }
}

/* A path that fills the field has to end. */
static void
test_long_texts(void **state)
{
    struct sa_endpoint endpoint;
    struct sa_address address;
    char text[512];

    (void)state;
    memset(text, 'x', sizeof text);
    text[0] = '/';
    text[sizeof address.path] = '\0';
    assert_int_equal(sa_address_parse(text, SA_ADDRESS_UDP, 99, &address), -ENAMETOOLONG);
    text[sizeof address.path - 1] = '\0';
    assert_int_equal(sa_address_parse(text, SA_ADDRESS_UDP, 99, &address), 0);
    assert_true(sa_endpoint_of_number(&address, &endpoint));
    assert_string_equal(endpoint.to.un.sun_path, text);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(sa_address_parse(text, SA_ADDRESS_UDP, 99, &address), -EINVAL);
}

/* The answer to a question comes with its tag; a resolver may be gone before the answer. */
static void
test_look_up(void **state)
{
    struct sa_resolver *resolver = sa_resolver_new(2);
    struct pollfd answered = {.fd = sa_resolver_fd(resolver), .events = POLLIN};
    struct sa_resolved answer = {0};
    struct sa_address address;

    (void)state;
    assert_non_null(resolver);
    assert_false(sa_resolver_take(resolver, &answer));
    assert_int_equal(sa_address_parse("udp:localhost:162", SA_ADDRESS_UDP, 99, &address), 0);
    assert_int_equal(sa_resolver_ask(resolver, 1, &address), 0);
    assert_int_equal(poll(&answered, 1, 30000), 1);
    assert_true(sa_resolver_take(resolver, &answer));
    assert_int_equal(answer.tag, 1);
    assert_int_equal(answer.error, 0);
    assert_int_equal(ntohl(answer.endpoint.to.in.sin_addr.s_addr), INADDR_LOOPBACK);
    assert_int_equal(ntohs(answer.endpoint.to.in.sin_port), 162);
    assert_false(sa_resolver_take(resolver, &answer));
    assert_int_equal(sa_resolver_ask(resolver, 0, &address), 0);
    assert_null(sa_resolver_free(resolver));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_look_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
