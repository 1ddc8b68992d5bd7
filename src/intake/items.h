/*
 * Sources that are read from something that was opened, not from files: how the items of a source (its
 * addresses, its FIFO) together are one source.  The rest of a struct sa_source_kind for those kinds.
 */
#ifndef SA_INTAKE_ITEMS_H
#define SA_INTAKE_ITEMS_H

#include "intake.h"
#include "source.h"

/* How one item is read. */
struct sa_item_methods {
    bool each; /* there is an item for each location of the source; otherwise one without a name */
    /* item: the location, or NULL.  cursor: where an earlier life ended, or "".  NULL: out of memory. */
    void *(*make)(const struct sa_intake_host *host, const struct sa_source_def *def, const char *item,
                  const char *cursor);
    void (*look)(void *intake);
    const char *(*cursor)(const void *intake); /* where to go on; NULL: nothing can be read twice */
    void (*close)(void *intake);
};

void *sa_items_open(const struct sa_source_host *host, const struct sa_item_methods *methods);
int sa_items_add(void *reader, const struct sa_source_spec *spec);
bool sa_items_load(void *reader, unsigned source, const char *key, const char *value);
int sa_items_start(void *reader);
void sa_items_look(void *reader);
void sa_items_status(const void *reader, unsigned source, struct sa_source_status *ret_status);
void sa_items_save(void *reader, bool all, const struct sa_bookmark_sink *sink);
void sa_items_close(void *reader);

#endif
