#include "config.h"
#include "fill.h"
#include "parse.h"
#include "secret.h"
#include "table.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The rules that apply when the operator wrote none. */
static void
builtin_rules(struct sa_config *config)
{
    static const char *const redirects[] = {"300-302", "305", "380", NULL}, *const flow_failures[] = {"430",
                                                                                                      NULL};
    const struct sa_rule_def base = {
        .enabled = true, .window_s = 60, .clear_at_per_mille = 800, .clear_for_s = 120};
    struct sa_rule_def *rule;

    free(config->rules); /* an empty array */
    config->rules = calloc(2, sizeof *config->rules);
    if (config->rules == NULL)
        return;
    config->n_rules = 2;

    rule = &config->rules[0];
    *rule = base;
    (void)sa_text_copy(rule->name, sizeof rule->name, "redirects");
    sa_fill_codes(rule, redirects);
    rule->min_total = 100;
    rule->levels[1] = (struct sa_rule_level){.enabled = true, .count = 20, .ratio_per_mille = 100};
    rule->levels[2] = (struct sa_rule_level){.enabled = true, .count = 100, .ratio_per_mille = 300};

    rule = &config->rules[1];
    *rule = base;
    (void)sa_text_copy(rule->name, sizeof rule->name, "flow-failures");
    sa_fill_codes(rule, flow_failures);
    rule->min_total = 1;
    rule->levels[1] = (struct sa_rule_level){.enabled = true, .count = 5};
    rule->levels[2] = (struct sa_rule_level){.enabled = true, .count = 20};
    rule->levels[3] = (struct sa_rule_level){.enabled = true, .count = 100};
}

/* Whether the source is told to be of the kind. */
static bool
is_of_kind(const struct sa_source_def *source, enum sa_source_kind_number kind)
{
    const struct sa_key *key = sa_key_find("source", sa_source_kind_key(kind));
    const void *field = sa_key_field(key, source);

    if (key->type == SA_KEY_BOOL)
        return *(const bool *)field;
    if (key->type == SA_KEY_LIST)
        return *(char *const *const *)field != NULL && **(char *const *const *)field != NULL;
    return *(char *const *)field != NULL;
}

/* The checks made sure that it is one. */
static enum sa_source_kind_number
kind_of(const struct sa_source_def *source)
{
    size_t i = 0;

    while (i + 1 < SA_SOURCE_KINDS_COUNT && !is_of_kind(source, sa_source_kind_at(i)))
        i++;
    return sa_source_kind_at(i);
}

size_t
sa_config_locations(const struct sa_source_def *source, char *const **ret_items)
{
    const struct sa_key *key = sa_key_find("source", sa_source_kind_key(source->kind));
    size_t n = 0;

    if (key->type == SA_KEY_BOOL)
        return 0;
    *ret_items = sa_key_field(key, source);
    if (key->type != SA_KEY_LIST)
        return 1;
    *ret_items = *(char *const *const *)*ret_items;
    while ((*ret_items)[n] != NULL)
        n++;
    return n;
}

static void
use_host_name(struct sa_config *config)
{
    char host[256] = "localhost";

    (void)gethostname(host, sizeof host - 1);
    config->node_cut = !sa_text_fit(config->node, sizeof config->node, host);
}

static void
read_community(struct sa_notify_def *notify, const char *config_path, struct sa_config_errors *errors)
{
    if (notify->community_file == NULL)
        return;
    free(notify->community);
    notify->community = sa_secret_read("community_file", notify->community_file, config_path, errors);
}

/* What the keys do not say by themselves. */
static void
complete(struct sa_config *config, struct sa_config_errors *errors)
{
    if (config->node[0] == '\0')
        use_host_name(config);
    for (unsigned i = 0; i < config->n_sources; i++)
        config->sources[i].kind = kind_of(&config->sources[i]);
    if (config->n_rules == 0)
        builtin_rules(config);
    for (unsigned i = 0; i < config->n_notifies; i++)
        read_community(&config->notifies[i], config->path, errors);
    sa_secret_check("access", config->snmp.access, config->path, errors);
}

int
sa_config_load(const char *path, struct sa_config **ret_config, struct sa_config_errors *errors)
{
    struct sa_config *config;
    cfg_t *cfg;

    *errors = (struct sa_config_errors){.count = 0};
    cfg = sa_parse(path, errors);
    if (cfg == NULL)
        return -EINVAL;
    config = calloc(1, sizeof *config);
    if (config == NULL) {
        (void)cfg_free(cfg);
        return -ENOMEM;
    }
    config->path = strdup(path);
    sa_fill(config, cfg);
    (void)cfg_free(cfg);
    complete(config, errors);
    if (errors->count != 0) {
        (void)sa_config_free(config);
        return -EINVAL;
    }
    *ret_config = config;
    return 0;
}

struct sa_config *
sa_config_free(struct sa_config *config)
{
    if (config == NULL)
        return NULL;
    sa_fill_release(config);
    free(config->path);
    free(config);
    return NULL;
}

struct sa_format *
sa_config_format(const struct sa_config *config, char *const *names, char error[SA_PATTERN_ERROR_SIZE])
{
    struct sa_format *format = sa_format_new();

    if (format == NULL) {
        (void)sa_text_format(error, SA_PATTERN_ERROR_SIZE, "out of memory");
        return NULL;
    }
    for (; *names != NULL; names++) {
        int r = sa_format_add_preset(format, *names, error);

        for (unsigned i = 0; r == -ENOENT && config != NULL && i < config->n_formats; i++)
            if (strcmp(config->formats[i].name, *names) == 0)
                r = sa_format_add_user(format, &config->formats[i], error);
        if (r == -ENOENT)
            (void)sa_text_format(error, SA_PATTERN_ERROR_SIZE, "there is no format \"%s\"", *names);
        if (r < 0)
            return sa_format_free(format);
    }
    return format;
}
