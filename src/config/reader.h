/*
 * What is known while configuration files are read: the file, the list of errors, and the names that have to
 * exist in the end.  libConfuse hands its callbacks no pointer of ours, so it stands in one place; one reader
 * at a time.
 */
#ifndef SA_CONFIG_READER_H
#define SA_CONFIG_READER_H

#include "errors.h"
#include "types.h"

#include <confuse.h>

#define SA_READER_REFERENCES 1024

/* A name that must exist once everything is read, and where it was used. */
struct sa_reference {
    const char *kind; /* "format" or "source" */
    char name[SA_NAME_SIZE];
    char *file;
    int line;
};

extern struct sa_reader {
    struct sa_config_errors *errors;
    const char *file; /* being read; libConfuse does not know it in every section */
    struct sa_reference references[SA_READER_REFERENCES];
    unsigned n_references;
} sa_reader;

/* An error, and a warning, at the line that is being read in a section. */
#define SA_BAD(cfg, ...)  sa_config_error(sa_reader.errors, sa_reader.file, (cfg)->line, __VA_ARGS__)
#define SA_WARN(cfg, ...) sa_config_warning(sa_reader.errors, sa_reader.file, (cfg)->line, __VA_ARGS__)

void sa_reader_begin(struct sa_config_errors *errors);
void sa_reader_end(void);

/* Remembers that a section of this kind and name has to be there. */
void sa_reader_refer(const cfg_t *cfg, const char *kind, const char *name);

/* An error for each name that is not there now that everything is read. */
void sa_reader_resolve(cfg_t *cfg);

#endif
