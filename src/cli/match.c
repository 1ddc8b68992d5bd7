#include "commands.h"
#include "clock.h"
#include "config.h"
#include "format_choice.h"
#include "input.h"
#include "lang.h"
#include "report.h"
#include "stream.h"
#include "suggest.h"
#include "text.h"
#include "unreadable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE_BYTES     65536
#define RESPONSES_MAX   16       /* that one line can complete */
#define SUGGESTIONS_MAX 32       /* different ones that are counted */
#define TRY_BYTES       67108864 /* of the file that each preset is tried on */
#define EXCERPT_BYTES   160

struct match {
    struct sa_format_choice choice;
    bool json, only_missed;
    const char *path;
    const char *packing; /* NULL: the file could not be opened */
    struct sa_format *format;
    struct sa_stream stream;
    struct sa_lines lines;
    struct sa_peeler peeler;
    uint64_t line;
    struct sa_response responses[RESPONSES_MAX]; /* of the present line */
    unsigned n_responses;
    struct {
        char text[SA_SUGGESTION_SIZE];
        uint64_t lines;
    } suggestions[SUGGESTIONS_MAX];
    unsigned n_suggestions;
};

static void
on_response(void *arg, const struct sa_response *response)
{
    struct match *match = arg;

    if (match->n_responses < RESPONSES_MAX)
        match->responses[match->n_responses++] = *response;
}

static void
print_response_json(const struct match *match, const struct sa_response *response)
{
    static const char *const directions[] = {"", "received", "sent"};
    json_t *object =
        json_pack("{sI si ss so so so so si}", "line", (json_int_t)match->line, "code", (int)response->code,
                  "direction", directions[response->direction], "method", sa_report_text(response->method),
                  "peer", sa_report_text(response->peer), "time", sa_report_time(response->time_ms),
                  "call_id", sa_report_text(response->call_id), "repeat", (int)response->repeat);

    (void)sa_report_print(object, true);
}

static void
print_line(const struct match *match, const char *mark, const char *what, struct sa_slice line)
{
    char excerpt[EXCERPT_BYTES];

    (void)sa_text_escape(excerpt, sizeof excerpt, line.p, line.len);
    (void)printf("%7llu %s %-28s %s\n", (unsigned long long)match->line, mark, what, excerpt);
}

static void
print_response(const struct match *match, const struct sa_response *response, struct sa_slice line)
{
    static const char *const arrows[] = {"", N_(" from"), N_(" to")};
    char what[128];

    (void)sa_text_format(what, sizeof what, "%u %s%s %s", response->code, response->method,
                         _(arrows[response->direction]), response->peer);
    print_line(match, "+", what, line);
}

static void
suggest(struct match *match, const struct sa_record *record)
{
    char text[SA_SUGGESTION_SIZE];
    unsigned i;

    if (!sa_suggest_template(record, text))
        return;
    for (i = 0; i < match->n_suggestions; i++)
        if (strcmp(match->suggestions[i].text, text) == 0)
            break;
    if (i == SUGGESTIONS_MAX)
        return;
    if (i == match->n_suggestions) {
        (void)sa_text_copy(match->suggestions[i].text, sizeof text, text);
        match->n_suggestions++;
    }
    match->suggestions[i].lines++;
}

static void
on_missed(struct match *match, struct sa_slice line)
{
    struct sa_record record;
    char reason[256];

    sa_envelope_peel(&match->peeler, line, &record);
    sa_format_explain(match->format, &record, reason, sizeof reason);
    suggest(match, &record);
    if (match->json)
        (void)sa_report_print(
            json_pack("{sI so}", "line", (json_int_t)match->line, "missed", sa_report_text(reason)), true);
    else
        print_line(match, "-", reason, line);
}

static void
on_line(void *arg, const char *text, size_t len, bool cut)
{
    struct match *match = arg;
    const struct sa_stream_counts *counts = &match->stream.counts;
    uint64_t unmatched = counts->unmatched;
    struct sa_slice line = {text, len > 0 && text[len - 1] == '\r' ? len - 1 : len};

    (void)cut;
    match->line++;
    match->n_responses = 0;
    sa_stream_feed(&match->stream, text, len, match->peeler.stamps.reference_ms);
    sa_stream_feed(&match->stream, "\n", 1, match->peeler.stamps.reference_ms);
    for (unsigned i = 0; i < match->n_responses; i++) {
        if (match->only_missed)
            continue;
        if (match->json)
            print_response_json(match, &match->responses[i]);
        else
            print_response(match, &match->responses[i], line);
    }
    if (counts->unmatched > unmatched && match->stream.messages.state == SA_SIP_IDLE &&
        match->n_responses == 0)
        on_missed(match, line);
    else if (match->n_responses == 0 && !match->json && !match->only_missed)
        print_line(match, "|", "", line);
}

/* Feeds up to so many bytes of the file to fn, line by line or as they come.  Returns 0 or negative errno. */
static int
read_file(struct match *match, struct sa_stream *stream, uint64_t most)
{
    struct sa_input *input;
    char *slice = malloc(SLICE_BYTES);
    ssize_t n = 0;
    int r = slice == NULL ? -ENOMEM : sa_input_open(match->path, &input);

    if (r == 0) {
        int64_t written_ms = sa_input_written_ms(input);

        match->packing = sa_input_packing(input);
        match->peeler.stamps.reference_ms = written_ms != 0 ? written_ms : sa_clock_now().wall_ms;
        while (most > 0 && (n = sa_input_read(input, slice, SLICE_BYTES)) > 0) {
            if (stream == NULL)
                sa_lines_feed(&match->lines, slice, (size_t)n, on_line, match);
            else
                sa_stream_feed(stream, slice, (size_t)n, match->peeler.stamps.reference_ms);
            most -= (uint64_t)n < most ? (uint64_t)n : most;
        }
        r = n < 0 ? (int)n : 0;
        if (r == 0 && sa_input_looks_binary(input) && match->stream.counts.responses == 0)
            r = -EILSEQ;
        (void)sa_input_close(input);
    }
    free(slice);
    return r;
}

static void
ignore(void *arg, const struct sa_response *response)
{
    (void)arg;
    (void)response;
}

/* How many responses a preset by itself finds in the file. */
static uint64_t
try_preset(struct match *match, const struct sa_preset *preset)
{
    struct sa_format *format = sa_format_new();
    struct sa_stream stream = {0};
    char error[SA_PATTERN_ERROR_SIZE];
    uint64_t responses = 0;

    if (format != NULL && sa_format_add_preset(format, preset->name, error) == 0 &&
        sa_stream_init(&stream, format, SA_CONFIG_LINE_LIMIT, ignore, NULL) == 0 &&
        read_file(match, &stream, TRY_BYTES) == 0) {
        sa_stream_finish(&stream);
        responses = stream.counts.responses;
    }
    sa_stream_done(&stream);
    (void)sa_format_free(format);
    return responses;
}

/* A preset and what it would find. */
struct trial {
    const struct sa_preset *preset; /* NULL: none finds anything */
    uint64_t responses;
};

/* The two presets that find most. */
static void
try_presets(struct match *match, struct trial best[2])
{
    best[0] = (struct trial){NULL, 0};
    best[1] = best[0];
    for (const struct sa_preset *preset = sa_presets; preset->name != NULL && strcmp(match->path, "-") != 0;
         preset++) {
        struct trial trial = {preset, try_preset(match, preset)};

        if (trial.responses > best[0].responses) {
            best[1] = best[0];
            best[0] = trial;
        } else if (trial.responses > best[1].responses) {
            best[1] = trial;
        }
    }
}

/* The template that would have written most of the missed lines, or -1. */
static int
best_suggestion(const struct match *match)
{
    int best = match->n_suggestions > 0 ? 0 : -1;

    for (unsigned i = 1; i < match->n_suggestions; i++)
        if (match->suggestions[i].lines > match->suggestions[best].lines)
            best = (int)i;
    return best;
}

static json_t *
trial_json(const struct trial *trial)
{
    return trial->preset == NULL ? json_null()
                                 : json_pack("{ss sI}", "preset", trial->preset->name, "responses",
                                             (json_int_t)trial->responses);
}

static void
print_summary_json(struct match *match)
{
    const struct sa_stream_counts *counts = &match->stream.counts;
    int suggestion = best_suggestion(match);
    struct trial best[2];

    try_presets(match, best);
    (void)sa_report_print(
        json_pack("{s{so sI sI sI so so so}}", "summary", "format",
                  sa_report_text(sa_format_describe(match->format)), "lines", (json_int_t)counts->lines,
                  "responses", (json_int_t)counts->responses, "unmatched", (json_int_t)counts->unmatched,
                  "best", trial_json(&best[0]), "next", trial_json(&best[1]), "template",
                  suggestion < 0 ? json_null() : sa_report_text(match->suggestions[suggestion].text)),
        true);
}

static void
print_summary(struct match *match)
{
    const struct sa_stream_counts *counts = &match->stream.counts;
    int suggestion = best_suggestion(match);
    struct trial best[2];
    char name[SA_TEXT_ESCAPED(SA_NAME_SIZE)], shown[SA_TEXT_ESCAPED(SA_SUGGESTION_SIZE)];

    try_presets(match, best);
    (void)sa_text_printable(name, sizeof name, sa_format_describe(match->format));
    (void)printf(_("\nformat %s: %llu lines, %llu responses (+), %llu unmatched (-)\n"), name,
                 (unsigned long long)counts->lines, (unsigned long long)counts->responses,
                 (unsigned long long)counts->unmatched);
    if (best[0].preset != NULL)
        (void)printf(_("Best preset: %s, %llu responses (%s).\n"), best[0].preset->name,
                     (unsigned long long)best[0].responses, _(best[0].preset->description));
    else if (strcmp(match->path, "-") != 0)
        (void)puts(_("No preset finds a response in it."));
    if (best[1].preset != NULL)
        (void)printf(_("Next: %s, %llu responses.\n"), best[1].preset->name,
                     (unsigned long long)best[1].responses);
    if (suggestion < 0)
        return;
    (void)sa_text_printable(shown, sizeof shown, match->suggestions[suggestion].text);
    (void)printf(
        _("Of the unmatched lines %llu look as if this template had written them:\n  xlog = {\"%s\"}\n"),
        (unsigned long long)match->suggestions[suggestion].lines, shown);
}

static int
parse_words(struct match *match, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int taken;

        if (strcmp(argv[i], "--missed") == 0) {
            match->only_missed = true;
            continue;
        }
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            if (match->path != NULL)
                return sa_usage_error("match", "%s", _("one file at a time"));
            match->path = argv[i];
            continue;
        }
        taken = sa_format_choice_take(&match->choice, "match", argc, argv, &i);
        if (taken == 0)
            return sa_usage_error("match", _("option \"%s\" is not understood"), argv[i]);
        if (taken < 0)
            return 2;
    }
    return match->path == NULL ? sa_usage_error("match", "%s", _("which file? (- is standard input)")) : 0;
}

int
sa_command_match(const struct sa_globals *globals, int argc, char **argv)
{
    struct match *match = calloc(1, sizeof *match);
    int r, status = match == NULL ? 1 : 0;

    if (match == NULL)
        return status;
    match->json = globals->json;
    match->choice.config = globals->config;
    status = parse_words(match, argc, argv);
    if (status != 0)
        goto out;
    status = 2;
    match->format = sa_format_choice_make(&match->choice, "match");
    if (match->format == NULL)
        goto out;
    status = 1;
    if (sa_stream_init(&match->stream, match->format, SA_CONFIG_LINE_LIMIT, on_response, match) < 0 ||
        sa_lines_init(&match->lines, SA_CONFIG_LINE_LIMIT, NULL) < 0)
        goto out;
    r = read_file(match, NULL, UINT64_MAX);
    if (r < 0) {
        (void)sa_unreadable("match", match->path, match->packing, r);
        goto out;
    }
    sa_lines_finish(&match->lines, on_line, match);
    match->n_responses = 0;
    sa_stream_finish(&match->stream);
    for (unsigned i = 0; i < match->n_responses; i++) { /* of a message that the end of the file ended */
        if (match->only_missed)
            continue;
        if (match->json)
            print_response_json(match, &match->responses[i]);
        else
            print_response(match, &match->responses[i], (struct sa_slice){"", 0});
    }
    if (match->json)
        print_summary_json(match);
    else
        print_summary(match);
    status = 0;
out:
    sa_stream_done(&match->stream);
    sa_lines_done(&match->lines);
    sa_peeler_done(&match->peeler);
    (void)sa_format_free(match->format);
    free(match);
    return status;
}
