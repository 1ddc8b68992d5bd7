/* Bytes in the making and the way back. */
#include "buffer.h"
#include "check.h"

static uint64_t
random64(void)
{
    uint64_t value = 0;

    for (int i = 0; i < 5; i++)
        value = value << 15 ^ (uint64_t)rand();
    return value;
}

static void
test_numbers(void **state)
{
    struct sa_buffer buffer = {0};
    struct sa_buffer_reader reader;

    (void)state;
    for (unsigned bit = 0; bit < 64; bit++)
        for (int by = -1; by <= 1; by++)
            sa_buffer_number(&buffer, ((uint64_t)1 << bit) + (uint64_t)by);
    sa_buffer_number(&buffer, UINT64_MAX);
    assert_false(buffer.failed);
    reader = (struct sa_buffer_reader){buffer.bytes, buffer.bytes + buffer.len, false};
    for (unsigned bit = 0; bit < 64; bit++)
        for (int by = -1; by <= 1; by++)
            assert_true(sa_buffer_read(&reader) == ((uint64_t)1 << bit) + (uint64_t)by);
    assert_true(sa_buffer_read(&reader) == UINT64_MAX);
    assert_false(reader.failed);
    assert_ptr_equal(reader.p, reader.end);
    assert_int_equal(sa_buffer_read(&reader), 0);
    assert_true(reader.failed);
    sa_buffer_done(&buffer);
}

/* LEB128: seven bits to a byte. */
static void
test_lengths(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct sa_buffer buffer = {0};

        sa_buffer_number(&buffer, (uint64_t)1 << bit);
        assert_int_equal(buffer.len, bit / 7 + 1);
        sa_buffer_done(&buffer);
        sa_buffer_number(&buffer, bit);
        assert_int_equal(buffer.len, 1);
        assert_int_equal(buffer.bytes[0], bit);
        sa_buffer_done(&buffer);
        assert_null(buffer.bytes);
        assert_int_equal(buffer.len, 0);
    }
}

/* A number that is cut fails, and from then on everything is 0. */
static void
test_truncated(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct sa_buffer buffer = {0};

        sa_buffer_number(&buffer, (uint64_t)1 << bit);
        for (size_t len = 0; len < buffer.len; len++) {
            uint8_t *copy = malloc(len + 1); /* as long as it says, for valgrind */
            struct sa_buffer_reader reader = {copy, copy + len, false};

            memcpy(copy, buffer.bytes, len);
            assert_int_equal(sa_buffer_read(&reader), 0);
            assert_true(reader.failed);
            assert_true(reader.p <= reader.end);
            assert_int_equal(sa_buffer_read(&reader), 0);
            assert_true(reader.failed);
            free(copy);
        }
        sa_buffer_done(&buffer);
    }
}

static void
test_failed_stays_failed(void **state)
{
    static const uint8_t bytes[] = {5, 6, 7};
    struct sa_buffer_reader reader = {bytes, bytes + sizeof bytes, true};

    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(sa_buffer_read(&reader), 0);
        assert_true(reader.failed);
    }
}

/* Any bytes: it ends, inside the bytes, and a number that never ends is none. */
static void
test_garbage(void **state)
{
    static const uint8_t endless[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 1};
    struct sa_buffer_reader reader = {endless, endless + sizeof endless, false};

    (void)state;
    assert_int_equal(sa_buffer_read(&reader), 0);
    assert_true(reader.failed);
    srand(1);
    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[30];
        unsigned reads = 0;

        for (unsigned i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(rand() % 3 ? rand() | 0x80 : rand());
        reader = (struct sa_buffer_reader){bytes, bytes + sizeof bytes, false};
        while (!reader.failed) {
            (void)sa_buffer_read(&reader);
            assert_true(reader.p <= reader.end);
            assert_true(++reads <= sizeof bytes + 1);
        }
    }
}

static void
test_grows(void **state)
{
    struct sa_buffer buffer = {0};
    size_t at = 0;

    (void)state;
    srand(2);
    sa_buffer_add(&buffer, NULL, 0);
    assert_int_equal(buffer.len, 0);
    for (unsigned i = 0; i < 200; i++) {
        char bytes[5000];
        size_t len = (size_t)(rand() % 5000);

        memset(bytes, (int)i, sizeof bytes);
        sa_buffer_add(&buffer, bytes, len);
        at += len;
        assert_int_equal(buffer.len, at);
        assert_true(buffer.room >= buffer.len);
    }
    srand(2);
    at = 0;
    for (unsigned i = 0; i < 200; i++)
        for (int n = rand() % 5000; n > 0; n--)
            assert_int_equal(buffer.bytes[at++], i);
    assert_false(buffer.failed);
    sa_buffer_done(&buffer);
    sa_buffer_done(&buffer);
}

/* Numbers and bytes in any order. */
static void
test_random(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 100; round++) {
        struct sa_buffer buffer = {0};
        struct sa_buffer_reader reader;

        srand(round);
        for (int i = 0; i < 500; i++) {
            uint64_t value = random64();

            sa_buffer_number(&buffer, value >> rand() % 64);
        }
        reader = (struct sa_buffer_reader){buffer.bytes, buffer.bytes + buffer.len, false};
        srand(round);
        for (int i = 0; i < 500; i++) {
            uint64_t want = random64();

            want >>= rand() % 64;
            assert_true(sa_buffer_read(&reader) == want);
        }
        assert_ptr_equal(reader.p, reader.end);
        sa_buffer_done(&buffer);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_truncated), cmocka_unit_test(test_failed_stays_failed),
        cmocka_unit_test(test_garbage),   cmocka_unit_test(test_grows),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
