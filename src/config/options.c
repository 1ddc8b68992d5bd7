#include "options.h"
#include "checks.h"
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INCLUDES_MAX   256
#define FILE_BYTES_MAX (16 << 20)

/* libConfuse hands its callbacks no pointer of ours, so the reader of the moment stands here. */
static struct reader {
    struct sa_config_errors *errors;
    const char *file; /* being read */
    char *includes[INCLUDES_MAX];
    unsigned n_includes;
} * reader;

#define BAD(cfg, ...) sa_config_error(reader->errors, reader->file, (cfg)->line, __VA_ARGS__)

/* libConfuse's own errors: syntax, unknown keys, wrong types. */
__attribute__((format(printf, 2, 0))) static void
on_syntax_error(cfg_t *cfg, const char *format, va_list ap)
{
    char message[512];

    (void)vsnprintf(message, sizeof message, format, ap);
    BAD(cfg, "%s", message);
}

/* include("GLOB"): read after the file it stands in, in order. */
static int
on_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
    glob_t found;

    (void)opt;
    for (int i = 0; i < argc; i++) {
        int r = glob(argv[i], 0, NULL, &found);

        if (r != 0 && r != GLOB_NOMATCH)
            BAD(cfg, "include: cannot read \"%s\"", argv[i]);
        if (r == GLOB_NOMATCH && strpbrk(argv[i], "*?[") == NULL)
            BAD(cfg, "include: \"%s\" does not exist", argv[i]);
        for (size_t k = 0; r == 0 && k < found.gl_pathc; k++) {
            if (reader->n_includes == INCLUDES_MAX) {
                BAD(cfg, "include: more than %d files", INCLUDES_MAX);
                break;
            }
            reader->includes[reader->n_includes++] = strdup(found.gl_pathv[k]);
        }
        if (r == 0)
            globfree(&found);
    }
    return 0;
}

static cfg_t *
new_parser(void)
{
    static cfg_opt_t source[] = {
        CFG_STR_LIST("file", NULL, CFGF_NONE),
        CFG_STR_LIST("journal", NULL, CFGF_NONE),
        CFG_STR_LIST("syslog", NULL, CFGF_NONE),
        CFG_STR("fifo", NULL, CFGF_NONE),
        CFG_BOOL("stdin", cfg_false, CFGF_NONE),
        CFG_STR_LIST("watch", NULL, CFGF_NONE),
        CFG_STR_LIST("format", "{auto}", CFGF_NONE),
        CFG_STR("start_at", "end", CFGF_NONE),
        CFG_STR("line_limit", "64KiB", CFGF_NONE),
        CFG_STR("count", "responses", CFGF_NONE),
        CFG_STR("timezone", "local", CFGF_NONE),
        CFG_STR("olddir", "", CFGF_NONE),
        CFG_STR("rotate_wait", "60s", CFGF_NONE),
        CFG_STR("backfill_max_age", "7d", CFGF_NONE),
        CFG_STR("backfill_max_bytes", "1GiB", CFGF_NONE),
        CFG_INT("max_connections", 256, CFGF_NONE),
        CFG_STR_LIST("allow", NULL, CFGF_NONE),
        CFG_END(),
    };
    static cfg_opt_t json[] = {
        CFG_STR_LIST("where", NULL, CFGF_NONE),
        CFG_STR("code", "", CFGF_NONE),
        CFG_STR("method", "", CFGF_NONE),
        CFG_STR("peer", "", CFGF_NONE),
        CFG_STR("callid", "", CFGF_NONE),
        CFG_STR("direction", "", CFGF_NONE),
        CFG_STR("received", "", CFGF_NONE),
        CFG_STR("sent", "", CFGF_NONE),
        CFG_END(),
    };
    static cfg_opt_t format[] = {
        CFG_STR_LIST("xlog", NULL, CFGF_NONE),
        CFG_STR_LIST("xlog_sent", NULL, CFGF_NONE),
        CFG_STR_LIST("regex", NULL, CFGF_NONE),
        CFG_SEC("json", json, CFGF_NODEFAULT),
        CFG_END(),
    };
    static cfg_opt_t level[] = {
        CFG_INT("count", 0, CFGF_NONE),
        CFG_STR("ratio", NULL, CFGF_NONE),
        CFG_END(),
    };
    static cfg_opt_t rule[] = {
        CFG_STR_LIST("codes", NULL, CFGF_NONE),
        CFG_STR_LIST("methods", NULL, CFGF_NONE),
        CFG_STR_LIST("sources", NULL, CFGF_NONE),
        CFG_STR("direction", "any", CFGF_NONE),
        CFG_STR_LIST("by", "{source}", CFGF_NONE),
        CFG_STR("ratio_of", "final", CFGF_NONE),
        CFG_STR("count", "responses", CFGF_NONE),
        CFG_STR("window", "60s", CFGF_NONE),
        CFG_INT("min_total", -1, CFGF_NONE),
        CFG_STR("for", "0s", CFGF_NONE),
        CFG_STR("clear_at", "80%", CFGF_NONE),
        CFG_STR("clear_for", "120s", CFGF_NONE),
        CFG_STR("remediation", "", CFGF_NONE),
        CFG_BOOL("enabled", cfg_true, CFGF_NONE),
        CFG_SEC("warning", level, CFGF_NODEFAULT),
        CFG_SEC("minor", level, CFGF_NODEFAULT),
        CFG_SEC("major", level, CFGF_NODEFAULT),
        CFG_SEC("critical", level, CFGF_NODEFAULT),
        CFG_END(),
    };
    static cfg_opt_t snmp[] = {
        CFG_STR("mode", "agentx", CFGF_NONE),
        CFG_BOOL("notify_master", cfg_true, CFGF_NONE),
        CFG_STR("master", "unix:/var/agentx/master", CFGF_NONE),
        CFG_STR_LIST("listen", "{\"udp:127.0.0.1:1161\"}", CFGF_NONE),
        CFG_STR("access", NULL, CFGF_NONE),
        CFG_END(),
    };
    static cfg_opt_t notify[] = {
        CFG_STR("address", NULL, CFGF_NONE),       CFG_STR("version", "2c", CFGF_NONE),
        CFG_STR("community", "public", CFGF_NONE), CFG_STR("community_file", NULL, CFGF_NONE),
        CFG_STR("type", "inform", CFGF_NONE),      CFG_END(),
    };
    static cfg_opt_t syslog[] = {
        CFG_BOOL("enabled", cfg_true, CFGF_NONE),
        CFG_STR("facility", "daemon", CFGF_NONE),
        CFG_END(),
    };
    static cfg_opt_t top[] = {
        CFG_STR("node", NULL, CFGF_NONE),
        CFG_STR("state_dir", "/var/lib/sipalert", CFGF_NONE),
        CFG_STR("control", SA_CONFIG_CONTROL, CFGF_NONE),
        CFG_STR("language", "en", CFGF_NONE),
        CFG_STR("log", "auto", CFGF_NONE),
        CFG_STR("log_level", "info", CFGF_NONE),
        CFG_FUNC("include", on_include),
        CFG_SEC("source", source, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
        CFG_SEC("format", format, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
        CFG_SEC("rule", rule, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
        CFG_SEC("snmp", snmp, CFGF_NONE),
        CFG_SEC("notify", notify, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
        CFG_SEC("syslog", syslog, CFGF_NONE),
        CFG_END(),
    };
    cfg_t *cfg = cfg_init(top, CFGF_NONE);

    if (cfg == NULL)
        return NULL;
    (void)cfg_set_error_function(cfg, on_syntax_error);
    sa_checks_attach(cfg);
    return cfg;
}

FILE *
sa_options_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY); /* a FIFO without a writer blocks */
    FILE *file = NULL;
    struct stat status;

    if (fd == -1)
        return NULL;
    if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode))
        errno = EINVAL;
    else
        file = fdopen(fd, "r");
    if (file == NULL)
        (void)close(fd);
    return file;
}

/*
 * The whole file as text.  libConfuse ends the process when reading fails under it, so it is given memory
 * only. Returns NULL with errno; EINVAL: not a regular file.
 */
static char *
read_text(const char *path)
{
    FILE *file = sa_options_open(path);
    struct stat status;
    char *text = NULL;
    size_t size;

    if (file == NULL)
        return NULL;
    if (fstat(fileno(file), &status) == 0) {
        errno = EFBIG;
        if (status.st_size < FILE_BYTES_MAX)
            text = calloc(1, (size_t)status.st_size + 1);
        size = text == NULL ? 0 : fread(text, 1, (size_t)status.st_size, file);
        if (text != NULL && (ferror(file) || size != (size_t)status.st_size)) {
            free(text);
            text = NULL;
            errno = EIO;
        }
    }
    (void)fclose(file);
    return text;
}

/* Steps over a string or a comment that starts here; returns where it ends, or s if there is none. */
static const char *
skip_quoted(const char *s)
{
    if (*s == '"' || *s == '\'') {
        const char *end = s + 1;

        while (*end != '\0' && *end != *s)
            end += end[0] == '\\' && end[1] != '\0' ? 2 : 1;
        return end;
    }
    if (*s == '#' || (s[0] == '/' && s[1] == '/'))
        return s + strcspn(s, "\n") - 1;
    if (s[0] == '/' && s[1] == '*') {
        const char *end = strstr(s + 2, "*/");

        return end == NULL ? s + strlen(s) - 1 : end + 1;
    }
    return s;
}

/* The line of a brace that is never closed, or 0.  libConfuse takes the end of the file for its end. */
static int
unclosed_brace(const char *text)
{
    int lines[32], line = 1;
    unsigned depth = 0;

    for (const char *s = text; *s != '\0'; s++) {
        const char *end = skip_quoted(s);

        for (; s < end; s++)
            line += *s == '\n';
        if (*s == '\0')
            break;
        if (end == s && *s == '{' && depth < sizeof lines / sizeof lines[0])
            lines[depth++] = line;
        else if (*s == '}' && depth > 0)
            depth--;
        line += *s == '\n';
    }
    return depth == 0 ? 0 : lines[depth - 1];
}

static void
parse_text(cfg_t *cfg, char *text)
{
    FILE *stream;
    int line = unclosed_brace(text);

    if (line != 0) {
        sa_config_error(reader->errors, reader->file, line, "this brace is never closed");
        return;
    }
    stream = text[0] == '\0' ? NULL : fmemopen(text, strlen(text), "r");
    if (stream == NULL)
        return; /* an empty file says nothing */
    if (cfg_parse_fp(cfg, stream) != CFG_SUCCESS && reader->errors->count == 0)
        BAD(cfg, "syntax error");
    (void)fclose(stream);
}

static void
parse_file(cfg_t *cfg, const char *path)
{
    char *text = read_text(path);

    reader->file = path;
    sa_checks_file(path);
    if (text == NULL)
        sa_config_error(reader->errors, path, 0, "cannot read: %s",
                        errno == EINVAL ? "not a regular file" : strerror(errno));
    else
        parse_text(cfg, text);
    free(text);
}

cfg_t *
sa_options_load(const char *path, struct sa_config_errors *errors)
{
    cfg_t *cfg;

    reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        sa_config_error(errors, path, 0, "out of memory");
        return NULL;
    }
    reader->errors = errors;
    sa_checks_begin(errors);
    cfg = new_parser();
    if (cfg != NULL) {
        parse_file(cfg, path);
        for (unsigned i = 0; i < reader->n_includes; i++)
            parse_file(cfg, reader->includes[i]);
        sa_checks_resolve(cfg);
    }
    sa_checks_end();
    for (unsigned i = 0; i < reader->n_includes; i++)
        free(reader->includes[i]);
    free(reader);
    reader = NULL;
    if (cfg != NULL && errors->count != 0) {
        (void)snprintf(errors->control, sizeof errors->control, "%s", cfg_getstr(cfg, "control"));
        (void)cfg_free(cfg);
        cfg = NULL;
    }
    return cfg;
}
