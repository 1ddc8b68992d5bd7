/*
 * What keeps the counts from being believable: a log that cannot be read, lines that were lost on their way
 * to it, a state that cannot be saved.  Each becomes an alarm of its own after it has lasted a moment, and
 * its end a clear; what flaps is one fault.  Time is given by the caller (monotonic milliseconds); pure, one
 * thread.
 */
#ifndef SA_FAULTS_H
#define SA_FAULTS_H

#include "alarm.h"

enum sa_fault_kind { SA_FAULT_BLIND, SA_FAULT_UNDERCOUNT, SA_FAULT_STATE, SA_FAULT_KINDS };

/* A fault that begins or ends. */
struct sa_fault {
    enum sa_fault_kind kind;
    const char *source; /* "" for the state, which is everybody's */
    bool raised;
    uint64_t lost; /* lines, of an undercount */
    int error;     /* negative errno, 0 if it is not known: what to do depends on it */
    const char *text;
};

typedef void (*sa_fault_fn)(void *arg, const struct sa_fault *fault);

struct sa_faults;

/* names stay valid for the life of the object.  NULL: out of memory. */
struct sa_faults *sa_faults_new(const char *const *sources, unsigned n_sources);
struct sa_faults *sa_faults_free(struct sa_faults *faults);

/* The most that can be up at a time. */
unsigned sa_faults_room(unsigned n_sources);

/* The condition holds, or no longer.  source: its number; of SA_FAULT_STATE: any. */
void sa_faults_set(struct sa_faults *faults, enum sa_fault_kind kind, unsigned source, bool holds,
                   const char *text, int error, int64_t now_ms);

/* Something happened that is over at once: it stays up for hold_ms after the last time. */
void sa_faults_event(struct sa_faults *faults, enum sa_fault_kind kind, unsigned source, uint64_t lost,
                     const char *text, int error, int64_t hold_ms, int64_t now_ms);

/* It was up in an earlier life; it ends if the condition does not hold any more. */
void sa_faults_recall(struct sa_faults *faults, enum sa_fault_kind kind, unsigned source, const char *text,
                      int64_t now_ms);

/* Calls fn for what begins or ends by now.  Returns whether something will, so has to be looked at again. */
bool sa_faults_evaluate(struct sa_faults *faults, int64_t now_ms, sa_fault_fn fn, void *arg);

#endif
