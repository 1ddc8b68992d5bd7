/*
 * The sources that are not files: opens what the configuration names, and keeps their states for status and
 * MIB.  Main thread.
 */
#ifndef SA_INTAKES_H
#define SA_INTAKES_H

#include "core.h"
#include "follow.h"
#include "intake.h"

struct sa_intakes;

/* What the owner of the intakes is told. */
struct sa_intakes_events {
    void (*state)(void *arg, unsigned source); /* the source's state or text changed */
    void (*read_some)(void *arg);
};

/*
 * Of every source that is not a file; nothing is opened yet.  cursors: of each source, where the journal was
 * in an earlier life, "" for nowhere; valid during the call.  NULL: out of memory.
 */
struct sa_intakes *sa_intakes_new(struct sa_loop *loop, struct sa_core *core, const struct sa_config *config,
                                  const char *const *cursors, const struct sa_intakes_events *events,
                                  void *arg);

/*
 * Opens all.  What cannot be opened, or is replaced later, is opened again by a look every few seconds; a
 * source of several addresses serves those that it can, and its state says which are missing and why.
 */
void sa_intakes_start(struct sa_intakes *intakes);

/* How a source stands; of files nothing is known here. */
const struct sa_follow_status *sa_intakes_status(const struct sa_intakes *intakes, unsigned source);

/* Behind the last entry that was taken of a journal, "" before the first; NULL: the source is none. */
const char *sa_intakes_cursor(const struct sa_intakes *intakes, unsigned source);

struct sa_intakes *sa_intakes_close(struct sa_intakes *intakes);

#endif
