#include "config.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static const char *const counts[] = {"responses", "transactions"};

/* In double quotes libConfuse undoes exactly what sa_text_escape() does. */
static void
print_string(FILE *out, const char *text)
{
    size_t size = SA_TEXT_ESCAPED(strlen(text));
    char *escaped = malloc(size);

    (void)fputc('"', out);
    if (escaped != NULL)
        (void)sa_text_escape(escaped, size, text, strlen(text));
    for (const char *s = escaped; s != NULL && *s != '\0'; s++) {
        if (s[0] == '$' && s[1] == '{') /* "${" names the environment */
            (void)fputc('\\', out);
        (void)fputc(*s, out);
    }
    (void)fputc('"', out);
    free(escaped);
}

static void
print_setting(FILE *out, const char *indent, const char *name, const char *text)
{
    (void)fprintf(out, "%s%s = ", indent, name);
    print_string(out, text);
    (void)fputc('\n', out);
}

static void
print_list(FILE *out, const char *name, char *const *list)
{
    (void)fprintf(out, "  %s = {", name);
    for (char *const *item = list; *item != NULL; item++) {
        if (item != list)
            (void)fputs(", ", out);
        print_string(out, *item);
    }
    (void)fputs("}\n", out);
}

static void
print_open(FILE *out, const char *kind, const char *title)
{
    (void)fprintf(out, "\n%s ", kind);
    print_string(out, title);
    (void)fputs(" {\n", out);
}

static void
print_json(FILE *out, const struct sa_json_def *json)
{
    const struct {
        const char *name, *text;
    } settings[] = {{"code", json->code},      {"method", json->method},       {"peer", json->peer},
                    {"callid", json->call_id}, {"direction", json->direction}, {"received", json->received},
                    {"sent", json->sent}};

    (void)fputs("  json {\n    where = {", out);
    for (unsigned i = 0; i < json->n_where; i++) {
        if (i != 0)
            (void)fputs(", ", out);
        print_string(out, json->where[i]);
    }
    (void)fputs("}\n", out);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (settings[i].text[0] != '\0')
            print_setting(out, "    ", settings[i].name, settings[i].text);
    (void)fputs("  }\n", out);
}

static void
print_duration(FILE *out, const char *name, uint32_t seconds)
{
    (void)fprintf(out, "  %s = \"%us\"\n", name, seconds);
}

static const char *
yes_no(bool value)
{
    return value ? "true" : "false";
}

static void
print_names(FILE *out, const char *name, const char *first, unsigned count, size_t stride)
{
    if (count == 0)
        return;
    (void)fprintf(out, "  %s = {", name);
    for (unsigned i = 0; i < count; i++) {
        if (i != 0)
            (void)fputs(", ", out);
        print_string(out, first + i * stride);
    }
    (void)fputs("}\n", out);
}

static void
print_codes(FILE *out, const char *codes_text)
{
    (void)fputs("  codes = {\"", out);
    for (; *codes_text != '\0'; codes_text++)
        if (*codes_text == ',')
            (void)fputs("\", \"", out);
        else
            (void)fputc(*codes_text, out);
    (void)fputs("\"}\n", out);
}

static void
print_rule(FILE *out, const struct sa_rule_def *rule)
{
    static const char *const directions[] = {"any", "received", "sent", "both"};
    static const char *const bases[] = {"final", "all"};

    print_open(out, "rule", rule->name);
    print_codes(out, rule->codes_text);
    print_names(out, "methods", rule->methods[0], rule->n_methods, sizeof rule->methods[0]);
    print_names(out, "sources", rule->sources[0], rule->n_sources, sizeof rule->sources[0]);
    print_setting(out, "  ", "direction", directions[rule->direction]);
    print_setting(out, "  ", "ratio_of", bases[rule->ratio_of]);
    print_setting(out, "  ", "count", counts[rule->count_of]);
    print_duration(out, "window", rule->window_s);
    if (rule->min_total != SA_MIN_TOTAL_UNSET)
        (void)fprintf(out, "  min_total = %u\n", rule->min_total);
    for (unsigned i = 0; i < SA_RULE_LEVELS; i++) {
        const struct sa_rule_level *level = &rule->levels[i];

        if (!level->enabled)
            continue;
        (void)fprintf(out, "  %s {", sa_severity_name(sa_severity_of_level(i)));
        if (level->count != 0)
            (void)fprintf(out, " count = %u", level->count);
        if (level->ratio_per_mille != 0)
            (void)fprintf(out, " ratio = \"%u.%u%%\"", level->ratio_per_mille / 10,
                          level->ratio_per_mille % 10);
        (void)fputs(" }\n", out);
    }
    print_duration(out, "for", rule->for_s);
    (void)fprintf(out, "  clear_at = \"%u.%u%%\"\n", rule->clear_at_per_mille / 10,
                  rule->clear_at_per_mille % 10);
    print_duration(out, "clear_for", rule->clear_for_s);
    print_setting(out, "  ", "remediation", rule->remediation);
    (void)fprintf(out, "  enabled = %s\n}\n", yes_no(rule->enabled));
}

static void
print_allow(FILE *out, const struct sa_source_def *source)
{
    char text[SA_NETWORK_TEXT];

    (void)fputs("  allow = {", out);
    for (unsigned i = 0; i < source->n_allow; i++) {
        sa_network_format(&source->allow[i], text);
        (void)fprintf(out, "%s\"%s\"", i == 0 ? "" : ", ", text);
    }
    (void)fputs("}\n", out);
}

static void
print_origin(FILE *out, const struct sa_source_def *source)
{
    switch (source->kind) {
    case SA_SOURCE_FILE:
        print_list(out, "file", source->files);
        break;
    case SA_SOURCE_JOURNAL:
        print_list(out, "journal", source->journal);
        break;
    case SA_SOURCE_SYSLOG:
        print_list(out, "syslog", source->syslog);
        (void)fprintf(out, "  max_connections = %u\n", source->max_connections);
        print_allow(out, source);
        break;
    case SA_SOURCE_FIFO:
        print_setting(out, "  ", "fifo", source->fifo);
        break;
    case SA_SOURCE_STDIN:
        (void)fputs("  stdin = true\n", out);
        break;
    }
}

/* The default is everybody's and no secret. */
static void
print_community(FILE *out, const struct sa_notify_def *notify, bool with_secrets)
{
    bool is_secret = strcmp(notify->community, "public") != 0;

    if (notify->community_file != NULL)
        print_setting(out, "  ", "community_file", notify->community_file);
    if (notify->community_file == NULL || with_secrets)
        print_setting(out, "  ", "community",
                      is_secret && !with_secrets ? SA_CONFIG_MASK : notify->community);
}

static void
print(const struct sa_config *config, FILE *out, bool with_secrets)
{
    static const char *const modes[] = {"agentx", "standalone", "off"};

    print_setting(out, "", "node", config->node);
    print_setting(out, "", "state_dir", config->state_dir);
    print_setting(out, "", "control", config->control);
    print_setting(out, "", "log", config->log);
    print_setting(out, "", "language", config->language);
    print_setting(out, "", "log_level", config->log_level);
    for (unsigned i = 0; i < config->n_sources; i++) {
        const struct sa_source_def *source = &config->sources[i];

        print_open(out, "source", source->name);
        print_origin(out, source);
        if (source->watch[0] != NULL)
            print_list(out, "watch", source->watch);
        print_list(out, "format", source->formats);
        print_setting(out, "  ", "start_at", source->start_at_end ? "end" : "begin");
        print_setting(out, "  ", "count", counts[source->count_of]);
        print_setting(out, "  ", "timezone", source->timezone);
        (void)fprintf(out, "  line_limit = \"%zu\"\n", source->line_limit);
        print_setting(out, "  ", "olddir", source->olddir);
        print_duration(out, "rotate_wait", source->rotate_wait_s);
        print_duration(out, "backfill_max_age", source->backfill_max_age_s);
        (void)fprintf(out, "  backfill_max_bytes = \"%zu\"\n}\n", source->backfill_max_bytes);
    }
    for (unsigned i = 0; i < config->n_formats; i++) {
        print_open(out, "format", config->formats[i].name);
        if (config->formats[i].xlog[0] != NULL)
            print_list(out, "xlog", config->formats[i].xlog);
        if (config->formats[i].xlog_sent[0] != NULL)
            print_list(out, "xlog_sent", config->formats[i].xlog_sent);
        if (config->formats[i].regex[0] != NULL)
            print_list(out, "regex", config->formats[i].regex);
        if (config->formats[i].json != NULL)
            print_json(out, config->formats[i].json);
        (void)fputs("}\n", out);
    }
    for (unsigned i = 0; i < config->n_rules; i++)
        print_rule(out, &config->rules[i]);
    (void)fprintf(out, "\nsnmp {\n  mode = \"%s\"\n  notify_master = %s\n", modes[config->snmp.mode],
                  yes_no(config->snmp.notify_master));
    print_setting(out, "  ", "master", config->snmp.master);
    print_list(out, "listen", config->snmp.listen);
    if (config->snmp.access != NULL)
        print_setting(out, "  ", "access", config->snmp.access);
    (void)fputs("}\n", out);
    for (unsigned i = 0; i < config->n_notifies; i++) {
        print_open(out, "notify", config->notifies[i].name);
        print_setting(out, "  ", "address", config->notifies[i].address);
        print_community(out, &config->notifies[i], with_secrets);
        print_setting(out, "  ", "type", config->notifies[i].inform ? "inform" : "trap");
        (void)fputs("}\n", out);
    }
    (void)fprintf(out, "\nsyslog {\n  enabled = %s\n", yes_no(config->syslog_enabled));
    print_setting(out, "  ", "facility", config->syslog_facility);
    (void)fputs("}\n", out);
}

void
sa_config_print(const struct sa_config *config, FILE *out)
{
    print(config, out, false);
}

static char *
text_without_rules(const struct sa_config *config)
{
    struct sa_config bare = *config;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    bare.n_rules = 0;
    print(&bare, out, true); /* another community is another configuration */
    (void)fclose(out);
    return text;
}

bool
sa_config_differs_in_rules_only(const struct sa_config *a, const struct sa_config *b)
{
    char *x = text_without_rules(a), *y = text_without_rules(b);
    bool same = x != NULL && y != NULL && strcmp(x, y) == 0;

    free(x);
    free(y);
    return same;
}
