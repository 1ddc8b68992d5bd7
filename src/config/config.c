#include "config.h"
#include "options.h"
#include "text.h"
#include "units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
copy(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

static char **
copy_list(cfg_t *section, const char *name)
{
    unsigned n = cfg_size(section, name);
    char **list = calloc(n + 1, sizeof *list);

    for (unsigned i = 0; list != NULL && i < n; i++)
        list[i] = strdup(cfg_getnstr(section, name, i));
    return list;
}

static struct sa_json_def *
copy_json(cfg_t *section)
{
    struct sa_json_def *json = section == NULL ? NULL : calloc(1, sizeof *json);

    if (json == NULL)
        return NULL;
    for (unsigned i = 0; i < cfg_size(section, "where") && i < SA_JSON_CONDITIONS; i++)
        (void)sa_text_copy(json->where[json->n_where++], SA_JSON_NAME_SIZE, cfg_getnstr(section, "where", i));
    (void)sa_text_copy(json->code, SA_JSON_NAME_SIZE, cfg_getstr(section, "code"));
    (void)sa_text_copy(json->method, SA_JSON_NAME_SIZE, cfg_getstr(section, "method"));
    (void)sa_text_copy(json->peer, SA_JSON_NAME_SIZE, cfg_getstr(section, "peer"));
    (void)sa_text_copy(json->call_id, SA_JSON_NAME_SIZE, cfg_getstr(section, "callid"));
    (void)sa_text_copy(json->direction, SA_JSON_NAME_SIZE, cfg_getstr(section, "direction"));
    (void)sa_text_copy(json->received, SA_JSON_NAME_SIZE, cfg_getstr(section, "received"));
    (void)sa_text_copy(json->sent, SA_JSON_NAME_SIZE, cfg_getstr(section, "sent"));
    return json;
}

static void
free_list(char **list)
{
    for (char **item = list; item != NULL && *item != NULL; item++)
        free(*item);
    free(list);
}

static uint32_t
seconds(cfg_t *section, const char *name)
{
    uint32_t value = 0;

    (void)sa_units_duration(cfg_getstr(section, name), &value);
    return value;
}

static uint32_t
per_mille(cfg_t *section, const char *name)
{
    uint32_t value = 0;
    const char *text = cfg_getstr(section, name);

    if (text != NULL)
        (void)sa_units_share(text, &value);
    return value;
}

/* Which of the words the option says; the checks made sure that it is one. */
static unsigned
word_index(cfg_t *section, const char *name, const char *const *words)
{
    unsigned i = 0;

    while (words[i + 1] != NULL && strcmp(cfg_getstr(section, name), words[i]) != 0)
        i++;
    return i;
}

static enum sa_count_of
count_of(cfg_t *section)
{
    return strcmp(cfg_getstr(section, "count"), "transactions") == 0 ? SA_COUNT_TRANSACTIONS
                                                                     : SA_COUNT_RESPONSES;
}

static void
read_codes(struct sa_rule_def *rule, char *const *words)
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
read_rule(struct sa_rule_def *rule, cfg_t *section)
{
    static const char *const directions[] = {"any", "received", "sent", "both", NULL};
    static const char *const bases[] = {"final", "all", NULL};
    static const char *const levels[SA_RULE_LEVELS] = {"warning", "minor", "major", "critical"};
    char **codes = copy_list(section, "codes");

    (void)sa_text_copy(rule->name, sizeof rule->name, cfg_title(section));
    rule->enabled = cfg_getbool(section, "enabled");
    if (codes != NULL)
        read_codes(rule, codes);
    free_list(codes);
    rule->n_methods = cfg_size(section, "methods");
    for (unsigned i = 0; i < rule->n_methods; i++)
        (void)sa_text_copy(rule->methods[i], sizeof rule->methods[i], cfg_getnstr(section, "methods", i));
    rule->n_sources = cfg_size(section, "sources");
    for (unsigned i = 0; i < rule->n_sources; i++)
        (void)sa_text_copy(rule->sources[i], sizeof rule->sources[i], cfg_getnstr(section, "sources", i));
    rule->direction = (enum sa_rule_direction)word_index(section, "direction", directions);
    rule->ratio_of = (enum sa_ratio_of)word_index(section, "ratio_of", bases);
    rule->count_of = count_of(section);
    rule->window_s = seconds(section, "window");
    rule->min_total = cfg_getint(section, "min_total") < 0 ? SA_MIN_TOTAL_UNSET
                                                           : (uint32_t)cfg_getint(section, "min_total");
    rule->for_s = seconds(section, "for");
    rule->clear_at_per_mille = per_mille(section, "clear_at");
    rule->clear_for_s = seconds(section, "clear_for");
    (void)sa_text_copy(rule->remediation, sizeof rule->remediation, cfg_getstr(section, "remediation"));
    for (unsigned i = 0; i < SA_RULE_LEVELS; i++) {
        cfg_t *level = cfg_size(section, levels[i]) == 0 ? NULL : cfg_getsec(section, levels[i]);

        if (level == NULL)
            continue;
        rule->levels[i].enabled = true;
        rule->levels[i].count = (uint32_t)cfg_getint(level, "count");
        rule->levels[i].ratio_per_mille = per_mille(level, "ratio");
    }
}

/* The rules that apply when the operator wrote none. */
static void
builtin_rules(struct sa_config *config)
{
    static char *redirects[] = {"300-302", "305", "380", NULL}, *flow_failures[] = {"430", NULL};
    const struct sa_rule_def base = {
        .enabled = true, .window_s = 60, .clear_at_per_mille = 800, .clear_for_s = 120};
    struct sa_rule_def *rule;

    config->rules = calloc(2, sizeof *config->rules);
    if (config->rules == NULL)
        return;
    config->n_rules = 2;

    rule = &config->rules[0];
    *rule = base;
    (void)sa_text_copy(rule->name, sizeof rule->name, "redirects");
    read_codes(rule, redirects);
    rule->min_total = 100;
    rule->levels[1] = (struct sa_rule_level){.enabled = true, .count = 20, .ratio_per_mille = 100};
    rule->levels[2] = (struct sa_rule_level){.enabled = true, .count = 100, .ratio_per_mille = 300};

    rule = &config->rules[1];
    *rule = base;
    (void)sa_text_copy(rule->name, sizeof rule->name, "flow-failures");
    read_codes(rule, flow_failures);
    rule->min_total = 1;
    rule->levels[1] = (struct sa_rule_level){.enabled = true, .count = 5};
    rule->levels[2] = (struct sa_rule_level){.enabled = true, .count = 20};
    rule->levels[3] = (struct sa_rule_level){.enabled = true, .count = 100};
}

static void
warn_if_open(FILE *file, const char *key, const char *path, const char *config_path,
             struct sa_config_errors *errors)
{
    struct stat status;

    if (fstat(fileno(file), &status) == 0 && (status.st_mode & S_IROTH) != 0)
        sa_config_warning(errors, config_path, 0, "%s %s: everybody may read it: chmod 640 it", key, path);
}

/* NULL if the first line of the file is a secret, otherwise why not. */
static const char *
read_first_line(FILE *file, char *line, size_t size)
{
    size_t len;

    if (fgets(line, (int)size, file) == NULL)
        line[0] = '\0';
    len = strcspn(line, "\r\n");
    if (line[len] == '\0' && !feof(file) && len > 0)
        return "its first line is too long, or holds a NUL";
    line[len] = '\0';
    return line[strspn(line, " \t")] == '\0' ? "its first line is empty" : NULL;
}

/* The first line of a file, without its end; NULL with an error if it cannot be read. */
static char *
read_secret(const char *path, const char *config_path, struct sa_config_errors *errors)
{
    char line[256];
    FILE *file = sa_options_open(path);
    const char *why = file != NULL      ? read_first_line(file, line, sizeof line)
                      : errno == EINVAL ? "not a regular file"
                                        : strerror(errno);

    if (why != NULL)
        sa_config_error(errors, config_path, 0, "community_file %s: %s", path, why);
    if (file != NULL) {
        warn_if_open(file, "community_file", path, config_path, errors);
        (void)fclose(file);
    }
    return why != NULL ? NULL : strdup(line);
}

/* It holds communities and passphrases in net-snmp's words; that it is missing is told when it is read. */
static void
check_access(const char *path, const char *config_path, struct sa_config_errors *errors)
{
    FILE *file = path == NULL ? NULL : sa_options_open(path);

    if (file == NULL)
        return;
    warn_if_open(file, "access", path, config_path, errors);
    (void)fclose(file);
}

static void
read_snmp(struct sa_snmp_def *snmp, cfg_t *section)
{
    static const char *const modes[] = {"agentx", "standalone", "off", NULL};

    snmp->mode = (enum sa_snmp_mode)word_index(section, "mode", modes);
    snmp->notify_master = cfg_getbool(section, "notify_master");
    snmp->master = copy(cfg_getstr(section, "master"));
    snmp->listen = copy_list(section, "listen");
    snmp->access = copy(cfg_getstr(section, "access"));
}

/* The checks made sure that it is one. */
static enum sa_source_kind
kind_of(cfg_t *section)
{
    if (cfg_size(section, "journal") > 0)
        return SA_SOURCE_JOURNAL;
    if (cfg_size(section, "syslog") > 0)
        return SA_SOURCE_SYSLOG;
    if (cfg_getstr(section, "fifo") != NULL)
        return SA_SOURCE_FIFO;
    return cfg_getbool(section, "stdin") ? SA_SOURCE_STDIN : SA_SOURCE_FILE;
}

/* The checks made sure that each is one. */
static void
read_allow(struct sa_source_def *source, cfg_t *section)
{
    unsigned n = cfg_size(section, "allow");

    source->allow = calloc(n + 1, sizeof *source->allow);
    for (unsigned i = 0; source->allow != NULL && i < n; i++)
        (void)sa_network_parse(cfg_getnstr(section, "allow", i), &source->allow[i]);
    source->n_allow = n;
}

static void
read_sections(struct sa_config *config, cfg_t *cfg, struct sa_config_errors *errors)
{
    config->n_sources = cfg_size(cfg, "source");
    config->sources = calloc(config->n_sources + 1, sizeof *config->sources);
    for (unsigned i = 0; config->sources != NULL && i < config->n_sources; i++) {
        struct sa_source_def *source = &config->sources[i];
        cfg_t *section = cfg_getnsec(cfg, "source", i);

        (void)sa_text_copy(source->name, sizeof source->name, cfg_title(section));
        source->files = copy_list(section, "file");
        source->journal = copy_list(section, "journal");
        source->syslog = copy_list(section, "syslog");
        source->fifo = copy(cfg_getstr(section, "fifo"));
        source->watch = copy_list(section, "watch");
        source->kind = kind_of(section);
        source->formats = copy_list(section, "format");
        source->start_at_end = strcmp(cfg_getstr(section, "start_at"), "end") == 0;
        (void)sa_units_size(cfg_getstr(section, "line_limit"), &source->line_limit);
        source->count_of = count_of(section);
        (void)sa_text_copy(source->timezone, sizeof source->timezone, cfg_getstr(section, "timezone"));
        source->olddir = copy(cfg_getstr(section, "olddir"));
        source->rotate_wait_s = seconds(section, "rotate_wait");
        source->backfill_max_age_s = seconds(section, "backfill_max_age");
        (void)sa_units_size(cfg_getstr(section, "backfill_max_bytes"), &source->backfill_max_bytes);
        source->max_connections = (unsigned)cfg_getint(section, "max_connections");
        read_allow(source, section);
    }

    config->n_formats = cfg_size(cfg, "format");
    config->formats = calloc(config->n_formats + 1, sizeof *config->formats);
    for (unsigned i = 0; config->formats != NULL && i < config->n_formats; i++) {
        cfg_t *section = cfg_getnsec(cfg, "format", i);

        (void)sa_text_copy(config->formats[i].name, SA_NAME_SIZE, cfg_title(section));
        config->formats[i].xlog = copy_list(section, "xlog");
        config->formats[i].xlog_sent = copy_list(section, "xlog_sent");
        config->formats[i].regex = copy_list(section, "regex");
        config->formats[i].json =
            copy_json(cfg_size(section, "json") == 0 ? NULL : cfg_getsec(section, "json"));
    }

    config->n_rules = cfg_size(cfg, "rule");
    if (config->n_rules == 0)
        builtin_rules(config);
    else
        config->rules = calloc(config->n_rules, sizeof *config->rules);
    for (unsigned i = 0; config->rules != NULL && i < cfg_size(cfg, "rule"); i++)
        read_rule(&config->rules[i], cfg_getnsec(cfg, "rule", i));

    config->n_notifies = cfg_size(cfg, "notify");
    config->notifies = calloc(config->n_notifies + 1, sizeof *config->notifies);
    for (unsigned i = 0; config->notifies != NULL && i < config->n_notifies; i++) {
        cfg_t *section = cfg_getnsec(cfg, "notify", i);
        const char *file = cfg_getstr(section, "community_file");

        (void)sa_text_copy(config->notifies[i].name, SA_NAME_SIZE, cfg_title(section));
        config->notifies[i].address = copy(cfg_getstr(section, "address"));
        config->notifies[i].community =
            file == NULL ? copy(cfg_getstr(section, "community")) : read_secret(file, config->path, errors);
        config->notifies[i].community_file = copy(file);
        config->notifies[i].inform = strcmp(cfg_getstr(section, "type"), "inform") == 0;
    }
}

int
sa_config_load(const char *path, struct sa_config **ret_config, struct sa_config_errors *errors)
{
    struct sa_config *config;
    cfg_t *cfg, *syslog_section;

    *errors = (struct sa_config_errors){.count = 0};
    cfg = sa_options_load(path, errors);
    if (cfg == NULL)
        return -EINVAL;
    config = calloc(1, sizeof *config);
    if (config == NULL) {
        (void)cfg_free(cfg);
        return -ENOMEM;
    }
    config->path = strdup(path);
    if (cfg_getstr(cfg, "node") != NULL) {
        (void)sa_text_copy(config->node, sizeof config->node, cfg_getstr(cfg, "node"));
    } else {
        char host[256] = "localhost";

        (void)gethostname(host, sizeof host - 1);
        config->node_cut = !sa_text_fit(config->node, sizeof config->node, host);
    }
    config->state_dir = copy(cfg_getstr(cfg, "state_dir"));
    config->control = copy(cfg_getstr(cfg, "control"));
    config->log = copy(cfg_getstr(cfg, "log"));
    config->language = copy(cfg_getstr(cfg, "language"));
    config->log_level = copy(cfg_getstr(cfg, "log_level"));
    read_sections(config, cfg, errors);
    read_snmp(&config->snmp, cfg_getsec(cfg, "snmp"));
    check_access(config->snmp.access, config->path, errors);
    syslog_section = cfg_getsec(cfg, "syslog");
    config->syslog_enabled = cfg_getbool(syslog_section, "enabled");
    config->syslog_facility = copy(cfg_getstr(syslog_section, "facility"));
    (void)cfg_free(cfg);
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
    for (unsigned i = 0; i < config->n_sources; i++) {
        free(config->sources[i].olddir);
        free(config->sources[i].allow);
        free(config->sources[i].fifo);
        free_list(config->sources[i].journal);
        free_list(config->sources[i].watch);
        free_list(config->sources[i].syslog);
        free_list(config->sources[i].files);
        free_list(config->sources[i].formats);
    }
    for (unsigned i = 0; i < config->n_formats; i++) {
        free_list(config->formats[i].xlog);
        free_list(config->formats[i].xlog_sent);
        free_list(config->formats[i].regex);
        free(config->formats[i].json);
    }
    for (unsigned i = 0; i < config->n_notifies; i++) {
        free(config->notifies[i].address);
        free(config->notifies[i].community);
        free(config->notifies[i].community_file);
    }
    free(config->sources);
    free(config->formats);
    free(config->rules);
    free(config->notifies);
    free(config->path);
    free(config->state_dir);
    free(config->control);
    free(config->log);
    free(config->language);
    free(config->log_level);
    free(config->snmp.master);
    free_list(config->snmp.listen);
    free(config->snmp.access);
    free(config->syslog_facility);
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
