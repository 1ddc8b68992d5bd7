/*
 * Everything that is read, whatever its kind: opens what the configuration names, feeds the core with it,
 * says how each source stands, and keeps its place over a restart.  Main thread.
 */
#ifndef SA_SOURCES_H
#define SA_SOURCES_H

#include "core.h"
#include "source.h"

struct sa_sources;

/* What the owner of the sources is told. */
struct sa_sources_events {
    void (*state)(void *arg, unsigned source); /* the source's state or text changed */
    void (*read_some)(void *arg);
};

/*
 * Nothing is opened yet.  last_alive_ms: wall clock when the earlier life was last saved; 0: there was none.
 * NULL: out of memory.
 */
struct sa_sources *sa_sources_new(struct sa_loop *loop, struct sa_core *core, const struct sa_config *config,
                                  int64_t last_alive_ms, const struct sa_sources_events *events, void *arg);
struct sa_sources *sa_sources_free(struct sa_sources *sources);

/*
 * Before the start: where an earlier life was.  Returns false if the place cannot be true, or the message
 * that was being read: then the place stands all the same.  The next save removes what is not taken.
 */
bool sa_sources_load(struct sa_sources *sources, const struct sa_row_bookmark *row);

/* Opens all that can be opened; the rest is looked for again.  0 or -ENOMEM. */
int sa_sources_start(struct sa_sources *sources);

void sa_sources_status(const struct sa_sources *sources, unsigned source,
                       struct sa_source_status *ret_status);

/* The i-th file of a source, below status.n_files; valid until the loop goes on. */
struct sa_source_file sa_sources_file(const struct sa_sources *sources, unsigned source, unsigned i);

/* Puts the positions that changed since the last call, or all, into the batch.  Before the core's rows. */
void sa_sources_save(struct sa_sources *sources, bool all, struct sa_batch *batch);

/* What the core's row of a source says of its place; for sa_core_save(). */
void sa_sources_place(void *sources, unsigned source, struct sa_core_place *ret_place);

#endif
