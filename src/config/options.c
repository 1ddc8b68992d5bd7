#include "options.h"
#include "checks.h"
#include "parse.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>

#define SECTION_MANY (CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES)

/* The section of the table whose keys a section of the file has. */
static const char *
keys_of(const cfg_t *cfg)
{
    for (const struct sa_key *key = sa_keys; key->name != NULL; key++)
        if (key->type == SA_KEY_SECTION && strcmp(key->name, cfg->name) == 0)
            return key->keys;
    return "";
}

static void
check_title(const struct sa_place *place, const char *title)
{
    if (title[0] == '\0' || strlen(title) >= SA_NAME_SIZE)
        SA_BAD(place->cfg, "%s \"%s\": names have 1 to %d characters", place->key->name, title,
               SA_NAME_SIZE - 1);
}

/* Keys that say something only beside another one. */
static void
check_company(const struct sa_place *place, cfg_t *section)
{
    for (const struct sa_key *key = sa_keys; key->name != NULL; key++)
        if (strcmp(key->section, place->key->keys) == 0 && key->only_with != NULL &&
            sa_check_is_set(section, key->name) && !sa_check_is_set(section, key->only_with))
            SA_BAD(place->cfg, "%s \"%s\": %s is of %s only", place->key->name, cfg_title(section), key->name,
                   key->only_with);
}

/* At the closing brace; the section is the last value of the option. */
static void
check_section(const struct sa_place *place)
{
    unsigned n = cfg_opt_size(place->opt);
    cfg_t *section = cfg_opt_getnsec(place->opt, n - 1);
    const struct sa_section *kind = sa_key_section(place->key);

    if (kind->shape == SA_SECTION_MANY)
        check_title(place, cfg_title(section));
    if (kind->check != NULL)
        kind->check(place, section);
    check_company(place, section);
    if (place->key->room != 0 && n == place->key->room + 1)
        SA_BAD(place->cfg, "more than %u %s", place->key->room, place->key->many);
}

/* Called by libConfuse right after a value was set. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
    const struct sa_place place = {sa_key_find(keys_of(cfg), opt->name), cfg, opt};

    if (place.key == NULL)
        return 0;
    if (place.key->type == SA_KEY_SECTION)
        check_section(&place);
    else
        sa_check_value(&place);
    return 0;
}

static cfg_opt_t *new_options(const char *section);

static cfg_opt_t
section_option(const struct sa_key *key)
{
    static const cfg_flag_t flags[] = {[SA_SECTION_MANY] = SECTION_MANY,
                                       [SA_SECTION_ONE] = CFGF_NONE,
                                       [SA_SECTION_MAYBE] = CFGF_NODEFAULT,
                                       [SA_SECTION_LEVEL] = CFGF_NODEFAULT};
    cfg_opt_t *subopts = new_options(key->keys);

    return (cfg_opt_t)CFG_SEC(key->name, subopts, flags[sa_key_section(key)->shape]);
}

static cfg_opt_t
option_of(const struct sa_key *key)
{
    switch (key->type) {
    case SA_KEY_BOOL:
        return (cfg_opt_t)CFG_BOOL(key->name, strcmp(key->value, "true") == 0 ? cfg_true : cfg_false,
                                   CFGF_NONE);
    case SA_KEY_NUMBER:
        return (cfg_opt_t)CFG_INT(key->name, atol(key->value), CFGF_NONE);
    case SA_KEY_LIST:
    case SA_KEY_NAMES:
    case SA_KEY_NETWORKS:
    case SA_KEY_CODES:
        return (cfg_opt_t)CFG_STR_LIST(key->name, (char *)(uintptr_t)key->value, CFGF_NONE);
    case SA_KEY_SECTION:
        return section_option(key);
    case SA_KEY_INCLUDE:
        return (cfg_opt_t)CFG_FUNC(key->name, sa_parse_include);
    default:
        return (cfg_opt_t)CFG_STR(key->name, (char *)(uintptr_t)key->value, CFGF_NONE);
    }
}

static void
free_options(cfg_opt_t *options)
{
    for (cfg_opt_t *option = options; option != NULL && option->name != NULL; option++)
        if (option->type == CFGT_SEC)
            free_options(option->subopts);
    free(options);
}

/* The keys of a section, ended by an option without a name.  NULL: out of memory. */
static cfg_opt_t *
new_options(const char *section)
{
    cfg_opt_t *options;
    size_t n = 0;

    for (const struct sa_key *key = sa_keys; key->name != NULL; key++)
        n += strcmp(key->section, section) == 0;
    options = calloc(n + 1, sizeof *options);
    n = 0;
    for (const struct sa_key *key = sa_keys; options != NULL && key->name != NULL; key++) {
        if (strcmp(key->section, section) != 0)
            continue;
        options[n] = option_of(key);
        options[n].validcb = on_value;
        if (options[n].type == CFGT_SEC && options[n].subopts == NULL) {
            free_options(options);
            return NULL;
        }
        n++;
    }
    return options;
}

cfg_t *
sa_options_new(void)
{
    cfg_opt_t *options = new_options("");
    cfg_t *cfg = options == NULL ? NULL : cfg_init(options, CFGF_NONE);

    free_options(options); /* libConfuse has copied them */
    if (cfg != NULL)
        (void)cfg_set_error_function(cfg, sa_parse_error);
    return cfg;
}
