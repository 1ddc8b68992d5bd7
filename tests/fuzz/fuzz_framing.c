/*
 * A byte stream of syslog messages: how it is cut changes nothing, no message is longer than the limit, and
 * each becomes one line of the log.  Input: what a TCP client sends.
 */
#include "framing.h"
#include "fuzz.h"
#include "record.h"

#define LIMIT 65536

struct seen {
    uint64_t messages, bytes, hash;
};

static void
on_message(void *arg, const char *message, size_t len)
{
    struct seen *seen = arg;
    char *line;
    size_t n;

    FUZZ_CHECK(len > 0 && len <= LIMIT);
    seen->messages++;
    seen->bytes += len;
    for (size_t i = 0; i < len; i++)
        seen->hash = (seen->hash ^ (uint8_t)message[i]) * 1099511628211u;
    seen->hash = (seen->hash ^ len) * 1099511628211u;
    line = malloc(SA_RECORD_ROOM(len));
    FUZZ_CHECK(line != NULL);
    n = sa_intake_record(line, message, len);
    FUZZ_CHECK(n >= 1 && n <= SA_RECORD_ROOM(len) && line[n - 1] == '\n');
    FUZZ_CHECK(memchr(line, '\n', n - 1) == NULL && memchr(line, '\r', n - 1) == NULL);
    free(line);
}

/* step: bytes per call, each call a little longer; 0: at once. */
static struct seen
run(const uint8_t *data, size_t size, size_t step, uint64_t *ret_oversize)
{
    struct sa_framing framing;
    struct seen seen = {0};

    sa_framing_init(&framing, LIMIT);
    for (size_t at = 0, n = step == 0 ? size : step; at < size; at += n, n = step == 1 ? 1 : n + step) {
        if (n > size - at)
            n = size - at;
        sa_framing_feed(&framing, (const char *)data + at, n, on_message, &seen);
        FUZZ_CHECK(framing.held_len <= LIMIT);
    }
    sa_framing_end(&framing, on_message, &seen);
    *ret_oversize = framing.oversize;
    sa_framing_done(&framing);
    return seen;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {1, 2, 7};
    uint64_t oversize, again;
    struct seen whole = run(data, size, 0, &oversize);

    FUZZ_CHECK(whole.bytes <= size);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct seen cut = run(data, size, steps[i], &again);

        FUZZ_CHECK(cut.messages == whole.messages && cut.bytes == whole.bytes && cut.hash == whole.hash);
        FUZZ_CHECK(again == oversize);
    }
    return 0;
}
