/*
 * What the tables of SIPALERT-MIB have in common: one unsigned index, read-only columns, and rows that are
 * the entries of an array in the snapshot.  net-snmp keeps the sorted row keys; values always come from the
 * snapshot of the moment.  SNMP thread only.
 */
#ifndef SA_MIB_TABLE_H
#define SA_MIB_TABLE_H

#include "view.h"

struct sa_mib_table {
    const char *name;
    const oid *root; /* of the table, without the entry */
    size_t root_len;
    unsigned first_column, last_column;
    unsigned (*count)(const struct sa_snapshot *snapshot);
    uint32_t (*key)(const struct sa_snapshot *snapshot, unsigned i); /* ascending in i */
    void (*get)(const struct sa_snapshot *snapshot, unsigned i, unsigned column, netsnmp_variable_list *var);
};

extern const struct sa_mib_table sa_mib_source_table, sa_mib_code_table, sa_mib_alarm_table;

struct sa_mib_rows;

/* Returns 0 or -ENOMEM. */
int sa_mib_table_register(const struct sa_mib_table *table, struct sa_mib_rows **ret_rows);

/* Adds and removes rows so that they are those of the snapshot. */
void sa_mib_rows_sync(struct sa_mib_rows *rows, const struct sa_snapshot *snapshot);

#endif
