#include "checks.h"
#include "listener_address.h"
#include "reader.h"

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

void
sa_check_source(const struct sa_place *place, cfg_t *section)
{
    static const char *const origins[] = {"file", "journal", "syslog", "fifo", "stdin"};
    unsigned n = 0;

    for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++)
        if (sa_check_is_set(section, origins[i]) &&
            (strcmp(origins[i], "stdin") != 0 || cfg_getbool(section, "stdin")))
            n++;
    if (n == 0)
        SA_BAD(place->cfg, "source \"%s\": says no file to follow (nor journal, syslog, fifo or stdin)",
               cfg_title(section));
    else if (n > 1)
        SA_BAD(place->cfg, "source \"%s\": only one of file, journal, syslog, fifo and stdin can be set",
               cfg_title(section));
    check_allow_fits(place, section);
}
