#include "database.h"
#include "entry.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION_ID 0x53495041 /* "SIPA" */
#define SQL_ROOM       1024
#define ROW_ROOM       512

struct sa_database {
    sqlite3 *db;
    sqlite3_stmt *statements[SA_TABLES][SA_ENTRY_CLEAR + 1]; /* made when first needed */
    unsigned dropped[SA_TABLES];                             /* rows that the last load left out */
    bool unclean[SA_TABLES];                                 /* such rows are still in the table */
};

/* What the kernel said last of the database or its journal. */
static int
last_errno(sqlite3 *db)
{
    int error = sqlite3_system_errno(db), of_journal = 0;
    sqlite3_file *journal = NULL;

    if (error == 0)
        (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
    if (error == 0 && sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &journal) == SQLITE_OK &&
        journal != NULL && journal->pMethods != NULL &&
        journal->pMethods->xFileControl(journal, SQLITE_FCNTL_LAST_ERRNO, &of_journal) == SQLITE_OK)
        error = of_journal;
    return error;
}

static int
to_errno(sqlite3 *db, int code)
{
    int system = db == NULL ? 0 : last_errno(db);

    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return 0;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EUCLEAN;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -ETXTBSY;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        return system > 0 ? -system : -EIO;
    default:
        return -EUCLEAN; /* tables or columns are not what they should be */
    }
}

static int
failure(sqlite3 *db, int code, char text[SA_DATABASE_TEXT])
{
    int error = to_errno(db, code);

    if (error == -ETXTBSY)
        (void)snprintf(text, SA_DATABASE_TEXT, "another program has it open (%s)", sqlite3_errstr(code));
    else
        (void)snprintf(text, SA_DATABASE_TEXT, "%s (%s)", strerror(-error), sqlite3_errstr(code));
    return error;
}

static int
execute(struct sa_database *database, const char *sql, char text[SA_DATABASE_TEXT])
{
    int code = sqlite3_exec(database->db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : failure(database->db, code, text);
}

/* The first column of the first row as a number. */
static int
ask(struct sa_database *database, const char *sql, int64_t *ret_value, char text[SA_DATABASE_TEXT])
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database->db, sql, -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *ret_value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return code == SQLITE_ROW ? 0 : failure(database->db, code, text);
}

static int
check_sound(struct sa_database *database, char text[SA_DATABASE_TEXT])
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    bool sound = false;

    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        sound = strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
    (void)sqlite3_finalize(statement);
    if (code != SQLITE_ROW)
        return failure(database->db, code, text);
    if (sound)
        return 0;
    (void)snprintf(text, SA_DATABASE_TEXT, "the file is damaged");
    return -EUCLEAN;
}

static int
upgrade(struct sa_database *database, int64_t version, char text[SA_DATABASE_TEXT])
{
    char sql[64];
    int r = execute(database, "BEGIN IMMEDIATE", text);

    for (; r == 0 && version < sa_schema_version; version++)
        r = execute(database, sa_schema_steps[version], text);
    (void)snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION_ID,
                   sa_schema_version);
    if (r == 0)
        r = execute(database, sql, text);
    if (r == 0)
        r = execute(database, "COMMIT", text);
    if (r < 0)
        (void)sqlite3_exec(database->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

static int
check_schema(struct sa_database *database, enum sa_database_mode mode, char text[SA_DATABASE_TEXT])
{
    int64_t application = 0, version = 0, tables = 0;
    int r;

    if ((r = ask(database, "PRAGMA application_id", &application, text)) < 0 ||
        (r = ask(database, "PRAGMA user_version", &version, text)) < 0 ||
        (r = ask(database, "SELECT count(*) FROM sqlite_master", &tables, text)) < 0)
        return r;
    if (application != APPLICATION_ID && tables != 0) {
        (void)snprintf(text, SA_DATABASE_TEXT, "not a state database of sipalertd");
        return -EUCLEAN;
    }
    if (version > sa_schema_version) {
        (void)snprintf(text, SA_DATABASE_TEXT,
                       "a newer sipalertd wrote it (schema %lld, this one knows up to %d)",
                       (long long)version, sa_schema_version);
        return -EPROTO;
    }
    if (version == sa_schema_version)
        return 0;
    return mode != SA_DATABASE_WRITE ? -EROFS : upgrade(database, version, text);
}

static void
list_columns(char sql[SQL_ROOM], const struct sa_column *column, const char *each, const char *between,
             bool only_keys)
{
    const char *before = "";

    for (; column->name != NULL; column++) {
        size_t len = strlen(sql);

        if (only_keys && !column->key)
            continue;
        (void)snprintf(sql + len, SQL_ROOM - len, "%s%s%s", before, column->name, each);
        before = between;
    }
}

/* All rows of a table, in the order of its key. */
static int
prepare_select(struct sa_database *database, enum sa_table table, sqlite3_stmt **ret_statement)
{
    const struct sa_table_def *def = &sa_tables[table];
    char sql[SQL_ROOM] = "SELECT ";
    size_t len;

    list_columns(sql, def->columns, "", ",", false);
    len = strlen(sql);
    (void)snprintf(sql + len, sizeof sql - len, " FROM %s ORDER BY ", def->name);
    list_columns(sql, def->columns, "", ",", true);
    *ret_statement = NULL;
    return sqlite3_prepare_v2(database->db, sql, -1, ret_statement, NULL);
}

/* A table or column that is missing is found now, and not by the first that wants to load it. */
static int
check_tables(struct sa_database *database, char text[SA_DATABASE_TEXT])
{
    for (unsigned table = 0; table < SA_TABLES; table++) {
        sqlite3_stmt *statement;
        int code = prepare_select(database, table, &statement);

        (void)sqlite3_finalize(statement);
        if (code != SQLITE_OK)
            return failure(database->db, code, text);
    }
    return 0;
}

static int
open_file(struct sa_database *database, const char *path, enum sa_database_mode mode)
{
    char uri[4200];
    int code;

    if (mode == SA_DATABASE_WRITE)
        return sqlite3_open_v2(path, &database->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (mode == SA_DATABASE_SHARED)
        return sqlite3_open_v2(path, &database->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    /* Without the journal: the main file is a whole state by itself, if an older one. */
    code = snprintf(uri, sizeof uri, "file:%s?immutable=1", path);
    if (code >= (int)sizeof uri)
        return SQLITE_CANTOPEN;
    return sqlite3_open_v2(uri, &database->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI,
                           NULL);
}

/* SQLite opens what may only be read for reading, and says much later that it cannot be written. */
static int
may_write(const char *path, char text[SA_DATABASE_TEXT])
{
    int error;

    if (access(path, R_OK | W_OK) == 0 || errno == ENOENT)
        return 0;
    error = errno;
    (void)snprintf(text, SA_DATABASE_TEXT, "%s", strerror(error));
    return -error;
}

int
sa_database_open(const char *path, enum sa_database_mode mode, struct sa_database **ret_database,
                 char text[SA_DATABASE_TEXT])
{
    struct sa_database *database = calloc(1, sizeof *database);
    int code, r = 0;

    if (database == NULL)
        return -ENOMEM;
    r = mode == SA_DATABASE_WRITE ? may_write(path, text) : 0;
    code = r == 0 ? open_file(database, path, mode) : SQLITE_OK;
    if (code != SQLITE_OK)
        r = failure(database->db, code, text);
    /*
     * A write-ahead log survives a kill at any point and needs the disk's fsync only now and then; exclusive
     * locking keeps its index in our memory, so that nothing of ours is mapped from a disk that may fail.
     */
    if (r == 0 && mode != SA_DATABASE_SHARED)
        r = execute(database, "PRAGMA locking_mode=EXCLUSIVE", text);
    if (r == 0)
        r = execute(database, "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-1024", text);
    if (r == 0)
        r = check_sound(database, text);
    if (r == 0)
        r = check_schema(database, mode, text);
    if (r == 0)
        r = check_tables(database, text);
    if (r == 0 && mode == SA_DATABASE_WRITE)
        r = execute(database, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", text);
    if (r < 0) {
        (void)sa_database_close(database);
        return r;
    }
    *ret_database = database;
    return 0;
}

struct sa_database *
sa_database_close(struct sa_database *database)
{
    if (database == NULL)
        return NULL;
    for (unsigned table = 0; table < SA_TABLES; table++)
        for (unsigned kind = 0; kind <= SA_ENTRY_CLEAR; kind++)
            (void)sqlite3_finalize(database->statements[table][kind]);
    (void)sqlite3_close(database->db);
    free(database);
    return NULL;
}

bool
sa_database_empty(struct sa_database *database)
{
    char text[SA_DATABASE_TEXT];
    int64_t rows = 0;

    return ask(database, "SELECT count(*) FROM daemon", &rows, text) < 0 || rows == 0;
}

bool
sa_database_moved(struct sa_database *database)
{
    int moved = 0;

    return sqlite3_file_control(database->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved;
}

static void
write_sql(char sql[SQL_ROOM], enum sa_table table, enum sa_entry_kind kind)
{
    const struct sa_table_def *def = &sa_tables[table];
    size_t len;

    switch (kind) {
    case SA_ENTRY_PUT:
        (void)snprintf(sql, SQL_ROOM, "INSERT OR REPLACE INTO %s (", def->name);
        list_columns(sql, def->columns, "", ",", false);
        len = strlen(sql);
        (void)snprintf(sql + len, SQL_ROOM - len, ") VALUES (?");
        for (const struct sa_column *column = def->columns + 1; column->name != NULL; column++)
            (void)strncat(sql, ",?", SQL_ROOM - strlen(sql) - 1);
        (void)strncat(sql, ")", SQL_ROOM - strlen(sql) - 1);
        break;
    case SA_ENTRY_DELETE:
        (void)snprintf(sql, SQL_ROOM, "DELETE FROM %s WHERE ", def->name);
        list_columns(sql, def->columns, "=?", " AND ", true);
        break;
    case SA_ENTRY_CLEAR:
        (void)snprintf(sql, SQL_ROOM, "DELETE FROM %s", def->name);
        break;
    }
}

static int
statement_of(struct sa_database *database, const struct sa_entry_header *header, sqlite3_stmt **ret_statement)
{
    sqlite3_stmt **statement = &database->statements[header->table][header->kind];
    char sql[SQL_ROOM];
    int code = SQLITE_OK;

    if (*statement == NULL) {
        write_sql(sql, header->table, header->kind);
        code = sqlite3_prepare_v3(database->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    }
    *ret_statement = *statement;
    return code;
}

static int
bind(sqlite3_stmt *statement, int at, enum sa_column_kind kind, struct sa_entry_value value)
{
    switch (kind) {
    case SA_INTEGER:
        return sqlite3_bind_int64(statement, at, value.integer);
    case SA_TEXT:
        return sqlite3_bind_text(statement, at, value.blob.p, (int)value.blob.len, SQLITE_STATIC);
    case SA_BLOB:
        break;
    }
    return sqlite3_bind_blob(statement, at, value.blob.p, (int)value.blob.len, SQLITE_STATIC);
}

static int
run_entry(struct sa_database *database, const struct sa_batch *batch, const struct sa_entry_header *header,
          size_t *at)
{
    sqlite3_stmt *statement;
    int n = 0, code = statement_of(database, header, &statement);

    if (code != SQLITE_OK)
        return code;
    for (const struct sa_column *column = sa_tables[header->table].columns;
         header->kind != SA_ENTRY_CLEAR && column->name != NULL; column++)
        if ((header->kind == SA_ENTRY_PUT || column->key) && code == SQLITE_OK)
            code = bind(statement, ++n, column->kind, sa_entry_value(batch, at, column->kind));
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* The value of a column, if it is of the column's kind and one that it can have. */
static bool
fill_column(sqlite3_stmt *statement, int n, const struct sa_column *column, char *field)
{
    static const int types[] = {
        [SA_INTEGER] = SQLITE_INTEGER, [SA_TEXT] = SQLITE_TEXT, [SA_BLOB] = SQLITE_BLOB};
    int64_t value;
    const char *text;
    struct sa_blob blob;

    if (sqlite3_column_type(statement, n) != types[column->kind])
        return false;
    value =
        column->kind == SA_INTEGER ? sqlite3_column_int64(statement, n) : sqlite3_column_bytes(statement, n);
    if (value < column->min || value > column->max)
        return false;
    switch (column->kind) {
    case SA_INTEGER:
        memcpy(field, &value, sizeof value);
        return true;
    case SA_TEXT:
        text = (const char *)sqlite3_column_text(statement, n);
        memcpy(field, &text, sizeof text);
        return text != NULL && strlen(text) == (size_t)value; /* no NUL within */
    case SA_BLOB:
        break;
    }
    blob = (struct sa_blob){value == 0 ? "" : sqlite3_column_blob(statement, n), (size_t)value};
    memcpy(field, &blob, sizeof blob);
    return blob.p != NULL;
}

/* The row as its table's struct; false: something else wrote it. */
static bool
fill_row(sqlite3_stmt *statement, const struct sa_table_def *def, char *row)
{
    int n = 0;

    for (const struct sa_column *column = def->columns; column->name != NULL; column++, n++)
        if (!fill_column(statement, n, column, row + column->offset))
            return false;
    return def->is_sound == NULL || def->is_sound(row);
}

/* Deletes the row that the statement stands at, whatever its key is. */
static int
delete_row(struct sa_database *database, enum sa_table table, sqlite3_stmt *at)
{
    char sql[SQL_ROOM];
    sqlite3_stmt *statement = NULL;
    int code, n = 0, bound = 0;

    (void)snprintf(sql, sizeof sql, "DELETE FROM %s WHERE ", sa_tables[table].name);
    list_columns(sql, sa_tables[table].columns, " IS ?", " AND ", true);
    code = sqlite3_prepare_v2(database->db, sql, -1, &statement, NULL);
    for (const struct sa_column *column = sa_tables[table].columns; column->name != NULL; column++, n++)
        if (column->key && code == SQLITE_OK)
            code = sqlite3_bind_value(statement, ++bound, sqlite3_column_value(at, n));
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Rows that cannot be loaded would be found, counted and told again at each start. */
static int
remove_dropped(struct sa_database *database, enum sa_table table)
{
    _Alignas(max_align_t) char row[ROW_ROOM];
    sqlite3_stmt *statement;
    int code = prepare_select(database, table, &statement);

    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        code =
            fill_row(statement, &sa_tables[table], row) ? SQLITE_OK : delete_row(database, table, statement);
    (void)sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int
sa_database_apply(struct sa_database *database, const struct sa_batch *batch, char text[SA_DATABASE_TEXT])
{
    struct sa_entry_header header;
    size_t at = 0;
    int code = sqlite3_exec(database->db, "BEGIN IMMEDIATE", NULL, NULL, NULL), r;

    for (unsigned table = 0; table < SA_TABLES && code == SQLITE_OK; table++)
        if (database->unclean[table])
            code = remove_dropped(database, table);
    while (code == SQLITE_OK && sa_entry_next(batch, &at, &header))
        code = run_entry(database, batch, &header, &at);
    if (code == SQLITE_OK)
        code = sqlite3_exec(database->db, "COMMIT", NULL, NULL, NULL);
    if (code == SQLITE_OK) {
        memset(database->unclean, 0, sizeof database->unclean);
        return 0;
    }
    r = failure(database->db, code, text);
    (void)sqlite3_exec(database->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

int
sa_database_load(struct sa_database *database, enum sa_table table,
                 void (*fn)(void *arg, enum sa_table table, const void *row), void *arg,
                 char text[SA_DATABASE_TEXT])
{
    _Alignas(max_align_t) char row[ROW_ROOM];
    sqlite3_stmt *statement;
    int code = prepare_select(database, table, &statement);

    database->dropped[table] = 0;
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (fill_row(statement, &sa_tables[table], row))
            fn(arg, table, row);
        else
            database->dropped[table]++;
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement);
    database->unclean[table] = database->dropped[table] > 0;
    return code == SQLITE_DONE ? 0 : failure(database->db, code, text);
}

unsigned
sa_database_dropped(const struct sa_database *database, enum sa_table table)
{
    return database->dropped[table];
}
