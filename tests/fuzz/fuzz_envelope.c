/*
 * Peeling a log line: every slice lies inside the line, and what the cache remembers of earlier lines changes
 * nothing.  Input: lines.
 */
#include "envelope.h"
#include "fuzz.h"

#define REFERENCE_MS INT64_C(1795193117000)

static bool
is_inside(struct sa_slice part, const char *p, size_t len)
{
    return part.len == 0 || (p != NULL && part.p >= p && part.p + part.len <= p + len);
}

/* In the line, or in what was unwrapped from it. */
static void
check_inside(const struct sa_peeler *peeler, struct sa_slice part, struct sa_slice line)
{
    FUZZ_CHECK(is_inside(part, line.p, line.len) ||
               is_inside(part, (const char *)peeler->text.bytes, peeler->text.len));
}

static void
check_line(struct sa_peeler *warm, struct sa_slice line)
{
    struct sa_peeler fresh = {.stamps.reference_ms = REFERENCE_MS};
    struct sa_record record, again;

    sa_envelope_peel(warm, line, &record);
    check_inside(warm, record.payload, line);
    check_inside(warm, record.host, line);
    check_inside(warm, record.module, line);
    check_inside(warm, record.method, line);
    check_inside(warm, record.call_id, line);
    FUZZ_CHECK(record.repeat >= 1);
    FUZZ_CHECK(record.enveloped || (record.host.len == 0 && record.time_ms == 0));

    sa_envelope_peel(&fresh, line, &again);
    FUZZ_CHECK(again.time_ms == record.time_ms && again.repeat == record.repeat);
    FUZZ_CHECK(again.payload.len == record.payload.len && again.host.len == record.host.len);
    FUZZ_CHECK(record.payload.len == 0 || memcmp(again.payload.p, record.payload.p, record.payload.len) == 0);
    sa_peeler_done(&fresh);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sa_peeler cache = {.stamps.reference_ms = REFERENCE_MS};
    struct sa_slice rest = {(const char *)data, size};

    while (rest.len > 0) {
        size_t n = sa_slice_find(rest, '\n');

        check_line(&cache, (struct sa_slice){rest.p, n});
        rest = sa_slice_from(rest, n < rest.len ? n + 1 : n);
    }
    sa_peeler_done(&cache);
    return 0;
}
