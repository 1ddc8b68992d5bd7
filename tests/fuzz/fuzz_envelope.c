/*
 * Peeling a log line: every slice lies inside the line, and what the cache remembers of earlier lines changes
 * nothing.  Input: lines.
 */
#include "envelope.h"
#include "fuzz.h"

#define REFERENCE_MS INT64_C(1795193117000)

static void
check_inside(struct sa_slice part, struct sa_slice line)
{
    FUZZ_CHECK(part.len == 0 || (part.p >= line.p && part.p + part.len <= line.p + line.len));
}

static void
check_line(struct sa_timestamp_cache *warm, struct sa_slice line)
{
    struct sa_timestamp_cache fresh = {.reference_ms = REFERENCE_MS};
    struct sa_record record, again;

    sa_envelope_peel(warm, line, &record);
    check_inside(record.payload, line);
    check_inside(record.host, line);
    check_inside(record.module, line);
    check_inside(record.method, line);
    check_inside(record.call_id, line);
    FUZZ_CHECK(record.repeat >= 1);
    FUZZ_CHECK(record.enveloped || (record.host.len == 0 && record.time_ms == 0 && record.repeat == 1));

    sa_envelope_peel(&fresh, line, &again);
    FUZZ_CHECK(again.time_ms == record.time_ms && again.repeat == record.repeat);
    FUZZ_CHECK(again.payload.len == record.payload.len && again.host.len == record.host.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sa_timestamp_cache cache = {.reference_ms = REFERENCE_MS};
    struct sa_slice rest = {(const char *)data, size};

    while (rest.len > 0) {
        size_t n = sa_slice_find(rest, '\n');

        check_line(&cache, (struct sa_slice){rest.p, n});
        rest = sa_slice_from(rest, n < rest.len ? n + 1 : n);
    }
    return 0;
}
