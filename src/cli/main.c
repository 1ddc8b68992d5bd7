#include "commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(const struct sa_globals *, int, char **);
    const char *usage, *help;
} commands[] = {
    {"explain", sa_command_explain, "explain CODE... [--json]",
     "what a SIP status code means and what to do"},
    {"codes", sa_command_codes, "codes [--kind KIND] [--json]", "the whole catalog of status codes"},
    {"scan", sa_command_scan,
     "scan [FORMAT] [--by code|method|peer|source|minute] [--plot] [-j N] [--json] FILE...",
     "count the responses in log files (also .gz, .zst; - is standard input)"},
    {"match", sa_command_match, "match [FORMAT] [--missed] [--json] FILE",
     "show what each line is taken for, and which format would fit"},
    {"formats", sa_command_formats, "formats [--json]",
     "the log formats that are understood, with a line of each"},
    {"status", sa_command_status, "status [--json]", "the running daemon: sources, counts, alarms"},
};

int
sa_usage_error(const char *command, const char *format, ...)
{
    va_list ap;

    (void)fprintf(stderr, "sipalert %s: ", command);
    va_start(ap, format);
    (void)vfprintf(stderr, format, ap);
    va_end(ap);
    (void)fputs("\nTry 'sipalert --help'.\n", stderr);
    return 2;
}

static int
help(FILE *out)
{
    (void)fputs("usage: sipalert [-c CONFIG] [--socket PATH] COMMAND ...\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(out, "  %s\n      %s\n", commands[i].usage, commands[i].help);
    (void)fputs("\nFORMAT is --format NAME, --xlog TEMPLATE, --xlog-sent TEMPLATE or --regex PATTERN; "
                "without it the\n"
                "format is found out.  Options may be repeated.\n",
                out);
    (void)fputs("\nExit status: 0 done, 1 failed, 2 wrong usage.\n", out);
    return out == stdout ? 0 : 2;
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
        if (target != NULL) {
            if (++i == argc) {
                (void)sa_usage_error("", "%s needs a value", argv[i - 1]);
                return -1;
            }
            *target = argv[i];
        } else if (strcmp(argv[i], "--json") == 0) {
            globals->json = true;
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
    int n = take_globals(&globals, argc, argv);

    if (n < 0)
        return 2;
    if (n == 0)
        return help(stderr);
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "help") == 0)
        return help(stdout);
    if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0)
        return puts("sipalert " SIPALERT_VERSION) < 0;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(&globals, n, argv);
    return sa_usage_error(argv[0], "there is no such command");
}
