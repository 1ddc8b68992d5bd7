/*
 * The plain values that cross borders: a decoded SIP response, and the enumerations shared by the
 * counters, the alarms, the MIB and the JSON output.  No functions with effects, no pointers to owned
 * memory: everything here can be copied between threads.
 */
#ifndef SA_TYPES_H
#define SA_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes include the terminating NUL; the numbers without it are those of SIPALERT-MIB. */
#define SA_NODE_SIZE   33
#define SA_NAME_SIZE   33  /* source, rule and format names */
#define SA_METHOD_SIZE 33  /* SIP method, an index of the MIB with SIZE (1..32) */
#define SA_PEER_SIZE   47  /* textual IPv4 or IPv6 address, without port */
#define SA_CALLID_SIZE 129 /* evidence only; longer Call-IDs are cut */
#define SA_CODES_SIZE  49
#define SA_TEXT_SIZE   201
#define SA_LONG_SIZE   256 /* remediation, meaning: one SnmpAdminString */
#define SA_IDENT_SIZE  129

#define SA_CODE_MIN    100 /* RFC 3261 section 25.1 allows any 3DIGIT; below 100 is never valid */
#define SA_CODE_MAX    999

enum sa_direction {
    SA_DIR_UNKNOWN, /* the log style does not tell */
    SA_DIR_RECEIVED,
    SA_DIR_SENT,
    SA_DIR_COUNT
};

/* ITU-T X.733 perceived severity with the numbers of ITU-ALARM-TC-MIB (RFC 3877): not in order of gravity. */
enum sa_severity {
    SA_SEV_CLEARED = 1,
    SA_SEV_INDETERMINATE = 2,
    SA_SEV_CRITICAL = 3,
    SA_SEV_MAJOR = 4,
    SA_SEV_MINOR = 5,
    SA_SEV_WARNING = 6
};

enum sa_alarm_kind {
    SA_KIND_REDIRECT = 1,
    SA_KIND_FLOW_FAILURE = 2,
    SA_KIND_RESPONSE = 3,
    SA_KIND_SOURCE_BLIND = 5,
    SA_KIND_UNDERCOUNT = 7,
    SA_KIND_STATE_LOST = 8
};

/* What counts once: each response, or a response of a transaction however often it was sent. */
enum sa_count_of { SA_COUNT_RESPONSES, SA_COUNT_TRANSACTIONS };

/* Unit of an alarm's Value and Threshold. */
enum sa_unit { SA_UNIT_RESPONSES = 1, SA_UNIT_PER_MILLE = 2, SA_UNIT_MILLI_PER_SECOND = 3 };

/*
 * The kinds of sources: the name, its number in the MIB, the key that a source section says it with, and what
 * reads it (source.h).
 */
#define SA_SOURCE_KINDS(KIND)                                                                                \
    KIND(FILE, 1, "file", sa_file_source)                                                                    \
    KIND(JOURNAL, 2, "journal", sa_journal_source)                                                           \
    KIND(SYSLOG, 3, "syslog", sa_syslog_source)                                                              \
    KIND(FIFO, 4, "fifo", sa_fifo_source)                                                                    \
    KIND(STDIN, 5, "stdin", sa_stdin_source)

#define SA_SOURCE_KIND(name, number, key, reader) SA_SOURCE_##name = (number),
enum sa_source_kind_number { SA_SOURCE_KINDS(SA_SOURCE_KIND) };
#undef SA_SOURCE_KIND

#define SA_SOURCE_KIND_PLACE(name, number, key, reader) SA_SOURCE_PLACE_##name,
enum { SA_SOURCE_KINDS(SA_SOURCE_KIND_PLACE) SA_SOURCE_KINDS_COUNT };
#undef SA_SOURCE_KIND_PLACE

enum sa_source_state {
    SA_SOURCE_FOLLOWING = 1,
    SA_SOURCE_WAITING = 2, /* nothing there yet */
    SA_SOURCE_DENIED = 3,  /* there, but not readable */
    SA_SOURCE_BACKLOG = 4, /* reading what was written before */
    SA_SOURCE_FAILED = 6
};

/* One SIP response as a log record shows it.  Complete in itself: no pointer into the log. */
struct sa_response {
    uint16_t code;               /* SA_CODE_MIN..SA_CODE_MAX */
    enum sa_direction direction; /* as seen by the program that wrote the log */
    uint32_t repeat;             /* how many times the record stands for, at least 1 */
    uint32_t transaction;        /* hash of CSeq number and branch, as far as the log tells them; 0: not */
    bool again;                  /* set by who counts: seen before, a retransmission or logged twice */
    int64_t time_ms;             /* wall clock of the record, milliseconds since 1970; 0: not known */
    char method[SA_METHOD_SIZE]; /* upper case token of CSeq, "" if not known */
    char peer[SA_PEER_SIZE];     /* "" if not known */
    char call_id[SA_CALLID_SIZE];
};

/* Names as the JSON output, syslog and the configuration spell them; never NULL. */
const char *sa_severity_name(enum sa_severity severity);
const char *sa_alarm_kind_name(enum sa_alarm_kind kind);
const char *sa_unit_name(enum sa_unit unit);

/* The i-th kind, i < SA_SOURCE_KINDS_COUNT, in the order of the table. */
enum sa_source_kind_number sa_source_kind_at(size_t i);

/* The key of the kind in a source section. */
const char *sa_source_kind_key(enum sa_source_kind_number kind);

const char *sa_source_state_name(enum sa_source_state state);

/* Gravity for comparing severities: 0 cleared, 1 indeterminate, 2 warning, 3 minor, 4 major, 5 critical. */
int sa_severity_gravity(enum sa_severity severity);

#endif
