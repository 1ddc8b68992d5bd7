/* Where messages begin on a stream, and which are too long. */
#include "check.h"
#include "guard.h"

#include <string.h>

/* The whole at once, and byte by byte: both say the same. */
static uint32_t
pass(enum sa_guard_kind kind, const void *bytes, size_t len)
{
    struct sa_guard whole = {0}, single = {0};
    uint32_t first = sa_guard_pass(&whole, kind, bytes, len), second = 0;

    for (size_t i = 0; i < len && second == 0; i++)
        second = sa_guard_pass(&single, kind, (const uint8_t *)bytes + i, 1);
    assert_int_equal(first, second);
    if (first == 0)
        assert_memory_equal(&whole, &single, sizeof whole);
    return first;
}

static void
test_snmp(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        uint32_t too_long;
    } cases[] = {
        {"\x30\x03\x02\x01\x01\x30\x00\x30\x81\x02\x05\x00\x30", 13, 0},
        {"\x30\x82\xff\xff\x02", 5, 0},
        {"\x30\x83\x01\x00\x00\x02", 6, 0}, /* 64 KiB as they are */
        {"\x30\x83\x01\x00\x01\x02", 6, 65537},
        {"\x30\x84\x7f\xff\xff\xf0", 6, 0x7ffffff0},
        {"\x30\x84\xff\xff\xff\xff", 6, UINT32_MAX},
        {"\x30\x80\x00\x00", 4, UINT32_MAX},                              /* of no length */
        {"\x30\x88\x00\x00\x00\x00\x00\x00\x00\x01\x00", 11, UINT32_MAX}, /* more than four bytes */
        {"\x30\x02\x05\x00\x30\x84\x00\x02\x00\x00\x00", 11, 0x20000},    /* the second one */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(pass(SA_GUARD_SNMP, cases[i].bytes, cases[i].len), cases[i].too_long);
}

static void
test_agentx(void **state)
{
    uint8_t pdus[3 * SA_GUARD_HEADER + 4] = {0};

    (void)state;
    pdus[2] = 0x10;
    pdus[19] = 4;
    pdus[SA_GUARD_HEADER + 4 + 18] = 0x10; /* not in network order: 0x00100000 */
    assert_int_equal(pass(SA_GUARD_AGENTX, pdus, sizeof pdus), 0);
    pdus[SA_GUARD_HEADER + 4 + 16] = 1;
    assert_int_equal(pass(SA_GUARD_AGENTX, pdus, sizeof pdus), 0x00100001);
    pdus[SA_GUARD_HEADER + 4 + 2] = 0x10;
    assert_int_equal(pass(SA_GUARD_AGENTX, pdus, sizeof pdus), 0x01001000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_snmp), cmocka_unit_test(test_agentx)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
