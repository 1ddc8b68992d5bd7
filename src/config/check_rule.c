#include "checks.h"
#include "code_set.h"
#include "reader.h"
#include "units.h"

#include <string.h>

void
sa_check_method(const struct sa_place *place, const char *text)
{
    if (strpbrk(text, "abcdefghijklmnopqrstuvwxyz") != NULL)
        SA_BAD(place->cfg, "%s: \"%s\" would never match, SIP methods are in upper case", place->key->name,
               text);
}

void
sa_check_source_name(const struct sa_place *place, const char *text)
{
    sa_reader_refer(place->cfg, "source", text);
}

void
sa_check_level(const struct sa_place *place, cfg_t *section)
{
    if (cfg_getint(section, "count") == 0 && !sa_check_is_set(section, "ratio"))
        SA_BAD(place->cfg, "%s: needs a count or a ratio above zero", place->key->name);
}

static bool
codes_are_none(cfg_t *rule)
{
    struct sa_code_set set = {{0}};

    if (cfg_getnstr(rule, "codes", 0)[0] == '!')
        return false;
    for (unsigned i = 0; i < cfg_size(rule, "codes"); i++)
        if (sa_code_set_add_word(&set, cfg_getnstr(rule, "codes", i)) < 0)
            return false; /* told at its line */
    return sa_code_set_empty(&set);
}

static uint32_t
ratio_of_level(cfg_t *level)
{
    uint32_t per_mille = 0;

    if (cfg_getstr(level, "ratio") != NULL)
        (void)sa_units_share(cfg_getstr(level, "ratio"), &per_mille);
    return per_mille;
}

/* A graver level with a lower limit would hide the milder one for ever. */
static void
check_levels_ascend(const struct sa_place *place, cfg_t *rule)
{
    static const char *const names[] = {"warning", "minor", "major", "critical"};
    const char *milder = NULL;
    long count = 0;
    uint32_t ratio = 0;

    for (unsigned i = 0; i < 4; i++) {
        cfg_t *level = cfg_size(rule, names[i]) == 0 ? NULL : cfg_getsec(rule, names[i]);

        if (level == NULL)
            continue;
        if (milder != NULL && ((cfg_getint(level, "count") != 0 && cfg_getint(level, "count") < count) ||
                               (ratio_of_level(level) != 0 && ratio_of_level(level) < ratio)))
            SA_BAD(place->cfg, "rule \"%s\": %s has a lower limit than %s", cfg_title(rule), names[i],
                   milder);
        milder = names[i];
        count = cfg_getint(level, "count") != 0 ? cfg_getint(level, "count") : count;
        ratio = ratio_of_level(level) != 0 ? ratio_of_level(level) : ratio;
    }
}

void
sa_check_rule(const struct sa_place *place, cfg_t *section)
{
    if (!sa_check_is_set(section, "codes"))
        SA_BAD(place->cfg, "rule \"%s\": says no codes", cfg_title(section));
    else if (codes_are_none(section))
        SA_BAD(place->cfg, "rule \"%s\": the codes exclude each other, none is left", cfg_title(section));
    if (!sa_check_is_set(section, "warning") && !sa_check_is_set(section, "minor") &&
        !sa_check_is_set(section, "major") && !sa_check_is_set(section, "critical"))
        SA_BAD(place->cfg, "rule \"%s\": needs at least one of warning, minor, major, critical",
               cfg_title(section));
    check_levels_ascend(place, section);
}
