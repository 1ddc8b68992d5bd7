#include "config.h"
#include "table.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* What is printed, and how. */
struct printer {
    FILE *out;
    bool with_secrets;
    bool without_live; /* sections that a reload changes in place */
};

/* In double quotes libConfuse undoes exactly what sa_text_escape() does. */
static void
print_string(FILE *out, const char *text)
{
    size_t size = SA_TEXT_ESCAPED(strlen(text));
    char *escaped = malloc(size);

    (void)fputc('"', out);
    if (escaped != NULL)
        (void)sa_text_escape(escaped, size, text, strlen(text));
    for (const char *s = escaped; s != NULL && *s != '\0'; s++) {
        if (s[0] == '$' && s[1] == '{') /* "${" names the environment */
            (void)fputc('\\', out);
        (void)fputc(*s, out);
    }
    (void)fputc('"', out);
    free(escaped);
}

static void
print_list(FILE *out, char *const *list)
{
    (void)fputc('{', out);
    for (char *const *item = list; item != NULL && *item != NULL; item++) {
        if (item != list)
            (void)fputs(", ", out);
        print_string(out, *item);
    }
    (void)fputc('}', out);
}

static void
print_names(FILE *out, const char *first, unsigned count, size_t stride)
{
    (void)fputc('{', out);
    for (unsigned i = 0; i < count; i++) {
        if (i != 0)
            (void)fputs(", ", out);
        print_string(out, first + i * stride);
    }
    (void)fputc('}', out);
}

static void
print_codes(FILE *out, const char *codes_text)
{
    (void)fputs("{\"", out);
    for (; *codes_text != '\0'; codes_text++)
        if (*codes_text == ',')
            (void)fputs("\", \"", out);
        else
            (void)fputc(*codes_text, out);
    (void)fputs("\"}", out);
}

static void
print_networks(FILE *out, const struct sa_network *networks, unsigned n)
{
    char text[SA_NETWORK_TEXT];

    (void)fputc('{', out);
    for (unsigned i = 0; i < n; i++) {
        sa_network_format(&networks[i], text);
        (void)fprintf(out, "%s\"%s\"", i == 0 ? "" : ", ", text);
    }
    (void)fputc('}', out);
}

static unsigned
count_of(const struct sa_key *key, const void *base)
{
    return *(const unsigned *)((const char *)base + key->count.offset);
}

static int
word_value(const struct sa_key *key, const void *field)
{
    int value;

    if (key->field.size == sizeof(bool))
        return *(const bool *)field;
    memcpy(&value, field, sizeof value);
    return value;
}

static void
print_value(FILE *out, const struct sa_key *key, const void *base)
{
    const void *field = sa_key_field(key, base);

    switch (key->type) {
    case SA_KEY_TEXT:
        print_string(out, *(char *const *)field);
        break;
    case SA_KEY_NAME:
    case SA_KEY_TIMEZONE: /* their text is the first field */
    case SA_KEY_FACILITY:
        print_string(out, field);
        break;
    case SA_KEY_WORD:
        print_string(out, sa_word_name(key->words, word_value(key, field)));
        break;
    case SA_KEY_BOOL:
        (void)fputs(*(const bool *)field ? "true" : "false", out);
        break;
    case SA_KEY_NUMBER:
        (void)fprintf(out, "%u", *(const uint32_t *)field);
        break;
    case SA_KEY_DURATION:
        (void)fprintf(out, "\"%us\"", *(const uint32_t *)field);
        break;
    case SA_KEY_SIZE:
        (void)fprintf(out, "\"%zu\"", *(const size_t *)field);
        break;
    case SA_KEY_SHARE:
        (void)fprintf(out, "\"%u.%u%%\"", *(const uint32_t *)field / 10, *(const uint32_t *)field % 10);
        break;
    case SA_KEY_LIST:
        print_list(out, *(char *const *const *)field);
        break;
    case SA_KEY_NAMES:
        print_names(out, field, count_of(key, base), key->field.size / key->room);
        break;
    case SA_KEY_NETWORKS:
        print_networks(out, *(const struct sa_network *const *)field, count_of(key, base));
        break;
    case SA_KEY_CODES:
        print_codes(out, ((const struct sa_rule_def *)base)->codes_text);
        break;
    case SA_KEY_SECTION:
    case SA_KEY_INCLUDE:
        break;
    }
}

/* Whether it has the value that no file has to say. */
static bool
is_unset(const struct sa_key *key, const void *base)
{
    const void *field = sa_key_field(key, base);

    switch (key->type) {
    case SA_KEY_TEXT:
        return *(char *const *)field == NULL;
    case SA_KEY_NAME:
        return *(const char *)field == '\0';
    case SA_KEY_BOOL:
        return !*(const bool *)field;
    case SA_KEY_NUMBER:
        return *(const uint32_t *)field == (uint32_t)atol(key->value);
    case SA_KEY_SHARE:
        return *(const uint32_t *)field == 0;
    case SA_KEY_LIST:
        return *(char *const *const *)field == NULL || **(char *const *const *)field == NULL;
    case SA_KEY_NAMES:
    case SA_KEY_NETWORKS:
        return count_of(key, base) == 0;
    default:
        return false;
    }
}

/* A key of the same section, NULL if there is none, or if it has no value. */
static const struct sa_key *
set_sibling(const struct sa_key *key, const char *name, const void *base)
{
    const struct sa_key *sibling = sa_key_find(key->section, name);

    return sibling == NULL || is_unset(sibling, base) ? NULL : sibling;
}

static bool
is_kept_in_file(const struct sa_key *key, const void *base)
{
    char name[64];

    (void)sa_text_format(name, sizeof name, "%s_file", key->name);
    return set_sibling(key, name, base) != NULL;
}

static bool
is_printed(const struct printer *printer, const struct sa_key *key, const void *base)
{
    if (key->field.size == 0 || (key->type == SA_KEY_TEXT && is_unset(key, base)))
        return false;
    if ((key->flags & SA_KEY_OMITTED) != 0 && is_unset(key, base))
        return false;
    if ((key->flags & SA_KEY_SECRET) != 0 && !printer->with_secrets && is_kept_in_file(key, base))
        return false;
    return key->only_with == NULL || set_sibling(key, key->only_with, base) != NULL;
}

/* The default is everybody's and no secret. */
static bool
is_masked(const struct printer *printer, const struct sa_key *key, const void *base)
{
    return (key->flags & SA_KEY_SECRET) != 0 && !printer->with_secrets &&
           strcmp(*(char *const *)sa_key_field(key, base), key->value) != 0;
}

static void
print_key(const struct printer *printer, const struct sa_key *key, const void *base, const char *indent)
{
    if (!is_printed(printer, key, base))
        return;
    (void)fprintf(printer->out, "%s%s = ", indent, key->name);
    if (is_masked(printer, key, base))
        print_string(printer->out, SA_CONFIG_MASK);
    else
        print_value(printer->out, key, base);
    if (indent[0] != ' ' || indent[1] != '\0') /* those of a level stand in one line */
        (void)fputc('\n', printer->out);
}

static void print_keys(const struct printer *printer, const char *section, const void *base,
                       const char *indent);

static void
print_many(const struct printer *printer, const struct sa_key *key, const void *base)
{
    const char *array = *(char *const *)sa_key_field(key, base);

    for (unsigned i = 0; i < count_of(key, base); i++, array += sa_key_section(key)->size) {
        (void)fprintf(printer->out, "\n%s ", key->name);
        print_string(printer->out, array); /* the title */
        (void)fputs(" {\n", printer->out);
        print_keys(printer, key->keys, array, "  ");
        (void)fputs("}\n", printer->out);
    }
}

static void
print_section(const struct printer *printer, const struct sa_key *key, const void *base)
{
    const void *field = sa_key_field(key, base);

    switch (sa_key_section(key)->shape) {
    case SA_SECTION_MANY:
        print_many(printer, key, base);
        break;
    case SA_SECTION_ONE:
        (void)fprintf(printer->out, "\n%s {\n", key->name);
        print_keys(printer, key->keys, field, "  ");
        (void)fputs("}\n", printer->out);
        break;
    case SA_SECTION_MAYBE:
        if (*(void *const *)field == NULL)
            return;
        (void)fprintf(printer->out, "  %s {\n", key->name);
        print_keys(printer, key->keys, *(void *const *)field, "    ");
        (void)fputs("  }\n", printer->out);
        break;
    case SA_SECTION_LEVEL:
        if (!*(const bool *)field)
            return;
        (void)fprintf(printer->out, "  %s {", key->name);
        print_keys(printer, key->keys, field, " ");
        (void)fputs(" }\n", printer->out);
        break;
    }
}

static void
print_keys(const struct printer *printer, const char *section, const void *base, const char *indent)
{
    for (const struct sa_key *key = sa_keys; key->name != NULL; key++) {
        if (strcmp(key->section, section) != 0 || (printer->without_live && (key->flags & SA_KEY_LIVE) != 0))
            continue;
        if (key->type == SA_KEY_SECTION)
            print_section(printer, key, base);
        else
            print_key(printer, key, base, indent);
    }
}

void
sa_config_print(const struct sa_config *config, FILE *out)
{
    print_keys(&(struct printer){.out = out}, "", config, "");
}

static char *
text_without_rules(const struct sa_config *config)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    /* Another community is another configuration. */
    print_keys(&(struct printer){.out = out, .with_secrets = true, .without_live = true}, "", config, "");
    (void)fclose(out);
    return text;
}

bool
sa_config_differs_in_rules_only(const struct sa_config *a, const struct sa_config *b)
{
    char *x = text_without_rules(a), *y = text_without_rules(b);
    bool same = x != NULL && y != NULL && strcmp(x, y) == 0;

    free(x);
    free(y);
    return same;
}
