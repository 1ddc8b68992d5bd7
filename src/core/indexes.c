/* The numbers of sources in the MIB: a graph of today is of the same source tomorrow. */
#include "inside.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

uint32_t
sa_core_index(const struct sa_core *core, const char *name)
{
    for (unsigned i = 0; i < core->n_indexes; i++)
        if (strcmp(core->indexes[i].name, name) == 0)
            return core->indexes[i].number;
    return 0;
}

static bool
is_taken(const struct sa_core *core, uint32_t number)
{
    for (unsigned i = 0; i < core->n_indexes; i++)
        if (core->indexes[i].number == number)
            return true;
    return false;
}

bool
sa_core_index_load(struct sa_core *core, const char *name, uint32_t number)
{
    struct core_index *grown;

    if (core->n_indexes == CORE_INDEXES || is_taken(core, number) || sa_core_index(core, name) != 0)
        return false;
    grown = realloc(core->indexes, (core->n_indexes + 1) * sizeof *grown);
    if (grown == NULL)
        return false;
    core->indexes = grown;
    (void)sa_text_copy(grown[core->n_indexes].name, sizeof grown->name, name);
    grown[core->n_indexes++].number = number;
    if (number > core->last_index)
        core->last_index = number;
    return true;
}

/* Numbers go up and none is given again, until one that an earlier life left is the last that there is. */
static uint32_t
next_number(const struct sa_core *core)
{
    uint32_t number = 1;

    if (core->last_index < CORE_INDEX_MAX)
        return core->last_index + 1;
    while (is_taken(core, number))
        number++;
    return number;
}

/* Where there is no room the name that is not configured any more and has the lowest number makes it. */
static void
make_room(struct sa_core *core)
{
    unsigned oldest = CORE_INDEXES;

    if (core->n_indexes < CORE_INDEXES)
        return;
    for (unsigned i = 0; i < core->n_indexes; i++)
        if (sa_core_source_number(core, core->indexes[i].name) < 0 &&
            (oldest == CORE_INDEXES || core->indexes[i].number < core->indexes[oldest].number))
            oldest = i;
    if (oldest != CORE_INDEXES)
        core->indexes[oldest] = core->indexes[--core->n_indexes];
}

void
sa_core_index_all(struct sa_core *core)
{
    for (unsigned i = 0; i < core->config->n_sources; i++) {
        if (sa_core_index(core, core->names[i]) != 0)
            continue;
        make_room(core);
        core->indexes_changed |= sa_core_index_load(core, core->names[i], next_number(core));
    }
}
