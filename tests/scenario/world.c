#include "world.h"

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GENERATIONS 9

static const char format[] = "format \"edge\" { xlog = {\"[$ci] $rs $rr from $si:$sp method $rm\"}\n"
                             "  xlog_sent = {\"[$ci] replying $rs $rr to $si:$sp method $rm\"} }\n";
static const char source[] = "source \"edge\" { file = \"@DIR@/edge.log\" format = {\"edge\"} }\n";

static void
must(bool done)
{
    if (!done) {
        perror("the world of the scenario");
        abort();
    }
}

void
world_begin(struct world *world)
{
    const char *parent = getenv("TMPDIR");

    *world = (struct world){.calls = 0};
    (void)snprintf(world->dir, sizeof world->dir, "%s/scenario.XXXXXX",
                   parent != NULL && strlen(parent) < 40 ? parent : "/tmp");
    must(mkdtemp(world->dir) != NULL);
    (void)snprintf(world->config, sizeof world->config, "%s/sipalertd.conf", world->dir);
    (void)snprintf(world->control, sizeof world->control, "%s/control", world->dir);
}

static int
remove_one(const char *name, const struct stat *status, int kind, struct FTW *ftw)
{
    (void)status;
    (void)kind;
    (void)ftw;
    return remove(name);
}

void
world_end(struct world *world)
{
    if (world->dir[0] != '\0')
        (void)nftw(world->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    world->dir[0] = '\0';
}

static void
path_of(const struct world *world, const char *name, char path[256])
{
    (void)snprintf(path, 256, "%s/%.100s%s", world->dir, name, strchr(name, '.') != NULL ? "" : ".log");
}

static void
write_with_dir(const struct world *world, FILE *file, const char *text)
{
    for (const char *at; (at = strstr(text, "@DIR@")) != NULL; text = at + 5)
        (void)fprintf(file, "%.*s%s", (int)(at - text), text, world->dir);
    (void)fputs(text, file);
}

/* Whether the body has a section of this name: the word at the start of a line, after blanks. */
static bool
has_section(const char *body, const char *name)
{
    for (const char *at = body; (at = strstr(at, name)) != NULL; at++) {
        const char *before = at;

        while (before > body && (before[-1] == ' ' || before[-1] == '\t'))
            before--;
        if ((before == body || before[-1] == '\n') && at[strlen(name)] == ' ')
            return true;
    }
    return false;
}

static void
make_log(struct world *world, const char *name, size_t len)
{
    char path[256];
    int fd;

    (void)snprintf(path, sizeof path, "%s/%.*s.log", world->dir, (int)len, name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    must(fd != -1);
    (void)close(fd);
}

static void
make_logs_of(struct world *world, const char *body)
{
    for (const char *at = body; (at = strstr(at, "source \"")) != NULL;) {
        at += 8;
        make_log(world, at, strcspn(at, "\""));
    }
}

void
world_configure(struct world *world, const char *body, bool make_logs)
{
    FILE *file = fopen(world->config, "we");

    must(file != NULL);
    write_with_dir(
        world, file,
        "node = \"edge1\"\nstate_dir = \"@DIR@/state\"\ncontrol = \"@DIR@/control\"\nlog = \"stderr\"\n");
    if (!has_section(body, "source"))
        write_with_dir(world, file, source);
    if (!has_section(body, "format"))
        write_with_dir(world, file, format);
    write_with_dir(world, file, body);
    must(fputc('\n', file) != EOF && fclose(file) == 0);
    if (!make_logs)
        return;
    make_logs_of(world, body);
    if (!has_section(body, "source"))
        make_logs_of(world, source);
}

size_t
world_line(struct world *world, const struct world_line *line, char text[512])
{
    time_t seconds = line->wall_ms / 1000;
    char stamp[32], call_id[64];
    struct tm tm;

    must(gmtime_r(&seconds, &tm) != NULL);
    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(call_id, sizeof call_id, "%u@example.net", ++world->calls);
    return (size_t)snprintf(
        text, 512, "%s.%03dZ sbc01 kamailio[33]: INFO: <script>: [%s] %s%u Reason %s %s:5060 method %s\n",
        stamp, (int)(line->wall_ms % 1000), line->call_id != NULL ? line->call_id : call_id,
        line->sent ? "replying " : "", line->code, line->sent ? "to" : "from", line->peer, line->method);
}

/* What was written now was written at that time of the daemon's. */
static void
set_time(const char *path, int64_t wall_ms)
{
    const struct timespec when = {wall_ms / 1000, wall_ms % 1000 * 1000000};
    const struct timespec times[2] = {when, when};

    must(utimensat(AT_FDCWD, path, times, 0) == 0);
}

bool
world_append(struct world *world, const char *name, const char *bytes, size_t len, int64_t wall_ms)
{
    char path[256];
    FILE *file;

    path_of(world, name, path);
    file = fopen(path, "ae");
    must(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
    set_time(path, wall_ms);
    return true;
}

bool
world_rotate(struct world *world, const char *name)
{
    char path[256], older[300], newer[300];
    int fd;

    path_of(world, name, path);
    for (unsigned i = GENERATIONS; i > 1; i--) {
        (void)snprintf(older, sizeof older, "%s.%u", path, i);
        (void)snprintf(newer, sizeof newer, "%s.%u", path, i - 1);
        (void)rename(newer, older);
    }
    (void)snprintf(newer, sizeof newer, "%s.1", path);
    if (rename(path, newer) == -1)
        return false;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    must(fd != -1 && close(fd) == 0);
    return true;
}

bool
world_truncate(struct world *world, const char *name)
{
    char path[256];

    path_of(world, name, path);
    return truncate(path, 0) == 0;
}

bool
world_copytruncate(struct world *world, const char *name)
{
    char path[256], copy[300], buf[65536];
    FILE *from, *to;
    size_t n;

    path_of(world, name, path);
    (void)snprintf(copy, sizeof copy, "%s.1", path);
    from = fopen(path, "re");
    if (from == NULL)
        return false;
    to = fopen(copy, "we");
    must(to != NULL);
    while ((n = fread(buf, 1, sizeof buf, from)) > 0)
        must(fwrite(buf, 1, n, to) == n);
    must(fclose(to) == 0 && fclose(from) == 0);
    return truncate(path, 0) == 0;
}

/* The log is where the daemon does not look, until it comes back. */
static void
hidden_path(const struct world *world, const char *name, char path[256])
{
    (void)snprintf(path, 256, "%s/away", world->dir);
    (void)mkdir(path, 0755);
    (void)snprintf(path, 256, "%s/away/%.100s.log", world->dir, name);
}

bool
world_blind(struct world *world, const char *name)
{
    char path[256], hidden[256];

    path_of(world, name, path);
    hidden_path(world, name, hidden);
    return rename(path, hidden) == 0;
}

bool
world_seeing(struct world *world, const char *name)
{
    char path[256], hidden[256];

    path_of(world, name, path);
    hidden_path(world, name, hidden);
    return rename(hidden, path) == 0;
}

int
world_sql(struct world *world, const char *sql, char error[128])
{
    char path[256];
    sqlite3 *db = NULL;
    int changed = -1;

    (void)snprintf(path, sizeof path, "%s/state/state.db", world->dir);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        changed = sqlite3_total_changes(db);
    else
        (void)snprintf(error, 128, "%s", sqlite3_errmsg(db));
    (void)sqlite3_close(db);
    return changed;
}

bool
world_damage(struct world *world)
{
    char path[256];
    int fd;

    (void)snprintf(path, sizeof path, "%s/state/state.db", world->dir);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    for (int i = 0; i < 512; i++)
        must(write(fd, "garbage ", 8) == 8);
    return close(fd) == 0;
}
