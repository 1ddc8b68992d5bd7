/*
 * A state database that anybody may have written into: the daemon loads it, leaves out what cannot be true,
 * goes on with the rest, saves, and can load all of that.  Input: rows.  A row is a byte for its table, and
 * for each column a byte for the kind of its value and then the value, see put_value().
 */
#include "bookmark.h"
#include "earlier_life.h"
#include "positions.h"
#include "fuzz.h"
#include "tables.h"

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <unistd.h>

#define ROWS_MAX 40

struct input {
    const uint8_t *p, *end;
};

static char dir[64], path[128], log_path[128];
static char *template; /* a database without rows */
static size_t template_len;
static char log_bytes[4096]; /* of the log that the daemon follows */
static struct stat log_status;
static int64_t log_generation;

static uint8_t
take_byte(struct input *input)
{
    return input->p < input->end ? *input->p++ : 0;
}

static int64_t
take_integer(struct input *input)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | take_byte(input);
    return (int64_t)value;
}

static struct input
take_bytes(struct input *input)
{
    size_t len = take_byte(input), left = (size_t)(input->end - input->p);
    struct input bytes = {input->p, input->p + (len < left ? len : left)};

    input->p = bytes.end;
    return bytes;
}

/* The borders of what the column can hold, and one beyond. */
static int64_t
border(const struct sa_column *column, uint8_t which)
{
    switch (which % 6) {
    case 0:
        return column->min == INT64_MIN ? INT64_MIN : column->min - 1;
    case 1:
        return column->min;
    case 2:
        return column->min == INT64_MAX ? INT64_MAX : column->min + 1;
    case 3:
        return column->max == INT64_MAX ? INT64_MAX : column->max + 1;
    case 4:
        return column->max;
    default:
        return column->max == INT64_MIN ? INT64_MIN : column->max - 1;
    }
}

/* What the log that is there would have; otherwise 1, or the least. */
static int64_t
true_value(const struct sa_column *column)
{
    const struct {
        const char *name;
        int64_t value;
    } known[] = {{"code", 302}, {"sequence", 9}, {"last_alarm_id", 9}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(column->name, known[i].name) == 0)
            return known[i].value;
    return column->min <= 1 && column->max >= 1 ? 1 : column->min;
}

/* The place of the log that is there. */
static struct sa_position
true_position(void)
{
    return (struct sa_position){.path = log_path,
                                .dev = (int64_t)log_status.st_dev,
                                .ino = (int64_t)log_status.st_ino,
                                .generation = log_generation,
                                .head_len = 64,
                                .head_hash = sa_position_hash(log_bytes, 64),
                                .first_hash = sa_position_hash(log_bytes, 64),
                                .offset = 128,
                                .marker_len = 64,
                                .marker_hash = sa_position_hash(log_bytes + 64, 64),
                                .open = true};
}

/* The same, for a byte that is not 0 with one number that is another, or cut off. */
static int
put_place(sqlite3_stmt *statement, int at, struct input *input)
{
    struct sa_position position = true_position();
    int64_t *const numbers[] = {&position.dev,      &position.ino,        &position.generation,
                                &position.head_len, &position.head_hash,  &position.first_hash,
                                &position.offset,   &position.marker_len, &position.marker_hash,
                                &position.seen_ms};
    char text[SA_BOOKMARK_VALUE];
    uint8_t which = take_byte(input);

    if (which > 0 && which <= sizeof numbers / sizeof numbers[0])
        *numbers[which - 1] = take_integer(input);
    else if (which % 2 == 1)
        position.open = false;
    sa_bookmark_format(&position, text);
    if (which >= 128 && strlen(text) > which) /* cut off */
        text[which] = '\0';
    return sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

static const char *
word(uint8_t which)
{
    static const char *const words[] = {"edge",
                                        "",
                                        "core",
                                        "redirects",
                                        "flow-failures",
                                        "source-blind",
                                        "state-lost",
                                        "undercount",
                                        "INVITE",
                                        "BYE",
                                        "OTHER",
                                        "302",
                                        "302,301",
                                        "edge1/redirects/edge",
                                        "192.0.2.1",
                                        "2001:db8::1",
                                        "kamailio-xlog",
                                        "sip-message",
                                        "a@b",
                                        "s=1;i=2",
                                        "1",
                                        "watch 2",
                                        "cursor",
                                        "\xff\xfe",
                                        "\xd0\xb0\n"};

    return words[which % (sizeof words / sizeof words[0])];
}

static int
put_long(sqlite3_stmt *statement, int at, struct input *input, bool text)
{
    size_t len = (size_t)take_byte(input) * 64;
    char *bytes = malloc(len + 1);
    int code;

    FUZZ_CHECK(bytes != NULL);
    memset(bytes, text ? 'x' : take_byte(input), len);
    code = text ? sqlite3_bind_text(statement, at, bytes, (int)len, SQLITE_TRANSIENT)
                : sqlite3_bind_blob(statement, at, bytes, (int)len, SQLITE_TRANSIENT);
    free(bytes);
    return code;
}

static int
put_true(sqlite3_stmt *statement, int at, const struct sa_column *column)
{
    if (column->kind == SA_INTEGER)
        return sqlite3_bind_int64(statement, at, true_value(column));
    if (column->kind == SA_TEXT && strcmp(column->name, "value") == 0)
        return put_place(statement, at, &(struct input){NULL, NULL});
    if (column->kind == SA_TEXT)
        return sqlite3_bind_text(statement, at,
                                 strcmp(column->name, "key") == 0      ? "1"
                                 : strcmp(column->name, "source") == 0 ? "edge"
                                                                       : "",
                                 -1, SQLITE_STATIC);
    return sqlite3_bind_zeroblob(statement, at, 0);
}

static int
put_value(sqlite3_stmt *statement, int at, const struct sa_column *column, struct input *input)
{
    struct input bytes;

    switch (take_byte(input) % 12) {
    case 1:
        return sqlite3_bind_int64(statement, at, take_integer(input));
    case 2:
        return sqlite3_bind_int64(statement, at, (int8_t)take_byte(input));
    case 3:
        return sqlite3_bind_int64(statement, at, border(column, take_byte(input)));
    case 4:
        bytes = take_bytes(input);
        return sqlite3_bind_text(statement, at, (const char *)bytes.p, (int)(bytes.end - bytes.p),
                                 SQLITE_TRANSIENT);
    case 5:
        bytes = take_bytes(input);
        return sqlite3_bind_blob(statement, at, bytes.p, (int)(bytes.end - bytes.p), SQLITE_TRANSIENT);
    case 6:
        return sqlite3_bind_null(statement, at);
    case 7:
        return sqlite3_bind_double(statement, at, (double)take_integer(input) / 3);
    case 8:
        return put_long(statement, at, input, true);
    case 9:
        return sqlite3_bind_text(statement, at, word(take_byte(input)), -1, SQLITE_STATIC);
    case 10:
        return put_long(statement, at, input, false);
    case 11:
        return put_place(statement, at, input);
    default:
        return put_true(statement, at, column);
    }
}

/* A row that the table itself refuses (a text as the number of a row) is none. */
static void
put_row(sqlite3 *db, struct input *input)
{
    const struct sa_table_def *def = &sa_tables[take_byte(input) % SA_TABLES];
    char sql[1024], *values = sql + 512;
    sqlite3_stmt *statement;
    int at = 0, columns = snprintf(sql, 512, "INSERT OR REPLACE INTO %s (", def->name), n = 0;

    for (const struct sa_column *column = def->columns; column->name != NULL; column++) {
        columns += snprintf(sql + columns, 512 - (size_t)columns, "%s%s", at == 0 ? "" : ",", column->name);
        n += snprintf(values + n, 512 - (size_t)n, at++ == 0 ? ") VALUES (?" : ",?");
    }
    memmove(sql + columns, values, (size_t)n + 1);
    strcat(sql, ")");
    FUZZ_CHECK(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK);
    at = 0;
    for (const struct sa_column *column = def->columns; column->name != NULL; column++)
        FUZZ_CHECK(put_value(statement, ++at, column, input) == SQLITE_OK);
    (void)sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
}

static char *
read_whole(const char *name, size_t *ret_len)
{
    FILE *file = fopen(name, "re");
    char *bytes = malloc(1 << 20);

    FUZZ_CHECK(file != NULL && bytes != NULL);
    *ret_len = fread(bytes, 1, 1 << 20, file);
    (void)fclose(file);
    return bytes;
}

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
    free(template);
}

static void
prepare(void)
{
    char *bytes;
    size_t len;
    int fd;

    (void)snprintf(dir, sizeof dir, "%s/fuzz_load.XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    FUZZ_CHECK(mkdtemp(dir) != NULL);
    (void)atexit(remove_all);
    sa_life_prepare(dir);
    (void)snprintf(path, sizeof path, "%s/state.db", dir);
    template = read_whole(path, &template_len);
    (void)snprintf(log_path, sizeof log_path, "%s/proxy.log", dir);
    bytes = read_whole(log_path, &len);
    memcpy(log_bytes, bytes, len < sizeof log_bytes ? len : sizeof log_bytes);
    free(bytes);
    fd = open(log_path, O_RDONLY | O_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && fstat(fd, &log_status) == 0);
    log_generation = sa_position_generation(fd);
    (void)close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    static struct sa_life life;
    sqlite3 *db;
    FILE *file;

    if (template == NULL)
        prepare();
    file = fopen(path, "we");
    FUZZ_CHECK(file != NULL && fwrite(template, 1, template_len, file) == template_len && fclose(file) == 0);
    FUZZ_CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    FUZZ_CHECK(sqlite3_exec(db, "PRAGMA synchronous=OFF; BEGIN", NULL, NULL, NULL) == SQLITE_OK);
    for (unsigned n = 0; n < ROWS_MAX && input.p < input.end; n++)
        put_row(db, &input);
    FUZZ_CHECK(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    FUZZ_CHECK(sqlite3_close(db) == SQLITE_OK);
    sa_life_go_on(&life, dir);
    return 0;
}
