/*
 * A packed log that anybody may have made: its head costs little and is the start of what the whole inflates
 * to, a skip takes away exactly so many bytes, and an inflater ends and gives back what it holds.  Input: a
 * byte of shape, a byte for the head and the skip, and then the packed bytes, see make_file().
 */
#include "followed.h"
#include "fuzz.h"
#include "inflate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_MAX   (3 << 19) /* half as much again as may be read for a head */
#define HEAD_INPUT (1 << 20)
#define TRAP_LEAST 512       /* shorter files hold fewer empty members than make a trap */
#define TAKEN_MAX  (1 << 18) /* a few bytes may inflate to gigabytes */
#define WAIT_MS    20000

static size_t piece;     /* as much as a read gives at most; 0: whatever is asked */
static int64_t read_end; /* the first byte behind all that was read */

/* The disk, which the inflater asks in place of src/follow/disk.c. */
ssize_t
sa_disk_read(int fd, void *buf, size_t len, int64_t offset)
{
    ssize_t n = pread(fd, buf, piece > 0 && piece < len ? piece : len, offset);

    if (n > 0 && offset + n > read_end)
        read_end = offset + n;
    return n;
}

/* The packed bytes 1, 4, 16 … times: what holds nearly nothing gets long enough to tire a reader. */
static int
make_file(uint8_t shape, const uint8_t *data, size_t size)
{
    unsigned times = 1U << 2 * (shape >> 1 & 7);
    int fd = memfd_create("archive", MFD_CLOEXEC);
    size_t whole = size * times < FILE_MAX ? size * times : FILE_MAX;
    uint8_t *bytes;

    /* Each stream of bzip2 takes 4 MB anew, which is a millisecond under the address sanitizer. */
    if (size >= 3 && memcmp(data, "BZh", 3) == 0 && whole > 256 * size)
        whole = 256 * size;
    FUZZ_CHECK(fd >= 0 && ftruncate(fd, (off_t)whole) == 0);
    if (whole == 0)
        return fd;
    bytes = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    FUZZ_CHECK(bytes != MAP_FAILED);
    for (size_t at = 0; at < whole; at += size)
        memcpy(bytes + at, data, size < whole - at ? size : whole - at);
    FUZZ_CHECK(munmap(bytes, whole) == 0);
    return fd;
}

/* Takes what the pipe gives, up to TAKEN_MAX.  Returns whether that was all. */
static bool
take(int fd, char *content, size_t *ret_len)
{
    size_t len = 0;
    ssize_t n = 1;

    while (n != 0 && len < TAKEN_MAX) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};

        n = poll(&ready, 1, WAIT_MS);
        if (n == -1 && errno == EINTR) /* the fuzzer's own alarm */
            continue;
        FUZZ_CHECK(n == 1);
        n = read(fd, content + len, TAKEN_MAX - len);
        FUZZ_CHECK(n >= 0 || errno == EAGAIN);
        len += n > 0 ? (size_t)n : 0;
    }
    *ret_len = len;
    return n == 0;
}

/* Inflates from the byte skip on.  Returns whether the content ended. */
static bool
inflate_from(int file, enum sa_compression kind, int64_t skip, char *content, size_t *ret_len, int *ret_error)
{
    struct sa_inflater *inflater;
    int fd = dup(file), end;
    bool ended;

    FUZZ_CHECK(fd >= 0 && sa_inflater_start(fd, kind, skip, &inflater, &end) == 0);
    ended = take(end, content, ret_len);
    *ret_error = sa_inflater_error(inflater);
    FUZZ_CHECK(*ret_error <= 0);
    FUZZ_CHECK(sa_inflater_free(inflater) == NULL);
    FUZZ_CHECK(fcntl(end, F_GETFD) == -1);
    return ended;
}

/* A head may have come out of a block that turns out to be damaged or cut off, and gives nothing then. */
static size_t
check_head(int file, enum sa_compression kind, size_t len, const char *content, size_t content_len,
           bool sound)
{
    char *head = malloc(len); /* exactly as long as what is asked: a byte too many is found */
    size_t n;

    FUZZ_CHECK(head != NULL);
    read_end = 0;
    n = sa_inflate_head(file, kind, head, len);
    FUZZ_CHECK(read_end <= HEAD_INPUT);
    FUZZ_CHECK(n <= len && (n <= content_len || !sound));
    FUZZ_CHECK(memcmp(head, content, n < content_len ? n : content_len) == 0);
    free(head);
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t heads[] = {HEAD_BYTES, 1, 64, 70000};
    static const int64_t skips[] = {0, 1, 5, 1000, 65535, 65536, 70000, TAKEN_MAX};
    static char whole[TAKEN_MAX], rest[TAKEN_MAX];
    enum sa_compression kind;
    size_t head_len, whole_len, rest_len, n;
    int file, error, rest_error;
    int64_t skip;
    bool ended;

    if (size < 2)
        return 0;
    kind = data[0] & 1 ? SA_ZSTD : SA_GZIP; /* so it may be named; what it is shows in its bytes */
    file = make_file(data[0], data + 2, size - 2);
    piece = data[0] & 16 ? 7 : data[0] & 32 ? 4096 : 0;
    head_len = heads[data[1] & 3];
    skip = skips[data[1] >> 2 & 7];

    ended = inflate_from(file, kind, 0, whole, &whole_len, &error);
    n = check_head(file, kind, head_len, whole, whole_len, error == 0);
    if (n < head_len && (n > 0 || lseek(file, 0, SEEK_END) <= TRAP_LEAST))
        FUZZ_CHECK(whole_len < head_len);
    FUZZ_CHECK(sa_inflate_size(file, kind) >= -1);
    if (inflate_from(file, kind, skip, rest, &rest_len, &rest_error) && ended) {
        FUZZ_CHECK(rest_len == (whole_len > (size_t)skip ? whole_len - (size_t)skip : 0));
        FUZZ_CHECK(rest_error == error);
    }
    if (whole_len > (size_t)skip) {
        whole_len -= (size_t)skip;
        FUZZ_CHECK(memcmp(rest, whole + skip, rest_len < whole_len ? rest_len : whole_len) == 0);
    }
    (void)close(file);
    return 0;
}
