#include "json_payload.h"
#include "lang.h"
#include "json_text.h"
#include "text.h"

#define DEPTH_MAX 8
#define VALUE_MAX 512

enum { CODE, METHOD, PEER, DIRECTION, CALL_ID, FIELDS };

struct reading {
    const struct sa_json_def *def;
    const char *names[FIELDS];
    struct sa_slice values[FIELDS];
    bool escaped[FIELDS];
    unsigned held, failed; /* of the conditions, as bits */
};

static bool
is(struct sa_slice path, const char *name)
{
    return name[0] != '\0' && strlen(name) == path.len && memcmp(name, path.p, path.len) == 0;
}

static void
check_conditions(struct reading *reading, struct sa_slice path, struct sa_slice value)
{
    for (unsigned i = 0; i < reading->def->n_where; i++) {
        const char *condition = reading->def->where[i], *equals = strchr(condition, '=');
        unsigned bit = 1u << i;

        if (equals == NULL || (size_t)(equals - condition) != path.len ||
            memcmp(condition, path.p, path.len) != 0 || (reading->held | reading->failed) & bit)
            continue;
        if (strlen(equals + 1) == value.len && memcmp(equals + 1, value.p, value.len) == 0)
            reading->held |= bit;
        else
            reading->failed |= bit;
    }
}

/* One object; prefix is the path to it with its dot. */
static void
read_object(struct reading *reading, struct sa_slice text, char *path, size_t prefix, unsigned depth)
{
    struct sa_slice key, value;
    enum sa_json_kind kind;

    while ((kind = sa_json_next(&text, &key, &value)) > SA_JSON_BROKEN) {
        struct sa_slice full = {path, prefix + key.len};

        if (full.len + 1 >= VALUE_MAX)
            continue;
        memcpy(path + prefix, key.p, key.len);
        if (kind == SA_JSON_OBJECT && depth < DEPTH_MAX && sa_json_enter(&value)) {
            path[full.len] = '.';
            read_object(reading, value, path, full.len + 1, depth + 1);
            continue;
        }
        if (kind != SA_JSON_STRING && kind != SA_JSON_SCALAR)
            continue;
        check_conditions(reading, full, value);
        for (int i = 0; i < FIELDS; i++)
            if (reading->values[i].p == NULL && is(full, reading->names[i])) {
                reading->values[i] = value;
                reading->escaped[i] = kind == SA_JSON_STRING && sa_slice_find(value, '\\') < value.len;
            }
    }
}

/* The value with its escapes undone. */
static struct sa_slice
plain(const struct reading *reading, int field, char room[VALUE_MAX])
{
    struct sa_slice value = reading->values[field];

    if (!reading->escaped[field])
        return value;
    return (struct sa_slice){room, sa_json_unescape(value, room, VALUE_MAX)};
}

/* Reads the object of the record; false if there is none. */
static bool
read_record(struct reading *reading, const struct sa_json_def *def, const struct sa_record *record,
            char room[VALUE_MAX])
{
    struct sa_slice text = record->payload;

    *reading = (struct reading){.def = def,
                                .names = {def->code, def->method, def->peer, def->direction, def->call_id}};
    if (!sa_json_enter(&text)) {
        text = record->object; /* the wrapping itself may be meant */
        if (text.len == 0 || !sa_json_enter(&text))
            return false;
    }
    read_object(reading, text, room, 0, 0);
    return true;
}

enum sa_payload_outcome
sa_json_payload(const struct sa_json_def *def, const struct sa_record *record, struct sa_response *response)
{
    struct reading reading;
    char room[VALUE_MAX];

    if (!read_record(&reading, def, record, room))
        return SA_PAYLOAD_NOTHING;
    sa_payload_begin(response, record);
    if (reading.held != (1u << def->n_where) - 1 || reading.values[CODE].p == NULL ||
        !sa_payload_set_code(response, reading.values[CODE]))
        return SA_PAYLOAD_NOTHING;
    if (reading.values[METHOD].p != NULL)
        sa_payload_set_method(response, plain(&reading, METHOD, room));
    if (reading.values[PEER].p != NULL)
        sa_payload_set_peer(response, plain(&reading, PEER, room));
    if (reading.values[CALL_ID].p != NULL)
        sa_payload_set_call_id(response, plain(&reading, CALL_ID, room));
    if (is(reading.values[DIRECTION], def->received))
        response->direction = SA_DIR_RECEIVED;
    else if (is(reading.values[DIRECTION], def->sent))
        response->direction = SA_DIR_SENT;
    return SA_PAYLOAD_RESPONSE;
}

void
sa_json_payload_explain(const struct sa_json_def *def, const struct sa_record *record, char *text,
                        size_t size)
{
    struct reading reading;
    char room[VALUE_MAX];

    if (!read_record(&reading, def, record, room)) {
        (void)sa_text_format(text, size, "%s", _("it is not a JSON object"));
        return;
    }
    for (unsigned i = 0; i < def->n_where; i++)
        if (!(reading.held & 1u << i)) {
            (void)sa_text_format(text, size, _("%s does not hold"), def->where[i]);
            return;
        }
    (void)sa_text_format(text, size,
                         reading.values[CODE].p == NULL ? _("it has no %s") : _("%s is not a status code"),
                         def->code);
}
