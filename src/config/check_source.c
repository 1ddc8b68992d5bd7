#include "checks.h"
#include "listener_address.h"
#include "reader.h"
#include "text.h"

#include <string.h>

void
sa_check_journal_match(const struct sa_place *place, const char *text)
{
    if (text[0] != '/' && strchr(text, '=') == NULL)
        SA_BAD(place->cfg, "%s: \"%s\" is not \"FIELD=value\", nor the path of a journal", place->key->name,
               text);
}

void
sa_check_format_name(const struct sa_place *place, const char *text)
{
    sa_reader_refer(place->cfg, "format", text);
}

/* Networks are of listeners that hear networks. */
static void
check_allow_fits(const struct sa_place *place, cfg_t *section)
{
    bool limited = sa_check_is_set(section, "allow");

    for (unsigned i = 0; i < cfg_size(section, "syslog"); i++) {
        const char *spec = cfg_getnstr(section, "syslog", i);
        struct sa_listener_address address;

        if (sa_listener_address_parse(spec, &address) < 0)
            continue; /* told at its line */
        if (limited && address.path != NULL)
            SA_BAD(
                place->cfg,
                "source \"%s\": allow is of udp: and tcp: only, who may write to %s is said by its directory",
                cfg_title(section), spec);
        if (!limited && sa_listener_address_is_any(&address))
            SA_WARN(place->cfg,
                    "source \"%s\": everybody who reaches %s can write to it, name the senders in allow",
                    cfg_title(section), spec);
    }
}

/* Whether the section has the key, and does not say "false". */
static bool
says(cfg_t *section, const char *key)
{
    return sa_check_is_set(section, key) &&
           (cfg_getopt(section, key)->type != CFGT_BOOL || cfg_getbool(section, key));
}

/* The keys that say of which kind a source is, from the first-th on: "a, b or c". */
static const char *
enumerate(size_t first, const char *conjunction, char dst[128])
{
    size_t len = 0;

    for (size_t i = first; i < SA_SOURCE_KINDS_COUNT; i++) {
        const char *key = sa_source_kind_key(sa_source_kind_at(i));

        if (i == first)
            len += sa_text_format(dst + len, 128 - len, "%s", key);
        else if (i + 1 < SA_SOURCE_KINDS_COUNT)
            len += sa_text_format(dst + len, 128 - len, ", %s", key);
        else
            len += sa_text_format(dst + len, 128 - len, " %s %s", conjunction, key);
    }
    return dst;
}

void
sa_check_source(const struct sa_place *place, cfg_t *section)
{
    char keys[128];
    unsigned n = 0;

    for (size_t i = 0; i < SA_SOURCE_KINDS_COUNT; i++)
        n += says(section, sa_source_kind_key(sa_source_kind_at(i)));
    if (n == 0)
        SA_BAD(place->cfg, "source \"%s\": says no file to follow (nor %s)", cfg_title(section),
               enumerate(1, "or", keys));
    else if (n > 1)
        SA_BAD(place->cfg, "source \"%s\": only one of %s can be set", cfg_title(section),
               enumerate(0, "and", keys));
    check_allow_fits(place, section);
}
