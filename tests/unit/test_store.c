/* The state database and the store around it: what is kept, what is refused, and what happens to a bad disk.
 */
#include "check.h"
#include "batch.h"
#include "database.h"
#include "store.h"
#include "tables.h"
#include "types.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define APPLICATION_ID 0x53495041

static char dir[64], path[128];

static int
remove_one(const char *name, const struct stat *status, int kind, struct FTW *ftw)
{
    (void)status;
    (void)kind;
    (void)ftw;
    return remove(name);
}

static void
remove_all(void)
{
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int
setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/state.db", dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    remove_all();
    return 0;
}

static void
write_file(const char *name, const void *bytes, size_t len)
{
    FILE *file = fopen(name, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

/* Up to 1 MB; the caller frees it. */
static char *
read_whole(const char *name, size_t *ret_len)
{
    FILE *file = fopen(name, "rb");
    char *bytes = calloc(1, 1 << 20);

    if (file == NULL)
        fail_msg("%s is not there", name);
    *ret_len = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

/* By another program: SQL, and a number that it asks for. */
static int64_t
sql(const char *name, const char *text)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    const char *rest = text;
    int64_t value = INT64_MIN;

    assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
    while (*rest != '\0') {
        int code = sqlite3_prepare_v2(db, rest, -1, &statement, &rest);

        if (code == SQLITE_OK && statement != NULL)
            code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            value = sqlite3_column_int64(statement, 0);
        else if (code != SQLITE_DONE && code != SQLITE_OK)
            fail_msg("%s: %s", rest, sqlite3_errmsg(db));
        sqlite3_finalize(statement);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}

/* Rows of every table, in variants that hold the least, something between and the most of every column. */
enum { VARIANTS = 3 };

static char long_text[10001], long_blob[100000];

/* The table of the daemon has room for one row. */
static unsigned
variants_of(enum sa_table table)
{
    return table == SA_TABLE_DAEMON ? 1 : VARIANTS;
}

static int64_t
integer_of(const struct sa_column *column, unsigned variant)
{
    uint64_t span = (uint64_t)column->max - (uint64_t)column->min;

    if (variant == 1)
        return (int64_t)((uint64_t)column->min + span / 2);
    return variant == 0 ? column->min : column->max;
}

static const char *
text_of(const struct sa_column *column, unsigned variant)
{
    if (variant == 0)
        return column->min == 0 ? "" : "!";
    return variant == 1 ? "'; -- \"\xc3\xbc\xff\n" : long_text + sizeof long_text - 1 - column->max;
}

static struct sa_blob
blob_of(const struct sa_column *column, unsigned variant)
{
    const struct sa_blob blobs[VARIANTS] = {{"", 0}, {"\0", 1}, {long_blob, sizeof long_blob}};
    struct sa_blob blob = blobs[variant];

    if (blob.len > (size_t)column->max)
        blob.len = (size_t)column->max;
    return blob;
}

/* What the columns of a row may not say of each other. */
static void
make_sound(enum sa_table table, unsigned variant, void *row)
{
    struct sa_row_count *count = row;
    struct sa_row_alarm *alarm = table == SA_TABLE_EVENTS ? &((struct sa_row_event *)row)->alarm : row;

    if (table == SA_TABLE_COUNTS && variant > 0) {
        count->method = variant == 1 ? "MESSAGE" : "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz";
        count->received = count->sent = 0;
    }
    if ((table == SA_TABLE_ALARMS || table == SA_TABLE_EVENTS) && variant == 1)
        alarm->kind = SA_KIND_SOURCE_BLIND;
    if (table == SA_TABLE_ALARMS && variant == 0)
        alarm->severity = SA_SEV_CRITICAL;
}

static void
fill_row(enum sa_table table, unsigned variant, void *row)
{
    const struct sa_table_def *def = &sa_tables[table];

    memset(long_text, 'z', sizeof long_text - 1);
    for (unsigned i = 0; i < sizeof long_blob; i++)
        long_blob[i] = (char)(i % 251);
    memset(row, 0, def->row_size);
    for (const struct sa_column *column = def->columns; column->name != NULL; column++) {
        char *field = (char *)row + column->offset;
        int64_t integer = integer_of(column, variant);
        const char *text;
        struct sa_blob blob;

        if (column->kind == SA_INTEGER) {
            memcpy(field, &integer, sizeof integer);
        } else if (column->kind == SA_TEXT) {
            text = text_of(column, variant);
            memcpy(field, &text, sizeof text);
        } else {
            blob = blob_of(column, variant);
            memcpy(field, &blob, sizeof blob);
        }
    }
    make_sound(table, variant, row);
}

static bool
same_column(const struct sa_column *column, const void *got_row, const void *want_row)
{
    const char *got = (const char *)got_row + column->offset, *want = (const char *)want_row + column->offset;
    struct sa_blob got_blob, want_blob;
    const char *got_text, *want_text;

    switch (column->kind) {
    case SA_INTEGER:
        return memcmp(got, want, sizeof(int64_t)) == 0;
    case SA_TEXT:
        memcpy(&got_text, got, sizeof got_text);
        memcpy(&want_text, want, sizeof want_text);
        return strcmp(got_text, want_text) == 0;
    case SA_BLOB:
        break;
    }
    memcpy(&got_blob, got, sizeof got_blob);
    memcpy(&want_blob, want, sizeof want_blob);
    return got_blob.len == want_blob.len &&
           (got_blob.len == 0 || memcmp(got_blob.p, want_blob.p, got_blob.len) == 0);
}

struct loaded {
    unsigned n;
    unsigned variants[VARIANTS]; /* that are expected, in this order */
};

static void
check_row(void *arg, enum sa_table table, const void *row)
{
    struct loaded *loaded = arg;
    _Alignas(16) char want[1024];

    CHECK_INT(sa_tables[table].name, loaded->n < VARIANTS, true);
    fill_row(table, loaded->variants[loaded->n++], want);
    for (const struct sa_column *column = sa_tables[table].columns; column->name != NULL; column++)
        if (!same_column(column, row, want))
            fail_msg("%s.%s is another one", sa_tables[table].name, column->name);
}

static void
count_row(void *arg, enum sa_table table, const void *row)
{
    (void)table;
    assert_non_null(row);
    (*(unsigned *)arg)++;
}

static struct sa_database *
open_database(void)
{
    struct sa_database *database = NULL;
    char text[SA_DATABASE_TEXT] = "";
    int r = sa_database_open(path, SA_DATABASE_WRITE, &database, text);

    if (r != 0)
        fail_msg("%d %s", r, text);
    return database;
}

static void
apply(struct sa_database *database, struct sa_batch *batch)
{
    char text[SA_DATABASE_TEXT] = "";

    assert_false(batch->buffer.failed);
    if (sa_database_apply(database, batch, text) != 0)
        fail_msg("%s", text);
    sa_batch_done(batch);
}

static unsigned
rows(struct sa_database *database, enum sa_table table)
{
    char text[SA_DATABASE_TEXT];
    unsigned n = 0;

    assert_int_equal(sa_database_load(database, table, count_row, &n, text), 0);
    return n;
}

/* The columns of a table are all of its struct, each once. */
static void
test_tables(void **state)
{
    (void)state;
    for (unsigned table = 0; table < SA_TABLES; table++) {
        const struct sa_table_def *def = &sa_tables[table];
        char used[1024] = {0};
        size_t sum = 0;
        bool key = false;

        assert_true(def->row_size <= sizeof used);
        for (const struct sa_column *column = def->columns; column->name != NULL; column++) {
            size_t size = column->kind == SA_INTEGER ? sizeof(int64_t)
                          : column->kind == SA_TEXT  ? sizeof(char *)
                                                     : sizeof(struct sa_blob);

            for (size_t i = 0; i < size; i++)
                CHECK_INT(column->name, used[column->offset + i]++, 0);
            sum += size;
            key = key || column->key;
        }
        CHECK_INT(def->name, sum, def->row_size);
        CHECK_INT(def->name, key, true);
    }
}

static void
test_round_trip(void **state)
{
    struct sa_database *database = open_database();
    struct sa_batch batch = {0};
    char text[SA_DATABASE_TEXT];

    (void)state;
    assert_true(sa_database_empty(database));
    assert_false(sa_database_moved(database));
    assert_true(sa_batch_empty(&batch));
    for (unsigned table = 0; table < SA_TABLES; table++)
        for (unsigned i = 0; i < variants_of(table); i++) {
            _Alignas(16) char row[1024];

            fill_row(table, (i + 2) % variants_of(table), row); /* not in the order of the key */
            sa_batch_put(&batch, table, row);
            memset(row, 0xA5, sizeof row); /* the batch has its own copy */
        }
    assert_false(sa_batch_empty(&batch));
    apply(database, &batch);
    assert_true(sa_batch_empty(&batch));
    for (int again = 0; again < 2; again++) {
        assert_false(sa_database_empty(database));
        for (unsigned table = 0; table < SA_TABLES; table++) {
            struct loaded loaded = {0, {0, 1, 2}};

            assert_int_equal(sa_database_load(database, table, check_row, &loaded, text), 0);
            CHECK_INT(sa_tables[table].name, loaded.n, variants_of(table));
        }
        assert_null(sa_database_close(database)); /* and once more after close and open */
        database = open_database();
    }

    /* Deleting looks only at the key. */
    for (unsigned table = 0; table < SA_TABLES; table++) {
        _Alignas(16) char row[1024], key[1024] = {0};

        fill_row(table, table == SA_TABLE_DAEMON ? 0 : 1, row);
        for (const struct sa_column *column = sa_tables[table].columns; column->name != NULL; column++)
            if (column->key)
                memcpy(key + column->offset, row + column->offset,
                       column->kind == SA_INTEGER ? sizeof(int64_t) : sizeof(char *));
        sa_batch_delete(&batch, table, key);
    }
    apply(database, &batch);
    for (unsigned table = 0; table < SA_TABLES; table++) {
        struct loaded loaded = {0, {0, 2}};

        assert_int_equal(sa_database_load(database, table, check_row, &loaded, text), 0);
        CHECK_INT(sa_tables[table].name, loaded.n, variants_of(table) - 1);
    }

    sa_batch_clear(&batch, SA_TABLE_COUNTS);
    apply(database, &batch);
    for (unsigned table = 0; table < SA_TABLES; table++)
        CHECK_INT(sa_tables[table].name, rows(database, table),
                  table == SA_TABLE_COUNTS ? 0 : variants_of(table) - 1);
    sa_database_close(database);
}

/* Entries are applied in their order, and what was put last stands. */
static void
test_order_of_entries(void **state)
{
    struct sa_database *database = open_database();
    struct sa_row_count count = {.source = "edge", .code = 302, .method = "INVITE", .responses = 1};
    struct sa_batch batch = {0};

    (void)state;
    sa_batch_put(&batch, SA_TABLE_COUNTS, &count);
    count.responses = 2;
    sa_batch_put(&batch, SA_TABLE_COUNTS, &count);
    count.method = "BYE";
    sa_batch_put(&batch, SA_TABLE_COUNTS, &count);
    sa_batch_delete(&batch, SA_TABLE_COUNTS, &count);
    count.source = "core";
    sa_batch_put(&batch, SA_TABLE_COUNTS, &count);
    count.source = "gone";
    sa_batch_delete(&batch, SA_TABLE_COUNTS, &count); /* was never there */
    apply(database, &batch);
    assert_int_equal(rows(database, SA_TABLE_COUNTS), 2);
    sa_database_close(database);
    assert_int_equal(sql(path, "SELECT responses FROM counts WHERE source='edge'"), 2);

    database = open_database();
    sa_batch_clear(&batch, SA_TABLE_COUNTS);
    sa_batch_put(&batch, SA_TABLE_COUNTS, &count);
    apply(database, &batch);
    assert_int_equal(rows(database, SA_TABLE_COUNTS), 1);
    sa_batch_put(&batch, SA_TABLE_COUNTS, &count);
    sa_batch_clear(&batch, SA_TABLE_COUNTS);
    apply(database, &batch);
    assert_int_equal(rows(database, SA_TABLE_COUNTS), 0);
    apply(database, &batch); /* nothing at all */
    sa_database_close(database);
}

/* What ran over what its column can hold is saved as the nearest, so that the row can be loaded again. */
static void
test_what_is_saved_can_be_loaded(void **state)
{
    struct sa_database *database = open_database();
    struct sa_row_source over = {.name = "over", .format = "", .lines = INT64_MAX, .last_line_ms = INT64_MAX},
                         under = {.name = "under", .format = "", .lines = INT64_MIN, .last_line_ms = -1};
    struct sa_batch batch = {0};

    (void)state;
    sa_batch_put(&batch, SA_TABLE_SOURCES, &over);
    sa_batch_put(&batch, SA_TABLE_SOURCES, &under);
    apply(database, &batch);
    assert_int_equal(rows(database, SA_TABLE_SOURCES), 2);
    assert_int_equal(sa_database_dropped(database, SA_TABLE_SOURCES), 0);
    sa_database_close(database);
    assert_true(sql(path, "SELECT lines FROM sources WHERE name = 'over'") > INT64_C(1) << 59);
    assert_int_equal(sql(path, "SELECT lines + last_line_ms FROM sources WHERE name = 'under'"), 0);
}

/* Rows that were left out are gone with the next batch, and with a batch that fails they are not. */
static void
test_dropped_rows_are_removed(void **state)
{
    struct sa_database *database = open_database();
    struct sa_row_count count = {.source = "edge", .code = 113, .method = ""};
    struct sa_batch batch = {0};
    char text[SA_DATABASE_TEXT];

    (void)state;
    sa_database_close(database);
    (void)sql(path,
              "INSERT INTO counts VALUES ('a', 302, '', -1, 0, 0, 0), ('b', 302, '', 1, 0, 0, 0),"
              "(x'00', 302, '', 1, 0, 0, 0); INSERT INTO recent VALUES (NULL, NULL, x''), (NULL, 2, NULL);"
              "CREATE TRIGGER refuse BEFORE INSERT ON counts WHEN new.code = 113 "
              "BEGIN SELECT RAISE(ABORT, 'no'); END");
    database = open_database();
    assert_int_equal(rows(database, SA_TABLE_COUNTS), 1);
    assert_int_equal(sa_database_dropped(database, SA_TABLE_COUNTS), 2);
    assert_int_equal(rows(database, SA_TABLE_RECENT), 0);
    assert_int_equal(sa_database_dropped(database, SA_TABLE_RECENT), 2);
    sa_batch_put(&batch, SA_TABLE_COUNTS, &count);
    assert_true(sa_database_apply(database, &batch, text) < 0);
    sa_batch_done(&batch);
    assert_int_equal(rows(database, SA_TABLE_COUNTS), 1);
    assert_int_equal(sa_database_dropped(database, SA_TABLE_COUNTS), 2);
    count.code = 114;
    sa_batch_put(&batch, SA_TABLE_COUNTS, &count);
    apply(database, &batch);
    assert_int_equal(rows(database, SA_TABLE_COUNTS), 2);
    assert_int_equal(sa_database_dropped(database, SA_TABLE_COUNTS), 0);
    sa_database_close(database);
    assert_int_equal(sql(path, "SELECT count(*) FROM counts"), 2);
    assert_int_equal(sql(path, "SELECT count(*) FROM recent"), 0);
}

static void
check_sorted(void *arg, enum sa_table table, const void *row)
{
    struct sa_row_count *last = arg;
    const struct sa_row_count *now = row;
    int by_source = strcmp(last->source, now->source);

    (void)table;
    assert_true(by_source < 0 ||
                (by_source == 0 && (last->code < now->code ||
                                    (last->code == now->code && strcmp(last->method, now->method) < 0))));
    free((char *)last->source);
    free((char *)last->method);
    *last = *now;
    last->source = strdup(now->source);
    last->method = strdup(now->method);
    last->responses = now->responses + 1;
}

static void
test_load_in_order_of_key(void **state)
{
    static const char *const names[] = {"edge", "core", "", "a", "B"}, *const methods[] = {"INVITE", "",
                                                                                           "BYE"};
    struct sa_database *database = open_database();
    struct sa_row_count last = {.source = strdup(""), .code = 0, .method = strdup("")};
    struct sa_batch batch = {0};
    char text[SA_DATABASE_TEXT];

    (void)state;
    srand(3);
    for (unsigned i = 0; i < 300; i++) {
        struct sa_row_count count = {.source = names[rand() % 5],
                                     .code = 100 + rand() % 900,
                                     .method = methods[rand() % 3],
                                     .responses = i};

        sa_batch_put(&batch, SA_TABLE_COUNTS, &count);
    }
    apply(database, &batch);
    assert_int_equal(sa_database_load(database, SA_TABLE_COUNTS, check_sorted, &last, text), 0);
    assert_int_not_equal(last.code, 0);
    free((char *)last.source);
    free((char *)last.method);
    sa_database_close(database);
}

/* A batch of which one row is refused changes nothing, and the next one works. */
static void
test_all_or_nothing(void **state)
{
    struct sa_row_source source = {.name = "edge", .format = ""};
    struct sa_row_count count = {.source = "edge", .code = 113, .method = ""};
    struct sa_database *database = open_database();
    struct sa_batch batch = {0};
    char text[SA_DATABASE_TEXT] = "";

    (void)state;
    sa_database_close(database);
    (void)sql(path, "CREATE TRIGGER refuse BEFORE INSERT ON counts WHEN new.code = 113 "
                    "BEGIN SELECT RAISE(ABORT, 'no'); END");
    database = open_database();
    sa_batch_put(&batch, SA_TABLE_SOURCES, &source);
    sa_batch_put(&batch, SA_TABLE_COUNTS, &count);
    assert_true(sa_database_apply(database, &batch, text) < 0);
    assert_true(text[0] != '\0');
    sa_batch_done(&batch);
    assert_int_equal(rows(database, SA_TABLE_SOURCES), 0);
    count.code = 114;
    sa_batch_put(&batch, SA_TABLE_SOURCES, &source);
    sa_batch_put(&batch, SA_TABLE_COUNTS, &count);
    apply(database, &batch);
    assert_int_equal(rows(database, SA_TABLE_SOURCES), 1);
    assert_int_equal(rows(database, SA_TABLE_COUNTS), 1);
    sa_database_close(database);
}

static const struct sa_row_daemon daemon_row = {.id = 1, .version = "0.1.0", .boot_id = "b", .sequence = 77};

/* Leaves a state with a daemon row and a source behind. */
static void
leave_state(void)
{
    struct sa_row_source source = {.name = "edge", .format = "auto", .lines = 12};
    struct sa_database *database = open_database();
    struct sa_batch batch = {0};

    sa_batch_put(&batch, SA_TABLE_DAEMON, &daemon_row);
    sa_batch_put(&batch, SA_TABLE_SOURCES, &source);
    apply(database, &batch);
    sa_database_close(database);
}

static void
test_read_only(void **state)
{
    struct sa_database *database = NULL;
    struct sa_batch batch = {0};
    char text[SA_DATABASE_TEXT] = "", *before, *after;
    size_t before_len, after_len;

    (void)state;
    assert_true(sa_database_open(path, SA_DATABASE_AS_IS, &database, text) < 0);
    assert_int_equal(access(path, F_OK), -1); /* nothing is made */
    leave_state();
    before = read_whole(path, &before_len);
    assert_int_equal(sa_database_open(path, SA_DATABASE_AS_IS, &database, text), 0);
    assert_false(sa_database_empty(database));
    assert_int_equal(rows(database, SA_TABLE_SOURCES), 1);
    sa_batch_clear(&batch, SA_TABLE_SOURCES);
    assert_true(sa_database_apply(database, &batch, text) < 0);
    sa_batch_done(&batch);
    assert_int_equal(rows(database, SA_TABLE_SOURCES), 1);
    sa_database_close(database);
    after = read_whole(path, &after_len);
    assert_int_equal(after_len, before_len);
    assert_memory_equal(after, before, before_len);
    free(before);
    free(after);
}

static void
test_moved(void **state)
{
    struct sa_database *database = open_database();
    char other[160];

    (void)state;
    assert_false(sa_database_moved(database));
    snprintf(other, sizeof other, "%s/elsewhere", dir);
    assert_int_equal(rename(path, other), 0);
    assert_true(sa_database_moved(database));
    write_file(path, "x", 1); /* another file at its place */
    assert_true(sa_database_moved(database));
    sa_database_close(database);
}

/* A state of the first schema, as that version left it. */
static void
test_schema_1(void **state)
{
    struct sa_store *store;
    enum sa_store_found found;
    char text[SA_STORE_TEXT], command[256];
    struct sa_database *database;

    (void)state;
    assert_true(sa_schema_version >= 2);
    (void)sql(path, sa_schema_steps[0]);
    snprintf(command, sizeof command, "PRAGMA application_id=%d; PRAGMA user_version=1", APPLICATION_ID);
    (void)sql(path, command);
    (void)sql(
        path,
        "INSERT INTO daemon VALUES (1, '0.0.9', 'b', 1, 2, 3, 4, 5, 6, 4711, 7, 8);"
        "INSERT INTO sources VALUES ('edge', 'auto', 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6);"
        "INSERT INTO sources VALUES ('core', '', 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8);"
        "INSERT INTO files VALUES (1, 'edge', '/a', 2, 3, 4, 5, 6, 700, 8, 9, 10, 1, '', x'0102');"
        "INSERT INTO files VALUES (2, 'what log daemons lost of the source: edge', '/b c', 2, 3, 4, 5, 6, "
        "700, 8, 9, 10, 0, '', x'');"
        "INSERT INTO files VALUES (-1, 'core', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
        "'s=1;i=2;b=3;m=4;t=60a1b2c3d4e5f;x=6', x'');"
        "INSERT INTO files VALUES (-2, 'core', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
        "'s=1;i=1;b=3;m=4;t=60a1b2c3d4e5e;x=7', x'');"
        "INSERT INTO counts VALUES ('edge', 302, '', 5, 2, 3, 4);"
        "INSERT INTO gauges VALUES (302, x'000102');"
        "INSERT INTO events VALUES (9, 1, 1, 0, 3, 'n/r/s', 5, 1, 'r', 's', '', '302', 1, 1, 1, 60, 1, "
        "1, 1, 't',"
        "'m', '')");
    assert_int_equal(sa_store_open(dir, &store, &found, text), 0);
    assert_int_equal(found, SA_STORE_KEPT);
    assert_true(sa_store_close(store, 1000));

    database = open_database();
    assert_int_equal(rows(database, SA_TABLE_DAEMON), 1);
    assert_int_equal(rows(database, SA_TABLE_SOURCES), 2);
    assert_int_equal(rows(database, SA_TABLE_BOOKMARKS), 3);
    assert_int_equal(rows(database, SA_TABLE_COUNTS), 1);
    assert_int_equal(rows(database, SA_TABLE_GAUGES), 1);
    assert_int_equal(rows(database, SA_TABLE_EVENTS), 1);
    sa_database_close(database);
    assert_int_equal(sql(path, "PRAGMA user_version"), sa_schema_version);
    assert_int_equal(sql(path, "PRAGMA application_id"), APPLICATION_ID);
    assert_int_equal(sql(path, "SELECT sequence FROM daemon WHERE version='0.0.9'"), 4711);
    assert_int_equal(sql(path, "SELECT lines FROM sources WHERE name='core'"), 7);
    assert_int_equal(sql(path, "SELECT undercount FROM sources WHERE name='core'"), 0);
    assert_int_equal(sql(path,
                         "SELECT count(*) FROM bookmarks WHERE source = 'edge' AND key = '1' AND value = "
                         "'dev=2 ino=3 generation=4 head_len=5 head_hash=6 first_hash=0 offset=700 "
                         "marker_len=8 marker_hash=9 seen_ms=10 open=1 path=/a'"),
                     1);
    assert_int_equal(sql(path, "SELECT length(reader) FROM bookmarks WHERE key = '1'"),
                     0); /* only that version could read it */
    assert_int_equal(sql(path, "SELECT count(*) FROM bookmarks WHERE source = 'edge' AND key = 'watch 2' AND "
                               "value LIKE '% open=0 path=/b c'"),
                     1);
    assert_int_equal(sql(path, "SELECT count(*) FROM bookmarks WHERE source = 'core' AND key = 'cursor' AND "
                               "value = 's=1;i=2;b=3;m=4;t=60a1b2c3d4e5f;x=6'"),
                     1); /* the later one */
    assert_int_equal(sql(path, "SELECT last_response_ms FROM sources WHERE name='edge'"), 6);
}

struct groups {
    unsigned n;
    struct sa_row_group last;
};

static void
on_group(void *arg, enum sa_table table, const void *row)
{
    struct groups *groups = arg;

    assert_int_equal(table, SA_TABLE_GROUPS);
    groups->last = *(const struct sa_row_group *)row;
    groups->n++;
    assert_string_equal(groups->last.rule, "r");
    assert_string_equal(groups->last.source, "edge");
    assert_string_equal(groups->last.peer, "");
    assert_string_equal(groups->last.method, "");
    assert_string_equal(groups->last.evidence, "a@b");
    assert_int_equal(groups->last.windows.len, 3);
    assert_memory_equal(groups->last.windows.p, "\1\2\3", 3);
}

/* The fifth schema knew a group by its rule and source: what it had counted and where it stood go on. */
static void
test_schema_5(void **state)
{
    struct sa_database *database;
    struct groups groups = {0};
    struct sa_store *store;
    enum sa_store_found found;
    char text[SA_STORE_TEXT], command[256];

    (void)state;
    for (int i = 0; i < 5; i++)
        (void)sql(path, sa_schema_steps[i]);
    snprintf(command, sizeof command, "PRAGMA application_id=%d; PRAGMA user_version=5", APPLICATION_ID);
    (void)sql(path, command);
    (void)sql(path,
              "INSERT INTO daemon VALUES (1, '0.0.9', 'b', 1, 2, 3, 4, 5, 6, 4711, 7, 8);"
              "INSERT INTO groups VALUES ('r', 'edge', 99, 4, 2, 1, 4000, 'a@b', x'010203');"
              "INSERT INTO alarms VALUES (3, 'n/r/s', 5, 1, 'r', 'edge', '', '302', 1, 1, 1, 60, 1, 1, 1, "
              "'t', 'm', '')");
    assert_int_equal(sa_store_open(dir, &store, &found, text), 0);
    assert_int_equal(found, SA_STORE_KEPT);
    assert_true(sa_store_close(store, 1000));
    assert_int_equal(sql(path, "PRAGMA user_version"), sa_schema_version);
    database = open_database();
    assert_int_equal(rows(database, SA_TABLE_ALARMS), 1);
    assert_int_equal(sa_database_load(database, SA_TABLE_GROUPS, on_group, &groups, text), 0);
    sa_database_close(database);
    assert_int_equal(groups.n, 1);
    assert_int_equal(groups.last.counted, 99);
    assert_int_equal(groups.last.state, 4);
    assert_int_equal(groups.last.level, 2);
    assert_int_equal(groups.last.since_mono_ms, 4000);
    assert_int_equal(groups.last.code, 0);
    assert_int_equal(groups.last.overflow, 0);
    for (unsigned i = 0; i < ROWS(groups.last.below_mono_ms); i++)
        assert_int_equal(groups.last.below_mono_ms[i], 0); /* clear_for begins anew */
}

/* A newer version wrote it: refused with a text, and not a byte of it changes. */
static void
test_newer_schema(void **state)
{
    struct sa_store *store = NULL;
    struct sa_database *database;
    enum sa_store_found found;
    char text[SA_STORE_TEXT] = "", command[64], *before, *after;
    size_t before_len, after_len;

    (void)state;
    leave_state();
    snprintf(command, sizeof command, "PRAGMA user_version=%d", sa_schema_version + 1);
    (void)sql(path, command);
    before = read_whole(path, &before_len);
    assert_int_equal(sa_store_open(dir, &store, &found, text), -EPROTO);
    assert_true(text[0] != '\0');
    assert_int_equal(sa_database_open(path, SA_DATABASE_WRITE, &database, text), -EPROTO);
    assert_int_equal(sa_database_open(path, SA_DATABASE_AS_IS, &database, text), -EPROTO);
    after = read_whole(path, &after_len);
    assert_int_equal(after_len, before_len);
    assert_memory_equal(after, before, before_len);
    free(before);
    free(after);
    snprintf(command, sizeof command, "PRAGMA user_version=%d", sa_schema_version);
    (void)sql(path, command); /* the directory was left free, too */
    assert_int_equal(sa_store_open(dir, &store, &found, text), 0);
    assert_int_equal(found, SA_STORE_KEPT);
    assert_true(sa_store_close(store, 1000));
}

/* The file that was set aside, "" if there is none; its -wal and -shm do not count. */
static unsigned
aside(char name[PATH_MAX])
{
    DIR *d = opendir(dir);
    unsigned n = 0;

    name[0] = '\0';
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strstr(e->d_name, ".damaged-") != NULL && strstr(e->d_name, "-wal") == NULL &&
            strstr(e->d_name, "-shm") == NULL) {
            snprintf(name, PATH_MAX, "%s/%s", dir, e->d_name);
            n++;
        }
    closedir(d);
    return n;
}

static void
start(struct sa_store **store, enum sa_store_found want)
{
    enum sa_store_found found = 99;
    char text[SA_STORE_TEXT] = "";
    int r = sa_store_open(dir, store, &found, text);

    if (r != 0 || found != want)
        fail_msg("%d, found %d: %s", r, found, text);
    if (want != SA_STORE_NEW && want != SA_STORE_KEPT)
        assert_true(text[0] != '\0');
}

/* Every table cleared, a daemon row and a source of this name. */
static void
whole_batch(struct sa_batch *batch, const char *name)
{
    struct sa_row_source source = {.name = name, .format = ""};

    for (unsigned table = 0; table < SA_TABLES; table++)
        sa_batch_clear(batch, table);
    sa_batch_put(batch, SA_TABLE_DAEMON, &daemon_row);
    sa_batch_put(batch, SA_TABLE_SOURCES, &source);
}

static struct sa_store_outcome
commit(struct sa_store *store, struct sa_batch *batch, bool whole)
{
    struct sa_store_outcome outcome = {.error = 99};

    assert_false(sa_store_busy(store));
    sa_store_commit(store, batch, whole);
    assert_true(sa_batch_empty(batch)); /* its content moved */
    assert_true(sa_store_busy(store));
    assert_true(sa_store_outcome(store, &outcome, 20000));
    assert_false(sa_store_busy(store));
    assert_true(outcome.error == 0 || outcome.error == -ESTALE || outcome.error == -EEXIST ||
                outcome.text[0] != '\0');
    return outcome;
}

static int
commit_source(struct sa_store *store, const char *name, bool whole)
{
    struct sa_row_source source = {.name = name, .format = ""};
    struct sa_batch batch = {0};

    if (whole)
        whole_batch(&batch, name);
    else
        sa_batch_put(&batch, SA_TABLE_SOURCES, &source);
    return commit(store, &batch, whole).error;
}

static unsigned
stored(struct sa_store *store, enum sa_table table)
{
    unsigned n = 0;

    assert_int_equal(sa_store_load(store, table, count_row, &n), 0);
    return n;
}

static void
test_damaged(void **state)
{
    static char zeros[8192], garbage[10000];
    struct {
        const char *name;
        char *bytes;
        size_t len;
    } cases[8] = {{"garbage", garbage, sizeof garbage},
                  {"short garbage", garbage, 50},
                  {"two bytes", garbage, 2},
                  {"zeros", zeros, sizeof zeros}};
    unsigned n = 4;
    size_t len;
    char *sound, *other;

    (void)state;
    srand(4);
    for (unsigned i = 0; i < sizeof garbage; i++)
        garbage[i] = (char)rand();
    leave_state();
    sound = read_whole(path, &len);
    assert_true(len > 8192);
    cases[n].name = "cut in half";
    cases[n].bytes = sound;
    cases[n++].len = len / 2;
    cases[n].name = "cut in its header";
    cases[n].bytes = sound;
    cases[n++].len = 60;
    other = malloc(len);
    memcpy(other, sound, len);
    memset(other + 4096, 0x77, len - 4096);
    cases[n].name = "only its first page is sound";
    cases[n].bytes = other;
    cases[n++].len = len;

    for (unsigned i = 0; i < n; i++) {
        struct sa_store *store;
        char name[PATH_MAX], *kept;
        size_t kept_len;

        remove_all();
        assert_int_equal(mkdir(dir, 0700), 0);
        write_file(path, cases[i].bytes, cases[i].len);
        start(&store, SA_STORE_DAMAGED);
        for (unsigned table = 0; table < SA_TABLES; table++)
            CHECK_INT(cases[i].name, stored(store, table), 0);
        CHECK_INT(cases[i].name, aside(name), 1);
        kept = read_whole(name, &kept_len);
        CHECK_INT(cases[i].name, kept_len, cases[i].len);
        if (cases[i].bytes == garbage)
            assert_memory_equal(kept, cases[i].bytes, kept_len);
        free(kept);
        assert_int_equal(sa_store_start(store), 0);
        CHECK_INT(cases[i].name, commit_source(store, "edge", true), 0);
        assert_true(sa_store_close(store, 5000));
        start(&store, SA_STORE_KEPT);
        CHECK_INT(cases[i].name, stored(store, SA_TABLE_SOURCES), 1);
        assert_true(sa_store_close(store, 1000));
    }
    free(sound);
    free(other);
}

/* A database that is sound but somebody else's is set aside with all that is in it. */
static void
test_of_another_application(void **state)
{
    struct sa_store *store;
    char name[PATH_MAX];

    (void)state;
    (void)sql(path, "CREATE TABLE daemon (id INTEGER); INSERT INTO daemon VALUES (5); PRAGMA user_version=1");
    start(&store, SA_STORE_DAMAGED);
    assert_int_equal(stored(store, SA_TABLE_DAEMON), 0);
    assert_true(sa_store_close(store, 1000));
    assert_int_equal(aside(name), 1);
    assert_int_equal(sql(name, "SELECT id FROM daemon"), 5);
    start(&store, SA_STORE_NEW);
    assert_true(sa_store_close(store, 1000));
}

/* Tables that are not what they should be make no state. */
static void
test_application_without_tables(void **state)
{
    char command[128];
    struct sa_store *store;

    (void)state;
    write_file(path, "", 0); /* an empty file is a state that was never written */
    start(&store, SA_STORE_NEW);
    assert_true(sa_store_close(store, 1000));
    snprintf(command, sizeof command, "PRAGMA application_id=%d", APPLICATION_ID);
    assert_int_equal(sql(path, "SELECT count(*) FROM sources"), 0);
}

static void
on_alarm(int signal)
{
    (void)signal;
}

/* Whoever waits for a commit has it, however many signals come meanwhile. */
static void
test_signals_do_not_end_the_wait(void **state)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    struct sa_store *store;

    (void)state;
    start(&store, SA_STORE_NEW);
    assert_int_equal(sa_store_start(store), 0);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (int i = 0; i < 50; i++) {
        struct sa_batch batch = {0};

        whole_batch(&batch, "edge");
        assert_int_equal(commit(store, &batch, true).error, 0);
    }
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_true(sa_store_close(store, 1000));
}

static void
test_new_and_kept(void **state)
{
    struct sa_store *store;
    struct sa_store_outcome outcome;

    (void)state;
    assert_int_equal(rmdir(dir), 0); /* it makes the directory */
    start(&store, SA_STORE_NEW);
    for (unsigned table = 0; table < SA_TABLES; table++)
        assert_int_equal(stored(store, table), 0);
    assert_int_equal(sa_store_start(store), 0);
    assert_false(sa_store_outcome(store, &outcome, 0));
    assert_false(sa_store_outcome(store, &outcome, 50)); /* nothing is under way: it does not wait */
    assert_int_equal(commit_source(store, "edge", true), 0);
    assert_int_equal(commit_source(store, "core", false), 0);
    assert_true(sa_store_close(store, 5000));
    start(&store, SA_STORE_KEPT);
    assert_int_equal(stored(store, SA_TABLE_SOURCES), 2);
    assert_int_equal(stored(store, SA_TABLE_DAEMON), 1);
    assert_int_equal(sa_store_start(store), 0);
    assert_int_equal(commit_source(store, "third", true), 0);
    assert_true(sa_store_close(store, 5000));
    start(&store, SA_STORE_KEPT);
    assert_int_equal(stored(store, SA_TABLE_SOURCES), 1);
    assert_true(sa_store_close(store, 0)); /* was never started */
    assert_true(sa_store_close(NULL, 0));
}

/* What was handed over last is written although the store is closed at once. */
static void
test_close_with_a_commit_under_way(void **state)
{
    struct sa_store *store;
    struct sa_batch batch = {0};

    (void)state;
    start(&store, SA_STORE_NEW);
    assert_int_equal(sa_store_start(store), 0);
    whole_batch(&batch, "edge");
    sa_store_commit(store, &batch, true);
    assert_true(sa_store_close(store, 20000));
    start(&store, SA_STORE_KEPT);
    assert_int_equal(stored(store, SA_TABLE_SOURCES), 1);
    assert_true(sa_store_close(store, 1000));
}

static void
test_belongs_to_one(void **state)
{
    struct sa_store *store, *second = NULL;
    enum sa_store_found found;
    char text[SA_STORE_TEXT] = "";

    (void)state;
    start(&store, SA_STORE_NEW);
    assert_int_equal(sa_store_start(store), 0);
    assert_int_equal(sa_store_open(dir, &second, &found, text), -EBUSY);
    assert_int_equal(commit_source(store, "edge", true), 0); /* the first one goes on */
    assert_int_equal(sa_store_open(dir, &second, &found, text), -EBUSY);
    assert_true(sa_store_close(store, 5000));
    start(&second, SA_STORE_KEPT);
    assert_true(sa_store_close(second, 1000));
}

/* The directory cannot be used at the start, but later. */
static void
test_unusable(void **state)
{
    struct sa_store *store;

    (void)state;
    assert_int_equal(rmdir(dir), 0);
    write_file(dir, "x", 1);
    start(&store, SA_STORE_UNUSABLE);
    assert_int_equal(stored(store, SA_TABLE_SOURCES), 0);
    assert_int_equal(sa_store_start(store), 0);
    assert_true(commit_source(store, "edge", true) < 0);
    assert_true(commit_source(store, "edge", true) < 0);
    assert_int_equal(unlink(dir), 0);
    assert_int_equal(commit_source(store, "edge", true), 0);
    assert_int_equal(commit_source(store, "core", false), 0);
    assert_true(sa_store_close(store, 5000));
    start(&store, SA_STORE_KEPT);
    assert_int_equal(stored(store, SA_TABLE_SOURCES), 2);
    assert_true(sa_store_close(store, 1000));
}

/* The parent is missing; and what is there when it can be used at last is not ours to overwrite. */
static void
test_unusable_then_a_state_appears(void **state)
{
    char inner[128], name[PATH_MAX] = "", text[SA_STORE_TEXT];
    enum sa_store_found found;
    struct sa_store *store;
    DIR *d;

    (void)state;
    snprintf(inner, sizeof inner, "%s/parent/state", dir);
    assert_int_equal(sa_store_open(inner, &store, &found, text), 0);
    assert_int_equal(found, SA_STORE_UNUSABLE);
    CHECK_HAS("text", text, inner);
    assert_int_equal(sa_store_start(store), 0);
    assert_true(commit_source(store, "edge", true) < 0);

    leave_state(); /* in dir; moved to where the store looks */
    snprintf(name, sizeof name, "%s/parent", dir);
    assert_int_equal(mkdir(name, 0700), 0);
    assert_int_equal(mkdir(inner, 0700), 0);
    snprintf(name, sizeof name, "%s/state.db", inner);
    assert_int_equal(rename(path, name), 0);
    assert_int_equal(commit_source(store, "new", true), -EEXIST); /* not overwritten unseen */
    assert_int_equal(stored(store, SA_TABLE_DAEMON), 1);
    assert_int_equal(commit_source(store, "new", true), 0);
    assert_true(sa_store_close(store, 5000));
    assert_int_equal(sql(name, "SELECT count(*) FROM sources WHERE name='new'"), 1);
    d = opendir(inner);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        assert_null(strstr(e->d_name, ".damaged-"));
    closedir(d);
}

/* Somebody removed the file or put another one in its place. */
static void
test_stale(void **state)
{
    static const char *const what[] = {"deleted", "replaced by a state", "replaced by garbage", "moved away",
                                       "whole directory made anew"};

    (void)state;
    for (unsigned i = 0; i < ROWS(what); i++) {
        char other[160], garbage[4096];
        struct sa_store *store;
        unsigned n;

        remove_all();
        assert_int_equal(mkdir(dir, 0700), 0);
        snprintf(other, sizeof other, "%s/other.db", dir);
        leave_state();
        assert_int_equal(rename(path, other), 0);
        start(&store, SA_STORE_NEW);
        assert_int_equal(sa_store_start(store), 0);
        assert_int_equal(commit_source(store, "edge", true), 0);
        assert_int_equal(commit_source(store, "core", false), 0);
        memset(garbage, 'g', sizeof garbage);
        if (i == 0)
            assert_int_equal(unlink(path), 0);
        else if (i == 1)
            assert_int_equal(rename(other, path), 0);
        else if (i == 2) {
            assert_int_equal(unlink(path), 0);
            write_file(path, garbage, sizeof garbage);
        } else if (i == 3) {
            assert_int_equal(rename(path, other), 0);
        } else {
            remove_all();
            assert_int_equal(mkdir(dir, 0700), 0);
        }
        CHECK_INT(what[i], commit_source(store, "third", false), -ESTALE);
        CHECK_INT(what[i], commit_source(store, "fourth", true), 0);
        CHECK_INT(what[i], commit_source(store, "fifth", false), 0);

        assert_int_equal(rename(path, other), 0); /* a whole batch needs no second try */
        CHECK_INT(what[i], commit_source(store, "sixth", true), 0);
        assert_true(sa_store_close(store, 5000));
        start(&store, SA_STORE_KEPT);
        n = stored(store, SA_TABLE_SOURCES);
        CHECK_INT(what[i], n, 1);
        assert_true(sa_store_close(store, 1000));
        CHECK_INT(what[i], sql(path, "SELECT count(*) FROM sources WHERE name='sixth'"), 1);
    }
}

/* Commits that are refused leave the store working. */
static void
test_commit_fails(void **state)
{
    struct sa_row_count count = {.source = "edge", .code = 113, .method = ""};
    struct sa_batch batch = {0};
    struct sa_store *store;
    int r;

    (void)state;
    leave_state();
    (void)sql(path, "CREATE TRIGGER refuse BEFORE INSERT ON counts WHEN new.code = 113 "
                    "BEGIN SELECT RAISE(ABORT, 'no'); END");
    start(&store, SA_STORE_KEPT);
    assert_int_equal(sa_store_start(store), 0);
    sa_batch_put(&batch, SA_TABLE_COUNTS, &count);
    r = commit(store, &batch, false).error;
    assert_true(r < 0 && r != -ESTALE);
    assert_true(commit_source(store, "core", false) == 0 || commit_source(store, "core", true) == 0);
    assert_true(sa_store_close(store, 5000));
}

int
main(void)
{
#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        STORE_TEST(test_round_trip),
        STORE_TEST(test_order_of_entries),
        STORE_TEST(test_load_in_order_of_key),
        STORE_TEST(test_all_or_nothing),
        STORE_TEST(test_what_is_saved_can_be_loaded),
        STORE_TEST(test_dropped_rows_are_removed),
        STORE_TEST(test_read_only),
        STORE_TEST(test_moved),
        STORE_TEST(test_schema_1),
        STORE_TEST(test_schema_5),
        STORE_TEST(test_newer_schema),
        STORE_TEST(test_damaged),
        STORE_TEST(test_of_another_application),
        STORE_TEST(test_application_without_tables),
        STORE_TEST(test_new_and_kept),
        STORE_TEST(test_signals_do_not_end_the_wait),
        STORE_TEST(test_close_with_a_commit_under_way),
        STORE_TEST(test_belongs_to_one),
        STORE_TEST(test_unusable),
        STORE_TEST(test_unusable_then_a_state_appears),
        STORE_TEST(test_stale),
        STORE_TEST(test_commit_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
