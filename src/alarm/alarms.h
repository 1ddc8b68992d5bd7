/*
 * Verdicts to alarms: identity, the active list, the texts; every transition becomes exactly one alarm event.
 * An alarm is found by its key: of a group rule, source, peer, method and code; of a fault its kind and
 * source. The list grows with them: there is at most one for each group that the rules have, and for each
 * fault.  Pure, one thread.
 */
#ifndef SA_ALARMS_H
#define SA_ALARMS_H

#include "alarm.h"
#include "faults.h"
#include "rules.h"

struct sa_alarms;

struct sa_alarms *sa_alarms_new(const char *node);
struct sa_alarms *sa_alarms_free(struct sa_alarms *alarms);

/*
 * Applies a verdict at a wall-clock time.  Returns 1 and fills *ret_event (its sequence is left 0) if it was
 * a transition, 0 if only the numbers of an active alarm moved.  A group that is up without an alarm (there
 * was no memory for it, or its row was damaged) is raised by any verdict that has something to show.
 */
int sa_alarms_apply(struct sa_alarms *alarms, const struct sa_verdict *verdict, int64_t wall_ms,
                    struct sa_alarm_event *ret_event);

/* The same for a fault: it is always a transition.  Returns 0 if there is nothing to clear. */
int sa_alarms_fault(struct sa_alarms *alarms, const struct sa_fault *fault, int64_t wall_ms,
                    struct sa_alarm_event *ret_event);

/* The fault that an alarm stands for; false: it is not one of those. */
bool sa_alarms_fault_kind(enum sa_alarm_kind kind, enum sa_fault_kind *ret_kind);

/* The active alarms in ascending id; the pointer is valid until the next apply. */
const struct sa_alarm *sa_alarms_active(struct sa_alarms *alarms, unsigned *ret_count);

/* Over a restart: the numbers that go on, and an alarm that was active; false: no memory for it, or it is
 * there already. */
struct sa_alarms_memory {
    uint32_t last_id;
    int64_t changed_ms;
};
struct sa_alarms_memory sa_alarms_keep(const struct sa_alarms *alarms);
void sa_alarms_recall(struct sa_alarms *alarms, const struct sa_alarms_memory *memory);
bool sa_alarms_restore(struct sa_alarms *alarms, const struct sa_alarm *alarm);

/* An alarm of an earlier life that nothing can clear any more: its last event. */
void sa_alarms_end(const struct sa_alarm *alarm, int64_t wall_ms, struct sa_alarm_event *ret_event);

/* An event that tells of nothing: it shows that notifications arrive, and how they look.  It has an id of its
 * own and is in no list. */
void sa_alarms_test(struct sa_alarms *alarms, const char *text, int64_t wall_ms,
                    struct sa_alarm_event *ret_event);

/* CLEARED if none is active. */
enum sa_severity sa_alarms_worst(const struct sa_alarms *alarms);

/* Wall clock of the last raise, change or clear; 0: never. */
int64_t sa_alarms_changed_ms(const struct sa_alarms *alarms);

#endif
