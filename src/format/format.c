#include "format.h"
#include "lang.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>

/* auto decides for a preset after this many hits, if no other has half as many. */
#define AUTO_HITS 3
/* and looks at all of them again when so many lines held nothing. */
#define AUTO_LINES 20000

struct part {
    const struct sa_preset *preset; /* NULL: a user's pattern */
    enum sa_part_kind kind;
    struct sa_pattern *pattern; /* owned */
    struct sa_json_def *json;   /* owned */
    uint64_t hits;
};

struct sa_format {
    struct part parts[SA_FORMAT_PARTS];
    unsigned n_parts;
    bool automatic;     /* auto */
    bool undecided;     /* auto that has not chosen yet */
    uint64_t since_hit; /* lines since the last response */
    bool nothing;       /* no part is wanted */
    bool by_literals;   /* a line without any of the literals is of no use */
    struct sa_literals literals;
    char description[SA_LONG_SIZE], seen[SA_LONG_SIZE];
};

struct sa_format *
sa_format_new(void)
{
    return calloc(1, sizeof(struct sa_format));
}

static void
free_part(struct part *part)
{
    (void)sa_pattern_free(part->pattern);
    free(part->json);
}

struct sa_format *
sa_format_free(struct sa_format *format)
{
    if (format == NULL)
        return NULL;
    for (unsigned i = 0; i < format->n_parts; i++)
        free_part(&format->parts[i]);
    free(format);
    return NULL;
}

static void
describe(struct sa_format *format, const char *name)
{
    size_t len = strlen(format->description);

    (void)sa_text_format(format->description + len, sizeof format->description - len, "%s%s",
                         len != 0 ? "," : "", name);
}

/* What a record has that the part can read; empty if nothing is known. */
static struct sa_slice
literal_of(const struct part *part)
{
    const char *literal = part->preset == NULL ? NULL : part->preset->literal;

    if (part->kind == SA_PART_PATTERN)
        return sa_pattern_literal(part->pattern);
    return literal == NULL ? (struct sa_slice){"", 0} : (struct sa_slice){literal, strlen(literal)};
}

/* What to look for in a log: the parts' literals, and those of records that are read for another reason. */
static void
collect_literals(struct sa_format *format)
{
    static const char *const others[] = {
        "rsyslogd",      "systemd-journal",  "message repeated ", "Last message '", "__CURSOR=",
        "\"MESSAGE\":[", "Logging resumed.", "Log queue ",        "xlog_buf_size",
    };

    format->literals = (struct sa_literals){.n = 0};
    format->by_literals = format->nothing || (format->n_parts > 0 && !format->undecided);
    for (unsigned i = 0; i < format->n_parts && format->by_literals; i++) {
        struct sa_slice literal = literal_of(&format->parts[i]);

        format->by_literals = sa_literals_add(&format->literals, literal.p, literal.len);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0] && format->by_literals; i++)
        format->by_literals = sa_literals_add(&format->literals, others[i], strlen(others[i]));
}

void
sa_format_want_nothing(struct sa_format *format)
{
    format->nothing = true;
    collect_literals(format);
}

static int
add_part(struct sa_format *format, struct part part)
{
    if (format->n_parts == SA_FORMAT_PARTS)
        return -E2BIG;
    format->parts[format->n_parts++] = part;
    return 0;
}

static int
add_pattern(struct sa_format *format, const struct sa_preset *preset, struct sa_pattern *pattern,
            char error[SA_PATTERN_ERROR_SIZE])
{
    int r;

    if (pattern == NULL)
        return -EINVAL;
    r = add_part(format, (struct part){.preset = preset, .kind = SA_PART_PATTERN, .pattern = pattern});
    if (r < 0) {
        (void)sa_pattern_free(pattern);
        (void)sa_text_format(error, SA_PATTERN_ERROR_SIZE, "more than %d patterns in one format",
                             SA_FORMAT_PARTS);
    }
    return r;
}

int
sa_format_add_preset(struct sa_format *format, const char *name, char error[SA_PATTERN_ERROR_SIZE])
{
    bool all = strcmp(name, "auto") == 0;
    int r = -ENOENT;

    for (const struct sa_preset *preset = sa_presets; preset->name != NULL; preset++) {
        if (all ? !preset->automatic : strcmp(preset->name, name) != 0)
            continue;
        if (preset->kind == SA_PART_PATTERN)
            r = add_pattern(format, preset, sa_pattern_new_xlog(preset->xlog, SA_DIR_RECEIVED, error), error);
        else
            r = add_part(format, (struct part){.preset = preset, .kind = preset->kind});
        if (r < 0)
            return r;
    }
    if (r < 0)
        return r;
    format->undecided = format->automatic = all;
    collect_literals(format);
    describe(format, name);
    return 0;
}

static int
add_json(struct sa_format *format, const struct sa_json_def *def)
{
    struct sa_json_def *json = malloc(sizeof *json);
    int r;

    if (json == NULL)
        return -ENOMEM;
    *json = *def;
    r = add_part(format, (struct part){.kind = SA_PART_JSON, .json = json});
    if (r < 0)
        free(json);
    return r;
}

int
sa_format_add_user(struct sa_format *format, const struct sa_format_def *def,
                   char error[SA_PATTERN_ERROR_SIZE])
{
    int r;

    for (char **text = def->xlog; *text != NULL; text++)
        if ((r = add_pattern(format, NULL, sa_pattern_new_xlog(*text, SA_DIR_RECEIVED, error), error)) < 0)
            return r;
    for (char **text = def->xlog_sent; *text != NULL; text++)
        if ((r = add_pattern(format, NULL, sa_pattern_new_xlog(*text, SA_DIR_SENT, error), error)) < 0)
            return r;
    for (char **text = def->regex; *text != NULL; text++)
        if ((r = add_pattern(format, NULL, sa_pattern_new_regex(*text, error), error)) < 0)
            return r;
    if (def->json != NULL && (r = add_json(format, def->json)) < 0)
        return r;
    collect_literals(format);
    describe(format, def->name);
    return 0;
}

static void
choose(struct sa_format *format, unsigned candidate)
{
    struct part chosen = format->parts[candidate];

    for (unsigned i = 0; i < format->n_parts; i++)
        if (i != candidate)
            free_part(&format->parts[i]);
    format->parts[0] = chosen;
    format->n_parts = 1;
    format->undecided = false;
    collect_literals(format);
    (void)sa_text_copy(format->description, sizeof format->description, chosen.preset->name);
}

/* Leaves auto with the part that has proved itself, if one has. */
static void
decide(struct sa_format *format, unsigned candidate)
{
    uint64_t hits = format->parts[candidate].hits;

    if (hits < AUTO_HITS)
        return;
    for (unsigned i = 0; i < format->n_parts; i++)
        if (i != candidate && format->parts[i].hits * 2 > hits)
            return;
    choose(format, candidate);
}

/* The log has changed, or is quiet: every preset gets another chance, the chosen one too. */
static void
reconsider(struct sa_format *format)
{
    char error[SA_PATTERN_ERROR_SIZE];

    for (unsigned i = 0; i < format->n_parts; i++)
        free_part(&format->parts[i]);
    format->n_parts = 0;
    format->since_hit = 0;
    format->description[0] = '\0';
    (void)sa_format_add_preset(format, "auto", error); /* it could be made before */
}

static void
count_nothing(struct sa_format *format, size_t lines)
{
    format->since_hit += lines;
    if (format->since_hit > AUTO_LINES && format->automatic && !format->undecided)
        reconsider(format);
}

bool
sa_format_is_interpreted(const struct sa_format *format)
{
    bool interpreted = false;

    for (unsigned i = 0; i < format->n_parts; i++)
        interpreted = interpreted || (format->parts[i].pattern != NULL &&
                                      sa_pattern_is_interpreted(format->parts[i].pattern));
    return interpreted;
}

const char *
sa_format_chosen(const struct sa_format *format)
{
    return format->automatic && !format->undecided ? format->parts[0].preset->name : "";
}

void
sa_format_choose(struct sa_format *format, const char *preset)
{
    for (unsigned i = 0; format->undecided && i < format->n_parts; i++)
        if (strcmp(format->parts[i].preset->name, preset) == 0)
            choose(format, i);
}

static enum sa_payload_outcome
read_single_record(struct part *part, const struct sa_record *record, struct sa_response *response)
{
    switch (part->kind) {
    case SA_PART_RECORD:
        if (part->preset->proxy != SA_PROXY_UNKNOWN && record->proxy != SA_PROXY_UNKNOWN &&
            part->preset->proxy != record->proxy)
            return SA_PAYLOAD_NOTHING;
        return part->preset->parse(record, response);
    case SA_PART_JSON:
        return sa_json_payload(part->json, record, response);
    case SA_PART_MESSAGE: /* is read by its own reader */
    case SA_PART_PATTERN:
        break;
    }
    return sa_pattern_match(part->pattern, record, response);
}

static struct sa_payload_verdict
read_part(struct part *part, struct sa_sip_reader *reader, struct sa_slice line,
          const struct sa_record *record, struct sa_response *response)
{
    enum sa_payload_outcome outcome;

    if (part->kind == SA_PART_MESSAGE)
        return sa_sip_reader_line(reader, part->preset->family, line, record, response);
    outcome = read_single_record(part, record, response);
    return (struct sa_payload_verdict){.taken = sa_payload_is_complete(outcome), .outcome = outcome};
}

/* Whether the message that is being read is of this part. */
static bool
is_reading(const struct part *part, const struct sa_sip_reader *reader)
{
    const struct sa_message_family *family = part->kind == SA_PART_MESSAGE ? part->preset->family : NULL;

    return part->kind == SA_PART_MESSAGE && reader->introduction.family == (family == NULL ? 0 : family->id);
}

static struct part *
part_reading(struct sa_format *format, const struct sa_sip_reader *reader)
{
    for (unsigned i = 0; i < format->n_parts; i++)
        if (is_reading(&format->parts[i], reader))
            return &format->parts[i];
    return NULL;
}

struct sa_passed
sa_format_pass_lines(struct sa_format *format, struct sa_sip_reader *reader,
                     struct sa_timestamp_cache *stamps, const char *p, size_t len, size_t limit,
                     bool *ret_unmatched)
{
    struct sa_passed passed;

    *ret_unmatched = reader->state == SA_SIP_IDLE;
    if (!*ret_unmatched) {
        const struct part *part = part_reading(format, reader);

        return part == NULL ? (struct sa_passed){0, 0}
                            : sa_sip_reader_pass_lines(reader, part->preset->family, stamps, p, len, limit);
    }
    if (!format->by_literals)
        return (struct sa_passed){0, 0};
    len = sa_find_literal(&format->literals, p, len);
    if (memchr(p, '\n', len) == NULL) /* often it is in this very line */
        return (struct sa_passed){0, 0};
    passed = sa_pass_lines(p, len, 0, limit);
    count_nothing(format, passed.lines);
    return passed;
}

static void
count_hit(struct sa_format *format, struct part *part)
{
    part->hits++;
    format->since_hit = 0;
    if (format->undecided)
        decide(format, (unsigned)(part - format->parts));
}

/* A line in the midst of a message is that message's, whatever it looks like. */
static struct sa_payload_verdict
read_in_message(struct sa_format *format, struct sa_sip_reader *reader, struct sa_slice line,
                const struct sa_record *record, struct sa_response *response)
{
    struct part *part = part_reading(format, reader);
    struct sa_payload_verdict verdict;

    if (part == NULL) /* auto has decided otherwise, on another stream of the source */
        return (struct sa_payload_verdict){.outcome = sa_sip_reader_abandon(reader)};
    verdict = sa_sip_reader_line(reader, part->preset->family, line, record, response);
    if (verdict.outcome == SA_PAYLOAD_RESPONSE)
        count_hit(format, part);
    return verdict;
}

/* The first part that makes something of the line has it. */
static struct sa_payload_verdict
read_by_any_part(struct sa_format *format, struct sa_sip_reader *reader, struct sa_slice line,
                 const struct sa_record *record, struct sa_response *response)
{
    bool skipped = false, limited = false;

    for (unsigned i = 0; i < format->n_parts; i++) {
        struct part *part = &format->parts[i];
        struct sa_payload_verdict verdict = read_part(part, reader, line, record, response);

        if (!verdict.taken && !sa_payload_is_complete(verdict.outcome)) {
            skipped |= verdict.outcome == SA_PAYLOAD_SKIP;
            limited |= verdict.outcome == SA_PAYLOAD_LIMIT;
            continue;
        }
        if (part->kind != SA_PART_MESSAGE)
            sa_sip_reader_pass(reader, record);
        if (verdict.outcome == SA_PAYLOAD_RESPONSE)
            count_hit(format, part);
        return verdict;
    }
    count_nothing(format, 1);
    return (struct sa_payload_verdict){.taken = skipped && !limited,
                                       .outcome = limited ? SA_PAYLOAD_LIMIT : SA_PAYLOAD_NOTHING};
}

struct sa_payload_verdict
sa_format_read(struct sa_format *format, struct sa_sip_reader *reader, struct sa_slice line,
               const struct sa_record *record, struct sa_response *response)
{
    if (reader->state != SA_SIP_IDLE) {
        struct sa_payload_verdict verdict = read_in_message(format, reader, line, record, response);

        if (verdict.taken || sa_payload_is_complete(verdict.outcome) || reader->state != SA_SIP_IDLE)
            return verdict; /* else the line ended the message without being part of it */
    }
    return read_by_any_part(format, reader, line, record, response);
}

void
sa_format_explain(struct sa_format *format, const struct sa_record *record, char *text, size_t size)
{
    (void)sa_text_format(text, size, "%s",
                         format->undecided ? _("of no known format") : _("no such line of this format"));
    for (unsigned i = 0; i < format->n_parts && !format->undecided; i++) {
        const struct part *part = &format->parts[i];

        if (part->kind == SA_PART_PATTERN)
            sa_pattern_explain(part->pattern, record, text, size);
        else if (part->kind == SA_PART_JSON)
            sa_json_payload_explain(part->json, record, text, size);
        else if (part->kind == SA_PART_MESSAGE)
            (void)sa_text_format(text, size, "%s", _("no SIP message is introduced here"));
        else
            (void)sa_text_format(text, size, _("no response in a line of %s"), part->preset->name);
        return;
    }
}

bool
sa_format_is_settled(const struct sa_format *format)
{
    return !format->undecided;
}

bool
sa_format_may_begin_at(const struct sa_format *format, const struct sa_record *record, struct sa_slice line)
{
    for (unsigned i = 0; i < format->n_parts; i++) {
        const struct sa_message_family *family =
            format->parts[i].kind == SA_PART_MESSAGE ? format->parts[i].preset->family : NULL;
        struct sa_intro intro = {.step = 0};
        enum sa_intro_verdict verdict;

        if (format->parts[i].kind != SA_PART_MESSAGE)
            continue;
        if (family == NULL) {
            if (!record->enveloped)
                return false;
            continue;
        }
        verdict = family->intro(&intro, record, line);
        if (verdict != SA_INTRO_MORE && verdict != SA_INTRO_DONE)
            return false;
    }
    return true;
}

const char *
sa_format_describe(struct sa_format *format)
{
    size_t len = 0;

    if (!format->undecided)
        return format->description;
    for (unsigned i = 0; i < format->n_parts; i++)
        if (format->parts[i].hits != 0)
            len += sa_text_format(format->seen + len, sizeof format->seen - len, "%s%s %llu",
                                  len == 0 ? "auto: " : ", ", format->parts[i].preset->name,
                                  (unsigned long long)format->parts[i].hits);
    return len == 0 ? format->description : format->seen;
}
