#include "commands.h"
#include "lang.h"
#include "layout.h"
#include "text.h"

#include <errno.h>
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
     N_("count the responses in log files (also packed ones; - is standard input)"),
     N_("WHAT is code, method, peer, source or minute; --plot draws the counts over time;\n"
        "-j N divides large files among N threads.\n"),
     true},
    {"replay", sa_command_replay, "[SPAN] [--plot] [--json] FILE...",
     N_("when the rules of a configuration (-c) would have spoken in log files"),
     N_("SPAN is --since TIME and --until TIME, with times like 2026-11-20,\n"
        "2026-11-20 16:46 or 2026-11-20T16:46:53Z; --plot draws the alarms over time;\n"
        "--source NAME says whose logs the files are where their names do not.\n"),
     false},
    {"match", sa_command_match, "[FORMAT] [--missed] [--json] FILE",
     N_("show what each line is taken for, and which format would fit"), NULL, true},
    {"formats", sa_command_formats, "[--json]",
     N_("the log formats that are understood, with a line of each"), NULL, false},
    {"status", sa_command_status, "[--json]", N_("the running daemon: sources, counts, alarms"), NULL, false},
    {"alarms", sa_command_alarms, "[--json]", N_("the active alarms of the running daemon, and what to do"),
     NULL, false},
    {"top", sa_command_top, "[--every SECONDS] [--json]", N_("the running daemon, live on the whole screen"),
     N_("Keys: q ends it, the arrows scroll the alarms.\nWith --json it prints one status a line.\n"), false},
    {"reload", sa_command_reload, "[--json]", N_("make the daemon read its configuration again"), NULL,
     false},
    {"test-notify", sa_command_test_notify, "[--json]",
     N_("send a test notification to every receiver, and tell whether it was taken"), NULL, false},
};

static void __attribute__((format(printf, 2, 0)))
complain(const char *command, const char *format, va_list ap)
{
    char text[2048], shown[SA_TEXT_ESCAPED(sizeof text)];

    (void)vsnprintf(text, sizeof text, format, ap);
    (void)sa_text_printable(shown, sizeof shown, text);
    (void)fprintf(stderr, "sipalert%s%s: %s\n", command[0] == '\0' ? "" : " ", command, shown);
}

int
sa_failure(const char *command, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    complain(command, format, ap);
    va_end(ap);
    return 1;
}

int
sa_usage_error(const char *command, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    complain(command, format, ap);
    va_end(ap);
    (void)fprintf(stderr, _("Try 'sipalert %s%s--help'.\n"), command, command[0] == '\0' ? "" : " ");
    return 2;
}

static int
help(void)
{
    const unsigned margin = 15; /* of the longest name */

    (void)fputs(_("usage: sipalert [-c CONF] [--socket PATH] [--lang LANG] [--json] COMMAND ...\n\n"),
                stdout);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        sa_layout_paragraph(commands[i].name, margin, _(commands[i].summary));
    (void)fputs(_("\n'sipalert COMMAND --help' says more.\nExit status: 0 done, 1 failed, 2 wrong usage.\n"),
                stdout);
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

/* An option with a value, which is the next word or behind "=".  1: taken; 0: another word; -1 after a
 * message. */
static int
take_valued(struct sa_globals *globals, int argc, char **argv, int *i)
{
    const struct {
        const char *name, **value;
    } options[] = {{"-c", &globals->config}, {"--socket", &globals->socket}, {"--lang", &globals->lang}};

    for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
        size_t len = strlen(options[k].name);

        if (strncmp(argv[*i], options[k].name, len) != 0)
            continue;
        if (argv[*i][len] == '=' && len > 2) {
            *options[k].value = argv[*i] + len + 1;
            return 1;
        }
        if (argv[*i][len] != '\0')
            continue;
        if (++*i == argc)
            return -sa_usage_error("", _("%s needs a value"), options[k].name) / 2;
        *options[k].value = argv[*i];
        return 1;
    }
    return 0;
}

/* Takes the options that may stand anywhere out of argv; what remains is the command and its own words. */
static int
take_globals(struct sa_globals *globals, int argc, char **argv)
{
    int kept = 0;

    for (int i = 1; i < argc; i++) {
        int taken = take_valued(globals, argc, argv, &i);

        if (taken < 0)
            return -1;
        if (taken > 0)
            continue;
        if (strcmp(argv[i], "--json") == 0)
            globals->json = true;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            globals->help = true;
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    return kept;
}

/* "help" and "help COMMAND" are "--help" and "COMMAND --help". */
static int
take_help(struct sa_globals *globals, int n, char **argv)
{
    if (n == 0 || strcmp(argv[0], "help") != 0)
        return n;
    globals->help = true;
    memmove(argv, argv + 1, (size_t)n * sizeof *argv);
    return n - 1;
}

static int
run(const struct sa_globals *globals, int n, char **argv)
{
    const struct command *command;

    if (n == 0)
        return globals->help ? help() : sa_usage_error("", "%s", _("which command?"));
    if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0)
        return puts("sipalert " SIPALERT_VERSION) < 0;
    command = find_command(argv[0]);
    if (command == NULL)
        return sa_usage_error(
            "", argv[0][0] == '-' ? _("option \"%s\" is not understood") : _("there is no command \"%s\""),
            argv[0]);
    return globals->help ? help_on(command) : command->run(globals, n, argv);
}

int
main(int argc, char **argv)
{
    struct sa_globals globals = {0};
    int n, status;

    (void)sa_lang_use(NULL);
    n = take_globals(&globals, argc, argv);
    if (n < 0)
        return 2;
    if (globals.lang != NULL && !sa_lang_is_known(globals.lang))
        return sa_usage_error("", _("--lang %s: en, ru or vi"), globals.lang);
    if (globals.lang != NULL)
        (void)sa_lang_use(globals.lang);
    status = run(&globals, take_help(&globals, n, argv), argv);
    if (fflush(stdout) == EOF || ferror(stdout))
        return sa_failure("", _("cannot write the output: %s"), strerror(errno));
    return status;
}
