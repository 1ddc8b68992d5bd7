#include "script.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const char *at, *end;
    unsigned line;
    char *error;
};

static bool
complain(struct reader *reader, const char *text)
{
    (void)snprintf(reader->error, 128, "%s", text);
    return false;
}

static void *
need(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static void
skip_comment(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at != '\n')
        reader->at++;
}

static bool
read_escape(struct reader *reader, char *ret_byte)
{
    static const char names[] = "nrt\"\\", bytes[] = "\n\r\t\"\\";
    char c = reader->at < reader->end ? *reader->at++ : '\0', digits[3] = {0};
    const char *found = c == '\0' ? NULL : strchr(names, c);

    if (found != NULL) {
        *ret_byte = bytes[found - names];
        return true;
    }
    if (c != 'x' || reader->end - reader->at < 2 || !isxdigit((unsigned char)reader->at[0]) ||
        !isxdigit((unsigned char)reader->at[1]))
        return complain(reader, "a backslash stands before n, r, t, \", \\ or xNN");
    memcpy(digits, reader->at, 2);
    reader->at += 2;
    *ret_byte = (char)strtol(digits, NULL, 16);
    return true;
}

/* What stands between two quotes, to be added to the word. */
static bool
read_quoted(struct reader *reader, struct script_word *word)
{
    for (reader->at++; reader->at < reader->end && *reader->at != '"';) {
        char c = *reader->at++;

        if (c == '\n')
            return complain(reader, "a quote is not closed");
        if (c == '\\' && !read_escape(reader, &c))
            return false;
        word->text[word->len++] = c;
    }
    if (reader->at == reader->end)
        return complain(reader, "a quote is not closed");
    reader->at++;
    return true;
}

static bool
read_bare(struct reader *reader, struct script_word *word)
{
    while (reader->at < reader->end && !isspace((unsigned char)*reader->at) && *reader->at != '#') {
        if (*reader->at != '"')
            word->text[word->len++] = *reader->at++;
        else if (!read_quoted(reader, word))
            return false;
    }
    return true;
}

/* From the brace to the one that closes it; braces in quotes and comments do not count. */
static bool
read_block(struct reader *reader, struct script_word *word)
{
    const char *begin = reader->at + 1;
    unsigned depth = 0;
    char quote = '\0';

    for (; reader->at < reader->end; reader->at++) {
        char c = *reader->at;

        if (c == '\n')
            reader->line++;
        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '#') {
            skip_comment(reader);
            reader->line++;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            word->len = (size_t)(reader->at++ - begin);
            memcpy(word->text, begin, word->len);
            return true;
        }
    }
    return complain(reader, "a block is not closed");
}

static bool
read_word(struct reader *reader, struct script_word *word)
{
    bool good;

    word->text = need(calloc(1, (size_t)(reader->end - reader->at) + 1));
    if (*reader->at == '{') {
        word->kind = SCRIPT_BLOCK;
        good = read_block(reader, word);
    } else if (*reader->at == '"') {
        word->kind = SCRIPT_QUOTED;
        good = read_quoted(reader, word);
    } else {
        good = read_bare(reader, word);
    }
    word->text = need(realloc(word->text, word->len + 1));
    word->text[word->len] = '\0';
    return good;
}

/* The words up to the end of the line; n stays 0 if there are none. */
static bool
read_statement(struct reader *reader, struct script_statement *statement)
{
    statement->line = reader->line;
    while (reader->at < reader->end && *reader->at != '\n') {
        if (*reader->at == '#')
            skip_comment(reader);
        else if (isspace((unsigned char)*reader->at))
            reader->at++;
        else if (statement->n == SCRIPT_WORDS)
            return complain(reader, "there are too many words");
        else if (!read_word(reader, &statement->words[statement->n++]))
            return false;
    }
    reader->at += reader->at < reader->end;
    reader->line++;
    return true;
}

static char *
read_file(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "re");
    char *text = need(malloc(1 << 20));

    *ret_len = file == NULL ? 0 : fread(text, 1, (1 << 20) - 1, file);
    text[*ret_len] = '\0';
    if (file != NULL)
        (void)fclose(file);
    return text;
}

static void
find_red(const char *text, char red[256])
{
    const char *found = strstr(text, "# red: ");

    red[0] = '\0';
    if (found != NULL)
        (void)snprintf(red, 256, "%.*s", (int)strcspn(found + 7, "\n"), found + 7);
}

bool
script_read(const char *path, struct script *ret_script, unsigned *ret_line, char error[128])
{
    size_t len;
    char *text = read_file(path, &len);
    struct reader reader = {text, text + len, 1, error};
    bool good = len > 0 || complain(&reader, "cannot read it, or it is empty");

    *ret_script = (struct script){NULL, 0, ""};
    find_red(text, ret_script->red);
    while (good && reader.at < reader.end) {
        struct script_statement statement = {0};

        *ret_line = reader.line;
        good = read_statement(&reader, &statement);
        if (statement.n == 0)
            continue;
        ret_script->statements =
            need(realloc(ret_script->statements, (ret_script->n + 1) * sizeof *ret_script->statements));
        ret_script->statements[ret_script->n++] = statement;
    }
    free(text);
    return good;
}

void
script_free(struct script *script)
{
    for (unsigned i = 0; i < script->n; i++)
        for (unsigned k = 0; k < script->statements[i].n; k++)
            free(script->statements[i].words[k].text);
    free(script->statements);
}

int64_t
script_duration(const char *text)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    int64_t sum = 0;

    if (*text == '\0')
        return -1;
    while (*text != '\0') {
        char *unit;
        long number = strtol(text, &unit, 10);
        size_t i = 0, len = strspn(unit, "smhd");

        while (i < sizeof units / sizeof units[0] &&
               (strlen(units[i].name) != len || memcmp(units[i].name, unit, len) != 0))
            i++;
        if (unit == text || number < 0 || i == sizeof units / sizeof units[0])
            return -1;
        sum += number * units[i].ms;
        text = unit + len;
    }
    return sum;
}
