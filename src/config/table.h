/*
 * Every key of the configuration file, described once.  The option lists of libConfuse (options.c), the
 * checks of single values (check_value.c), the filling of struct sa_config and its release (fill.c) and the
 * printing back (config_print.c) walk this table.
 */
#ifndef SA_CONFIG_TABLE_H
#define SA_CONFIG_TABLE_H

#include <confuse.h>
#include <stddef.h>
#include <stdint.h>

enum sa_key_type {
    SA_KEY_TEXT,     /* char *, NULL if it was not set and has no default */
    SA_KEY_NAME,     /* char [] */
    SA_KEY_WORD,     /* an enumeration, an int or a bool; of .words */
    SA_KEY_BOOL,     /* bool */
    SA_KEY_NUMBER,   /* uint32_t */
    SA_KEY_DURATION, /* uint32_t, seconds */
    SA_KEY_SIZE,     /* size_t, bytes */
    SA_KEY_SHARE,    /* uint32_t, per mille */
    SA_KEY_TIMEZONE, /* struct sa_timezone_def */
    SA_KEY_FACILITY, /* struct sa_facility_def */
    SA_KEY_LIST,     /* char **, ended by NULL */
    SA_KEY_NAMES,    /* char [.room][], with its .count */
    SA_KEY_NETWORKS, /* struct sa_network *, with its .count */
    SA_KEY_CODES,    /* codes and codes_text of a rule */
    SA_KEY_SECTION,  /* .keys says of which shape */
    SA_KEY_INCLUDE,  /* nothing is kept of it */
};

enum sa_key_flags {
    SA_KEY_OMITTED = 1, /* is not printed while it has its default */
    SA_KEY_SECRET = 2,  /* printed as a mask, or not at all where KEY_file says where it is */
    SA_KEY_LIVE = 4, /* of a section: what changes in it does not make another configuration for a reload */
};

/* A word and what it is read as.  Of two words for one value the first is printed. */
struct sa_word {
    const char *name;
    int value;
};

struct sa_key;

/* Where a value or a section stands in the file; cfg->line is its line. */
struct sa_place {
    const struct sa_key *key;
    cfg_t *cfg; /* the section that it is in */
    cfg_opt_t *opt;
};

struct sa_field {
    size_t offset, size; /* in the struct of its section; size 0: nothing is kept */
};

struct sa_key {
    const char *section; /* that it stands in; "" outside of all */
    const char *name;
    enum sa_key_type type;
    const char *value; /* the default, as the file would say it; NULL: none */
    struct sa_field field;
    int64_t least, most;         /* of a number, a duration, a size, or a text's length; most 0: any */
    const struct sa_word *words; /* the only ones; ended by a NULL name */
    const char *only_with;       /* a key of the same section without which this one says nothing */
    void (*check)(const struct sa_place *place, const char *text); /* what else is to be said of a value */
    struct sa_field count; /* of names, networks and sections: how many there are */
    const char *many;      /* what is counted there; NULL: entries */
    const char *keys;      /* of a section: the section of the table that has its keys */
    unsigned room;         /* the most of these; 0: any number */
    unsigned flags;
};

enum sa_section_shape {
    SA_SECTION_MANY,  /* with titles, which are the first field; an array */
    SA_SECTION_ONE,   /* always there; inside the struct that it is in */
    SA_SECTION_MAYBE, /* allocated if it was written, otherwise NULL */
    SA_SECTION_LEVEL, /* inside, the first field is a bool that says whether it was written; printed in one
                         line */
};

struct sa_section {
    const char *name; /* as in sa_key.section */
    enum sa_section_shape shape;
    size_t size; /* of its struct */
    /* What keys have to do with each other, asked at the closing brace.  NULL: nothing. */
    void (*check)(const struct sa_place *place, cfg_t *section);
};

/* Both end with a NULL name; keys in the order in which they are printed. */
extern const struct sa_key sa_keys[];
extern const struct sa_section sa_sections[];

/* NULL: there is none. */
const struct sa_key *sa_key_find(const char *section, const char *name);

/* The shape of a key of type SA_KEY_SECTION. */
const struct sa_section *sa_key_section(const struct sa_key *key);

/* The field of a key in the struct of its section. */
static inline void *
sa_key_field(const struct sa_key *key, const void *base)
{
    return (char *)(uintptr_t)base + key->field.offset;
}

/* The name of a word's value; "" if there is none. */
const char *sa_word_name(const struct sa_word *words, int value);

#endif
