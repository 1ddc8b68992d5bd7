/*
 * An alarm and its transitions as self-contained values: what the MIB row, the notification, the syslog line
 * and the JSON output all show.  Everything in the texts is already escaped and cut to the sizes of the MIB.
 */
#ifndef SA_ALARM_H
#define SA_ALARM_H

#include "types.h"

struct sa_alarm {
    uint32_t id; /* row index of sipAlertAlarmTable, never reused while the daemon runs */
    char identity[SA_IDENT_SIZE];
    enum sa_severity severity;
    enum sa_alarm_kind kind;
    char rule[SA_NAME_SIZE];
    char source[SA_NAME_SIZE];
    char peer[SA_PEER_SIZE];
    char codes[SA_CODES_SIZE]; /* most frequent first, "302,301" */
    uint32_t value;            /* in unit */
    enum sa_unit unit;
    uint32_t threshold; /* in unit */
    uint32_t window_s;
    uint32_t total; /* base of the ratio, in responses */
    int64_t raised_ms;
    int64_t changed_ms;
    char text[SA_TEXT_SIZE];
    char remediation[SA_LONG_SIZE];
    char evidence[SA_CALLID_SIZE]; /* Call-ID of the response that crossed the limit */
    char method[SA_METHOD_SIZE];   /* of the group; "": the rule does not tell methods apart */
    uint16_t code;                 /* of the group; 0: likewise */
    bool overflow;                 /* it is about all that found no room in the rule's groups */
};

enum sa_transition {
    SA_RAISED = 1,
    SA_CLEARED = 2,
    SA_CHANGED = 3,
    SA_FAULT = 4,
    SA_RESTORED = 5,
    SA_TEST = 7
};

/* Transition numbers are the sub-identifiers of the notifications below R.0. */
struct sa_alarm_event {
    uint32_t sequence; /* sipAlertAgentNotificationSequence: a repeated delivery has the same number */
    enum sa_transition transition;
    struct sa_alarm alarm;
};

#endif
