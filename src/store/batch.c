#include "batch.h"
#include "entry.h"
#include "tables.h"

#include <string.h>

void
sa_batch_done(struct sa_batch *batch)
{
    sa_buffer_done(&batch->buffer);
}

bool
sa_batch_empty(const struct sa_batch *batch)
{
    return batch->buffer.len == 0;
}

/* Whatever is saved can be loaded: what ran over its column is saved as the nearest that the column can hold.
 */
static void
append_integer(struct sa_batch *batch, const struct sa_column *column, const char *field)
{
    int64_t value;

    memcpy(&value, field, sizeof value);
    if (value < column->min)
        value = column->min;
    if (value > column->max)
        value = column->max;
    sa_buffer_add(&batch->buffer, &value, sizeof value);
}

static void
append_value(struct sa_batch *batch, const struct sa_column *column, const void *row)
{
    const char *field = (const char *)row + column->offset;
    const char *text;
    struct sa_blob blob;

    switch (column->kind) {
    case SA_INTEGER:
        append_integer(batch, column, field);
        return;
    case SA_TEXT:
        memcpy(&text, field, sizeof text);
        blob = (struct sa_blob){text, text == NULL ? 0 : strlen(text)};
        break;
    case SA_BLOB:
    default:
        memcpy(&blob, field, sizeof blob);
        break;
    }
    sa_buffer_add(&batch->buffer, &blob.len, sizeof blob.len);
    sa_buffer_add(&batch->buffer, blob.p, blob.len);
}

static void
append_entry(struct sa_batch *batch, enum sa_entry_kind kind, enum sa_table table, const void *row)
{
    const struct sa_entry_header header = {kind, table};

    sa_buffer_add(&batch->buffer, &header, sizeof header);
    for (const struct sa_column *column = sa_tables[table].columns; row != NULL && column->name != NULL;
         column++)
        if (kind == SA_ENTRY_PUT || column->key)
            append_value(batch, column, row);
}

void
sa_batch_put(struct sa_batch *batch, enum sa_table table, const void *row)
{
    append_entry(batch, SA_ENTRY_PUT, table, row);
}

void
sa_batch_delete(struct sa_batch *batch, enum sa_table table, const void *row)
{
    append_entry(batch, SA_ENTRY_DELETE, table, row);
}

void
sa_batch_clear(struct sa_batch *batch, enum sa_table table)
{
    append_entry(batch, SA_ENTRY_CLEAR, table, NULL);
}

struct sa_entry_value
sa_entry_value(const struct sa_batch *batch, size_t *at, enum sa_column_kind kind)
{
    struct sa_entry_value value = {0};

    if (kind == SA_INTEGER) {
        memcpy(&value.integer, batch->buffer.bytes + *at, sizeof value.integer);
        *at += sizeof value.integer;
        return value;
    }
    memcpy(&value.blob.len, batch->buffer.bytes + *at, sizeof value.blob.len);
    *at += sizeof value.blob.len;
    value.blob.p = batch->buffer.bytes + *at;
    *at += value.blob.len;
    return value;
}

bool
sa_entry_next(const struct sa_batch *batch, size_t *at, struct sa_entry_header *ret_header)
{
    if (*at >= batch->buffer.len)
        return false;
    memcpy(ret_header, batch->buffer.bytes + *at, sizeof *ret_header);
    *at += sizeof *ret_header;
    return true;
}
