#include "checks.h"
#include "pattern.h"
#include "presets.h"
#include "reader.h"

#include <string.h>

static void
check_pattern(const struct sa_place *place, struct sa_pattern *pattern, const char *error)
{
    if (pattern == NULL)
        SA_BAD(place->cfg, "%s: %s", place->key->name, error);
    (void)sa_pattern_free(pattern);
}

void
sa_check_xlog(const struct sa_place *place, const char *text)
{
    char error[SA_PATTERN_ERROR_SIZE] = "";

    check_pattern(place, sa_pattern_new_xlog(text, SA_DIR_RECEIVED, error), error);
}

void
sa_check_regex(const struct sa_place *place, const char *text)
{
    char error[SA_PATTERN_ERROR_SIZE] = "";

    check_pattern(place, sa_pattern_new_regex(text, error), error);
}

void
sa_check_json_where(const struct sa_place *place, const char *text)
{
    if (strchr(text, '=') == NULL)
        SA_BAD(place->cfg, "%s: \"%s\" is not of the form name=value", place->key->name, text);
}

void
sa_check_json(const struct sa_place *place, cfg_t *section)
{
    if (!sa_check_is_set(section, "code"))
        SA_BAD(place->cfg, "json: needs code, the name of the member that holds the status code");
    if (sa_check_is_set(section, "direction") && !sa_check_is_set(section, "received") &&
        !sa_check_is_set(section, "sent"))
        SA_BAD(place->cfg, "json: direction needs received or sent, the values that mean one");
}

void
sa_check_format(const struct sa_place *place, cfg_t *section)
{
    if (!sa_check_is_set(section, "xlog") && !sa_check_is_set(section, "xlog_sent") &&
        !sa_check_is_set(section, "regex") && cfg_size(section, "json") == 0)
        SA_BAD(place->cfg, "format \"%s\": needs xlog, xlog_sent, regex or json", cfg_title(section));
    for (const struct sa_preset *preset = sa_presets; preset->name != NULL; preset++)
        if (strcmp(preset->name, cfg_title(section)) == 0 || strcmp("auto", cfg_title(section)) == 0) {
            SA_BAD(place->cfg, "format \"%s\": the name is taken by a preset", cfg_title(section));
            break;
        }
}
