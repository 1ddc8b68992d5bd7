#include "replay.h"
#include "commands.h"
#include "lang.h"
#include "progress.h"
#include "replay_summary.h"
#include "report.h"
#include "unreadable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct replay {
    bool json, plot;
    struct sa_replay_span span;
    const char *source; /* of the files, or NULL */
    char **files;
    int n_files;
    struct sa_progress progress;
    struct sa_summary summary;
    int status;
};

static void
on_event(void *arg, const struct sa_alarm_event *event)
{
    struct replay *replay = arg;

    sa_progress_clear(&replay->progress);
    sa_summary_add(&replay->summary, event);
    sa_summary_print(event, replay->json);
}

static void
on_failed(void *arg, const char *path, const char *packing, int error)
{
    struct replay *replay = arg;

    sa_progress_clear(&replay->progress);
    replay->status = sa_unreadable("replay", path, packing, error);
}

static void
on_progress(void *arg, uint64_t taken, uint64_t total)
{
    struct replay *replay = arg;

    sa_progress_show(&replay->progress, taken, total);
}

static void
print_end(struct replay *replay, const struct sa_replay_totals *totals)
{
    json_t *first = sa_report_time(totals->first_ms), *last = sa_report_time(totals->last_ms);

    sa_summary_end(&replay->summary, totals->last_ms);
    (void)putchar('\n');
    sa_summary_table(&replay->summary, totals->first_ms, totals->last_ms);
    if (replay->plot) {
        (void)putchar('\n');
        sa_summary_plot(&replay->summary, totals->first_ms, totals->last_ms);
    }
    (void)printf(_("\n%llu responses in %llu lines from %s to %s\n"), (unsigned long long)totals->responses,
                 (unsigned long long)totals->lines, json_string_value(first), json_string_value(last));
    if (totals->untimed != 0)
        (void)printf(_("%llu responses had no time: they count when the one before them was\n"),
                     (unsigned long long)totals->untimed);
    if (totals->responses == 0)
        (void)puts(_("Nothing was counted.  \"sipalert match FILE\" shows what the lines are taken for."));
    json_decref(first);
    json_decref(last);
}

/* "2026-11-20", "2026-11-20 16:46", "2026-11-20T16:46:53Z", local time where no zone is given. */
static bool
parse_time(const char *text, int64_t *ret_ms)
{
    static const char *const forms[] = {
        "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M",      "%Y-%m-%d %H:%M",      "%Y-%m-%d"};

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *end = strptime(text, forms[i], &tm);
        long east_s = tm.tm_gmtoff;

        if (end == NULL || *end != '\0')
            continue;
        *ret_ms = (strstr(forms[i], "%z") != NULL ? timegm(&tm) - east_s : mktime(&tm)) * INT64_C(1000);
        return true;
    }
    return false;
}

static int
take_option(struct replay *replay, int argc, char **argv, int *i)
{
    const char *name = argv[*i], *value = *i + 1 == argc ? NULL : argv[*i + 1];
    int64_t *time = strcmp(name, "--since") == 0   ? &replay->span.since_ms
                    : strcmp(name, "--until") == 0 ? &replay->span.until_ms
                                                   : NULL;

    if (strcmp(name, "--plot") == 0) {
        replay->plot = true;
        return 0;
    }
    if (time == NULL && strcmp(name, "--source") != 0)
        return sa_usage_error("replay", _("option \"%s\" is not understood"), name);
    if (value == NULL)
        return sa_usage_error("replay", _("%s needs a value"), name);
    ++*i;
    if (time == NULL)
        replay->source = value;
    else if (!parse_time(value, time))
        return sa_usage_error("replay",
                              _("%s %s: a time like 2026-11-20, 2026-11-20 16:46 or 2026-11-20T16:46:53Z"),
                              name, value);
    return 0;
}

static int
parse_words(struct replay *replay, int argc, char **argv)
{
    bool only_files = false;

    for (int i = 1; i < argc; i++) {
        int r = 0;

        if (only_files || argv[i][0] != '-' || argv[i][1] == '\0')
            replay->files[replay->n_files++] = argv[i];
        else if (strcmp(argv[i], "--") == 0)
            only_files = true;
        else
            r = take_option(replay, argc, argv, &i);
        if (r != 0)
            return r;
    }
    if (replay->n_files == 0)
        return sa_usage_error("replay", "%s", _("which file? (- is standard input)"));
    return 0;
}

static int
source_of(const struct replay *replay, const struct sa_config *config, const char *path)
{
    if (replay->source == NULL)
        return sa_replay_source_of(config, path);
    for (unsigned i = 0; i < config->n_sources; i++)
        if (strcmp(config->sources[i].name, replay->source) == 0)
            return (int)i;
    return -1;
}

static int
add_files(struct replay *replay, const struct sa_config *config, struct sa_replay *core)
{
    for (int i = 0; i < replay->n_files; i++) {
        const char *path = replay->files[i];
        int source = source_of(replay, config, path), r;

        if (source < 0 && replay->source != NULL)
            return sa_usage_error("replay", _("--source %s: the configuration has no such source"),
                                  replay->source);
        if (source < 0)
            return sa_usage_error("replay", _("%s: of which source is it? --source NAME says so"), path);
        r = sa_replay_add(core, (unsigned)source, path);
        if (r < 0)
            return sa_unreadable("replay", path, NULL, r);
    }
    return 0;
}

static int
run(struct replay *replay, struct sa_config *config)
{
    static const struct sa_replay_events events = {on_event, on_failed, on_progress};
    char error[SA_PATTERN_ERROR_SIZE] = "out of memory";
    struct sa_replay *core = sa_replay_new(config, &replay->span, &events, replay, error);
    struct sa_replay_totals totals;
    int status;

    if (core == NULL)
        return sa_failure("replay", "%s", error);
    replay->progress.what = replay->n_files == 1 ? replay->files[0] : _("the logs");
    for (unsigned i = 0; i < config->n_rules; i++)
        if (config->rules[i].enabled)
            sa_summary_expect(&replay->summary, config->rules[i].name);
    status = add_files(replay, config, core);
    if (status == 0) {
        sa_replay_run(core);
        sa_progress_clear(&replay->progress);
        status = replay->status;
        totals = sa_replay_totals(core);
        if (!replay->json)
            print_end(replay, &totals);
        if (replay->summary.failed)
            status = sa_failure("replay", "%s", strerror(ENOMEM));
    }
    (void)sa_replay_free(core);
    return status;
}

int
sa_command_replay(const struct sa_globals *globals, int argc, char **argv)
{
    struct replay replay = {.json = globals->json, .span = {INT64_MIN, INT64_MAX}};
    static struct sa_config_errors errors;
    struct sa_config *config = NULL;
    int status;

    replay.files = calloc((size_t)argc, sizeof *replay.files);
    status = replay.files == NULL ? sa_failure("replay", "%s", strerror(ENOMEM))
                                  : parse_words(&replay, argc, argv);
    if (status == 0 &&
        sa_config_load(globals->config != NULL ? globals->config : SA_CONFIG_PATH, &config, &errors) < 0) {
        (void)fputs(errors.text, stderr);
        status = 1;
    }
    if (status == 0)
        status = run(&replay, config);
    (void)sa_config_free(config);
    free(replay.files);
    sa_summary_done(&replay.summary);
    return status;
}
