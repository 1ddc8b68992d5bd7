/* Where a syslog source can listen: numbers and paths, and what is refused of everything else. */
#include "check.h"
#include "listener_address.h"

#include <arpa/inet.h>
#include <errno.h>

static void
test_inet(void **state)
{
    static const struct {
        const char *text;
        int result, type, family;
        const char *number, *zone;
        uint16_t port;
        bool any;
    } cases[] = {
        {"udp:127.0.0.1:5514", 0, SOCK_DGRAM, AF_INET, "127.0.0.1", "", 5514, false},
        {"tcp:127.0.0.1:0", 0, SOCK_STREAM, AF_INET, "127.0.0.1", "", 0, false},
        {"udp:[127.0.0.1]:65535", 0, SOCK_DGRAM, AF_INET, "127.0.0.1", "", 65535, false},
        {"udp:0:5514", 0, SOCK_DGRAM, AF_INET, "0.0.0.0", "", 5514, true},
        {"tcp:[::1]:5514", 0, SOCK_STREAM, AF_INET6, "::1", "", 5514, false},
        {"tcp:::1:5514", 0, SOCK_STREAM, AF_INET6, "::1", "", 5514, false},
        {"udp::::5514", 0, SOCK_DGRAM, AF_INET6, "::", "", 5514, true},
        {"udp:[::ffff:0.0.0.0]:5514", 0, SOCK_DGRAM, AF_INET6, "::ffff:0.0.0.0", "", 5514, true},
        {"udp:[fe80::1%no-such-link]:5514", 0, SOCK_DGRAM, AF_INET6, "fe80::1", "no-such-link", 5514, false},
        {"udp:[fe80::1%7]:5514", 0, SOCK_DGRAM, AF_INET6, "fe80::1", "7", 5514, false},
        {"udp:[2001:db8::1%7]:5514", 0, SOCK_DGRAM, AF_INET6, "2001:db8::1", "7", 5514, false},
        {"udp:127.0.0.1:65536", -ERANGE, 0, 0, NULL, NULL, 0, false},
        {"udp:127.0.0.1:99999", -ERANGE, 0, 0, NULL, NULL, 0, false},
        {"udp:127.0.0.1:18446744073709551617", -ERANGE, 0, 0, NULL, NULL, 0, false},
        {"udp:localhost:5514", -EADDRNOTAVAIL, 0, 0, NULL, NULL, 0, false},
        {"udp:127.0.0.256:5514", -EADDRNOTAVAIL, 0, 0, NULL, NULL, 0, false},
        {"udp:[::1:5514", -EADDRNOTAVAIL, 0, 0, NULL, NULL, 0, false},
        {"udp:[]:5514", -EADDRNOTAVAIL, 0, 0, NULL, NULL, 0, false},
        {"udp:%lo:5514", -EADDRNOTAVAIL, 0, 0, NULL, NULL, 0, false},
        {"udp:127.0.0.1%lo:5514", -EADDRNOTAVAIL, 0, 0, NULL, NULL, 0, false},
        {"udp:[fe80::1%]:5514", -EADDRNOTAVAIL, 0, 0, NULL, NULL, 0, false},
        {"udp:[fe80::1%sixteen-letters-]:5514", -EADDRNOTAVAIL, 0, 0, NULL, NULL, 0, false},
        {"udp:[2001:db8::1%eth0]:5514", -EADDRNOTAVAIL, 0, 0, NULL, NULL, 0, false},
        {"udp:127.0.0.1", -EINVAL, 0, 0, NULL, NULL, 0, false},
        {"udp:127.0.0.1:", -EINVAL, 0, 0, NULL, NULL, 0, false},
        {"udp:127.0.0.1:-1", -EINVAL, 0, 0, NULL, NULL, 0, false},
        {"udp:127.0.0.1:syslog", -EINVAL, 0, 0, NULL, NULL, 0, false},
        {"udp::5514", -EINVAL, 0, 0, NULL, NULL, 0, false},
        {"udp:", -EINVAL, 0, 0, NULL, NULL, 0, false},
        {"127.0.0.1:5514", -EINVAL, 0, 0, NULL, NULL, 0, false},
        {"tls:127.0.0.1:6514", -EINVAL, 0, 0, NULL, NULL, 0, false},
        {"", -EINVAL, 0, 0, NULL, NULL, 0, false},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_listener_address address = {.type = -1};
        char number[64];

        CHECK_INT(cases[i].text, sa_listener_address_parse(cases[i].text, &address), cases[i].result);
        if (cases[i].result < 0) {
            CHECK_INT(cases[i].text, address.type, -1);
            continue;
        }
        sa_endpoint_number(&address.endpoint, number, sizeof number);
        CHECK_INT(cases[i].text, address.type, cases[i].type);
        CHECK_INT(cases[i].text, address.endpoint.to.any.sa_family, cases[i].family);
        CHECK_STR(cases[i].text, number, cases[i].number);
        CHECK_STR(cases[i].text, address.zone, cases[i].zone);
        CHECK_INT(cases[i].text, ntohs(address.endpoint.to.in.sin_port), cases[i].port);
        CHECK_INT(cases[i].text, sa_listener_address_is_any(&address), cases[i].any);
        assert_null(address.path);
    }
}

static void
test_paths(void **state)
{
    struct sa_listener_address address;
    char text[256] = "unix:/";

    (void)state;
    assert_int_equal(sa_listener_address_parse("unix:/0.0.0.0:5514", &address), 0);
    assert_int_equal(address.type, SOCK_DGRAM);
    assert_string_equal(address.path, "/0.0.0.0:5514");
    assert_string_equal(address.endpoint.to.un.sun_path, "/0.0.0.0:5514");
    assert_false(sa_listener_address_is_any(&address));
    assert_int_equal(sa_listener_address_parse("unix:log", &address), -EINVAL);
    assert_int_equal(sa_listener_address_parse("unix:", &address), -EINVAL);
    memset(text + 6, 'p', 106);
    assert_int_equal(sa_listener_address_parse(text, &address), 0);
    assert_string_equal(address.endpoint.to.un.sun_path, text + 5);
    text[6 + 106] = 'p';
    assert_int_equal(sa_listener_address_parse(text, &address), -ENAMETOOLONG);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inet),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
