/* What a file is shows in its first bytes, and whoever makes one cannot keep a reader busy or make it large.
 */
#include "check.h"
#include "pack.h"

#include <bzlib.h>
#include <errno.h>
#include <lz4frame.h>
#include <lzma.h>
#include <sys/resource.h>
#include <time.h>

#define HEAD 1024

/* A file in memory. */
struct file {
    struct bytes content;
    size_t piece;     /* as much as a read gives at most; 0: whatever is asked */
    int64_t read_end; /* the first byte behind all that was read */
    int error;        /* what a read behind the content returns */
};

static ssize_t
read_file(void *arg, void *buf, size_t len, int64_t at)
{
    struct file *file = arg;
    size_t n = at < (int64_t)file->content.len ? file->content.len - (size_t)at : 0;

    if (n == 0 && file->error != 0)
        return file->error;
    n = n < len ? n : len;
    n = file->piece > 0 && n > file->piece ? file->piece : n;
    memcpy(buf, file->content.p + at, n);
    if (at + (int64_t)n > file->read_end)
        file->read_end = at + (int64_t)n;
    return (ssize_t)n;
}

/* All that comes; the caller frees it. */
static struct bytes
unpack(struct file *file, bool named, ssize_t *ret_end, enum sa_compression *ret_kind)
{
    const struct sa_packed_source source = {read_file, file, named};
    struct bytes got = {malloc(1 << 20), 0};
    struct sa_unpacker *unpacker;
    ssize_t n;

    assert_int_equal(sa_unpacker_open(&source, &unpacker), 0);
    while ((n = sa_unpacker_read(unpacker, got.p + got.len, (1 << 20) - got.len)) > 0)
        got.len += (size_t)n;
    CHECK_INT("the end again", sa_unpacker_read(unpacker, got.p, 1), n);
    *ret_end = n;
    *ret_kind = sa_unpacker_kind(unpacker);
    assert_null(sa_unpacker_close(unpacker));
    return got;
}

static void
check_unpacked(const char *name, struct bytes packed, size_t piece, struct bytes want, ssize_t want_end,
               enum sa_compression want_kind)
{
    for (int named = 0; named <= 1; named++) {
        struct file file = {packed, piece, 0, 0};
        enum sa_compression kind;
        ssize_t end;
        struct bytes got = unpack(&file, named, &end, &kind);

        CHECK_INT(name, end, want_end);
        CHECK_INT(name, kind, want_kind);
        CHECK_INT(name, got.len, want.len);
        if (memcmp(got.p, want.p, want.len) != 0)
            fail_msg("%s: other bytes", name);
        free(got.p);
    }
}

static void
test_by_name(void **state)
{
    static const struct {
        const char *path;
        enum sa_compression kind;
    } cases[] = {
        {"/var/log/kamailio.log", SA_PLAIN},
        {"/var/log/kamailio.log.1", SA_PLAIN},
        {"/var/log/kamailio.log.2.gz", SA_GZIP},
        {"/var/log/kamailio.log-20261120.zst", SA_ZSTD},
        {"x.xz", SA_XZ},
        {"x.bz2", SA_BZIP2},
        {"x.lz4", SA_LZ4},
        {"/var/gz/kamailio", SA_PLAIN},
        {"/var/log/x.gz/kamailio.log", SA_PLAIN},
        {"loggz", SA_PLAIN},
        {".gz", SA_PLAIN},
        {"x.gz.1", SA_PLAIN},
        {"", SA_PLAIN},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++)
        CHECK_INT(cases[i].path, sa_packed_by_name(cases[i].path), cases[i].kind);
}

/* However the bytes come, one by one or as many as are asked for. */
static void
test_pieces(void **state)
{
    static const size_t pieces[] = {0, 1, 7, 4095, 4096, 65536};
    struct bytes content = content_of(20000, false);

    (void)state;
    for (unsigned i = 0; i < ROWS(pieces); i++) {
        check_unpacked("plain", content, pieces[i], content, 0, SA_PLAIN);
        for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
            struct bytes file = pack(pack_kinds[k].kind, content.p, content.len);

            check_unpacked(pack_kinds[k].name, file, pieces[i], content, 0, pack_kinds[k].kind);
            free(file.p);
        }
    }
    free(content.p);
}

/* Wherever a small file is cut: it is a start, and what is in it comes. */
static void
test_every_cut(void **state)
{
    struct bytes content = content_of(300, false);

    (void)state;
    for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
        struct bytes file = pack(pack_kinds[k].kind, content.p, content.len);

        for (size_t cut = 0; cut < file.len; cut++) {
            struct file start = {{file.p, cut}, 0, 0, 0};
            enum sa_compression kind;
            ssize_t end;
            struct bytes got = unpack(&start, true, &end, &kind);

            if (end != -ENODATA)
                fail_msg("%s cut after %zu of %zu bytes: %zd", pack_kinds[k].name, cut, file.len, end);
            assert_true(got.len <= content.len);
            assert_memory_equal(got.p, content.p, got.len);
            free(got.p);
        }
        free(file.p);
    }
    free(content.p);
}

/* What can be unpacked of a file that is cut off is not lost. */
static void
test_what_a_cut_leaves(void **state)
{
    static const size_t least[] = {
        [SA_GZIP] = 180000, [SA_ZSTD] = 131072, [SA_XZ] = 180000, [SA_BZIP2] = 90000, [SA_LZ4] = 65536};
    struct bytes content = content_of(200000, false);

    (void)state;
    for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
        struct bytes packed = pack(pack_kinds[k].kind, content.p, content.len);
        struct file file = {{packed.p, packed.len - 20}, 0, 0, 0};
        enum sa_compression kind;
        ssize_t end;
        struct bytes got = unpack(&file, false, &end, &kind);

        CHECK_INT(pack_kinds[k].name, end, -ENODATA);
        if (got.len < least[pack_kinds[k].kind])
            fail_msg("%s: %zu bytes", pack_kinds[k].name, got.len);
        assert_memory_equal(got.p, content.p, got.len);
        free(got.p);
        free(packed.p);
    }
    free(content.p);
}

/* Every kind has a check of its own over the content; no wrong bit passes for a sound file. */
static void
test_a_wrong_bit(void **state)
{
    struct bytes content = content_of(3000, false);

    (void)state;
    for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
        struct bytes packed = pack(pack_kinds[k].kind, content.p, content.len);

        for (size_t at = 20; at < packed.len - 20; at += 13) {
            struct file file = {packed, 0, 0, 0};
            enum sa_compression kind;
            ssize_t end;

            packed.p[at] = (char)(packed.p[at] ^ 4);
            free(unpack(&file, true, &end, &kind).p);
            packed.p[at] = (char)(packed.p[at] ^ 4);
            if (end >= 0)
                fail_msg("%s: a wrong bit in byte %zu passes", pack_kinds[k].name, at);
        }
        free(packed.p);
    }
    free(content.p);
}

static struct bytes
literal(const char *bytes, size_t len)
{
    return (struct bytes){(char *)bytes, len};
}

#define LITERAL(bytes) literal(bytes, sizeof(bytes) - 1)

/* What follows a member: another one, padding, or what does not belong there. */
static void
test_behind_a_member(void **state)
{
    static const struct {
        const char *name;
        enum sa_compression kind;
        struct {
            const char *bytes;
            size_t len;
        } behind;
        bool second;
        ssize_t end;
    } cases[] = {
        {"gzip, zeros", SA_GZIP, {"\0\0\0\0\0", 5}, false, 0},
        {"gzip, line ends", SA_GZIP, {"\n\n", 2}, false, 0},
        {"zstd, zeros", SA_ZSTD, {"\0\0\0\0", 4}, false, 0},
        {"zstd, text", SA_ZSTD, {"text", 4}, false, -EBADMSG},
        {"zstd, a skippable frame", SA_ZSTD, {"\x50\x2a\x4d\x18\3\0\0\0abc", 11}, true, 0},
        {"xz, padding", SA_XZ, {"\0\0\0\0", 4}, false, 0},
        {"xz, padding between", SA_XZ, {"\0\0\0\0\0\0\0\0", 8}, true, 0},
        {"xz, text", SA_XZ, {"text", 4}, false, -EBADMSG},
        {"bzip2, zeros", SA_BZIP2, {"\0\0\0\0", 4}, false, 0},
        {"bzip2, text", SA_BZIP2, {"text", 4}, false, -EBADMSG},
        {"lz4, zeros", SA_LZ4, {"\0\0\0\0", 4}, false, 0},
        {"lz4, a skippable frame", SA_LZ4, {"\x5f\x2a\x4d\x18\3\0\0\0abc", 11}, true, 0},
        {"lz4, text", SA_LZ4, {"text", 4}, false, -EBADMSG},
    };
    struct bytes content = content_of(5000, false), twice = join(content, content);

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct bytes one = pack(cases[i].kind, content.p, content.len);
        struct bytes more = join(one, literal(cases[i].behind.bytes, cases[i].behind.len));
        struct bytes two = join(more, one);

        check_unpacked(cases[i].name, cases[i].second ? two : more, 0, cases[i].second ? twice : content,
                       cases[i].end, cases[i].kind);
        free(one.p);
        free(more.p);
        free(two.p);
    }
    free(content.p);
    free(twice.p);
}

/* Skippable frames at the start, as pzstd writes them, belong to the kind of what follows. */
static void
test_skippable_first(void **state)
{
    struct bytes skippable = LITERAL("\x50\x2a\x4d\x18\4\0\0\0size"), content = content_of(5000, false);
    static const enum sa_compression kinds[] = {SA_ZSTD, SA_LZ4};

    (void)state;
    for (unsigned i = 0; i < ROWS(kinds); i++) {
        struct bytes one = pack(kinds[i], content.p, content.len), file = join(skippable, one);

        check_unpacked("skippable first", file, 0, content, 0, kinds[i]);
        free(one.p);
        free(file.p);
    }
    free(content.p);
}

/* What is no log says what it is. */
static void
test_foreign(void **state)
{
    static const struct {
        const char *what;
        const char *bytes;
        size_t len;
        ssize_t end;
    } cases[] = {
        {"ZIP archive", "PK\3\4\x14\0\0\0", 8, -ENOTSUP},
        {"compress (.Z)", "\x1f\x9d\x90xyz", 6, -ENOTSUP},
        {"ELF executable",
         "\x7f"
         "ELF\2\1\1",
         7, -ENOTSUP},
        {"systemd journal", "LPKSHHRH\0\0\0\0", 12, -ENOTSUP},
        {"packet capture", "\xd4\xc3\xb2\xa1\2\0\4\0", 8, -ENOTSUP},
        {"UTF-16 text", "\xff\xfeN\0o\0v\0", 8, -ENOTSUP},
        {"plain", "BZh is how a line begins", 24, 24},
        {"plain", "(\xb5", 2, 2},
        {"plain", "PK", 2, 2},
        {"plain", "", 0, 0},
        {"plain", "\0\0\0\0\0line\n", 10, 10},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct file file = {literal(cases[i].bytes, cases[i].len), 0, 0, 0};
        const struct sa_packed_source source = {read_file, &file, false};
        struct sa_unpacker *unpacker;
        char buf[100];

        assert_int_equal(sa_unpacker_open(&source, &unpacker), 0);
        CHECK_STR(cases[i].what, sa_unpacker_what(unpacker), cases[i].what);
        CHECK_INT(cases[i].what, sa_unpacker_read(unpacker, buf, sizeof buf), cases[i].end);
        assert_null(sa_unpacker_close(unpacker));
    }
}

static void
test_looks_binary(void **state)
{
    static const struct {
        const char *name;
        struct {
            const char *bytes;
            size_t len;
        } text;
        bool binary;
    } cases[] = {
#define CASE(name, bytes, binary) {name, {bytes, sizeof(bytes) - 1}, binary}
        CASE("nothing", "", false),
        CASE("ASCII", "Nov 20 16:46:53 sbc01 kamailio[7]: reply\r\n\tmore\n", false),
        CASE("UTF-8", "\xd0\x9e\xd1\x88\xd0\xb8\xd0\xb1\xd0\xba\xd0\xb0 302 L\xe1\xbb\x97i\n", false),
        CASE("windows-1251", "\xce\xf8\xe8\xe1\xea\xe0 302\n", false),
        CASE("colours", "\x1b[31mred\x1b[0m\n", false),
        CASE("the hole of a truncated log", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0Nov 20 line\n", false),
        CASE("an ISUP body", "INVITE sip:1@x SIP/2.0\r\n\r\n\1\0\x49\0\0\3\2\0", true),
        CASE("numbers", "\1\0\0\0\2\0\0\0\3\0\0\0\xff\xff\xff\x7f", true),
#undef CASE
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++)
        CHECK_INT(cases[i].name, sa_packed_looks_binary(cases[i].text.bytes, cases[i].text.len),
                  cases[i].binary);
}

/* The bytes again and again, so many times. */
static struct bytes
repeat(struct bytes first, struct bytes again, size_t times)
{
    struct bytes whole = {malloc(first.len + again.len * times + 1), first.len};

    memcpy(whole.p, first.p, first.len);
    for (size_t i = 0; i < times; i++, whole.len += again.len)
        memcpy(whole.p + whole.len, again.p, again.len);
    return whole;
}

static int64_t
cpu_us(void)
{
    struct timespec time;

    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time), 0);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static size_t
head_of(struct bytes packed, char head[HEAD], int64_t *ret_read, int64_t *ret_us)
{
    struct file file = {packed, 0, 0, 0};
    const struct sa_packed_source source = {read_file, &file, true};
    int64_t begun_us = cpu_us();
    size_t n = sa_packed_head(&source, head, HEAD);

    *ret_us = cpu_us() - begun_us;
    *ret_read = file.read_end;
    return n;
}

/* Members that give nothing: some of them belong to a file, many are there to keep its reader busy. */
static void
test_empty_members(void **state)
{
    struct bytes content = content_of(5000, false);

    (void)state;
    for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
        struct bytes none = pack(pack_kinds[k].kind, "", 0),
                     one = pack(pack_kinds[k].kind, content.p, content.len);
        struct bytes few = repeat(LITERAL(""), none, 60), many = repeat(LITERAL(""), none, 50000);
        struct bytes more = repeat(LITERAL(""), none, 1000), more_one = join(more, one);
        struct bytes few_one = join(few, one), many_one = join(many, one);
        int64_t read, us;
        char head[HEAD];

        CHECK_INT(pack_kinds[k].name, head_of(few_one, head, &read, &us), HEAD);
        assert_memory_equal(head, content.p, HEAD);
        CHECK_INT(pack_kinds[k].name, head_of(many_one, head, &read, &us), 0);
        CHECK_INT(pack_kinds[k].name, read <= 65536, true);
        check_unpacked(pack_kinds[k].name, more_one, 0, content, 0, pack_kinds[k].kind);
        free(none.p);
        free(one.p);
        free(few.p);
        free(many.p);
        free(more.p);
        free(more_one.p);
        free(few_one.p);
        free(many_one.p);
    }
    free(content.p);
}

/* An xz block of nothing that asks for a window of 2 or 3 times a power of two. */
static struct bytes
xz_block(unsigned window)
{
    static char bytes[12 + 4];
    uint32_t crc;

    memcpy(bytes, "\2\0\x21\1\0\0\0\0", 8);
    bytes[4] = (char)window;
    crc = lzma_crc32((const uint8_t *)bytes, 8, 0);
    for (int i = 0; i < 4; i++)
        bytes[8 + i] = (char)(crc >> 8 * i);
    return literal(bytes, sizeof bytes);
}

static struct bytes
xz_header(void)
{
    static uint8_t header[LZMA_STREAM_HEADER_SIZE];
    lzma_stream_flags flags = {.version = 0, .check = LZMA_CHECK_NONE};

    assert_int_equal(lzma_stream_header_encode(&flags, header), LZMA_OK);
    return literal((const char *)header, sizeof header);
}

/* Blocks of nothing: there is no member to count, and the packed bytes that are looked at are few. */
static void
test_empty_blocks(void **state)
{
    struct bytes small = xz_block(28), large, both;
    struct {
        const char *name;
        struct bytes file;
    } cases[] = {
        {"gzip, stored", repeat(LITERAL("\x1f\x8b\x08\0\0\0\0\0\0\3"), LITERAL("\0\0\0\xff\xff"), 300000)},
        {"gzip, fixed", repeat(LITERAL("\x1f\x8b\x08\0\0\0\0\0\0\3"), LITERAL("\2\x08\x20\x80\0"), 300000)},
        {"gzip, a name without end", repeat(LITERAL("\x1f\x8b\x08\x08\0\0\0\0\0\3"), LITERAL("n"), 2000000)},
        {"zstd, raw", repeat(LITERAL("\x28\xb5\x2f\xfd\0\x88"), LITERAL("\0\0\0"), 500000)},
        {"zstd, compressed", repeat(LITERAL("\x28\xb5\x2f\xfd\0\x88"), LITERAL("\x14\0\0\0\0"), 300000)},
        {"lz4", repeat(LITERAL("\x04\x22\x4d\x18\x60\x70\x73"), LITERAL("\1\0\0\0\0"), 300000)},
        {"xz", {NULL, 0}},
    };

    (void)state;
    small = repeat(LITERAL(""), small, 1);
    large = repeat(LITERAL(""), xz_block(30), 1);
    both = join(small, large);
    cases[6].file = repeat(xz_header(), both, 50000);
    for (unsigned i = 0; i < ROWS(cases); i++) {
        int64_t read, us, least_us = INT64_MAX;
        char head[HEAD];

        for (int again = 0; again < 5; again++) {
            CHECK_INT(cases[i].name, head_of(cases[i].file, head, &read, &us), 0);
            least_us = us < least_us ? us : least_us;
        }
        CHECK_INT(cases[i].name, read <= 6 << 16, true);
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
        /* It takes 2 ms; xz with a new window for each block took 200.  valgrind sets LD_PRELOAD. */
        if (getenv("LD_PRELOAD") == NULL && least_us > 50000)
            fail_msg("%s: %lld us", cases[i].name, (long long)least_us);
#endif
        free(cases[i].file.p);
    }
    free(small.p);
    free(large.p);
    free(both.p);
}

/* A block of lz4 has 4 MiB by default, which need more than 1 MiB packed: its start is enough. */
static void
test_lz4_head(void **state)
{
    LZ4F_preferences_t preferences = {.frameInfo.blockSizeID = LZ4F_max4MB};
    struct bytes content = {malloc(4 << 20), 4 << 20};
    struct bytes packed = {malloc(5 << 20), 5 << 20};
    int64_t read, us;
    char head[HEAD];

    (void)state;
    for (size_t i = 0; i < content.len; i++)
        content.p[i] = (char)("0123456789abcdef"[rand() & 15]);
    packed.len = LZ4F_compressFrame(packed.p, packed.len, content.p, content.len, &preferences);
    assert_false(LZ4F_isError(packed.len));
    assert_true(packed.len > 2 << 20);
    CHECK_INT("lz4", head_of(packed, head, &read, &us), HEAD);
    assert_memory_equal(head, content.p, HEAD);
    CHECK_INT("lz4", read <= 65536, true);
    free(content.p);
    free(packed.p);
}

/* A window of more than 128 MiB is refused before anything of it is used. */
static void
test_window_too_large(void **state)
{
    struct bytes xz = repeat(xz_header(), xz_block(32), 1), zstd = LITERAL("\x28\xb5\x2f\xfd\0\x90\2\0\x10x");
    struct file files[] = {{xz, 0, 0, 0}, {zstd, 0, 0, 0}};

    (void)state;
    for (unsigned i = 0; i < ROWS(files); i++) {
        enum sa_compression kind;
        ssize_t end;
        struct bytes got = unpack(&files[i], true, &end, &kind);

        CHECK_INT(i == 0 ? "xz" : "zstd", end, -EOVERFLOW);
        CHECK_INT("bytes", got.len, 0);
        free(got.p);
    }
    free(xz.p);
}

/* What the disk says is told, with what came before it. */
static void
test_read_error(void **state)
{
    struct bytes content = content_of(200000, false);

    (void)state;
    for (unsigned k = 0; k < ROWS(pack_kinds); k++) {
        struct bytes packed = pack(pack_kinds[k].kind, content.p, content.len);
        struct file file = {{packed.p, packed.len - 10}, 0, 0, -EIO}, none = {{packed.p, 0}, 0, 0, -EIO};
        const struct sa_packed_source source = {read_file, &none, true};
        struct sa_unpacker *unpacker;
        enum sa_compression kind;
        ssize_t end;
        struct bytes got = unpack(&file, false, &end, &kind);

        CHECK_INT(pack_kinds[k].name, end, -EIO);
        CHECK_INT(pack_kinds[k].name, got.len > 0, true);
        CHECK_INT(pack_kinds[k].name, sa_unpacker_open(&source, &unpacker), -EIO);
        free(got.p);
        free(packed.p);
    }
    free(content.p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_name),          cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_every_cut),        cmocka_unit_test(test_what_a_cut_leaves),
        cmocka_unit_test(test_a_wrong_bit),      cmocka_unit_test(test_behind_a_member),
        cmocka_unit_test(test_skippable_first),  cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_looks_binary),     cmocka_unit_test(test_empty_members),
        cmocka_unit_test(test_empty_blocks),     cmocka_unit_test(test_lz4_head),
        cmocka_unit_test(test_window_too_large), cmocka_unit_test(test_read_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
