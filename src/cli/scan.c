#include "catalog.h"
#include "clock.h"
#include "commands.h"
#include "config.h"
#include "report.h"
#include "stream.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE_BYTES 262144
#define OPTIONS_MAX 64 /* of one kind on a command line */

struct scan {
    struct sa_tally *tally;
    struct sa_peers *peers;
    struct sa_format *format;
    struct sa_stream stream;
    char *slice;
};

static void
on_response(void *arg, const struct sa_response *response)
{
    struct scan *scan = arg;

    sa_tally_add(scan->tally, response, 0, response->time_ms);
    sa_peers_add(scan->peers, response);
}

/* What the command line says of the format. */
struct choice {
    char *names[OPTIONS_MAX + 1], *xlog[OPTIONS_MAX + 1], *xlog_sent[OPTIONS_MAX + 1],
        *regex[OPTIONS_MAX + 1];
};

static bool
push(char *list[OPTIONS_MAX + 1], char *text)
{
    size_t n = 0;

    while (list[n] != NULL)
        n++;
    if (n == OPTIONS_MAX)
        return false;
    list[n] = text;
    return true;
}

static struct sa_format *
make_format(const struct sa_globals *globals, struct choice *choice, char error[SA_PATTERN_ERROR_SIZE])
{
    struct sa_format_def def = {"command line", choice->xlog, choice->xlog_sent, choice->regex, NULL};
    bool patterns = choice->xlog[0] != NULL || choice->xlog_sent[0] != NULL || choice->regex[0] != NULL;
    static char automatic[] = "auto";
    struct sa_config *config = NULL;
    struct sa_format *format;

    if (globals->config != NULL) {
        static struct sa_config_errors errors;

        if (sa_config_load(globals->config, &config, &errors) < 0) {
            (void)fputs(errors.text, stderr);
            (void)sa_text_format(error, SA_PATTERN_ERROR_SIZE, "the configuration has errors");
            return NULL;
        }
    }
    if (choice->names[0] == NULL && !patterns)
        choice->names[0] = automatic;
    format = sa_config_format(config, choice->names, error);
    if (format != NULL && patterns && sa_format_add_user(format, &def, error) < 0)
        format = sa_format_free(format);
    (void)sa_config_free(config);
    return format;
}

static int
scan_file(struct scan *scan, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int64_t reference_ms = sa_clock_now().wall_ms;
    struct stat status;
    ssize_t n = -1;

    if (fd >= 0) {
        if (!is_stdin && fstat(fd, &status) == 0)
            reference_ms = (int64_t)status.st_mtime * 1000;
        do {
            n = read(fd, scan->slice, SLICE_BYTES);
            if (n > 0)
                sa_stream_feed(&scan->stream, scan->slice, (size_t)n, reference_ms);
        } while (n > 0 || (n < 0 && errno == EINTR));
    }
    if (n < 0)
        (void)fprintf(stderr, "sipalert scan: %s: %s\n", path, strerror(errno));
    if (fd >= 0 && !is_stdin)
        (void)close(fd);
    return n < 0 ? -1 : 0;
}

static void
print_json(const struct scan *scan)
{
    const struct sa_stream_counts *counts = &scan->stream.counts;
    json_t *report =
        json_pack("{so sI sI sI sI sI so so so so}", "format",
                  sa_report_text(sa_format_describe(scan->format)), "lines", (json_int_t)counts->lines,
                  "bytes", (json_int_t)counts->bytes, "responses", (json_int_t)counts->responses, "unmatched",
                  (json_int_t)counts->unmatched, "oversize", (json_int_t)counts->oversize, "first",
                  sa_report_time(counts->first_ms), "last", sa_report_time(counts->last_ms), "codes",
                  sa_report_codes(scan->tally), "peers", sa_report_peers(scan->peers));

    (void)json_dumpf(report, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    (void)putchar('\n');
    json_decref(report);
}

static void
print_table(const struct scan *scan)
{
    const struct sa_stream_counts *counts = &scan->stream.counts;

    (void)printf("format %s: %llu lines, %llu responses, %llu unmatched, %llu oversize\n\n",
                 sa_format_describe(scan->format), (unsigned long long)counts->lines,
                 (unsigned long long)counts->responses, (unsigned long long)counts->unmatched,
                 (unsigned long long)counts->oversize);
    if (counts->responses == 0)
        return;
    (void)printf("code  %-32s %10s %10s %10s  share\n", "phrase", "responses", "received", "sent");
    for (unsigned i = SA_CODE_MIN; i <= SA_CODE_MAX; i++) {
        const struct sa_tally_code *code = scan->tally->codes[i];

        if (code != NULL)
            (void)printf("%-4u  %-32.32s %10llu %10llu %10llu  %4.1f%%\n", i, sa_catalog_explain(i).phrase,
                         (unsigned long long)code->count.responses, (unsigned long long)code->count.received,
                         (unsigned long long)code->count.sent,
                         100.0 * (double)code->count.responses / (double)counts->responses);
    }
}

static int
parse_words(int argc, char **argv, struct choice *choice, char **files)
{
    static const char *const names[] = {"--format", "--xlog", "--xlog-sent", "--regex"};
    char **lists[] = {choice->names, choice->xlog, choice->xlog_sent, choice->regex, NULL};
    int n_files = 0;
    bool only_files = false;

    for (int i = 1; i < argc; i++) {
        size_t k = 0;

        while (k < 4 && strcmp(argv[i], names[k]) != 0)
            k++;
        if (only_files || argv[i][0] != '-' || argv[i][1] == '\0') {
            files[n_files++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_files = true;
        } else if (k < 4) {
            if (++i == argc)
                return -sa_usage_error("scan", "%s needs a value", argv[i - 1]);
            if (!push(lists[k], argv[i]))
                return -sa_usage_error("scan", "too many options");
        } else {
            return -sa_usage_error("scan", "option \"%s\" is not understood", argv[i]);
        }
    }
    if (n_files == 0)
        return -sa_usage_error("scan", "which file? (- is standard input)");
    return n_files;
}

int
sa_command_scan(const struct sa_globals *globals, int argc, char **argv)
{
    char error[SA_PATTERN_ERROR_SIZE] = "";
    struct choice choice = {.names = {NULL}};
    char **files = calloc((size_t)argc, sizeof *files);
    struct scan scan = {.tally = sa_tally_new(0), .peers = sa_peers_new(), .slice = malloc(SLICE_BYTES)};
    int n_files = files == NULL ? -1 : parse_words(argc, argv, &choice, files);
    int status = 0;

    if (n_files < 0) {
        status = -n_files;
        goto out;
    }
    scan.format = make_format(globals, &choice, error);
    if (scan.format == NULL) {
        (void)fprintf(stderr, "sipalert scan: %s\n", error);
        status = 2;
        goto out;
    }
    if (scan.tally == NULL || scan.peers == NULL || scan.slice == NULL ||
        sa_stream_init(&scan.stream, scan.format, SA_CONFIG_LINE_LIMIT, on_response, &scan) < 0) {
        (void)fputs("sipalert scan: out of memory\n", stderr);
        status = 1;
        goto out;
    }
    for (int i = 0; i < n_files; i++)
        if (scan_file(&scan, files[i]) < 0)
            status = 1;
    sa_stream_finish(&scan.stream);
    if (globals->json)
        print_json(&scan);
    else
        print_table(&scan);
    if (scan.peers->lost != 0)
        (void)fprintf(stderr, "sipalert scan: %llu responses of further peers are not in the peer list\n",
                      (unsigned long long)scan.peers->lost);
out:
    sa_stream_done(&scan.stream);
    (void)sa_format_free(scan.format);
    (void)sa_tally_free(scan.tally);
    (void)sa_peers_free(scan.peers);
    free(scan.slice);
    free(files);
    return status;
}
