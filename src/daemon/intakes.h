/*
 * The sources that are not files: opens what the configuration names, and keeps their states for status and
 * MIB.  Main thread.
 */
#ifndef SA_INTAKES_H
#define SA_INTAKES_H

#include "engine.h"
#include "intake.h"

struct sa_intakes;

/* What the owner of the intakes is told. */
struct sa_intakes_events {
    void (*state)(void *arg, unsigned source); /* the source's state or text changed */
    void (*read_some)(void *arg);
};

/*
 * Opens every source that is not a file.  What cannot be opened, or is replaced later, is opened again by a
 * look every few seconds; a source of several addresses serves those that it can, and its state says which
 * are missing and why.  NULL: out of memory.
 */
struct sa_intakes *sa_intakes_open(struct sa_loop *loop, struct sa_engine *engine,
                                   const struct sa_intakes_events *events, void *arg);
struct sa_intakes *sa_intakes_close(struct sa_intakes *intakes);

#endif
