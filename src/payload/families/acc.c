#include "payload.h"

/* The value up to the next ';' if the text goes on with ";name=" (or "name=" at the start); steps over both.
 */
static bool
next_attribute(struct sa_slice *s, const char *name, struct sa_slice *value)
{
    (void)sa_slice_skip(s, ";");
    if (!sa_slice_skip(s, name) || !sa_slice_skip(s, "="))
        return false;
    *value = (struct sa_slice){s->p, sa_slice_find(*s, ';')};
    *s = sa_slice_from(*s, value->len);
    return true;
}

/* Steps over the next ";code=DDD;reason=" and gives what stands before it and the code. */
static bool
seek_code(struct sa_slice *s, struct sa_slice *before, struct sa_slice *code)
{
    struct sa_slice rest = *s;

    while (sa_slice_seek(&rest, ";code=")) {
        size_t digits = sa_slice_digits(rest);
        struct sa_slice behind = sa_slice_from(rest, digits);

        if (digits == 0 || !sa_slice_skip(&behind, ";reason="))
            continue;
        *before = (struct sa_slice){s->p, (size_t)(rest.p - s->p) - strlen(";code=")};
        *code = (struct sa_slice){rest.p, digits};
        *s = behind;
        return true;
    }
    return false;
}

static int64_t
epoch_ms(struct sa_slice text)
{
    int64_t seconds = 0;

    if (text.len == 0 || text.len > 11 || sa_slice_digits(text) != text.len)
        return 0;
    for (size_t i = 0; i < text.len; i++)
        seconds = seconds * 10 + (text.p[i] - '0');
    return seconds * 1000;
}

/*
 * The attributes stand in a fixed order, and their values are not escaped: the Call-ID is chosen by the
 * caller, the reason by the callee.  A record in which one of them imitates the code has two codes, and
 * nothing in it tells which is true, so it is not counted.
 */
enum sa_payload_outcome
sa_payload_acc(const struct sa_record *record, struct sa_response *response)
{
    struct sa_slice s = record->payload, timestamp, method, value, code;

    if (record->proxy == SA_PROXY_KAMAILIO &&
        !(record->module.len == 3 && memcmp(record->module.p, "acc", 3) == 0))
        return SA_PAYLOAD_NOTHING;
    if (!sa_slice_skip(&s, "ACC: "))
        return SA_PAYLOAD_NOTHING;
    if (!sa_slice_skip(&s, "transaction answered: "))
        return SA_PAYLOAD_OTHER;
    sa_payload_begin(response, record);
    if (!next_attribute(&s, "timestamp", &timestamp))
        return SA_PAYLOAD_NOTHING;
    if (epoch_ms(timestamp) != 0) /* it has a zone and a year, which the stamp of the log may not have */
        response->time_ms = epoch_ms(timestamp);
    while (!next_attribute(&s, "method", &method)) /* OpenSIPS writes created= and setuptime= before it */
        if (!next_attribute(&s, "created", &value) && !next_attribute(&s, "setuptime", &value))
            return SA_PAYLOAD_NOTHING;
    sa_payload_set_method(response, method);
    if (!next_attribute(&s, "from_tag", &value) || !next_attribute(&s, "to_tag", &value) ||
        !sa_slice_skip(&s, ";call_id="))
        return SA_PAYLOAD_NOTHING;
    if (!seek_code(&s, &value, &code) || !sa_payload_set_code(response, code))
        return SA_PAYLOAD_NOTHING;
    sa_payload_set_call_id(response, value);
    response->direction = SA_DIR_SENT;
    while (sa_slice_seek(&s, ";src_ip=")) { /* the last one: it stands behind the reason */
        value = (struct sa_slice){s.p, sa_slice_find(s, ';')};
        sa_payload_set_peer(response, value);
    }
    return SA_PAYLOAD_RESPONSE;
}
