/*
 * Rows of the state database that something else wrote: each is left out, told with its table, and gone after
 * the next save, and the daemon goes on with the rest.
 */
#include "check.h"
#include "earlier_life.h"
#include "positions.h"
#include "stream.h"

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <unistd.h>

static char dir[64];

static int
remove_one(const char *name, const struct stat *status, int kind, struct FTW *ftw)
{
    (void)status;
    (void)kind;
    (void)ftw;
    return remove(name);
}

static int
setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/test_bad_rows.XXXXXX");
    assert_non_null(mkdtemp(dir));
    sa_life_prepare(dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static int64_t
sql(const char *text)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    char path[128];
    int64_t value = INT64_MIN;

    snprintf(path, sizeof path, "%s/state.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (const char *rest = text; *rest != '\0';) {
        int code = sqlite3_prepare_v2(db, rest, -1, &statement, &rest);

        if (code == SQLITE_OK && statement != NULL)
            code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            value = sqlite3_column_int64(statement, 0);
        else if (code != SQLITE_DONE && code != SQLITE_OK)
            fail_msg("%s: %s", text, sqlite3_errmsg(db));
        sqlite3_finalize(statement);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}

/* One sound row of each table, with all that the daemon of an hour ago could have left. */
static const char sound_rows[] =
    "INSERT INTO daemon VALUES (1, '0.1.0', '', 1000000, strftime('%s', 'now') * 1000, 1000, 9, 7, 1000, 20, "
    "5, 0);"
    "INSERT INTO sources (name, format, lines, bytes, responses, matched, unmatched, oversize, nul_bytes, "
    "partial_dropped, lost, rotations, truncations, last_line_ms, last_response_ms, undercount) "
    "VALUES ('edge', '', 10, 900, 5, 5, 5, 0, 0, 0, 0, 0, 0, 1000, 1000, 0);"
    "INSERT INTO bookmarks VALUES ('edge', '1', 'dev=1 ino=2 generation=3 head_len=64 head_hash=5 "
    "first_hash=0 offset=900 marker_len=64 marker_hash=6 seen_ms=' || (strftime('%s', 'now') * 1000) || "
    "' open=1 path=/var/log/a.log', x'');"
    "INSERT INTO counts VALUES ('', 302, '', 5, 3, 2, 1000), ('', 302, 'INVITE', 5, 0, 0, 0),"
    "('edge', 302, '', 5, 3, 2, 1000), ('edge', 404, 'BYE', 1, 0, 0, 0);"
    "INSERT INTO gauges VALUES (302, x'01f80305');" /* five responses at second 504 */
    "INSERT INTO groups VALUES ('redirects', 'edge', '', '', 0, 0, 1, 1, -1, 0, 0, 0, 0, 0, '', x'');"
    "INSERT INTO alarms VALUES (7, 'edge1/redirects/edge', 5, 1, 'redirects', 'edge', '', '302', 20, 1, 20, "
    "60, 100,"
    "1000, 1000, 'text', 'remediation', '', '', 0, 0);"
    "INSERT INTO events VALUES (20, 1, 2, 0, 7, 'edge1/redirects/edge', 5, 1, 'redirects', 'edge', '', "
    "'302', 20, 1,"
    "20, 60, 100, 1000, 1000, 'text', 'remediation', '', '', 0, 0);"
    "INSERT INTO recent VALUES ('edge', 5, x'0102');"
    "INSERT INTO indexes VALUES ('edge', 3), ('gone', 4);";

static void
begin_again(const char *name, const char *bad, const char *expected)
{
    struct sa_life life;
    char in_the_log[64];

    if (bad[0] != '\0')
        (void)sql(bad);
    sa_life_go_on(&life, dir);
    if (expected == NULL) {
        CHECK_STR(name, life.said, "");
        CHECK_STR(name, life.fault, "");
        return;
    }
    CHECK_HAS(name, life.fault, expected);
    snprintf(in_the_log, sizeof in_the_log, "(%s)", expected);
    CHECK_HAS(name, life.said, in_the_log);
    CHECK_STR(name, life.fault + strlen(life.fault) - strlen(expected), expected);
}

static void
go_on(const char *name, const char *bad, const char *expected)
{
    (void)sql(sound_rows);
    begin_again(name, bad, expected);
}

static void
test_sound_rows(void **state)
{
    (void)state;
    go_on("sound", "", NULL);
    assert_int_equal(
        sql("SELECT responses FROM counts WHERE source = '' AND code = 302 AND method = ''") >= 5, true);
}

#define LONG "hex(zeroblob(2000))" /* 4,000 bytes */

/* One word of the place of the log is another. */
#define PLACE(is, was) "UPDATE bookmarks SET value = replace(value, '" was "', '" is "')"

static const struct {
    const char *bad, *expected;
} cases[] = {
    /* Overlong, empty and cut texts. */
    {"UPDATE counts SET method = " LONG " WHERE source = '' AND method != ''", "counts 1"},
    {"UPDATE counts SET source = " LONG " WHERE code = 404", "counts 1"},
    {"UPDATE counts SET method = 'IN VITE' WHERE code = 404", "counts 1"},
    {"UPDATE counts SET method = 'INVITE' || char(0) || 'X' WHERE code = 404", "counts 1"},
    {"UPDATE counts SET method = 'INV' || char(10) WHERE code = 404", "counts 1"},
    {"UPDATE sources SET name = " LONG, "sources 1"},
    {"UPDATE sources SET format = " LONG, "sources 1"},
    {"UPDATE daemon SET boot_id = " LONG, "daemon 1"},
    {"UPDATE bookmarks SET value = value || " LONG " || " LONG " || " LONG, "bookmarks 1"},
    {"UPDATE bookmarks SET value = value || char(0) || '.log'", "bookmarks 1"},
    {"UPDATE bookmarks SET source = ''", "bookmarks 1"},
    {"UPDATE bookmarks SET source = " LONG, "bookmarks 1"},
    {"UPDATE bookmarks SET key = ''", "bookmarks 1"},
    {"UPDATE bookmarks SET key = " LONG, "bookmarks 1"},
    {"UPDATE bookmarks SET value = ''", "bookmarks 1"},
    {"UPDATE bookmarks SET value = 'dev=1'", "bookmarks 1"},
    {PLACE("ino=2x ", "ino=2 "), "bookmarks 1"},
    {PLACE("ino= ", "ino=2 "), "bookmarks 1"},
    {PLACE("ino=+2 ", "ino=2 "), "bookmarks 1"},
    {PLACE("ino=9223372036854775808 ", "ino=2 "), "bookmarks 1"},
    {PLACE("", "ino=2 "), "bookmarks 1"},
    {PLACE("path", "path="), "bookmarks 1"},
    {"UPDATE bookmarks SET key = 'cursor', value = 's=1'", "bookmarks 1"},
    {"UPDATE alarms SET peer = " LONG, "alarms 1"},
    {"UPDATE alarms SET text = " LONG, "alarms 1"},
    {"UPDATE alarms SET identity = 'a' || char(0) || 'b'", "alarms 1"},
    {"UPDATE events SET remediation = " LONG, "events 1"},
    {"UPDATE groups SET evidence = " LONG, "groups 1"},
    {"UPDATE groups SET peer = " LONG, "groups 1"},
    {"UPDATE groups SET method = " LONG, "groups 1"},
    {"UPDATE alarms SET method = " LONG, "alarms 1"},
    {"UPDATE recent SET source = " LONG, "recent 1"},
    /* Lengths and places in a file. */
    {PLACE("offset=5000 marker_len=4500", "offset=900 marker_len=64"), "bookmarks 1"},
    {PLACE("marker_len=-1", "marker_len=64"), "bookmarks 1"},
    {PLACE("offset=100 marker_len=1024", "offset=900 marker_len=64"), "bookmarks 1"},
    {PLACE("head_len=1025", "head_len=64"), "bookmarks 1"},
    {PLACE("head_len=-9223372036854775807", "head_len=64"), "bookmarks 1"},
    {PLACE("offset=-1 marker_len=0", "offset=900 marker_len=64"), "bookmarks 1"},
    {PLACE("offset=9223372036854775807", "offset=900"), "bookmarks 1"},
    {"UPDATE bookmarks SET key = '9223372036854775807'", "bookmarks 1"},
    {"UPDATE bookmarks SET key = '0'", "bookmarks 1"},
    {"UPDATE bookmarks SET key = '-1'", "bookmarks 1"},
    {"UPDATE bookmarks SET key = '1x'", "bookmarks 1"},
    {PLACE("open=2", "open=1"), "bookmarks 1"},
    /* Enumerations. */
    {"UPDATE events SET transition = 100000", "events 1"},
    {"UPDATE events SET transition = 6", "events 1"},
    {"UPDATE events SET transition = -1", "events 1"},
    {"UPDATE events SET wanted = 8", "events 1"},
    {"UPDATE events SET severity = 0", "events 1"},
    {"UPDATE events SET kind = 4", "events 1"},
    {"UPDATE alarms SET kind = 9", "alarms 1"},
    {"UPDATE alarms SET severity = 1", "alarms 1"},
    {"UPDATE alarms SET severity = 7", "alarms 1"},
    {"UPDATE alarms SET unit = 4", "alarms 1"},
    {"UPDATE groups SET state = 5", "groups 1"},
    {"UPDATE groups SET level = 4", "groups 1"},
    {"UPDATE groups SET state = 3", "groups 1"}, /* firing at no level */
    {"UPDATE groups SET code = -1", "groups 1"},
    {"UPDATE groups SET code = 1000", "groups 1"},
    {"UPDATE groups SET overflow = 2", "groups 1"},
    {"UPDATE alarms SET code = -1", "alarms 1"},
    {"UPDATE events SET overflow = 2", "events 1"},
    {"UPDATE counts SET code = 1000 WHERE code = 404", "counts 1"},
    {"UPDATE counts SET code = 99 WHERE code = 404", "counts 1"},
    {"UPDATE gauges SET code = -302", "gauges 1"},
    {"UPDATE recent SET piece = 65", "recent 1"},
    {"UPDATE indexes SET number = 0 WHERE name = 'gone'", "indexes 1"},
    {"UPDATE indexes SET number = 2147483648 WHERE name = 'gone'", "indexes 1"},
    {"UPDATE indexes SET number = 3", "indexes 1"}, /* of two sources */
    {"UPDATE indexes SET name = " LONG " WHERE name = 'gone'", "indexes 1"},
    {"UPDATE indexes SET name = x'00' WHERE name = 'gone'", "indexes 1"},
    /* Counters and numbers. */
    {"UPDATE counts SET responses = -1 WHERE code = 404", "counts 1"},
    {"UPDATE counts SET received = 6 WHERE source = 'edge' AND method = ''", "counts 1"},
    {"UPDATE counts SET sent = 1 WHERE code = 404", "counts 1"},
    {"UPDATE sources SET bytes = -1", "sources 1"},
    {"UPDATE sources SET lines = 9223372036854775807", "sources 1"},
    {"UPDATE daemon SET sequence = 4294967295", "daemon 1"},
    {"UPDATE daemon SET last_alarm_id = -1", "daemon 1"},
    {"UPDATE daemon SET id = 2", "daemon 1"},
    {"UPDATE alarms SET id = 0", "alarms 1"},
    {"UPDATE alarms SET value = 4294967296", "alarms 1"},
    {"UPDATE events SET sequence = 21", "events 1"}, /* was never given */
    {"UPDATE events SET sequence = -20", "events 1"},
    /* Times. */
    {"UPDATE daemon SET wall_ms = -1", "daemon 1"},
    {"UPDATE daemon SET mono_ms = 9223372036854775807", "daemon 1"},
    {"UPDATE counts SET last_seen_ms = 9223372036854775807 WHERE code = 404", "counts 1"},
    {"UPDATE alarms SET raised_ms = -9223372036854775807", "alarms 1"},
    {PLACE("seen_ms=253402300", "seen_ms=1"), "bookmarks 1"},
    {"UPDATE groups SET since_mono_ms = 9000000000", "groups 1"}, /* later than the daemon was */
    {"UPDATE groups SET below_minor_mono_ms = 9000000000", "groups 1"},
    {"UPDATE gauges SET window = x'01ffffffffff1f05'", "gauges 1"}, /* likewise */
    /* Windows and other blobs. */
    {"UPDATE gauges SET window = x'02f80305'", "gauges 1"},             /* one second is missing */
    {"UPDATE gauges SET window = x'01f8030505'", "gauges 1"},           /* one byte too many */
    {"UPDATE gauges SET window = x'01f803ffffffffffff7f'", "gauges 1"}, /* too many responses for a second */
    {"UPDATE groups SET windows = zeroblob(7) || x'09'", "groups 1"},
    {"UPDATE groups SET windows = x'00000000000001ff7f00'", "groups 1"}, /* code 16383 */
    {"UPDATE groups SET windows = x'ff'", "groups 1"},
    {"UPDATE recent SET responses = x'01'", "recent 1"},
    {"UPDATE recent SET responses = x'01ffffffffff7f'", "recent 1"},
    /* Types. */
    {"UPDATE counts SET responses = 'many' WHERE code = 404", "counts 1"},
    {"UPDATE counts SET responses = 1.5 WHERE code = 404", "counts 1"},
    {"UPDATE counts SET responses = NULL WHERE code = 404", "counts 1"},
    {"UPDATE counts SET responses = x'05' WHERE code = 404", "counts 1"},
    {"UPDATE counts SET method = x'494e56495445' WHERE code = 404", "counts 1"},
    {"UPDATE counts SET code = 'abc' WHERE code = 404", "counts 1"},
    {"UPDATE sources SET format = NULL", "sources 1"},
    {"UPDATE sources SET name = x'65646765'", "sources 1"},
    {"UPDATE bookmarks SET value = x'2f61'", "bookmarks 1"},
    {"UPDATE bookmarks SET value = NULL", "bookmarks 1"},
    {"UPDATE bookmarks SET reader = 'text'", "bookmarks 1"},
    {"UPDATE bookmarks SET reader = NULL", "bookmarks 1"},
    {"UPDATE gauges SET window = 17", "gauges 1"},
    {"UPDATE groups SET rule = x'00'", "groups 1"},
    {"UPDATE alarms SET text = x'00'", "alarms 1"},
    {"UPDATE alarms SET severity = 'minor'", "alarms 1"},
    {"UPDATE events SET identity = NULL", "events 1"},
    {"UPDATE recent SET source = NULL", "recent 1"},
    {"UPDATE recent SET piece = NULL", "recent 1"},
    {"UPDATE daemon SET version = NULL", "daemon 1"},
    /* Several, and all at once. */
    {"UPDATE counts SET responses = -1", "counts 4"},
    {"UPDATE counts SET responses = -1; UPDATE alarms SET unit = 9", "counts 4, alarms 1"},
};

static void
test_bad_rows(void **state)
{
    for (size_t i = 0; i < ROWS(cases); i++) {
        go_on(cases[i].bad, cases[i].bad, cases[i].expected);
        teardown(state);
        setup(state);
    }
}

/*
 * What was saved before a reboot holds times of a clock that began anew: with the first save in the new life
 * nothing of that is left, so that it is not taken for a time to come when the daemon starts once more.
 */
static void
test_times_of_another_boot(void **state)
{
    (void)state;
    go_on("reboot",
          "UPDATE daemon SET mono_ms = 9000000000000;"
          "INSERT INTO counts VALUES ('', 404, '', 1, 0, 0, 1000);"
          "INSERT INTO gauges VALUES (404, x'0198acc4c32105');"
          "UPDATE groups SET since_mono_ms = 8999999000000;"
          "INSERT INTO groups VALUES ('no-rule', 'edge', '', '', 0, 0, 1, 1, -1, 8999999000000, 0, 0, 0, 0, "
          "'', x'')",
          NULL);
    assert_int_equal(sql("SELECT count(*) FROM groups WHERE since_mono_ms > 8000000000000"), 0);
    assert_int_equal(sql("SELECT count(*) FROM gauges WHERE code = 404 AND window = x'0198acc4c32105'"), 0);
}

/* What is sound beside a bad row is kept. */
static void
test_the_rest_stands(void **state)
{
    (void)state;
    go_on("rest", "UPDATE counts SET responses = -1 WHERE code = 404; UPDATE daemon SET wall_ms = -1",
          "daemon 1, counts 1");
    assert_int_equal(sql("SELECT count(*) FROM counts WHERE code = 404"), 0);
    assert_true(sql("SELECT responses FROM counts WHERE source = 'edge' AND code = 302 AND method = ''") >=
                5);
    assert_int_equal(sql("SELECT count(*) FROM bookmarks WHERE key = '1'"), 1);
    /* The numbers that go on were lost with their row, and none that is in use is given again. */
    assert_true(sql("SELECT sequence FROM daemon") > 20);
    assert_true(sql("SELECT last_alarm_id FROM daemon") > 7);
}

/* Behind the last number of a source that there can be none is left to go up to: a free one is taken. */
static void
test_last_index(void **state)
{
    (void)state;
    go_on("last index", "DELETE FROM indexes WHERE name = 'edge'; UPDATE indexes SET number = 2147483647",
          NULL);
    assert_int_equal(sql("SELECT number FROM indexes WHERE name = 'gone'"), 2147483647);
    assert_int_equal(sql("SELECT number FROM indexes WHERE name = 'edge'"), 1);
    assert_int_equal(sql("SELECT number FROM indexes WHERE name = 'core'"), 2);
}

/* The message that was being read, as it lay in the memory of an earlier version, and otherwise. */
static void
test_bad_readers(void **state)
{
    static const char *const readers[] = {
        "x'01' || zeroblob(591)", /* a struct: in the middle of an introduction, of no family */
        "x'0100000000000000' || zeroblob(584)",
        "x'02' || zeroblob(591)",
        "x'03' || zeroblob(500)",
        "x'00'", /* no such version */
        "x'02'",
        "x'ff'",
        "zeroblob(4096)",
        "x'ffffffffffffffffffffff'",
    };
    char bad[256];

    for (size_t i = 0; i < ROWS(readers); i++) {
        snprintf(bad, sizeof bad, "UPDATE bookmarks SET reader = CAST(%s AS BLOB)", readers[i]);
        go_on(bad, bad, "bookmarks 1");
        assert_int_equal(
            sql("SELECT count(*) FROM bookmarks WHERE key = '1' AND value LIKE '% offset=900 %'"),
            1); /* the place stands */
        teardown(state);
        setup(state);
    }
}

/* Makes the row of the file that of the log that is there, which shows less than was read of it. */
static void
be_of_the_log(void)
{
    char log[128], command[512], line[64] = "";
    FILE *file;
    struct stat status;
    int fd;

    snprintf(log, sizeof log, "%s/proxy.log", dir);
    file = fopen(log, "w");
    assert_non_null(file);
    for (int n = 0; n < 10; n++)
        fprintf(file, "%063d\n", n);
    fclose(file);
    memset(line, '0', sizeof line - 1);
    line[sizeof line - 1] = '\n';
    fd = open(log, O_RDONLY);
    assert_int_equal(fstat(fd, &status), 0);
    snprintf(
        command, sizeof command,
        "UPDATE bookmarks SET value = 'dev=%lld ino=%lld generation=%lld head_len=1024 head_hash=5 "
        "first_hash=%lld offset=5000 marker_len=1024 marker_hash=6 seen_ms=' || (strftime('%%s', 'now') * "
        "1000) || ' open=1 path=%s'",
        (long long)status.st_dev, (long long)status.st_ino, (long long)sa_position_generation(fd),
        (long long)sa_position_hash(line, sizeof line), log);
    close(fd);
    (void)sql(command);
}

static void
test_bad_positions_of_the_log(void **state)
{
    static const char *const bad[] = {
        PLACE("offset=-4000", "offset=5000"),
        PLACE("offset=-4000 marker_len=0", "offset=5000 marker_len=1024"),
        PLACE("offset=9223372036854775807 marker_len=-9223372036854775807", "offset=5000 marker_len=1024"),
        PLACE("marker_len=5000", "marker_len=1024"),
        PLACE("marker_len=-1", "marker_len=1024"),
        PLACE("head_len=5000", "head_len=1024"),
    };

    for (size_t i = 0; i < ROWS(bad); i++) {
        (void)sql(sound_rows);
        be_of_the_log();
        begin_again(bad[i], bad[i], "bookmarks 1");
        teardown(state);
        setup(state);
    }
}

/* A table that is gone, or another: that is no state, and it is set aside as a damaged one. */
static void
test_missing_tables(void **state)
{
    static const char *const damages[] = {
        "DROP TABLE counts", "ALTER TABLE alarms RENAME COLUMN peer TO other", "DROP TABLE daemon"};

    for (size_t i = 0; i < ROWS(damages); i++) {
        struct sa_store *store;
        enum sa_store_found found;
        char text[SA_STORE_TEXT];

        (void)sql(sound_rows);
        (void)sql(damages[i]);
        assert_int_equal(sa_store_open(dir, &store, &found, text), 0);
        CHECK_INT(damages[i], found, SA_STORE_DAMAGED);
        assert_true(sa_store_close(store, 1000));
        teardown(state);
        setup(state);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sound_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_times_of_another_boot, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_rest_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(test_last_index, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_readers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_positions_of_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_tables, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
