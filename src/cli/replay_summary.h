/*
 * What rules did over a log, as sipalert replay shows it: each event, how often and for how long in all, and
 * over time.
 */
#ifndef SA_SUMMARY_H
#define SA_SUMMARY_H

#include "alarm.h"

#include <stdbool.h>
#include <stddef.h>

struct sa_summary {
    struct record *records;
    size_t n_records;
    struct stretch *stretches;
    size_t n_stretches;
    bool failed; /* for want of memory: something is missing */
};
void sa_summary_done(struct sa_summary *summary);

/* A rule that is in the table though it may never speak. */
void sa_summary_expect(struct sa_summary *summary, const char *rule);

/* Takes an event into account, and prints it on a line, or as JSON on one. */
void sa_summary_add(struct sa_summary *summary, const struct sa_alarm_event *event);
void sa_summary_print(const struct sa_alarm_event *event, bool json);

/* The log ended: the table of the rules, and how severe their alarms were over its time. */
void sa_summary_end(struct sa_summary *summary, int64_t last_ms);
void sa_summary_table(const struct sa_summary *summary, int64_t first_ms, int64_t last_ms);
void sa_summary_plot(const struct sa_summary *summary, int64_t first_ms, int64_t last_ms);

#endif
