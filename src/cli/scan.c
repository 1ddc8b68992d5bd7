#include "commands.h"
#include "format_choice.h"
#include "lang.h"
#include "progress.h"
#include "report.h"
#include "scanner.h"
#include "tables.h"
#include "text.h"
#include "unreadable.h"

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct view {
    const char *name;
    void (*show)(const struct sa_scan_result *);
} views[] = {
    {"code", sa_table_by_code}, {"method", sa_table_by_method},
    {"peer", sa_table_by_peer}, {"minute", sa_table_by_minute},
    {"source", NULL}, /* a line for each file, as it is read */
};

struct scan {
    struct sa_format_choice choice;
    const struct view *view;
    bool plot, json;
    unsigned workers;
    char **files;
    int n_files;
    struct sa_progress progress;
};

static struct sa_format *
new_format(void *arg)
{
    struct scan *scan = arg;

    return sa_format_choice_make(&scan->choice, "scan");
}

static void
on_progress(void *arg, uint64_t taken, uint64_t total)
{
    struct scan *scan = arg;

    sa_progress_show(&scan->progress, taken, total);
}

static void
print_json(const struct sa_scanner *scanner, const struct sa_scan_result *result)
{
    const struct sa_stream_counts *counts = sa_scanner_counts(scanner);
    json_t *report =
        json_pack("{so sI sI sI sI sI sI so so so so}", "format",
                  sa_report_text(sa_format_describe(sa_scanner_format(scanner))), "lines",
                  (json_int_t)counts->lines, "bytes", (json_int_t)counts->bytes, "responses",
                  (json_int_t)counts->responses, "unmatched", (json_int_t)counts->unmatched, "oversize",
                  (json_int_t)counts->oversize, "match_limit", (json_int_t)counts->match_limit, "first",
                  sa_report_time(counts->first_ms), "last", sa_report_time(counts->last_ms), "codes",
                  sa_report_codes(result->tally), "peers", sa_report_peers(result->peers));

    (void)sa_report_print(report, false);
}

static void
print_tables(const struct scan *scan, const struct sa_scanner *scanner, const struct sa_scan_result *result)
{
    const struct sa_stream_counts *counts = sa_scanner_counts(scanner);

    (void)printf(_("format %s: %llu lines, %llu responses, %llu unmatched, %llu oversize\n"),
                 sa_format_describe(sa_scanner_format(scanner)), (unsigned long long)counts->lines,
                 (unsigned long long)counts->responses, (unsigned long long)counts->unmatched,
                 (unsigned long long)counts->oversize);
    if (counts->responses == 0) {
        (void)puts(_("Nothing was counted.  \"sipalert match FILE\" shows what the lines are taken for."));
        return;
    }
    if (scan->view->show != NULL) {
        (void)putchar('\n');
        scan->view->show(result);
    }
    if (scan->plot) {
        (void)putchar('\n');
        sa_plot(result);
    }
}

/* A value for an option; NULL after a message. */
static char *
take_value(int argc, char **argv, int *i)
{
    if (*i + 1 == argc) {
        (void)sa_usage_error("scan", _("%s needs a value"), argv[*i]);
        return NULL;
    }
    return argv[++*i];
}

static int
set_view(struct scan *scan, const char *name)
{
    for (size_t k = 0; name != NULL && k < sizeof views / sizeof views[0]; k++)
        if (strcmp(views[k].name, name) == 0) {
            scan->view = &views[k];
            return 0;
        }
    return name == NULL ? 2
                        : sa_usage_error("scan", _("--by %s: code, method, peer, source or minute"), name);
}

static int
set_workers(struct scan *scan, const char *text)
{
    char *end;
    unsigned long n = text == NULL ? 0 : strtoul(text, &end, 10);

    if (text == NULL)
        return 2;
    if (*text == '\0' || *end != '\0' || n < 1 || n > 64)
        return sa_usage_error("scan", _("-j %s: a number from 1 to 64"), text);
    scan->workers = (unsigned)n;
    return 0;
}

static int
parse_words(struct scan *scan, int argc, char **argv)
{
    bool only_files = false;

    for (int i = 1; i < argc; i++) {
        int r = 0;

        if (only_files || argv[i][0] != '-' || argv[i][1] == '\0') {
            scan->files[scan->n_files++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_files = true;
        } else if (strcmp(argv[i], "--plot") == 0) {
            scan->plot = true;
        } else if (strcmp(argv[i], "--by") == 0) {
            r = set_view(scan, take_value(argc, argv, &i));
        } else if (strcmp(argv[i], "-j") == 0) {
            r = set_workers(scan, take_value(argc, argv, &i));
        } else if (strncmp(argv[i], "-j", 2) == 0) {
            r = set_workers(scan, argv[i] + 2);
        } else {
            int taken = sa_format_choice_take(&scan->choice, "scan", argc, argv, &i);

            r = taken == 0  ? sa_usage_error("scan", _("option \"%s\" is not understood"), argv[i])
                : taken < 0 ? 2
                            : 0;
        }
        if (r != 0)
            return r;
    }
    if (scan->n_files == 0)
        return sa_usage_error("scan", "%s", _("which file? (- is standard input)"));
    return 0;
}

/* With --by source: what this file alone added. */
static void
print_source(const struct scan *scan, const char *path, const struct sa_stream_counts *before,
             const struct sa_stream_counts *now)
{
    char shown[SA_TEXT_ESCAPED(PATH_MAX)];

    if (scan->json || strcmp(scan->view->name, "source") != 0)
        return;
    (void)sa_text_escape(shown, sizeof shown, path, strlen(path));
    (void)printf(_("%-40s %10llu lines %10llu responses %10llu unmatched\n"), shown,
                 (unsigned long long)(now->lines - before->lines),
                 (unsigned long long)(now->responses - before->responses),
                 (unsigned long long)(now->unmatched - before->unmatched));
}

static int
scan_files(struct scan *scan, struct sa_scanner *scanner)
{
    int status = 0;

    for (int i = 0; i < scan->n_files; i++) {
        struct sa_stream_counts before = *sa_scanner_counts(scanner);
        int r;

        scan->progress.what = scan->files[i];
        r = sa_scanner_file(scanner, scan->files[i]);
        sa_progress_clear(&scan->progress);
        if (r < 0)
            status = sa_unreadable("scan", scan->files[i], sa_scanner_packing(scanner), r);
        if (i + 1 == scan->n_files)
            sa_scanner_finish(scanner);
        print_source(scan, scan->files[i], &before, sa_scanner_counts(scanner));
    }
    return status;
}

int
sa_command_scan(const struct sa_globals *globals, int argc, char **argv)
{
    struct scan scan = {
        .view = &views[0], .json = globals->json, .workers = 1, .choice.config = globals->config};
    struct sa_scanner_options options = {
        .new_format = new_format, .progress = on_progress, .arg = &scan, .line_limit = SA_CONFIG_LINE_LIMIT};
    struct sa_scan_result result = {0};
    struct sa_scanner *scanner = NULL;
    int status = 1;

    scan.files = calloc((size_t)argc, sizeof *scan.files);
    if (scan.files == NULL || (status = parse_words(&scan, argc, argv)) != 0)
        goto out;
    options.workers = scan.workers;
    if (sa_scan_result_init(&result, scan.plot || scan.view->show == sa_table_by_minute) < 0) {
        (void)fputs(_("sipalert scan: out of memory\n"), stderr);
        status = 1;
        goto out;
    }
    scanner = sa_scanner_new(&options, &result);
    if (scanner == NULL) { /* the format has said why */
        status = 2;
        goto out;
    }
    status = scan_files(&scan, scanner);
    if (scan.json)
        print_json(scanner, &result);
    else
        print_tables(&scan, scanner, &result);
    if (result.peers->lost != 0)
        (void)fprintf(stderr, _("sipalert scan: %llu responses of further peers are not in the peer list\n"),
                      (unsigned long long)result.peers->lost);
out:
    (void)sa_scanner_free(scanner);
    sa_scan_result_done(&result);
    free(scan.files);
    return status;
}
