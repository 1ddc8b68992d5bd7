#include "fill.h"
#include "table.h"
#include "text.h"
#include "units.h"

#include <stdlib.h>
#include <string.h>

static const char *
text_of(cfg_opt_t *opt)
{
    const char *text = cfg_opt_getnstr(opt, 0);

    return text == NULL ? "" : text;
}

static char *
copy(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

static char **
copy_list(cfg_opt_t *opt)
{
    unsigned n = cfg_opt_size(opt);
    char **list = calloc(n + 1, sizeof *list);

    for (unsigned i = 0; list != NULL && i < n; i++)
        list[i] = strdup(cfg_opt_getnstr(opt, i));
    return list;
}

static void
free_list(char **list)
{
    for (char **item = list; item != NULL && *item != NULL; item++)
        free(*item);
    free(list);
}

static unsigned *
count_field(const struct sa_key *key, void *base)
{
    return (unsigned *)((char *)base + key->count.offset);
}

/* The checks have made sure that it is one of the words. */
static void
fill_word(const struct sa_key *key, void *field, const char *text)
{
    const struct sa_word *word = key->words;

    while (word->name != NULL && strcmp(word->name, text) != 0)
        word++;
    if (key->field.size == sizeof(bool))
        *(bool *)field = word->value != 0;
    else
        memcpy(field, &word->value, sizeof word->value);
}

static void
fill_names(const struct sa_key *key, void *base, cfg_opt_t *opt)
{
    size_t size = key->field.size / key->room;
    unsigned *count = count_field(key, base);

    for (; *count < cfg_opt_size(opt) && *count < key->room; (*count)++)
        (void)sa_text_copy((char *)sa_key_field(key, base) + *count * size, size,
                           cfg_opt_getnstr(opt, *count));
}

static void
fill_networks(const struct sa_key *key, void *base, cfg_opt_t *opt)
{
    unsigned n = cfg_opt_size(opt);
    struct sa_network *networks = calloc(n + 1, sizeof *networks);

    if (networks == NULL)
        return;
    for (unsigned i = 0; i < n; i++)
        (void)sa_network_parse(cfg_opt_getnstr(opt, i), &networks[i]);
    *(struct sa_network **)sa_key_field(key, base) = networks;
    *count_field(key, base) = n;
}

void
sa_fill_codes(struct sa_rule_def *rule, const char *const *words)
{
    size_t len = 0;

    if (*words != NULL && **words == '!') /* only exceptions: from all codes */
        sa_code_set_add_range(&rule->codes, SA_CODE_MIN, SA_CODE_MAX, true);
    for (; *words != NULL; words++) {
        (void)sa_code_set_add_word(&rule->codes, *words);
        len += sa_text_format(rule->codes_text + len, sizeof rule->codes_text - len, "%s%s",
                              len != 0 ? "," : "", *words);
    }
}

static void
fill_codes(struct sa_rule_def *rule, cfg_opt_t *opt)
{
    char **words = copy_list(opt);

    if (words != NULL)
        sa_fill_codes(rule, (const char *const *)words);
    free_list(words);
}

static void
fill_timezone(struct sa_timezone_def *zone, const char *text)
{
    (void)sa_text_copy(zone->text, sizeof zone->text, text);
    (void)sa_units_timezone(text, &zone->fixed, &zone->ms);
}

static void
fill_facility(struct sa_facility_def *facility, const char *text)
{
    (void)sa_text_copy(facility->text, sizeof facility->text, text);
    facility->number = sa_units_facility(text);
}

static void fill_keys(const char *section, void *base, cfg_t *cfg);

static void
fill_many(const struct sa_key *key, void *base, cfg_opt_t *opt)
{
    unsigned n = cfg_opt_size(opt);
    size_t size = sa_key_section(key)->size;
    char *array = calloc(n + 1, size);

    if (array == NULL)
        return;
    for (unsigned i = 0; i < n; i++) {
        cfg_t *section = cfg_opt_getnsec(opt, i);

        (void)sa_text_copy(array + i * size, SA_NAME_SIZE, cfg_title(section));
        fill_keys(key->keys, array + i * size, section);
    }
    *(void **)sa_key_field(key, base) = array;
    *count_field(key, base) = n;
}

static void
fill_section(const struct sa_key *key, void *base, cfg_opt_t *opt)
{
    const struct sa_section *kind = sa_key_section(key);
    void *field = sa_key_field(key, base), *allocated;

    if (kind->shape == SA_SECTION_MANY) {
        fill_many(key, base, opt);
    } else if (cfg_opt_size(opt) == 0) {
        return;
    } else if (kind->shape == SA_SECTION_MAYBE) {
        allocated = calloc(1, kind->size);
        *(void **)field = allocated;
        if (allocated != NULL)
            fill_keys(key->keys, allocated, cfg_opt_getnsec(opt, 0));
    } else {
        if (kind->shape == SA_SECTION_LEVEL)
            *(bool *)field = true;
        fill_keys(key->keys, field, cfg_opt_getnsec(opt, 0));
    }
}

static void
fill_key(const struct sa_key *key, void *base, cfg_opt_t *opt)
{
    void *field = sa_key_field(key, base);

    switch (key->type) {
    case SA_KEY_TEXT:
        *(char **)field = copy(cfg_opt_getnstr(opt, 0));
        break;
    case SA_KEY_NAME:
        (void)sa_text_copy(field, key->field.size, text_of(opt));
        break;
    case SA_KEY_WORD:
        fill_word(key, field, text_of(opt));
        break;
    case SA_KEY_BOOL:
        *(bool *)field = cfg_opt_getnbool(opt, 0);
        break;
    case SA_KEY_NUMBER:
        *(uint32_t *)field = (uint32_t)cfg_opt_getnint(opt, 0);
        break;
    case SA_KEY_DURATION:
        (void)sa_units_duration(text_of(opt), field);
        break;
    case SA_KEY_SIZE:
        (void)sa_units_size(text_of(opt), field);
        break;
    case SA_KEY_SHARE:
        (void)sa_units_share(text_of(opt), field);
        break;
    case SA_KEY_TIMEZONE:
        fill_timezone(field, text_of(opt));
        break;
    case SA_KEY_FACILITY:
        fill_facility(field, text_of(opt));
        break;
    case SA_KEY_LIST:
        *(char ***)field = copy_list(opt);
        break;
    case SA_KEY_NAMES:
        fill_names(key, base, opt);
        break;
    case SA_KEY_NETWORKS:
        fill_networks(key, base, opt);
        break;
    case SA_KEY_CODES:
        fill_codes(base, opt);
        break;
    case SA_KEY_SECTION:
        fill_section(key, base, opt);
        break;
    case SA_KEY_INCLUDE:
        break;
    }
}

static void
fill_keys(const char *section, void *base, cfg_t *cfg)
{
    for (const struct sa_key *key = sa_keys; key->name != NULL; key++)
        if (key->field.size != 0 && strcmp(key->section, section) == 0)
            fill_key(key, base, cfg_getopt(cfg, key->name));
}

void
sa_fill(struct sa_config *config, cfg_t *cfg)
{
    fill_keys("", config, cfg);
}

static void release_keys(const char *section, void *base);

static void
release_section(const struct sa_key *key, void *base)
{
    const struct sa_section *kind = sa_key_section(key);
    void *field = sa_key_field(key, base);

    if (kind->shape == SA_SECTION_MANY) {
        char *array = *(char **)field;

        for (unsigned i = 0; i < *count_field(key, base); i++)
            release_keys(key->keys, array + i * kind->size);
        free(array);
    } else if (kind->shape == SA_SECTION_MAYBE) {
        if (*(void **)field != NULL)
            release_keys(key->keys, *(void **)field);
        free(*(void **)field);
    } else {
        release_keys(key->keys, field);
    }
}

static void
release_keys(const char *section, void *base)
{
    for (const struct sa_key *key = sa_keys; key->name != NULL; key++) {
        if (key->field.size == 0 || strcmp(key->section, section) != 0)
            continue;
        if (key->type == SA_KEY_TEXT || key->type == SA_KEY_NETWORKS)
            free(*(void **)sa_key_field(key, base));
        else if (key->type == SA_KEY_LIST)
            free_list(*(char ***)sa_key_field(key, base));
        else if (key->type == SA_KEY_SECTION)
            release_section(key, base);
    }
}

void
sa_fill_release(struct sa_config *config)
{
    release_keys("", config);
}
