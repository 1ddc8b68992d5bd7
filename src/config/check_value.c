#include "checks.h"
#include "code_set.h"
#include "network.h"
#include "reader.h"
#include "units.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *
last_string(cfg_opt_t *opt)
{
    unsigned n = cfg_opt_size(opt);
    const char *text = n == 0 ? NULL : cfg_opt_getnstr(opt, n - 1);

    return text == NULL ? "" : text;
}

static void
check_word(const struct sa_place *place, const char *text)
{
    char list[256] = "";

    for (const struct sa_word *word = place->key->words; word->name != NULL; word++) {
        size_t len = strlen(list);

        if (strcmp(text, word->name) == 0)
            return;
        (void)snprintf(list + len, sizeof list - len, "%s%s", len != 0 ? ", " : "", word->name);
    }
    SA_BAD(place->cfg, "%s: \"%s\" is not one of %s", place->key->name, text, list);
}

static bool
is_within(const struct sa_key *key, int64_t value)
{
    return key->most == 0 || (value >= key->least && value <= key->most);
}

static void
check_length(const struct sa_place *place, const char *text)
{
    const struct sa_key *key = place->key;

    if (!is_within(key, (int64_t)strlen(text)))
        SA_BAD(place->cfg, "%s: must have %lld to %lld characters", key->name, (long long)key->least,
               (long long)key->most);
}

static void
check_number(const struct sa_place *place)
{
    const struct sa_key *key = place->key;

    if (!is_within(key, cfg_opt_getnint(place->opt, 0)))
        SA_BAD(place->cfg, "%s: must be %lld to %lld", key->name, (long long)key->least,
               (long long)key->most);
}

static void
check_duration(const struct sa_place *place, const char *text)
{
    const struct sa_key *key = place->key;
    char least[SA_UNITS_TEXT], most[SA_UNITS_TEXT];
    uint32_t seconds;

    if (sa_units_duration(text, &seconds) < 0) {
        SA_BAD(place->cfg, "%s: \"%s\" is not a duration such as \"90s\", \"5m\", \"2h\" or \"7d\"",
               key->name, text);
        return;
    }
    if (is_within(key, seconds))
        return;
    sa_units_format_duration(least, (uint32_t)key->least);
    sa_units_format_duration(most, (uint32_t)key->most);
    SA_BAD(place->cfg, "%s: must be %s to %s", key->name, least, most);
}

static void
check_size(const struct sa_place *place, const char *text)
{
    const struct sa_key *key = place->key;
    char least[SA_UNITS_TEXT], most[SA_UNITS_TEXT];
    size_t bytes;

    if (sa_units_size(text, &bytes) < 0) {
        SA_BAD(place->cfg, "%s: \"%s\" is not a size such as \"64KiB\"", key->name, text);
        return;
    }
    if (is_within(key, (int64_t)bytes))
        return;
    sa_units_format_size(least, (size_t)key->least);
    sa_units_format_size(most, (size_t)key->most);
    SA_BAD(place->cfg, "%s: must be %s to %s", key->name, least, most);
}

static void
check_share(const struct sa_place *place, const char *text)
{
    uint32_t per_mille;

    if (sa_units_share(text, &per_mille) < 0 || per_mille == 0)
        SA_BAD(place->cfg, "%s: \"%s\" is not a share such as \"5%%\", above 0%% and up to 100%%",
               place->key->name, text);
}

static void
check_timezone(const struct sa_place *place, const char *text)
{
    int64_t ms;
    bool fixed;

    if (!sa_units_timezone(text, &fixed, &ms))
        SA_BAD(place->cfg, "%s: \"%s\" is not local, utc or an offset such as +02:00", place->key->name,
               text);
}

static void
check_facility(const struct sa_place *place, const char *text)
{
    if (sa_units_facility(text) < 0)
        SA_BAD(place->cfg, "%s: \"%s\" is not a syslog facility", place->key->name, text);
}

static void
check_network(const struct sa_place *place, const char *text)
{
    const char *name = place->key->name;
    struct sa_network network;
    char in[SA_NETWORK_TEXT];
    int r = sa_network_parse(text, &network);

    if (r == -EINVAL)
        SA_BAD(place->cfg,
               "%s: \"%s\" is not an address or a prefix such as \"192.0.2.0/24\" or \"2001:db8::/32\"", name,
               text);
    if (r != -ERANGE)
        return;
    sa_network_format(&network, in);
    SA_BAD(place->cfg, "%s: \"%s\" has bits behind the prefix, it is in \"%s\"", name, text, in);
}

static void
check_code(const struct sa_place *place, const char *text)
{
    struct sa_code_set set = {{0}};

    if (sa_code_set_add_word(&set, text) < 0)
        SA_BAD(place->cfg,
               "%s: \"%s\" is not a code (\"302\"), a range (\"300-302\"), a class (\"3xx\") or one of these "
               "with '!'",
               place->key->name, text);
}

static void
check_text(const struct sa_place *place, const char *text)
{
    if (place->key->words != NULL)
        check_word(place, text);
    if (place->key->check != NULL)
        place->key->check(place, text);
}

static void
check_type(const struct sa_place *place, const char *text)
{
    switch (place->key->type) {
    case SA_KEY_TEXT:
    case SA_KEY_NAME:
    case SA_KEY_WORD:
    case SA_KEY_LIST:
    case SA_KEY_NAMES:
        check_text(place, text);
        break;
    case SA_KEY_DURATION:
        check_duration(place, text);
        break;
    case SA_KEY_SIZE:
        check_size(place, text);
        break;
    case SA_KEY_SHARE:
        check_share(place, text);
        break;
    case SA_KEY_TIMEZONE:
        check_timezone(place, text);
        break;
    case SA_KEY_FACILITY:
        check_facility(place, text);
        break;
    case SA_KEY_NETWORKS:
        check_network(place, text);
        break;
    case SA_KEY_CODES:
        check_code(place, text);
        break;
    case SA_KEY_NUMBER:
        check_number(place);
        break;
    case SA_KEY_BOOL: /* libConfuse knows what one is */
    case SA_KEY_SECTION:
    case SA_KEY_INCLUDE:
        break;
    }
}

/* Told once, at the first that is too many. */
static void
check_room(const struct sa_place *place)
{
    const struct sa_key *key = place->key;

    if (key->room != 0 && cfg_opt_size(place->opt) == key->room + 1)
        SA_BAD(place->cfg, "%s: more than %u %s", key->name, key->room,
               key->many == NULL ? "entries" : key->many);
}

static bool
has_length(enum sa_key_type type)
{
    return type == SA_KEY_TEXT || type == SA_KEY_NAME || type == SA_KEY_LIST || type == SA_KEY_NAMES;
}

void
sa_check_value(const struct sa_place *place)
{
    const char *text = place->opt->type == CFGT_STR ? last_string(place->opt) : "";

    check_type(place, text);
    if (has_length(place->key->type))
        check_length(place, text);
    check_room(place);
}

bool
sa_check_is_set(cfg_t *section, const char *name)
{
    cfg_opt_t *opt = cfg_getopt(section, name);

    return opt != NULL && (opt->flags & CFGF_MODIFIED) != 0 && cfg_opt_size(opt) > 0;
}
