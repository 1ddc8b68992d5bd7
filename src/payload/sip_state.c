#include "presets.h"
#include "sip_header.h"
#include "text.h"

/*
 * How a reader is kept over a restart: the version, then the fields in the order of this table.  A number is
 * written as sa_buffer_number() does, a time with its sign in the lowest bit, a text as its length and bytes.
 * Whoever changes the table, or what a field means, counts the version up.  What version 1 had besides is
 * known otherwise: it is read and left.
 */
#define VERSION     2

#define WALL_MAX_MS INT64_C(253402300799999) /* the end of the year 9999; logs can tell times before 1970 */
#define LINE_MAX    (UINT64_C(1) << 24)      /* no line is longer */
#define SIZE_MAX_32 UINT64_C(4294967295)

enum kind { NUMBER, TIME, TEXT, GONE /* a number of version 1 that nobody needs */ };

struct field {
    size_t offset, size;
    enum kind kind;
    uint64_t max; /* of a number, or of the distance of a time from 1970 */
};

#define SIZE(field) sizeof(((struct sa_sip_reader *)0)->field)
#define OF(field, max)                                                                                       \
    {                                                                                                        \
        offsetof(struct sa_sip_reader, field), SIZE(field), NUMBER, max                                      \
    }
#define FLAG(field) OF(field, 1)
#define GONE_FLAG                                                                                            \
    {                                                                                                        \
        0, 0, GONE, 1                                                                                        \
    }
#define TIME_OF(field)                                                                                       \
    {                                                                                                        \
        offsetof(struct sa_sip_reader, field), SIZE(field), TIME, WALL_MAX_MS                                \
    }
#define TEXT_OF(field)                                                                                       \
    {                                                                                                        \
        offsetof(struct sa_sip_reader, field), SIZE(field), TEXT, 0                                          \
    }
/* The argument is a path of members, which cannot stand in parentheses. */
// NOLINTBEGIN(bugprone-macro-parentheses)
#define RESPONSE_OF(field)                                                                                   \
    OF(field.code, SA_CODE_MAX), OF(field.direction, SA_DIR_COUNT - 1), OF(field.repeat, UINT32_MAX),        \
        OF(field.transaction, UINT32_MAX), FLAG(field.again), TIME_OF(field.time_ms), TEXT_OF(field.method), \
        TEXT_OF(field.peer), TEXT_OF(field.call_id)
// NOLINTEND(bugprone-macro-parentheses)

static const struct field fields[] = {
    OF(state, SA_SIP_BODY),
    OF(introduction.family, UINT8_MAX),
    FLAG(habits.has_records),
    FLAG(introduction.is_open),
    RESPONSE_OF(introduction.told.about),
    OF(introduction.told.size, UINT32_MAX),
    OF(introduction.told.step, UINT8_MAX),
    OF(introduction.told.sequence, UINT32_MAX),
    OF(introduction.told.session, UINT32_MAX),
    FLAG(introduction.told.each_line),
    OF(introduction.host, UINT32_MAX),
    OF(introduction.waited, UINT8_MAX),
    FLAG(message.is_response),
    OF(message.header, SA_SIP_HEADER_OTHER),
    OF(message.headers, (1u << SA_SIP_HEADER_CONTENT_LENGTH) - 1),
    OF(introduction.margin, LINE_MAX),
    OF(message.indent, LINE_MAX),
    FLAG(message.bare_end),
    GONE_FLAG, /* the family's logs have no envelopes */
    GONE_FLAG, /* the family's lines have a blank at their end */
    FLAG(message.has_cr),
    GONE_FLAG, /* the message spans lines of the log */
    FLAG(message.has_length),
    FLAG(message.has_branch),
    FLAG(message.has_type),
    OF(message.body_left, UINT64_MAX),
    OF(message.body_lines, SIZE_MAX_32),
    OF(message.size_left, UINT32_MAX),
    RESPONSE_OF(message.response),
};

#define N_FIELDS (sizeof fields / sizeof fields[0])

/* Of a little-endian or big-endian machine alike: by the type of the size. */
static uint64_t
get_number(const void *p, size_t size)
{
    uint8_t one;
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    switch (size) {
    case sizeof one:
        memcpy(&one, p, size);
        return one;
    case sizeof two:
        memcpy(&two, p, size);
        return two;
    case sizeof four:
        memcpy(&four, p, size);
        return four;
    default:
        memcpy(&eight, p, sizeof eight);
        return eight;
    }
}

static void
set_number(void *p, size_t size, uint64_t value)
{
    const uint8_t one = (uint8_t)value;
    const uint16_t two = (uint16_t)value;
    const uint32_t four = (uint32_t)value;

    switch (size) {
    case sizeof one:
        memcpy(p, &one, size);
        break;
    case sizeof two:
        memcpy(p, &two, size);
        break;
    case sizeof four:
        memcpy(p, &four, size);
        break;
    default:
        memcpy(p, &value, sizeof value);
    }
}

void
sa_sip_reader_keep(const struct sa_sip_reader *reader, struct sa_buffer *buffer)
{
    sa_buffer_number(buffer, VERSION);
    for (size_t i = 0; i < N_FIELDS; i++) {
        const char *p = (const char *)reader + fields[i].offset;
        uint64_t number;

        if (fields[i].kind == GONE)
            continue;
        number = fields[i].kind == TEXT ? strlen(p) : get_number(p, fields[i].size);
        if (fields[i].kind == TIME)
            number = (int64_t)number < 0 ? ((0 - number) << 1 | 1) : number << 1;
        sa_buffer_number(buffer, number);
        if (fields[i].kind == TEXT)
            sa_buffer_add(buffer, p, number);
    }
}

static bool
take_text(struct sa_buffer_reader *kept, char *p, size_t size, uint64_t len)
{
    if (len >= size || len > (size_t)(kept->end - kept->p))
        return false;
    memcpy(p, kept->p, len); /* the rest is zero already */
    kept->p += len;
    return strlen(p) == len;
}

static bool
take_field(struct sa_buffer_reader *kept, const struct field *field, uint64_t version, char *p)
{
    uint64_t number;

    if (field->kind == GONE && version == VERSION)
        return true;
    number = sa_buffer_read(kept);
    if (kept->failed)
        return false;
    if (field->kind == TEXT)
        return take_text(kept, p, field->size, number);
    if ((field->kind == TIME ? number >> 1 : number) > field->max)
        return false;
    if (field->kind == GONE)
        return true;
    if (field->kind == TIME)
        number = (number & 1) != 0 ? 0 - (number >> 1) : number >> 1;
    set_number(p, field->size, number);
    return true;
}

/* Each text is one that the log could have set. */
static bool
is_sound_response(const struct sa_response *response)
{
    struct sa_response again = {.code = 0};

    sa_payload_set_method(&again, (struct sa_slice){response->method, strlen(response->method)});
    sa_payload_set_peer(&again, (struct sa_slice){response->peer, strlen(response->peer)});
    return (response->code == 0 || response->code >= SA_CODE_MIN) &&
           strcmp(again.method, response->method) == 0 && strcmp(again.peer, response->peer) == 0;
}

static bool
is_family(uint8_t id)
{
    for (const struct sa_preset *preset = sa_presets; preset->name != NULL; preset++)
        if (preset->family != NULL && preset->family->id == id)
            return true;
    return id == 0;
}

/* What the fields say of each other, where reading on relies on it. */
static bool
is_sound(const struct sa_sip_reader *reader)
{
    const struct sa_sip_introduction *introduction = &reader->introduction;
    const struct sa_sip_message *message = &reader->message;
    bool is_introduced = introduction->is_open || reader->state == SA_SIP_INTRO;

    if (!is_sound_response(&introduction->told.about) || !is_sound_response(&message->response) ||
        !is_family(introduction->family))
        return false;
    if (is_introduced && introduction->told.about.repeat == 0)
        return false;
    if (reader->state == SA_SIP_INTRO && introduction->family == 0)
        return false;
    return reader->state != SA_SIP_HEADERS ||
           (message->response.repeat != 0 && (!message->is_response || message->response.code != 0));
}

bool
sa_sip_reader_recall(struct sa_sip_reader *reader, const void *kept, size_t len)
{
    struct sa_buffer_reader rest = {kept, (const uint8_t *)kept + len, false};
    uint64_t version = sa_buffer_read(&rest);
    struct sa_sip_reader fresh;

    memset(&fresh, 0, sizeof fresh);
    if (rest.failed || version == 0 || version > VERSION)
        return false;
    for (size_t i = 0; i < N_FIELDS; i++)
        if (!take_field(&rest, &fields[i], version, (char *)&fresh + fields[i].offset))
            return false;
    if (rest.p != rest.end || !is_sound(&fresh))
        return false;
    *reader = fresh;
    return true;
}
