#include "envelope_json.h"
#include "json_text.h"
#include "program_prefix.h"

/* What a member of the object is good for. */
enum use {
    USE_NOTHING,
    USE_MESSAGE,
    USE_TIME,
    USE_MICROSECONDS,
    USE_HOST,
    USE_PROGRAM,
    USE_MODULE,
    USE_CALL_ID,
    USE_MARK,
    USE_KAMAILIO
};

static enum use
use_of(struct sa_slice key)
{
    static const struct {
        const char *key;
        enum use use;
    } uses[] = {
        {"message", USE_MESSAGE},
        {"msg", USE_MESSAGE},
        {"MESSAGE", USE_MESSAGE},
        {"log", USE_MESSAGE},
        {"time", USE_TIME},
        {"timestamp", USE_TIME},
        {"@timestamp", USE_TIME},
        {"timegenerated", USE_TIME},
        {"timereported", USE_TIME},
        {"__REALTIME_TIMESTAMP", USE_MICROSECONDS},
        {"host", USE_HOST},
        {"hostname", USE_HOST},
        {"fromhost", USE_HOST},
        {"_HOSTNAME", USE_HOST},
        {"programname", USE_PROGRAM},
        {"syslogtag", USE_PROGRAM},
        {"SYSLOG_IDENTIFIER", USE_PROGRAM},
        {"proc", USE_PROGRAM},
        {"module", USE_MODULE},
        {"callid", USE_CALL_ID},
        {"level", USE_MARK},
        {"pri", USE_MARK},
        {"severity", USE_MARK},
        {"stream", USE_MARK},
        {"logprefix", USE_KAMAILIO},
    };

    (void)sa_slice_skip(&key, "kamailio."); /* --log-engine=json:a */
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++)
        if (strlen(uses[i].key) == key.len && memcmp(uses[i].key, key.p, key.len) == 0)
            return uses[i].use;
    return USE_NOTHING;
}

static int64_t
microseconds(struct sa_slice value)
{
    int64_t number = 0;

    if (value.len == 0 || value.len > 17 || sa_slice_digits(value) != value.len)
        return 0;
    for (size_t i = 0; i < value.len; i++)
        number = number * 10 + (value.p[i] - '0');
    return number / 1000;
}

/* The bytes of "[73,78,70]", which journalctl writes for what is not text. */
static size_t
unpack_bytes(struct sa_slice array, uint8_t *dst)
{
    struct sa_slice rest = {array.p + 1, array.len - 2}, element;
    size_t len = 0;

    while (sa_json_element(&rest, &element) == SA_JSON_SCALAR) {
        unsigned value = 0;

        for (size_t i = 0; i < element.len && sa_is_digit(element.p[i]) && value < 256; i++)
            value = value * 10 + (unsigned)(element.p[i] - '0');
        if (value > 255)
            break;
        dst[len++] = (uint8_t)value; /* never more than the text is long */
    }
    return len;
}

/* The message as it was written, in the peeler's room. */
static struct sa_slice
unwrap(struct sa_peeler *peeler, struct sa_slice value, enum sa_json_kind kind)
{
    struct sa_slice message = {"", 0};

    peeler->text.len = 0;
    sa_buffer_add(&peeler->text, value.p, value.len); /* makes the room */
    if (peeler->text.failed) {
        peeler->text.failed = false; /* the next line may fit */
        return message;
    }
    if (value.len == 0)
        return message;
    message.p = (const char *)peeler->text.bytes;
    message.len = kind == SA_JSON_ARRAY ? unpack_bytes(value, peeler->text.bytes)
                                        : sa_json_unescape(value, (char *)peeler->text.bytes, value.len);
    while (message.len > 0 && (message.p[0] == ' ' || message.p[0] == '\t'))
        message = sa_slice_from(message, 1);
    while (message.len > 0 && strchr("\r\n\t ", message.p[message.len - 1]) != NULL &&
           message.p[message.len - 1] != '\0')
        message.len--;
    return message;
}

static void
take_time(struct sa_record *record, struct sa_slice value)
{
    int64_t time_ms;

    if (sa_timestamp_iso(record->stamps, value, &time_ms) != 0 ||
        sa_timestamp_bsd(record->stamps, value, &time_ms) != 0)
        record->time_ms = time_ms;
}

static bool
is_script(struct sa_slice module)
{
    return (module.len == 4 && memcmp(module.p, "xlog", 4) == 0) ||
           (module.len == 8 && memcmp(module.p, "<script>", 8) == 0);
}

/* Text that begins with a proxy's level is a log message whatever stands beside it. */
static bool
is_proxys(struct sa_slice message)
{
    while (message.len > 0 && message.p[0] == ' ')
        message = sa_slice_from(message, 1);
    return sa_program_prefix_begins(message);
}

bool
sa_envelope_json(struct sa_peeler *peeler, struct sa_slice text, struct sa_record *record,
                 struct sa_slice *message)
{
    struct sa_slice key, value, wrapped = {NULL, 0};
    struct sa_record found = *record;
    enum sa_json_kind kind, wrapped_kind = SA_JSON_BROKEN;
    bool marked = false;

    while (text.len > 0 && text.p[0] == ' ')
        text = sa_slice_from(text, 1);
    (void)sa_slice_skip(&text, "\036");  /* RFC 7464 */
    (void)sa_slice_skip(&text, "@cee:"); /* the cookie of CEE in syslog */
    if (!sa_json_enter(&text))
        return false;
    while ((kind = sa_json_next(&text, &key, &value)) > SA_JSON_BROKEN) {
        enum use use = use_of(key);

        if (use == USE_MESSAGE && (kind == SA_JSON_STRING || kind == SA_JSON_ARRAY) && wrapped.p == NULL) {
            wrapped = value;
            wrapped_kind = kind;
        }
        marked |= use > USE_MESSAGE;
        if (kind != SA_JSON_STRING)
            continue;
        if (use == USE_TIME)
            take_time(&found, value);
        else if (use == USE_MICROSECONDS)
            found.time_ms = microseconds(value);
        else if (use == USE_HOST)
            found.host = value;
        else if (use == USE_PROGRAM)
            found.program = (struct sa_slice){
                value.p, sa_slice_find((struct sa_slice){value.p, sa_slice_find(value, '[')}, ':')};
        else if (use == USE_MODULE && !is_script(value))
            found.module = value;
        else if (use == USE_CALL_ID)
            found.call_id = value;
        else if (use == USE_KAMAILIO)
            found.proxy = SA_PROXY_KAMAILIO;
    }
    if (kind == SA_JSON_BROKEN || wrapped.p == NULL || !(marked || is_proxys(wrapped)))
        return false;
    *record = found;
    *message = unwrap(peeler, wrapped, wrapped_kind);
    return true;
}
