#include "envelope.h"
#include "envelope_json.h"
#include "program_prefix.h"
#include "transport.h"

void
sa_peeler_done(struct sa_peeler *peeler)
{
    sa_buffer_done(&peeler->text);
}

#define NESTED_MAX 2

/* An envelope may hold another: a container's JSON around a line of syslog, around what a proxy wrote. */
static void
peel_text(struct sa_peeler *peeler, struct sa_slice s, struct sa_record *record, unsigned depth)
{
    struct sa_slice inner;

    record->payload = record->text = s;
    if (depth < NESTED_MAX && s.len > 0 &&
        (s.p[0] == '{' || s.p[0] == '@' || s.p[0] == ' ' || s.p[0] == '\036') &&
        sa_envelope_json(peeler, s, record, &inner)) {
        struct sa_record told = *record;

        if (record->proxy == SA_PROXY_UNKNOWN && record->module.len == 0) { /* no proxy's own object */
            (void)sa_envelope_peel_transport(&peeler->stamps, &inner, record);
            record->time_ms = told.time_ms != 0 ? told.time_ms : record->time_ms;
            record->host = told.host.len != 0 ? told.host : record->host;
            record->program = told.program.len != 0 ? told.program : record->program;
        } else {
            sa_envelope_peel_repetition(&inner, record);
        }
        record->object = s;
        record->enveloped = true;
        peel_text(peeler, inner, record, depth + 1);
        return;
    }
    sa_program_prefix_peel(record);
}

void
sa_envelope_peel_text(struct sa_peeler *peeler, struct sa_slice text, struct sa_record *record)
{
    record->stamps = &peeler->stamps;
    record->enveloped = true;
    sa_envelope_peel_repetition(&text, record);
    peel_text(peeler, text, record, 0);
}

static int64_t
reference_day(const struct sa_peeler *peeler)
{
    return peeler->stamps.reference_ms / 86400000;
}

/* Remembers the prefix if it is one that can be. */
static void
remember_prefix(struct sa_peeler *peeler, struct sa_slice line, const struct sa_record *record)
{
    size_t len = (size_t)(record->payload.p - line.p);
    struct sa_peeled *peeled = &peeler->recent[peeler->next % 4];

    if (len >= sizeof peeled->text || len < 20 || !record->enveloped || record->proxy != SA_PROXY_KAMAILIO ||
        record->method.len != 0 || record->call_id.len != 0 || record->repeat != 1 ||
        record->object.len != 0 ||
        record->payload.p + record->payload.len != line.p + line.len) /* "repeated 1 times: [ … ]" */
        return;
    if (memcmp(record->payload.p - 10, "<script>: ", 10) != 0 &&
        (record->module.len == 0 || memcmp(record->payload.p - 4, "(): ", 4) != 0))
        return;
    peeler->next++;
    memcpy(peeled->text, line.p, len);
    peeled->len = (uint8_t)len;
    peeled->host_at = (uint8_t)(record->host.len == 0 ? 0 : record->host.p - line.p);
    peeled->host_len = (uint8_t)record->host.len;
    peeled->program_at = (uint8_t)(record->program.len == 0 ? 0 : record->program.p - line.p);
    peeled->program_len = (uint8_t)record->program.len;
    peeled->module_at = (uint8_t)(record->module.len == 0 ? 0 : record->module.p - line.p);
    peeled->module_len = (uint8_t)record->module.len;
    peeled->time_ms = record->time_ms;
    peeled->reference_day = reference_day(peeler);
    peeled->text_at = (uint8_t)(record->text.p - line.p);
}

static bool
recall_prefix(const struct sa_peeler *peeler, struct sa_slice line, struct sa_record *record)
{
    for (unsigned i = 0; i < 4; i++) {
        const struct sa_peeled *peeled = &peeler->recent[(peeler->next + 3 - i) % 4];

        if (peeled->len == 0 || peeled->len > line.len || memcmp(peeled->text, line.p, peeled->len) != 0 ||
            peeled->reference_day != reference_day(peeler))
            continue;
        record->payload = sa_slice_from(line, peeled->len);
        record->text = sa_slice_from(line, peeled->text_at);
        record->host = (struct sa_slice){line.p + peeled->host_at, peeled->host_len};
        record->program = (struct sa_slice){line.p + peeled->program_at, peeled->program_len};
        record->module = (struct sa_slice){line.p + peeled->module_at, peeled->module_len};
        record->time_ms = peeled->time_ms;
        record->enveloped = true;
        record->proxy = SA_PROXY_KAMAILIO;
        return true;
    }
    return false;
}

void
sa_envelope_peel(struct sa_peeler *peeler, struct sa_slice line, struct sa_record *record)
{
    struct sa_timestamp_cache *cache = &peeler->stamps;
    struct sa_slice s = line;

    *record = (struct sa_record){.repeat = 1, .stamps = cache, .payload = line, .text = line};
    if (line.len == 0 || !sa_envelope_may_wrap(line.p[0]) || recall_prefix(peeler, line, record))
        return;
    (void)sa_envelope_peel_transport(cache, &s, record);
    peel_text(peeler, s, record, 0);
    remember_prefix(peeler, line, record);
}
