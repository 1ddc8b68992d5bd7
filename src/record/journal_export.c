#include "journal_export.h"

#define VALUE_MAX  1048576  /* of a longer value the first bytes are kept */
#define BINARY_MAX 67108864 /* a longer one is not believed */

void
sa_journal_export_done(struct sa_journal_export *export)
{
    for (int i = 0; i < SA_EXPORT_OTHER; i++)
        sa_buffer_done(&export->value[i]);
    export->active = false;
}

bool
sa_journal_export_binary(const struct sa_journal_export *export)
{
    return export->active && export->state != SA_EXPORT_FIELDS;
}

static void
name_field(struct sa_journal_export *export, struct sa_slice name)
{
    static const char *const names[] = {"MESSAGE", "_HOSTNAME", "SYSLOG_IDENTIFIER", "__REALTIME_TIMESTAMP"};
    unsigned field = 0;

    while (field < SA_EXPORT_OTHER &&
           !(strlen(names[field]) == name.len && memcmp(names[field], name.p, name.len) == 0))
        field++;
    export->field = field;
    if (field < SA_EXPORT_OTHER)
        export->value[field].len = 0;
}

static void
add(struct sa_journal_export *export, const void *p, size_t len)
{
    struct sa_buffer *value = &export->value[export->field];

    if (export->field == SA_EXPORT_OTHER || value->len + len > VALUE_MAX)
        return;
    sa_buffer_add(value, p, len);
    value->failed = false;
}

/* Bytes of a binary value, with the LF that ended the line; the LF behind the value is not part of it. */
static void
take_binary(struct sa_journal_export *export, struct sa_slice line)
{
    static const char lf = '\n';

    for (size_t i = 0; i <= line.len;) { /* the position behind the line is its LF */
        size_t there = line.len - i, n;

        if (export->state == SA_EXPORT_LENGTH) {
            export->length[export->have++] = (uint8_t)(i < line.len ? line.p[i] : lf);
            i++;
            if (export->have < sizeof export->length)
                continue;
            export->left = 0;
            for (size_t k = sizeof export->length; k-- > 0;)
                export->left = export->left << 8 | export->length[k];
            export->state = SA_EXPORT_DATA;
            if (export->left > BINARY_MAX) { /* no journal has such a field */
                export->active = false;
                return;
            }
            continue;
        }
        if (export->left == 0) { /* the LF behind the value, or what is no export format */
            export->state = SA_EXPORT_FIELDS;
            export->active = there == 0;
            return;
        }
        n = there < export->left ? there : (size_t) export->left;
        add(export, line.p + i, n);
        i += n;
        export->left -= n;
        if (i == line.len && export->left > 0) {
            add(export, &lf, 1);
            export->left--;
            i++;
        }
    }
}

static struct sa_slice
slice_of(const struct sa_buffer *value)
{
    return (struct sa_slice){value->len == 0 ? "" : (const char *)value->bytes, value->len};
}

static enum sa_export_verdict
end_entry(struct sa_journal_export *export, struct sa_record *record, struct sa_slice *message)
{
    struct sa_slice time = slice_of(&export->value[SA_EXPORT_TIME]);
    int64_t microseconds = 0;

    if (time.len <= 17 && sa_slice_digits(time) == time.len)
        for (size_t i = 0; i < time.len; i++)
            microseconds = microseconds * 10 + (time.p[i] - '0');
    export->active = false;
    record->time_ms = microseconds / 1000;
    record->host = slice_of(&export->value[SA_EXPORT_HOST]);
    record->program = slice_of(&export->value[SA_EXPORT_PROGRAM]);
    *message = slice_of(&export->value[SA_EXPORT_MESSAGE]);
    return SA_EXPORT_ENTRY;
}

enum sa_export_verdict
sa_journal_export_line(struct sa_journal_export *export, struct sa_slice line, struct sa_record *record,
                       struct sa_slice *message)
{
    size_t equals, name = 0;

    if (!export->active) {
        if (!sa_slice_starts(line, "__CURSOR="))
            return SA_EXPORT_NO;
        export->active = true;
        export->state = SA_EXPORT_FIELDS;
        for (int i = 0; i < SA_EXPORT_OTHER; i++)
            export->value[i].len = 0;
        return SA_EXPORT_TAKEN;
    }
    if (export->state != SA_EXPORT_FIELDS) {
        take_binary(export, line);
        return SA_EXPORT_TAKEN;
    }
    if (line.len == 0)
        return end_entry(export, record, message);
    equals = sa_slice_find(line, '=');
    while (name < line.len &&
           (line.p[name] == '_' || sa_is_digit(line.p[name]) || (line.p[name] >= 'A' && line.p[name] <= 'Z')))
        name++;
    if (name == 0 || name != equals) { /* no field: the entry is broken off */
        export->active = false;
        return SA_EXPORT_NO;
    }
    name_field(export, (struct sa_slice){line.p, name});
    if (equals < line.len) {
        add(export, line.p + equals + 1, line.len - equals - 1);
    } else {
        export->state = SA_EXPORT_LENGTH;
        export->have = 0;
    }
    return SA_EXPORT_TAKEN;
}
