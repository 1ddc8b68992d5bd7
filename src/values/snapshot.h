/*
 * What the SNMP thread may know: one immutable copy of the counters, sources and active alarms.  The main
 * thread builds it, publishes it on the board (bus/board.h) and never touches it again.
 */
#ifndef SA_SNAPSHOT_H
#define SA_SNAPSHOT_H

#include "alarm.h"
#include "types.h"

#define SA_MINUTES_S 900 /* the longest of the last-minutes gauges */

struct sa_snapshot_agent {
    char node[SA_NODE_SIZE];
    int64_t start_ms, counters_since_ms, config_ms, alarms_changed_ms; /* wall clock */
    uint64_t lines, bytes, responses, unmatched;
    enum sa_severity worst_severity;
    uint64_t notifications_sent, notifications_suppressed;
    uint32_t notifications_queued, sequence;
};

struct sa_snapshot_source {
    uint32_t index; /* stays with the name */
    char name[SA_NAME_SIZE];
    enum sa_source_kind_number kind;
    char location[SA_LONG_SIZE];
    char format[SA_LONG_SIZE];
    enum sa_source_state state;
    char state_text[SA_LONG_SIZE];
    uint64_t lines, bytes, responses, unmatched, oversize, backlog_bytes;
    uint64_t rotations, truncations;
    int64_t last_line_ms, last_response_ms;
};

/*
 * The last-minutes gauges are summed from the buckets when they are read, so that they fall by themselves
 * while the daemon sleeps.  bucket[s % SA_MINUTES_S] holds second s of the monotonic clock, for the
 * SA_MINUTES_S seconds up to and including newest_s.
 */
struct sa_snapshot_code {
    uint16_t code;
    const char *phrase, *meaning,
        *remediation; /* in the language of the daemon; they live as long as the process */
    uint64_t responses, received, sent;
    int64_t last_seen_ms;
    int64_t newest_s;
    const uint32_t *bucket; /* SA_MINUTES_S entries inside the snapshot; NULL: never seen */
};

struct sa_snapshot {
    struct sa_snapshot_agent agent;
    struct sa_snapshot_source *sources; /* ascending index */
    struct sa_snapshot_code *codes;     /* ascending code */
    struct sa_alarm *alarms;            /* ascending id */
    uint32_t *buckets;
    unsigned n_sources, n_codes, n_alarms;
};

#endif
