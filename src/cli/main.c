#include "commands.h"
#include "lang.h"
#include "layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char format_help[] =
    N_("FORMAT is --format NAME, --xlog TEMPLATE, --xlog-sent TEMPLATE or\n"
       "--regex PATTERN, as often as needed; without it the format is found out.\n");

static const struct command {
    const char *name;
    int (*run)(const struct sa_globals *, int, char **);
    const char *words, *summary; /* its usage, and what it does in a line */
    const char *more;            /* what else its --help says, or NULL */
    bool takes_format;
} commands[] = {
    {"explain", sa_command_explain, "CODE... [--json]", N_("what a SIP status code means and what to do"),
     N_("Codes are 100 to 999; one that is not registered is explained by its class.\n"), false},
    {"compare", sa_command_compare, "A B [--json]",
     N_("two codes side by side: what differs, and what to do"), NULL, false},
    {"codes", sa_command_codes, "[--kind KIND] [--json]", N_("the whole catalog of status codes"),
     N_("KIND is a word of the third column: redirect, flow, auth, ...\n"), false},
    {"scan", sa_command_scan, "[FORMAT] [--by WHAT] [--plot] [-j N] [--json] FILE...",
     N_("count the responses in log files (also .gz, .zst; - is standard input)"),
     N_("WHAT is code, method, peer, source or minute; --plot draws the counts over time;\n"
        "-j N divides large files among N threads.\n"),
     true},
    {"match", sa_command_match, "[FORMAT] [--missed] [--json] FILE",
     N_("show what each line is taken for, and which format would fit"), NULL, true},
    {"formats", sa_command_formats, "[--json]",
     N_("the log formats that are understood, with a line of each"), NULL, false},
    {"status", sa_command_status, "[--json]", N_("the running daemon: sources, counts, alarms"), NULL, false},
    {"alarms", sa_command_alarms, "[--json]", N_("the active alarms of the running daemon, and what to do"),
     NULL, false},
    {"top", sa_command_top, "[--every SECONDS] [--json]", N_("the running daemon, live on the whole screen"),
     N_("Keys: q ends it, the arrows scroll the alarms.\nWith --json it prints one status a line.\n"), false},
    {"reload", sa_command_reload, "", N_("make the daemon read its configuration again"), NULL, false},
    {"test-notify", sa_command_test_notify, "",
     N_("send a test notification to every receiver, and tell whether it was taken"), NULL, false},
};

int
sa_usage_error(const char *command, const char *format, ...)
{
    va_list ap;

    (void)fprintf(stderr, "sipalert%s%s: ", command[0] == '\0' ? "" : " ", command);
    va_start(ap, format);
    (void)vfprintf(stderr, format, ap);
    va_end(ap);
    (void)fprintf(stderr, _("\nTry 'sipalert %s%s--help'.\n"), command, command[0] == '\0' ? "" : " ");
    return 2;
}

static int
help(void)
{
    const unsigned margin = 15; /* of the longest name */

    (void)fputs(_("usage: sipalert [-c CONFIG] [--socket PATH] [--lang LANG] COMMAND ...\n\n"), stdout);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        sa_layout_paragraph(commands[i].name, margin, _(commands[i].summary));
    (void)fputs(_("\n'sipalert COMMAND --help' says more.\nExit status: 0 done, 1 failed, 2 wrong usage.\n"), stdout);
    return 0;
}

static int
help_on(const struct command *command)
{
    (void)printf(_("usage: sipalert %s %s\n\n"), command->name, command->words);
    (void)printf("%s\n", _(command->summary));
    if (command->more != NULL)
        (void)printf("\n%s", _(command->more));
    if (command->takes_format)
        (void)printf("\n%s", _(format_help));
    return 0;
}

static const struct command *
find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

/* Takes the options that may stand anywhere out of argv; what remains is the command and its own words. */
static int
take_globals(struct sa_globals *globals, int argc, char **argv)
{
    int kept = 0;

    for (int i = 1; i < argc; i++) {
        const char **target = NULL;

        if (strcmp(argv[i], "-c") == 0)
            target = &globals->config;
        else if (strcmp(argv[i], "--socket") == 0)
            target = &globals->socket;
        else if (strcmp(argv[i], "--lang") == 0)
            target = &globals->lang;
        if (target != NULL) {
            if (++i == argc) {
                (void)sa_usage_error("", _("%s needs a value"), argv[i - 1]);
                return -1;
            }
            *target = argv[i];
        } else if (strcmp(argv[i], "--json") == 0) {
            globals->json = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            globals->help = true;
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[kept] = NULL;
    return kept;
}

int
main(int argc, char **argv)
{
    struct sa_globals globals = {0};
    const struct command *command;
    int n;

    sa_lang_use(NULL);
    n = take_globals(&globals, argc, argv);
    if (n < 0)
        return 2;
    if (globals.lang != NULL && !sa_lang_is_known(globals.lang))
        return sa_usage_error("", _("--lang %s: en, ru or vi"), globals.lang);
    if (globals.lang != NULL)
        sa_lang_use(globals.lang);
    if (n == 0)
        return globals.help ? help() : sa_usage_error("", "%s", _("which command?"));
    if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0)
        return puts("sipalert " SIPALERT_VERSION) < 0;
    if (strcmp(argv[0], "help") == 0)
        return help();
    command = find_command(argv[0]);
    if (command == NULL)
        return sa_usage_error("", _("there is no command \"%s\""), argv[0]);
    return globals.help ? help_on(command) : command->run(&globals, n, argv);
}
