#include "commands.h"
#include "lang.h"
#include "presets.h"
#include "report.h"

#include <stdio.h>

static json_t *
to_json(void)
{
    json_t *list = json_array();

    for (const struct sa_preset *preset = sa_presets; preset->name != NULL; preset++)
        (void)json_array_append_new(
            list, json_pack("{ss ss so sb}", "name", preset->name, "description", preset->description,
                            "sample", sa_report_text(preset->sample), "auto", preset->automatic));
    return list;
}

int
sa_command_formats(const struct sa_globals *globals, int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return sa_usage_error("formats", "%s", _("it takes no arguments"));
    if (globals->json) {
        (void)sa_report_print(to_json(), false);
        return 0;
    }
    for (const struct sa_preset *preset = sa_presets; preset->name != NULL; preset++)
        (void)printf("%-22s %s%s\n%24s%s\n", preset->name, _(preset->description),
                     preset->automatic ? "" : _(" (not tried by auto)"), "", preset->sample);
    return 0;
}
