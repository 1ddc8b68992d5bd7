#include "tables.h"
#include "alarm.h"

/*
 * What a column can hold.  The bounds are wide: they are there to tell what was counted or seen from what
 * something else wrote into the file, and so that no sum of a few of them overflows.
 */
#define COUNTER_MAX        (INT64_C(1) << 60)
#define WALL_MAX_MS        INT64_C(253402300799999) /* the end of the year 9999 */
#define MONO_MAX_MS        (INT64_C(1) << 53)
#define NUMBER_MAX         INT32_MAX /* of alarms and events: no daemon counts so far */
#define LEVEL_MAX          3
#define SINKS_MAX          7
#define PIECE_MAX          64
#define BLOB_MAX           (16 << 20)
#define BOOKMARK_KEY_MAX   63
#define BOOKMARK_VALUE_MAX 8191
#define READER_MAX         4096

/* clang-format off */
#define INTEGER(row, field, min, max)  {#field, offsetof(struct row, field), SA_INTEGER, false, min, max}
#define TEXT(row, field, min, max)     {#field, offsetof(struct row, field), SA_TEXT, false, min, max}
#define BLOB(row, field, max)          {#field, offsetof(struct row, field), SA_BLOB, false, 0, max}
#define KEY(row, field, kind, min, max) {#field, offsetof(struct row, field), kind, true, min, max}
#define COUNTER(row, field)            INTEGER(row, field, 0, COUNTER_MAX)
#define WALL(row, field)               INTEGER(row, field, 0, WALL_MAX_MS)
#define ANY(row, field)                INTEGER(row, field, INT64_MIN, INT64_MAX) /* hashes, numbers of a disk */
#define END                            {NULL, 0, SA_INTEGER, false, 0, 0}

static const struct sa_column daemon_columns[] = {
    KEY(sa_row_daemon, id, SA_INTEGER, 1, 1),
    TEXT(sa_row_daemon, version, 0, 63),
    TEXT(sa_row_daemon, boot_id, 0, 63),
    INTEGER(sa_row_daemon, mono_ms, 0, MONO_MAX_MS),
    WALL(sa_row_daemon, wall_ms),
    WALL(sa_row_daemon, counters_since_ms),
    INTEGER(sa_row_daemon, last_alarm_id, 0, NUMBER_MAX),
    WALL(sa_row_daemon, alarms_changed_ms),
    INTEGER(sa_row_daemon, sequence, 0, NUMBER_MAX),
    COUNTER(sa_row_daemon, sent),
    COUNTER(sa_row_daemon, suppressed),
    END,
};

static const struct sa_column source_columns[] = {
    KEY(sa_row_source, name, SA_TEXT, 0, SA_NAME_SIZE - 1),
    TEXT(sa_row_source, format, 0, SA_LONG_SIZE - 1),
    COUNTER(sa_row_source, lines),
    COUNTER(sa_row_source, bytes),
    COUNTER(sa_row_source, responses),
    COUNTER(sa_row_source, matched),
    COUNTER(sa_row_source, unmatched),
    COUNTER(sa_row_source, oversize),
    COUNTER(sa_row_source, nul_bytes),
    COUNTER(sa_row_source, partial_dropped),
    COUNTER(sa_row_source, lost),
    COUNTER(sa_row_source, rotations),
    COUNTER(sa_row_source, truncations),
    COUNTER(sa_row_source, undercount),
    COUNTER(sa_row_source, match_limit),
    WALL(sa_row_source, distrusted_ms),
    WALL(sa_row_source, looked_ms),
    WALL(sa_row_source, last_line_ms),
    WALL(sa_row_source, last_response_ms),
    END,
};

static const struct sa_column bookmark_columns[] = {
    KEY(sa_row_bookmark, source, SA_TEXT, 1, SA_NAME_SIZE - 1),
    KEY(sa_row_bookmark, key, SA_TEXT, 1, BOOKMARK_KEY_MAX),
    TEXT(sa_row_bookmark, value, 0, BOOKMARK_VALUE_MAX),
    BLOB(sa_row_bookmark, reader, READER_MAX),
    END,
};

static const struct sa_column count_columns[] = {
    KEY(sa_row_count, source, SA_TEXT, 0, SA_NAME_SIZE - 1),
    KEY(sa_row_count, code, SA_INTEGER, SA_CODE_MIN, SA_CODE_MAX),
    KEY(sa_row_count, method, SA_TEXT, 0, SA_METHOD_SIZE - 1),
    COUNTER(sa_row_count, responses),
    COUNTER(sa_row_count, received),
    COUNTER(sa_row_count, sent),
    WALL(sa_row_count, last_seen_ms),
    END,
};

static const struct sa_column gauge_columns[] = {
    KEY(sa_row_gauge, code, SA_INTEGER, SA_CODE_MIN, SA_CODE_MAX),
    BLOB(sa_row_gauge, window, BLOB_MAX),
    END,
};

#define BELOW(name, level)                                                                                   \
    {name, offsetof(struct sa_row_group, below_mono_ms) + (level) * sizeof(int64_t), SA_INTEGER, false,      \
     -MONO_MAX_MS, MONO_MAX_MS}
static const struct sa_column group_columns[] = {
    KEY(sa_row_group, rule, SA_TEXT, 1, SA_NAME_SIZE - 1),
    KEY(sa_row_group, source, SA_TEXT, 0, SA_NAME_SIZE - 1),
    KEY(sa_row_group, peer, SA_TEXT, 0, SA_PEER_SIZE - 1),
    KEY(sa_row_group, method, SA_TEXT, 0, SA_METHOD_SIZE - 1),
    KEY(sa_row_group, code, SA_INTEGER, 0, SA_CODE_MAX),
    KEY(sa_row_group, overflow, SA_INTEGER, 0, 1),
    ANY(sa_row_group, counted),
    INTEGER(sa_row_group, state, SA_ROW_STATE_OK, SA_ROW_STATE_CLEARING),
    INTEGER(sa_row_group, level, -1, LEVEL_MAX),
    INTEGER(sa_row_group, since_mono_ms, -MONO_MAX_MS, MONO_MAX_MS),
    BELOW("below_warning_mono_ms", 0),
    BELOW("below_minor_mono_ms", 1),
    BELOW("below_major_mono_ms", 2),
    BELOW("below_critical_mono_ms", 3),
    TEXT(sa_row_group, evidence, 0, SA_CALLID_SIZE - 1),
    BLOB(sa_row_group, windows, BLOB_MAX),
    END,
};

#define ALARM_INTEGER(base, f, min, max) {#f, (base) + offsetof(struct sa_row_alarm, f), SA_INTEGER, false, min, max}
#define ALARM_TEXT(base, f, size)        {#f, (base) + offsetof(struct sa_row_alarm, f), SA_TEXT, false, 0, (size) - 1}
#define ALARM_COLUMNS(base)                                                                                  \
    ALARM_TEXT(base, identity, SA_IDENT_SIZE),                                                               \
    ALARM_INTEGER(base, severity, SA_SEV_CLEARED, SA_SEV_WARNING),                                           \
    ALARM_INTEGER(base, kind, SA_KIND_REDIRECT, SA_KIND_STATE_LOST),                                         \
    ALARM_TEXT(base, rule, SA_NAME_SIZE),                                                                    \
    ALARM_TEXT(base, source, SA_NAME_SIZE),                                                                  \
    ALARM_TEXT(base, peer, SA_PEER_SIZE),                                                                    \
    ALARM_TEXT(base, codes, SA_CODES_SIZE),                                                                  \
    ALARM_INTEGER(base, value, 0, UINT32_MAX),                                                               \
    ALARM_INTEGER(base, unit, SA_UNIT_RESPONSES, SA_UNIT_MILLI_PER_SECOND),                                  \
    ALARM_INTEGER(base, threshold, 0, UINT32_MAX),                                                           \
    ALARM_INTEGER(base, window_s, 0, UINT32_MAX),                                                            \
    ALARM_INTEGER(base, total, 0, UINT32_MAX),                                                               \
    ALARM_INTEGER(base, raised_ms, 0, WALL_MAX_MS),                                                          \
    ALARM_INTEGER(base, changed_ms, 0, WALL_MAX_MS),                                                         \
    ALARM_TEXT(base, text, SA_TEXT_SIZE),                                                                    \
    ALARM_TEXT(base, remediation, SA_LONG_SIZE),                                                             \
    ALARM_TEXT(base, evidence, SA_CALLID_SIZE),                                                              \
    ALARM_TEXT(base, method, SA_METHOD_SIZE),                                                                \
    ALARM_INTEGER(base, code, 0, SA_CODE_MAX),                                                               \
    ALARM_INTEGER(base, overflow, 0, 1)

static const struct sa_column alarm_columns[] = {
    KEY(sa_row_alarm, id, SA_INTEGER, 1, NUMBER_MAX),
    ALARM_COLUMNS(0),
    END,
};

static const struct sa_column event_columns[] = {
    KEY(sa_row_event, sequence, SA_INTEGER, 1, NUMBER_MAX),
    INTEGER(sa_row_event, transition, SA_RAISED, SA_TEST),
    INTEGER(sa_row_event, wanted, 0, SINKS_MAX),
    INTEGER(sa_row_event, taken, 0, 1),
    ALARM_INTEGER(offsetof(struct sa_row_event, alarm), id, 1, NUMBER_MAX),
    ALARM_COLUMNS(offsetof(struct sa_row_event, alarm)),
    END,
};

static const struct sa_column recent_columns[] = {
    KEY(sa_row_recent, source, SA_TEXT, 1, SA_NAME_SIZE - 1),
    KEY(sa_row_recent, piece, SA_INTEGER, 0, PIECE_MAX),
    BLOB(sa_row_recent, responses, BLOB_MAX),
    END,
};

static const struct sa_column index_columns[] = {
    KEY(sa_row_index, name, SA_TEXT, 1, SA_NAME_SIZE - 1),
    INTEGER(sa_row_index, number, 1, NUMBER_MAX),
    END,
};
/* clang-format on */

/* Each response counts once, in one direction or in none; of a method only the sum is kept. */
static bool
count_is_sound(const void *p)
{
    const struct sa_row_count *row = p;

    for (const char *c = row->method; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return row->method[0] == '\0' ? row->received <= row->responses && row->sent <= row->responses
                                  : row->received == 0 && row->sent == 0;
}

static bool
group_is_sound(const void *p)
{
    const struct sa_row_group *row = p;

    return row->state < SA_ROW_STATE_FIRING || row->level >= 0;
}

static bool
is_kind(int64_t kind)
{
    switch ((enum sa_alarm_kind)kind) {
    case SA_KIND_REDIRECT:
    case SA_KIND_FLOW_FAILURE:
    case SA_KIND_RESPONSE:
    case SA_KIND_SOURCE_BLIND:
    case SA_KIND_UNDERCOUNT:
    case SA_KIND_STATE_LOST:
        return true;
    }
    return false;
}

static bool
is_transition(int64_t transition)
{
    switch ((enum sa_transition)transition) {
    case SA_RAISED:
    case SA_CLEARED:
    case SA_CHANGED:
    case SA_FAULT:
    case SA_RESTORED:
    case SA_TEST:
        return true;
    }
    return false;
}

/* An alarm that is up is not cleared. */
static bool
alarm_is_sound(const void *p)
{
    const struct sa_row_alarm *row = p;

    return is_kind(row->kind) && row->severity != SA_SEV_CLEARED;
}

static bool
event_is_sound(const void *p)
{
    const struct sa_row_event *row = p;

    return is_kind(row->alarm.kind) && is_transition(row->transition);
}

const struct sa_table_def sa_tables[SA_TABLES] = {
    [SA_TABLE_DAEMON] = {"daemon", daemon_columns, sizeof(struct sa_row_daemon), NULL},
    [SA_TABLE_SOURCES] = {"sources", source_columns, sizeof(struct sa_row_source), NULL},
    [SA_TABLE_BOOKMARKS] = {"bookmarks", bookmark_columns, sizeof(struct sa_row_bookmark), NULL},
    [SA_TABLE_COUNTS] = {"counts", count_columns, sizeof(struct sa_row_count), count_is_sound},
    [SA_TABLE_GAUGES] = {"gauges", gauge_columns, sizeof(struct sa_row_gauge), NULL},
    [SA_TABLE_GROUPS] = {"groups", group_columns, sizeof(struct sa_row_group), group_is_sound},
    [SA_TABLE_ALARMS] = {"alarms", alarm_columns, sizeof(struct sa_row_alarm), alarm_is_sound},
    [SA_TABLE_EVENTS] = {"events", event_columns, sizeof(struct sa_row_event), event_is_sound},
    [SA_TABLE_RECENT] = {"recent", recent_columns, sizeof(struct sa_row_recent), NULL},
    [SA_TABLE_INDEXES] = {"indexes", index_columns, sizeof(struct sa_row_index), NULL},
};

#define WATCH_KEY "what log daemons lost of the source: "

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
     * 2 to 3: what a file that is shorter than its head begins with; responses that may be sent again; file
     * systems that contradict themselves; what the master agent's bit meant until now is two sinks, the
     * master and receivers of our own (outbox.h)
     */
    ("UPDATE events SET wanted = wanted | 4 WHERE wanted & 1;"
     "ALTER TABLE files ADD COLUMN first_hash INTEGER DEFAULT 0;"
     "ALTER TABLE sources ADD COLUMN distrusted_ms INTEGER DEFAULT 0;"
     "CREATE TABLE recent (source TEXT, piece INTEGER, responses BLOB, PRIMARY KEY (source, piece));"),
    /*
     * 3 to 4: the message that was being read lay there as in the memory of the version that wrote it; lines
     * that a pattern gave up on
     */
    ("UPDATE files SET reader = x'';"
     "ALTER TABLE sources ADD COLUMN match_limit INTEGER DEFAULT 0;"),
    /* 4 to 5: generations that an earlier life had met and not opened */
    "ALTER TABLE sources ADD COLUMN looked_ms INTEGER DEFAULT 0;",
    /*
     * 5 to 6: groups by more than rule and source; each level has its own time below its limits.  The windows
     * stay as they are; of an alarm that was clearing, clear_for begins anew.
     */
    ("ALTER TABLE groups RENAME TO groups_5;"
     "CREATE TABLE groups (rule TEXT, source TEXT, peer TEXT, method TEXT, code INTEGER, overflow INTEGER, "
     "counted INTEGER, state INTEGER, level INTEGER, since_mono_ms INTEGER, below_warning_mono_ms INTEGER, "
     "below_minor_mono_ms INTEGER, below_major_mono_ms INTEGER, below_critical_mono_ms INTEGER, "
     "evidence TEXT, windows BLOB, PRIMARY KEY (rule, source, peer, method, code, overflow)) WITHOUT ROWID;"
     "INSERT INTO groups SELECT rule, source, '', '', 0, 0, counted, state, level, since_mono_ms, 0, 0, 0, "
     "0, evidence, windows FROM groups_5;"
     "DROP TABLE groups_5;"
     "ALTER TABLE alarms ADD COLUMN method TEXT DEFAULT '';"
     "ALTER TABLE alarms ADD COLUMN code INTEGER DEFAULT 0;"
     "ALTER TABLE alarms ADD COLUMN overflow INTEGER DEFAULT 0;"
     "ALTER TABLE events ADD COLUMN method TEXT DEFAULT '';"
     "ALTER TABLE events ADD COLUMN code INTEGER DEFAULT 0;"
     "ALTER TABLE events ADD COLUMN overflow INTEGER DEFAULT 0;"),
    /* 6 to 7: the numbers of sources in the MIB, which were their places in the configuration */
    "CREATE TABLE indexes (name TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;",
    /*
     * 7 to 8: the places of all kinds of sources in one table, keyed by the source's name.  A journal's row
     * was keyed by the place of its source in the configuration, and of several the latest holds; in its
     * cursor the field t is that entry's time, in 13 hexadecimal digits from 2004 to 2112.
     */
    ("CREATE TABLE bookmarks (source TEXT, key TEXT, value TEXT, reader BLOB, PRIMARY KEY (source, key)) "
     "WITHOUT ROWID;"
     "INSERT OR REPLACE INTO bookmarks SELECT source, 'cursor', cursor, x'' FROM files WHERE id < 0 AND "
     "cursor != '' ORDER BY substr(cursor, instr(cursor, ';t='));"
     "INSERT OR REPLACE INTO bookmarks SELECT CASE WHEN source LIKE '" WATCH_KEY "%' THEN substr(source, "
     "length('" WATCH_KEY "') + 1) ELSE source END, CASE WHEN source LIKE '" WATCH_KEY "%' THEN 'watch ' "
     "|| id ELSE '' || id END, 'dev=' || dev || ' ino=' || ino || ' generation=' || generation || "
     "' head_len=' || head_len || ' head_hash=' || head_hash || ' first_hash=' || first_hash || ' offset=' "
     "|| offset || ' marker_len=' || marker_len || ' marker_hash=' || marker_hash || ' seen_ms=' || "
     "seen_ms || ' open=' || open || ' path=' || path, reader FROM files WHERE id > 0;"
     "DROP TABLE files;"),
};

const int sa_schema_version = (int)(sizeof sa_schema_steps / sizeof sa_schema_steps[0]);
