#include "tables.h"

/* clang-format off */
#define INTEGER(row, field)          {#field, offsetof(struct row, field), SA_INTEGER, false}
#define TEXT(row, field)             {#field, offsetof(struct row, field), SA_TEXT, false}
#define BLOB(row, field)             {#field, offsetof(struct row, field), SA_BLOB, false}
#define KEY(row, field, kind)        {#field, offsetof(struct row, field), kind, true}
#define OF_ALARM(row, base, f, kind) {#f, (base) + offsetof(struct sa_row_alarm, f), kind, false}
#define END                          {NULL, 0, SA_INTEGER, false}
/* clang-format on */

static const struct sa_column daemon_columns[] = {
    KEY(sa_row_daemon, id, SA_INTEGER),
    TEXT(sa_row_daemon, version),
    TEXT(sa_row_daemon, boot_id),
    INTEGER(sa_row_daemon, mono_ms),
    INTEGER(sa_row_daemon, wall_ms),
    INTEGER(sa_row_daemon, counters_since_ms),
    INTEGER(sa_row_daemon, last_file_id),
    INTEGER(sa_row_daemon, last_alarm_id),
    INTEGER(sa_row_daemon, alarms_changed_ms),
    INTEGER(sa_row_daemon, sequence),
    INTEGER(sa_row_daemon, sent),
    INTEGER(sa_row_daemon, suppressed),
    END,
};

static const struct sa_column source_columns[] = {
    KEY(sa_row_source, name, SA_TEXT),
    TEXT(sa_row_source, format),
    INTEGER(sa_row_source, lines),
    INTEGER(sa_row_source, bytes),
    INTEGER(sa_row_source, responses),
    INTEGER(sa_row_source, matched),
    INTEGER(sa_row_source, unmatched),
    INTEGER(sa_row_source, oversize),
    INTEGER(sa_row_source, nul_bytes),
    INTEGER(sa_row_source, partial_dropped),
    INTEGER(sa_row_source, lost),
    INTEGER(sa_row_source, rotations),
    INTEGER(sa_row_source, truncations),
    INTEGER(sa_row_source, undercount),
    INTEGER(sa_row_source, last_line_ms),
    INTEGER(sa_row_source, last_response_ms),
    END,
};

static const struct sa_column file_columns[] = {
    KEY(sa_row_file, id, SA_INTEGER),
    TEXT(sa_row_file, source),
    TEXT(sa_row_file, path),
    INTEGER(sa_row_file, dev),
    INTEGER(sa_row_file, ino),
    INTEGER(sa_row_file, generation),
    INTEGER(sa_row_file, head_len),
    INTEGER(sa_row_file, head_hash),
    INTEGER(sa_row_file, offset),
    INTEGER(sa_row_file, marker_len),
    INTEGER(sa_row_file, marker_hash),
    INTEGER(sa_row_file, seen_ms),
    INTEGER(sa_row_file, open),
    TEXT(sa_row_file, cursor),
    BLOB(sa_row_file, reader),
    INTEGER(sa_row_file, first_hash),
    END,
};

static const struct sa_column count_columns[] = {
    KEY(sa_row_count, source, SA_TEXT),  KEY(sa_row_count, code, SA_INTEGER),
    KEY(sa_row_count, method, SA_TEXT),  INTEGER(sa_row_count, responses),
    INTEGER(sa_row_count, received),     INTEGER(sa_row_count, sent),
    INTEGER(sa_row_count, last_seen_ms), END,
};

static const struct sa_column gauge_columns[] = {
    KEY(sa_row_gauge, code, SA_INTEGER),
    BLOB(sa_row_gauge, window),
    END,
};

static const struct sa_column group_columns[] = {
    KEY(sa_row_group, rule, SA_TEXT),     KEY(sa_row_group, source, SA_TEXT),
    INTEGER(sa_row_group, counted),       INTEGER(sa_row_group, state),
    INTEGER(sa_row_group, level),         INTEGER(sa_row_group, fall_to),
    INTEGER(sa_row_group, since_mono_ms), TEXT(sa_row_group, evidence),
    BLOB(sa_row_group, windows),          END,
};

#define ALARM_COLUMNS(row, base)                                                                             \
    OF_ALARM(row, base, identity, SA_TEXT), OF_ALARM(row, base, severity, SA_INTEGER),                       \
        OF_ALARM(row, base, kind, SA_INTEGER), OF_ALARM(row, base, rule, SA_TEXT),                           \
        OF_ALARM(row, base, source, SA_TEXT), OF_ALARM(row, base, peer, SA_TEXT),                            \
        OF_ALARM(row, base, codes, SA_TEXT), OF_ALARM(row, base, value, SA_INTEGER),                         \
        OF_ALARM(row, base, unit, SA_INTEGER), OF_ALARM(row, base, threshold, SA_INTEGER),                   \
        OF_ALARM(row, base, window_s, SA_INTEGER), OF_ALARM(row, base, total, SA_INTEGER),                   \
        OF_ALARM(row, base, raised_ms, SA_INTEGER), OF_ALARM(row, base, changed_ms, SA_INTEGER),             \
        OF_ALARM(row, base, text, SA_TEXT), OF_ALARM(row, base, remediation, SA_TEXT),                       \
        OF_ALARM(row, base, evidence, SA_TEXT)

static const struct sa_column alarm_columns[] = {
    KEY(sa_row_alarm, id, SA_INTEGER),
    ALARM_COLUMNS(sa_row_alarm, 0),
    END,
};

static const struct sa_column event_columns[] = {
    KEY(sa_row_event, sequence, SA_INTEGER),
    INTEGER(sa_row_event, transition),
    INTEGER(sa_row_event, wanted),
    INTEGER(sa_row_event, taken),
    OF_ALARM(sa_row_event, offsetof(struct sa_row_event, alarm), id, SA_INTEGER),
    ALARM_COLUMNS(sa_row_event, offsetof(struct sa_row_event, alarm)),
    END,
};

static const struct sa_column recent_columns[] = {
    KEY(sa_row_recent, source, SA_TEXT),
    KEY(sa_row_recent, piece, SA_INTEGER),
    BLOB(sa_row_recent, responses),
    END,
};

const struct sa_table_def sa_tables[SA_TABLES] = {
    [SA_TABLE_DAEMON] = {"daemon", daemon_columns, sizeof(struct sa_row_daemon)},
    [SA_TABLE_SOURCES] = {"sources", source_columns, sizeof(struct sa_row_source)},
    [SA_TABLE_FILES] = {"files", file_columns, sizeof(struct sa_row_file)},
    [SA_TABLE_COUNTS] = {"counts", count_columns, sizeof(struct sa_row_count)},
    [SA_TABLE_GAUGES] = {"gauges", gauge_columns, sizeof(struct sa_row_gauge)},
    [SA_TABLE_GROUPS] = {"groups", group_columns, sizeof(struct sa_row_group)},
    [SA_TABLE_ALARMS] = {"alarms", alarm_columns, sizeof(struct sa_row_alarm)},
    [SA_TABLE_EVENTS] = {"events", event_columns, sizeof(struct sa_row_event)},
    [SA_TABLE_RECENT] = {"recent", recent_columns, sizeof(struct sa_row_recent)},
};

#define ALARM_SCHEMA                                                                                         \
    "identity TEXT, severity INTEGER, kind INTEGER, rule TEXT, source TEXT, peer TEXT, codes TEXT, "         \
    "value INTEGER, unit INTEGER, threshold INTEGER, window_s INTEGER, total INTEGER, raised_ms INTEGER, "   \
    "changed_ms INTEGER, text TEXT, remediation TEXT, evidence TEXT"

const char *const sa_schema_steps[] = {
    /* 0 to 1 */
    "CREATE TABLE daemon (id INTEGER PRIMARY KEY, version TEXT, boot_id TEXT, mono_ms INTEGER, wall_ms "
    "INTEGER, "
    "counters_since_ms INTEGER, last_file_id INTEGER, last_alarm_id INTEGER, alarms_changed_ms INTEGER, "
    "sequence INTEGER, sent INTEGER, suppressed INTEGER);"
    "CREATE TABLE sources (name TEXT PRIMARY KEY, format TEXT, lines INTEGER, bytes INTEGER, "
    "responses INTEGER, matched INTEGER, unmatched INTEGER, oversize INTEGER, nul_bytes INTEGER, "
    "partial_dropped INTEGER, lost INTEGER, rotations INTEGER, truncations INTEGER, last_line_ms INTEGER, "
    "last_response_ms INTEGER) WITHOUT ROWID;"
    "CREATE TABLE files (id INTEGER PRIMARY KEY, source TEXT, path TEXT, dev INTEGER, ino INTEGER, "
    "generation INTEGER, head_len INTEGER, head_hash INTEGER, offset INTEGER, marker_len INTEGER, "
    "marker_hash INTEGER, seen_ms INTEGER, open INTEGER, cursor TEXT, reader BLOB);"
    "CREATE TABLE counts (source TEXT, code INTEGER, method TEXT, responses INTEGER, received INTEGER, "
    "sent INTEGER, last_seen_ms INTEGER, PRIMARY KEY (source, code, method)) WITHOUT ROWID;"
    "CREATE TABLE gauges (code INTEGER PRIMARY KEY, window BLOB);"
    "CREATE TABLE groups (rule TEXT, source TEXT, counted INTEGER, state INTEGER, level INTEGER, "
    "fall_to INTEGER, since_mono_ms INTEGER, evidence TEXT, windows BLOB, PRIMARY KEY (rule, source)) "
    "WITHOUT ROWID;"
    "CREATE TABLE alarms (id INTEGER PRIMARY KEY, " ALARM_SCHEMA ");"
    "CREATE TABLE events (sequence INTEGER PRIMARY KEY, transition INTEGER, wanted INTEGER, taken INTEGER, "
    "id INTEGER, " ALARM_SCHEMA ");",
    /* 1 to 2: lines that log daemons said they dropped */
    "ALTER TABLE sources ADD COLUMN undercount INTEGER DEFAULT 0;",
    /*
     * 2 to 3: what a file that is shorter than its head begins with; responses that may be sent again; what
     * the master agent's bit meant until now is two sinks, the master and receivers of our own (outbox.h)
     */
    "UPDATE events SET wanted = wanted | 4 WHERE wanted & 1;"
    "ALTER TABLE files ADD COLUMN first_hash INTEGER DEFAULT 0;"
    "CREATE TABLE recent (source TEXT, piece INTEGER, responses BLOB, PRIMARY KEY (source, piece));",
};

const int sa_schema_version = (int)(sizeof sa_schema_steps / sizeof sa_schema_steps[0]);
