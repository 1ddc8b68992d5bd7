/*
 * The commands of sipalert.  Each gets the global options and its own words (argv[0] is the command) and
 * returns the exit status: 0 done, 1 failed, 2 wrong usage.
 */
#ifndef SA_COMMANDS_H
#define SA_COMMANDS_H

#include <stdbool.h>

struct sa_globals {
    const char *config; /* -c FILE, or NULL */
    const char *socket; /* --socket PATH, or NULL */
    const char *lang;   /* --lang LANGUAGE, or NULL */
    bool json, help;
};

int sa_command_explain(const struct sa_globals *globals, int argc, char **argv);
int sa_command_compare(const struct sa_globals *globals, int argc, char **argv);
int sa_command_codes(const struct sa_globals *globals, int argc, char **argv);
int sa_command_scan(const struct sa_globals *globals, int argc, char **argv);
int sa_command_replay(const struct sa_globals *globals, int argc, char **argv);
int sa_command_formats(const struct sa_globals *globals, int argc, char **argv);
int sa_command_match(const struct sa_globals *globals, int argc, char **argv);
int sa_command_status(const struct sa_globals *globals, int argc, char **argv);
int sa_command_alarms(const struct sa_globals *globals, int argc, char **argv);
int sa_command_top(const struct sa_globals *globals, int argc, char **argv);
int sa_command_reload(const struct sa_globals *globals, int argc, char **argv);
int sa_command_test_notify(const struct sa_globals *globals, int argc, char **argv);

/*
 * "sipalert COMMAND: message" on stderr, with control characters (of a file name, say) made harmless;
 * returns 1. The same with a hint at --help; returns 2.
 */
int sa_failure(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
int sa_usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
