#include "mib.h"
#include "mib_agent.h"
#include "mib_table.h"

static const struct sa_mib_table *const tables[] = {&sa_mib_source_table, &sa_mib_code_table,
                                                    &sa_mib_alarm_table};

#define TABLES (sizeof tables / sizeof tables[0])

static struct sa_mib_rows *rows[TABLES];

int
sa_mib_register(void)
{
    int r = sa_mib_agent_register();

    for (size_t i = 0; i < TABLES && r == 0; i++)
        r = sa_mib_table_register(tables[i], &rows[i]);
    return r;
}

void
sa_mib_show(struct sa_snapshot *snapshot)
{
    for (size_t i = 0; i < TABLES; i++)
        sa_mib_rows_sync(rows[i], snapshot);
    sa_view_replace(snapshot);
}

void
sa_mib_done(void)
{
    sa_view_replace(NULL);
}
