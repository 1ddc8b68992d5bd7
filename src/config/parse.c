#include "parse.h"
#include "options.h"
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INCLUDES_MAX   256
#define FILE_BYTES_MAX (16 << 20)

/* What is still to be read; see reader.h for why it stands here. */
static struct {
    char *paths[INCLUDES_MAX];
    unsigned n;
} includes;

void
sa_parse_error(cfg_t *cfg, const char *format, va_list ap)
{
    char message[512];

    (void)vsnprintf(message, sizeof message, format, ap);
    SA_BAD(cfg, "%s", message);
}

/* include("GLOB"): read after the file it stands in, in order. */
int
sa_parse_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
    glob_t found;

    (void)opt;
    for (int i = 0; i < argc; i++) {
        int r = glob(argv[i], 0, NULL, &found);

        if (r != 0 && r != GLOB_NOMATCH)
            SA_BAD(cfg, "include: cannot read \"%s\"", argv[i]);
        if (r == GLOB_NOMATCH && strpbrk(argv[i], "*?[") == NULL)
            SA_BAD(cfg, "include: \"%s\" does not exist", argv[i]);
        for (size_t k = 0; r == 0 && k < found.gl_pathc; k++) {
            if (includes.n == INCLUDES_MAX) {
                SA_BAD(cfg, "include: more than %d files", INCLUDES_MAX);
                break;
            }
            includes.paths[includes.n++] = strdup(found.gl_pathv[k]);
        }
        if (r == 0)
            globfree(&found);
    }
    return 0;
}

FILE *
sa_parse_open(const char *path)
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
    FILE *file = sa_parse_open(path);
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
        sa_config_error(sa_reader.errors, sa_reader.file, line, "this brace is never closed");
        return;
    }
    stream = text[0] == '\0' ? NULL : fmemopen(text, strlen(text), "r");
    if (stream == NULL)
        return; /* an empty file says nothing */
    if (cfg_parse_fp(cfg, stream) != CFG_SUCCESS && sa_reader.errors->count == 0)
        SA_BAD(cfg, "syntax error");
    (void)fclose(stream);
}

static void
parse_file(cfg_t *cfg, const char *path)
{
    char *text = read_text(path);

    sa_reader.file = path;
    if (text == NULL)
        sa_config_error(sa_reader.errors, path, 0, "cannot read: %s",
                        errno == EINVAL ? "not a regular file" : strerror(errno));
    else
        parse_text(cfg, text);
    free(text);
}

static void
parse_all(cfg_t *cfg, const char *path)
{
    parse_file(cfg, path);
    for (unsigned i = 0; i < includes.n; i++)
        parse_file(cfg, includes.paths[i]);
    sa_reader_resolve(cfg);
}

static void
forget_includes(void)
{
    while (includes.n > 0)
        free(includes.paths[--includes.n]);
}

cfg_t *
sa_parse(const char *path, struct sa_config_errors *errors)
{
    cfg_t *cfg;

    sa_reader_begin(errors);
    cfg = sa_options_new();
    if (cfg == NULL)
        sa_config_error(errors, path, 0, "out of memory");
    else
        parse_all(cfg, path);
    sa_reader_end();
    forget_includes();
    if (cfg != NULL && errors->count != 0) {
        (void)snprintf(errors->control, sizeof errors->control, "%s", cfg_getstr(cfg, "control"));
        (void)cfg_free(cfg);
        cfg = NULL;
    }
    return cfg;
}
