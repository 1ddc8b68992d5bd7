/* Compressed logs: what comes out of the pipe is the content from the asked byte on, or the error says why
 * not. */
#include "check.h"
#include "inflate.h"
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int
file_of(struct bytes content)
{
    char path[] = "/tmp/test_inflate.XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, content.p, content.len), content.len);
    return fd;
}

/* Reads all that comes; the caller frees it. */
static struct bytes
inflate_all(int fd, enum sa_compression kind, int64_t skip, int *ret_error)
{
    struct bytes got = {malloc(65536), 0};
    struct sa_inflater *inflater;
    size_t room = 65536;
    int pipe;

    assert_int_equal(sa_inflater_start(fd, kind, skip, &inflater, &pipe), 0);
    assert_true(fcntl(pipe, F_GETFL) & O_NONBLOCK);
    for (;;) {
        struct pollfd ready = {.fd = pipe, .events = POLLIN};
        ssize_t n;

        assert_int_equal(poll(&ready, 1, 10000), 1);
        if (room - got.len < 65536)
            got.p = realloc(got.p, room *= 2);
        n = read(pipe, got.p + got.len, 65536);
        if (n == 0)
            break;
        if (n < 0) {
            assert_int_equal(errno, EAGAIN);
            continue;
        }
        got.len += (size_t)n;
    }
    *ret_error = sa_inflater_error(inflater);
    assert_null(sa_inflater_free(inflater));
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* it belonged to the inflater */
    return got;
}

static void
check_all(const char *name, struct bytes file, enum sa_compression kind, struct bytes want, int64_t skip)
{
    int error;
    struct bytes got = inflate_all(file_of(file), kind, skip, &error);
    size_t from = skip > (int64_t)want.len ? want.len : (size_t)skip;

    CHECK_INT(name, error, 0);
    CHECK_INT(name, got.len, want.len - from);
    if (memcmp(got.p, want.p + from, got.len) != 0)
        fail_msg("%s: other bytes", name);
    free(got.p);
}

static void
test_whole(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 65535, 65536, 65537, 131072, 700000};

    (void)state;
    for (unsigned k = 0; k < ROWS(pack_kinds); k++)
        for (unsigned i = 0; i < ROWS(sizes); i++)
            for (int plain = 0; plain <= 1; plain++) {
                struct bytes content = content_of(sizes[i], plain);
                struct bytes file = pack(pack_kinds[k].kind, content.p, content.len);

                check_all(pack_kinds[k].name, file, pack_kinds[k].kind, content, 0);
                free(content.p);
                free(file.p);
            }
}

/* A frame without a checksum ends with its last block, however much that block inflates to. */
static void
test_zstd_without_checksum(void **state)
{
    static const size_t sizes[] = {65537, 131072, 131073, 700000};

    (void)state;
    for (unsigned i = 0; i < ROWS(sizes); i++)
        for (int plain = 0; plain <= 1; plain++)
            for (int size = 0; size <= 1; size++) {
                struct bytes content = content_of(sizes[i], plain);
                struct bytes file = pack_zstd(content.p, content.len, false, size);

                check_all("no checksum", file, SA_ZSTD, content, 0);
                free(content.p);
                free(file.p);
            }
}

/* Several members or frames, one behind the other, are one content. */
static void
test_several(void **state)
{
    struct bytes a = content_of(70000, false), b = content_of(0, false), c = content_of(90000, true);
    struct bytes ab = join(a, b), content = join(ab, c);

    (void)state;
    for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
        struct bytes fa = pack(pack_kinds[k].kind, a.p, a.len);
        struct bytes fb = pack(pack_kinds[k].kind, b.p, b.len);
        struct bytes fc = pack(pack_kinds[k].kind, c.p, c.len);
        struct bytes fab = join(fa, fb), file = join(fab, fc);
        const int64_t skips[] = {0, 1, 69999, 70000, 70001, 159999, 160000, 160001};

        for (unsigned i = 0; i < ROWS(skips); i++)
            check_all(pack_kinds[k].name, file, pack_kinds[k].kind, content, skips[i]);
        free(fa.p);
        free(fb.p);
        free(fc.p);
        free(fab.p);
        free(file.p);
    }
    free(a.p);
    free(b.p);
    free(c.p);
    free(ab.p);
    free(content.p);
}

static void
test_skip(void **state)
{
    struct bytes content = content_of(200000, false);
    const int64_t skips[] = {0,      1,      4095,   65535,  65536,  65537,    131071,
                             131072, 131073, 199999, 200000, 200001, 10000000, INT64_MAX};

    (void)state;
    for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
        struct bytes file = pack(pack_kinds[k].kind, content.p, content.len);

        for (unsigned i = 0; i < ROWS(skips); i++)
            check_all(pack_kinds[k].name, file, pack_kinds[k].kind, content, skips[i]);
        free(file.p);
    }
    free(content.p);
}

/* Every skip of a short content. */
static void
test_skip_each(void **state)
{
    struct bytes content = {(char *)"one\ntwo\nthree", 13};

    (void)state;
    for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
        struct bytes file = pack(pack_kinds[k].kind, content.p, content.len);

        for (int64_t skip = 0; skip <= 15; skip++)
            check_all(pack_kinds[k].name, file, pack_kinds[k].kind, content, skip);
        free(file.p);
    }
}

/* What is cut off gives the start of the content and an error. */
static void
test_truncated(void **state)
{
    struct bytes content = content_of(200000, false);

    (void)state;
    for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
        struct bytes file = pack(pack_kinds[k].kind, content.p, content.len);
        const size_t cuts[] = {1, 3, 10, 17, file.len / 2, file.len - 8, file.len - 4, file.len - 1};

        for (unsigned i = 0; i < ROWS(cuts); i++) {
            int error;
            struct bytes got =
                inflate_all(file_of((struct bytes){file.p, cuts[i]}), pack_kinds[k].kind, 0, &error);

            if (error != -ENODATA)
                fail_msg("%s cut after %zu bytes: %d", pack_kinds[k].name, cuts[i], error);
            assert_true(got.len <= content.len);
            assert_memory_equal(got.p, content.p, got.len);
            free(got.p);
        }
        free(file.p);
    }
    free(content.p);
}

static void
test_garbage(void **state)
{
    struct bytes content = content_of(100000, false);
    char noise[3000];
    int error;

    (void)state;
    for (unsigned i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * i / 7 + i);
    for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
        struct bytes got, file = pack(pack_kinds[k].kind, content.p, content.len);
        char head[16];
        int fd;

        got = inflate_all(file_of((struct bytes){noise, sizeof noise}), pack_kinds[k].kind, 0, &error);
        CHECK_INT(pack_kinds[k].name, error, -EBADMSG);
        CHECK_INT(pack_kinds[k].name, got.len, 0);
        free(got.p);

        /* Not what its name says, and no text: nothing can be read. */
        fd = file_of((struct bytes){noise, sizeof noise});
        CHECK_INT(pack_kinds[k].name, sa_inflate_head(fd, pack_kinds[k].kind, head, sizeof head), 0);
        CHECK_INT(pack_kinds[k].name, sa_inflate_size(fd, pack_kinds[k].kind), -1);
        close(fd);

        memset(file.p + file.len / 2, 0x55, 40); /* damaged in the middle */
        got = inflate_all(file_of(file), pack_kinds[k].kind, 0, &error);
        CHECK_INT(pack_kinds[k].name, error, -EBADMSG);
        free(got.p);
        free(file.p);

        got = inflate_all(file_of((struct bytes){noise, 0}), pack_kinds[k].kind, 0, &error);
        CHECK_INT(pack_kinds[k].name, error, -ENODATA); /* an empty file is the start of one */
        CHECK_INT(pack_kinds[k].name, got.len, 0);
        free(got.p);
    }
    free(content.p);
}

/* What is packed in something else than its name says, or not at all, is read as what it is. */
static void
test_content_wins(void **state)
{
    struct bytes content = content_of(100000, false);

    (void)state;
    for (unsigned named = 0; named < ROWS(pack_kinds); named++) {
        int fd = file_of(content);
        char head[1000];

        CHECK_INT("plain", sa_inflate_head(fd, pack_kinds[named].kind, head, sizeof head), sizeof head);
        assert_memory_equal(head, content.p, sizeof head);
        CHECK_INT("plain", sa_inflate_size(fd, pack_kinds[named].kind), content.len);
        close(fd);
        check_all("plain", content, pack_kinds[named].kind, content, 0);
        check_all("plain", content, pack_kinds[named].kind, content, 70000);
        for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
            struct bytes file = pack(pack_kinds[k].kind, content.p, content.len);

            check_all(pack_kinds[k].name, file, pack_kinds[named].kind, content, 1000);
            free(file.p);
        }
    }
    free(content.p);
}

/* Until no whole page of the pipe is free. */
static void
wait_until_full(int pipe)
{
    int capacity = fcntl(pipe, F_GETPIPE_SZ), held = 0;
    struct timespec begun, now;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &begun), 0);
    do {
        assert_int_equal(ioctl(pipe, FIONREAD, &held), 0);
        assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
        assert_true(now.tv_sec - begun.tv_sec < 10);
        (void)sched_yield();
    } while (held <= capacity - 4096);
}

/* A reader that has enough, at once or after some bytes: no signal, no wait, no leak. */
static void
test_reader_closes_early(void **state)
{
    struct bytes content = content_of(3000000, true);

    (void)state;
    signal(SIGPIPE, SIG_DFL);
    for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
        struct bytes file = pack(pack_kinds[k].kind, content.p, content.len);

        for (int some = 0; some <= 2; some++) {
            struct sa_inflater *inflater;
            int pipe, fd = file_of(file);
            char buf[1000];

            assert_int_equal(sa_inflater_start(fd, pack_kinds[k].kind, 0, &inflater, &pipe), 0);
            if (some > 0) {
                struct pollfd ready = {.fd = pipe, .events = POLLIN};

                assert_int_equal(poll(&ready, 1, 10000), 1);
                assert_true(read(pipe, buf, sizeof buf) > 0);
            }
            if (some == 2)
                wait_until_full(pipe); /* the writer waits for room */
            assert_null(sa_inflater_free(inflater));
            assert_int_equal(fcntl(pipe, F_GETFD), -1);
            assert_int_equal(fcntl(fd, F_GETFD), -1);
        }
        free(file.p);
    }
    free(content.p);
    assert_null(sa_inflater_free(NULL));
}

static int64_t
ns_of(clockid_t clock)
{
    struct timespec time;

    assert_int_equal(clock_gettime(clock, &time), 0);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* The content of a packed file may be a million times as long: who is skipping it ends too, and nothing of it
 * stays. */
static void
test_reader_closes_while_skipping(void **state)
{
    static const unsigned char header[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 0x88};
    static const unsigned char block[] = {0x02, 0, 0x10, 'x'}; /* 131,072 times the same, RFC 8878 */
    struct bytes file = {malloc(sizeof header + 40000 * sizeof block), sizeof header};
    int64_t begun_ns = ns_of(CLOCK_PROCESS_CPUTIME_ID) - ns_of(CLOCK_THREAD_CPUTIME_ID);
    struct sa_inflater *inflater;
    int pipe, fd;

    (void)state;
    memcpy(file.p, header, sizeof header);
    for (int i = 0; i < 40000; i++, file.len += sizeof block)
        memcpy(file.p + file.len, block, sizeof block);
    fd = file_of(file);
    assert_int_equal(sa_inflater_start(fd, SA_ZSTD, INT64_MAX, &inflater, &pipe), 0);
    while (ns_of(CLOCK_PROCESS_CPUTIME_ID) - ns_of(CLOCK_THREAD_CPUTIME_ID) < begun_ns + 5000000)
        (void)sched_yield(); /* until the inflater is at work */
    assert_null(sa_inflater_free(inflater));
    begun_ns = ns_of(CLOCK_MONOTONIC); /* on a busy machine it may end after it was let go */
    while (fcntl(fd, F_GETFD) != -1 && ns_of(CLOCK_MONOTONIC) < begun_ns + INT64_C(20000000000))
        (void)sched_yield();
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    free(file.p);
}

static void
test_head(void **state)
{
    struct bytes content = content_of(5000, false), two = join(content, content);

    (void)state;
    for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
        struct bytes file = pack(pack_kinds[k].kind, content.p, content.len), files = join(file, file);
        int fd = file_of(files);
        char buf[12000];

        for (int again = 0; again < 2; again++) {
            CHECK_INT(pack_kinds[k].name, sa_inflate_head(fd, pack_kinds[k].kind, buf, 1), 1);
            CHECK_INT(pack_kinds[k].name, buf[0], content.p[0]);
            CHECK_INT(pack_kinds[k].name, sa_inflate_head(fd, pack_kinds[k].kind, buf, 1024), 1024);
            assert_memory_equal(buf, content.p, 1024);
            CHECK_INT(pack_kinds[k].name, sa_inflate_head(fd, pack_kinds[k].kind, buf, 6000), 6000);
            assert_memory_equal(buf, two.p, 6000);
            CHECK_INT(pack_kinds[k].name, sa_inflate_head(fd, pack_kinds[k].kind, buf, sizeof buf), two.len);
            assert_memory_equal(buf, two.p, two.len);
        }
        close(fd);
        fd = file_of((struct bytes){file.p, 0});
        CHECK_INT(pack_kinds[k].name, sa_inflate_head(fd, pack_kinds[k].kind, buf, sizeof buf), 0);
        close(fd);
        free(file.p);
        free(files.p);
    }
    {
        int fd = file_of(content);
        char buf[6000];

        assert_int_equal(sa_inflate_head(fd, SA_PLAIN, buf, 1024), 1024);
        assert_memory_equal(buf, content.p, 1024);
        assert_int_equal(sa_inflate_head(fd, SA_PLAIN, buf, sizeof buf), 5000);
        close(fd);
    }
    free(content.p);
    free(two.p);
}

static void
test_size(void **state)
{
    struct bytes content = content_of(123456, false), gz = pack(SA_GZIP, content.p, content.len),
                 xz = pack(SA_XZ, content.p, content.len), zst = pack(SA_ZSTD, content.p, content.len),
                 unsaid = pack_zstd(content.p, content.len, true, false);
    int fd;

    (void)state;
    fd = file_of(content);
    assert_int_equal(sa_inflate_size(fd, SA_PLAIN), 123456);
    close(fd);
    fd = file_of(gz);
    assert_int_equal(sa_inflate_size(fd, SA_GZIP), 123456);
    close(fd);
    fd = file_of(zst);
    assert_int_equal(sa_inflate_size(fd, SA_ZSTD), 123456);
    close(fd);
    fd = file_of(xz);
    assert_int_equal(sa_inflate_size(fd, SA_XZ), 123456);
    close(fd);
    fd = file_of(unsaid);
    assert_int_equal(sa_inflate_size(fd, SA_ZSTD), -1);
    close(fd);
    fd = file_of((struct bytes){content.p, 0});
    assert_int_equal(sa_inflate_size(fd, SA_PLAIN), 0);
    assert_int_equal(sa_inflate_size(fd, SA_GZIP), -1);
    assert_int_equal(sa_inflate_size(fd, SA_ZSTD), -1);
    close(fd);
    free(content.p);
    free(gz.p);
    free(xz.p);
    free(zst.p);
    free(unsaid.p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_zstd_without_checksum),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_skip_each),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_content_wins),
        cmocka_unit_test(test_reader_closes_early),
        cmocka_unit_test(test_reader_closes_while_skipping),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
