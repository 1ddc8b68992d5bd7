/*
 * The text of a scenario as statements: one a line, words apart by blanks, "quoted" where they hold blanks
 * (with \n, \r, \t, \", \\ and \xNN), # for the rest of the line, { … } for a block that is kept as it is.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_WORDS 64

enum script_kind { SCRIPT_BARE, SCRIPT_QUOTED, SCRIPT_BLOCK };

struct script_word {
    enum script_kind kind; /* of a word such as text~"a b": bare */
    char *text;
    size_t len; /* a quoted word may hold NUL bytes */
};

struct script_statement {
    unsigned line;
    unsigned n;
    struct script_word words[SCRIPT_WORDS];
};

struct script {
    struct script_statement *statements;
    unsigned n;
    char red[256]; /* what the line "# red: …" says that the failure contains; "": there is none */
};

/* Returns true, or false with the line and what is wrong with it. */
bool script_read(const char *path, struct script *ret_script, unsigned *ret_line, char error[128]);
void script_free(struct script *script);

/* "1h30m", "5s", "250ms"; returns milliseconds, or -1. */
int64_t script_duration(const char *text);

#endif
