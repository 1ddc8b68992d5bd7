#include "reader.h"
#include "presets.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sa_reader sa_reader;

void
sa_reader_begin(struct sa_config_errors *errors)
{
    sa_reader.errors = errors;
    sa_reader.n_references = 0;
}

void
sa_reader_end(void)
{
    for (unsigned i = 0; i < sa_reader.n_references; i++)
        free(sa_reader.references[i].file);
    sa_reader.errors = NULL;
    sa_reader.n_references = 0;
}

void
sa_reader_refer(const cfg_t *cfg, const char *kind, const char *name)
{
    struct sa_reference *reference;

    if (sa_reader.n_references == SA_READER_REFERENCES) {
        SA_BAD(cfg, "too many names");
        return;
    }
    if (strlen(name) >= SA_NAME_SIZE) {
        SA_BAD(cfg, "%s \"%s\": names have at most %d characters", kind, name, SA_NAME_SIZE - 1);
        return;
    }
    reference = &sa_reader.references[sa_reader.n_references++];
    reference->kind = kind;
    (void)snprintf(reference->name, sizeof reference->name, "%s", name);
    reference->file = strdup(sa_reader.file);
    reference->line = cfg->line;
}

static bool
is_format_of_ours(const char *name)
{
    const struct sa_preset *preset = sa_presets;

    while (preset->name != NULL && strcmp(preset->name, name) != 0)
        preset++;
    return preset->name != NULL || strcmp(name, "auto") == 0;
}

static bool
exists(cfg_t *cfg, const struct sa_reference *reference)
{
    for (unsigned i = 0; i < cfg_size(cfg, reference->kind); i++)
        if (strcmp(cfg_title(cfg_getnsec(cfg, reference->kind, i)), reference->name) == 0)
            return true;
    return strcmp(reference->kind, "format") == 0 && is_format_of_ours(reference->name);
}

void
sa_reader_resolve(cfg_t *cfg)
{
    for (unsigned i = 0; i < sa_reader.n_references; i++) {
        const struct sa_reference *reference = &sa_reader.references[i];

        if (!exists(cfg, reference))
            sa_config_error(sa_reader.errors, reference->file, reference->line, "there is no %s \"%s\"",
                            reference->kind, reference->name);
    }
}
