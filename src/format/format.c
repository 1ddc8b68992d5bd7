#include "format.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>

/* auto decides for a preset after this many hits, if no other has half as many. */
#define AUTO_HITS 3

const struct sa_preset sa_presets[] = {
    {"kamailio-acc", SA_PART_RECORD, SA_PROXY_KAMAILIO, sa_payload_acc, NULL,
     "acc module of Kamailio: one line for each answered transaction"},
    {"opensips-acc", SA_PART_RECORD, SA_PROXY_OPENSIPS, sa_payload_acc, NULL,
     "acc module of OpenSIPS: one line for each answered transaction"},
    {"sip-message", SA_PART_MESSAGE, SA_PROXY_UNKNOWN, NULL, NULL,
     "whole SIP messages, on many lines or escaped on one"},
    {"kamailio-xlog", SA_PART_PATTERN, SA_PROXY_UNKNOWN, NULL, "[$ci] $rs $rr from $si:$sp method $rm",
     "the recommended xlog line for a reply route"},
    {NULL, SA_PART_RECORD, SA_PROXY_UNKNOWN, NULL, NULL, NULL},
};

struct part {
    const struct sa_preset *preset; /* NULL: a user's pattern */
    enum sa_part_kind kind;
    struct sa_pattern *pattern; /* owned */
    uint64_t hits;
};

struct sa_format {
    struct part parts[SA_FORMAT_PARTS];
    unsigned n_parts;
    bool automatic; /* auto */
    bool undecided; /* auto that has not chosen yet */
    char description[SA_LONG_SIZE];
};

struct sa_format *
sa_format_new(void)
{
    return calloc(1, sizeof(struct sa_format));
}

struct sa_format *
sa_format_free(struct sa_format *format)
{
    if (format == NULL)
        return NULL;
    for (unsigned i = 0; i < format->n_parts; i++)
        (void)sa_pattern_free(format->parts[i].pattern);
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

static int
add_part(struct sa_format *format, const struct sa_preset *preset, enum sa_part_kind kind,
         struct sa_pattern *pattern)
{
    if (format->n_parts == SA_FORMAT_PARTS)
        return -E2BIG;
    format->parts[format->n_parts++] = (struct part){.preset = preset, .kind = kind, .pattern = pattern};
    return 0;
}

static int
add_pattern(struct sa_format *format, const struct sa_preset *preset, struct sa_pattern *pattern,
            char error[SA_PATTERN_ERROR_SIZE])
{
    int r;

    if (pattern == NULL)
        return -EINVAL;
    r = add_part(format, preset, SA_PART_PATTERN, pattern);
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
        if (!all && strcmp(preset->name, name) != 0)
            continue;
        if (preset->kind == SA_PART_PATTERN)
            r = add_pattern(format, preset, sa_pattern_new_xlog(preset->xlog, SA_DIR_RECEIVED, error), error);
        else
            r = add_part(format, preset, preset->kind, NULL);
        if (r < 0)
            return r;
    }
    if (r < 0)
        return r;
    format->undecided = format->automatic = all;
    describe(format, name);
    return 0;
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
    describe(format, def->name);
    return 0;
}

static void
choose(struct sa_format *format, unsigned candidate)
{
    struct part chosen = format->parts[candidate];

    for (unsigned i = 0; i < format->n_parts; i++)
        if (i != candidate)
            (void)sa_pattern_free(format->parts[i].pattern);
    format->parts[0] = chosen;
    format->n_parts = 1;
    format->undecided = false;
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

static int
read_part(struct part *part, struct sa_sip_reader *reader, struct sa_slice line,
          const struct sa_record *record, struct sa_response *response)
{
    switch (part->kind) {
    case SA_PART_RECORD:
        if (part->preset->proxy != SA_PROXY_UNKNOWN && record->proxy != SA_PROXY_UNKNOWN &&
            part->preset->proxy != record->proxy)
            return SA_PAYLOAD_MISS;
        return part->preset->parse(record, response);
    case SA_PART_MESSAGE:
        return sa_sip_reader_line(reader, line, record, response);
    case SA_PART_PATTERN:
        break;
    }
    return sa_pattern_match(part->pattern, record, response);
}

static bool
reads_messages(const struct sa_format *format)
{
    for (unsigned i = 0; i < format->n_parts; i++)
        if (format->parts[i].kind == SA_PART_MESSAGE)
            return true;
    return false;
}

int
sa_format_read(struct sa_format *format, struct sa_sip_reader *reader, struct sa_slice line,
               const struct sa_record *record, struct sa_response *response)
{
    bool in_message =
        reader->state != SA_SIP_IDLE; /* then the line is that message's, whatever it looks like */

    if (in_message &&
        !reads_messages(format)) /* auto has decided otherwise, on another stream of the source */
        return sa_sip_reader_abandon(reader) | sa_format_read(format, reader, line, record, response);
    for (unsigned i = 0; i < format->n_parts; i++) {
        int verdict;

        if (in_message && format->parts[i].kind != SA_PART_MESSAGE)
            continue;
        verdict = read_part(&format->parts[i], reader, line, record, response);
        if (verdict == SA_PAYLOAD_MISS)
            continue;
        if (format->parts[i].kind != SA_PART_MESSAGE)
            sa_sip_reader_pass(reader, record);
        if (verdict & SA_PAYLOAD_HIT) {
            format->parts[i].hits++;
            if (format->undecided)
                decide(format, i);
        }
        return verdict;
    }
    if (in_message && reader->state == SA_SIP_IDLE) /* the line ended the message without being part of it */
        return sa_format_read(format, reader, line, record, response);
    return SA_PAYLOAD_MISS;
}

const char *
sa_format_describe(const struct sa_format *format)
{
    return format->description;
}
