#include "mib_table.h"

#include <errno.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <stdlib.h>

struct sa_mib_rows {
    const struct sa_mib_table *table;
    netsnmp_tdata *data;
};

/* Index of the row with this key in the snapshot, or -1. */
static int
find(const struct sa_mib_table *table, const struct sa_snapshot *snapshot, uint32_t key)
{
    unsigned low = 0, high = table->count(snapshot);

    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        uint32_t at = table->key(snapshot, middle);

        if (at == key)
            return (int)middle;
        if (at < key)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

static uint32_t
row_key(const netsnmp_tdata_row *row)
{
    return (uint32_t)*row->indexes->val.integer;
}

/* net-snmp turns GETNEXT and GETBULK into GETs of the right rows before it calls this. */
static int
handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
       netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
    const struct sa_mib_rows *rows = handler->myvoid;

    (void)registration;
    if (info->mode != MODE_GET)
        return SNMP_ERR_NOERROR;
    for (netsnmp_request_info *request = requests; request != NULL; request = request->next) {
        netsnmp_tdata_row *row;
        netsnmp_table_request_info *table_info;
        int i;

        if (request->processed)
            continue;
        row = netsnmp_tdata_extract_row(request);
        table_info = netsnmp_extract_table_info(request);
        i = row == NULL || table_info == NULL ? -1 : find(rows->table, sa_view(), row_key(row));
        if (i < 0)
            (void)netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
        else
            rows->table->get(sa_view(), (unsigned)i, table_info->colnum, request->requestvb);
    }
    return SNMP_ERR_NOERROR;
}

int
sa_mib_table_register(const struct sa_mib_table *table, struct sa_mib_rows **ret_rows)
{
    struct sa_mib_rows *rows = calloc(1, sizeof *rows);
    netsnmp_table_registration_info *info = SNMP_MALLOC_TYPEDEF(netsnmp_table_registration_info);
    netsnmp_handler_registration *registration = netsnmp_create_handler_registration(
        table->name, handle, table->root, table->root_len, HANDLER_CAN_RONLY);

    if (rows != NULL)
        rows->data = netsnmp_tdata_create_table(table->name, 0);
    if (rows == NULL || rows->data == NULL || info == NULL || registration == NULL)
        goto fail;
    rows->table = table;
    registration->handler->myvoid = rows;
    netsnmp_table_helper_add_indexes(info, ASN_UNSIGNED, 0);
    info->min_column = table->first_column;
    info->max_column = table->last_column;
    if (netsnmp_tdata_register(registration, rows->data, info) != SNMPERR_SUCCESS)
        return -ENOMEM; /* net-snmp owns all of it by now */
    *ret_rows = rows;   /* NOLINT(clang-analyzer-unix.Malloc): likewise */
    return 0;
fail:
    if (registration != NULL)
        netsnmp_handler_registration_free(registration);
    SNMP_FREE(info);
    free(rows);
    return -ENOMEM;
}

static void
add_row(struct sa_mib_rows *rows, uint32_t key)
{
    netsnmp_tdata_row *row = netsnmp_tdata_create_row();
    u_long index = key;

    if (row == NULL)
        return;
    (void)netsnmp_tdata_row_add_index(row, ASN_UNSIGNED, &index, sizeof index);
    if (netsnmp_tdata_add_row(rows->data, row) != SNMPERR_SUCCESS)
        netsnmp_tdata_delete_row(row);
}

void
sa_mib_rows_sync(struct sa_mib_rows *rows, const struct sa_snapshot *snapshot)
{
    const struct sa_mib_table *table = rows->table;
    unsigned count = table->count(snapshot), i = 0;
    netsnmp_tdata_row *row = netsnmp_tdata_row_first(rows->data);

    /* Both sides ascend: walk them together. */
    while (row != NULL || i < count) {
        if (row == NULL || (i < count && table->key(snapshot, i) < row_key(row))) {
            add_row(rows, table->key(snapshot, i++));
        } else if (i == count || row_key(row) < table->key(snapshot, i)) {
            netsnmp_tdata_row *gone = row;

            row = netsnmp_tdata_row_next(rows->data, row);
            (void)netsnmp_tdata_remove_and_delete_row(rows->data, gone);
        } else {
            row = netsnmp_tdata_row_next(rows->data, row);
            i++;
        }
    }
}
