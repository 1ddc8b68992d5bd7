#include "catalog.h"
#include "commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *
entry_json(const struct sa_catalog_entry *entry)
{
    return json_pack("{si ss ss ss ss ss ss}", "code", (int)entry->code, "phrase", entry->phrase, "class",
                     sa_catalog_class(entry->code), "reference", entry->reference, "kind", entry->kind,
                     "meaning", entry->cause, "remediation", entry->remediation);
}

static void
print_json(json_t *list)
{
    (void)json_dumpf(list, stdout, JSON_INDENT(2));
    (void)putchar('\n');
    json_decref(list);
}

/* Prints a paragraph behind a label, broken at spaces to fit 80 columns. */
static void
print_field(const char *label, const char *text)
{
    enum { LABEL = 14, WIDTH = 80 };
    size_t column = LABEL;

    (void)printf("  %-*s", LABEL - 2, label);
    while (*text != '\0') {
        size_t word = strcspn(text, " ");

        if (column > LABEL && column + 1 + word > WIDTH) {
            (void)printf("\n%*s", LABEL, "");
            column = LABEL;
        } else if (column > LABEL) {
            (void)putchar(' ');
            column++;
        }
        (void)printf("%.*s", (int)word, text);
        column += word;
        text += word + strspn(text + word, " ");
    }
    (void)putchar('\n');
}

static void
print_entry(const struct sa_catalog_entry *entry)
{
    (void)printf("%u %s\n", entry->code, entry->phrase);
    (void)printf("  %-12s%s", "Class", sa_catalog_class(entry->code));
    (void)printf(entry->code < 700 ? " (%uxx)\n" : "\n", entry->code / 100u);
    print_field("Kind", entry->kind);
    print_field("Reference", entry->reference);
    print_field("Meaning", entry->cause);
    print_field("What to do", entry->remediation);
}

static int
parse_code(const char *text)
{
    if (strlen(text) != 3 || strspn(text, "0123456789") != 3 || text[0] == '0')
        return -1;
    return atoi(text);
}

int
sa_command_explain(const struct sa_globals *globals, int argc, char **argv)
{
    json_t *list = json_array();

    for (int i = 1; i < argc; i++)
        if (parse_code(argv[i]) < 0) {
            json_decref(list);
            return sa_usage_error("explain", "\"%s\" is not a status code of three digits, 100 to 999",
                                  argv[i]);
        }
    if (argc < 2) {
        json_decref(list);
        return sa_usage_error("explain", "which code?");
    }
    for (int i = 1; i < argc; i++) {
        struct sa_catalog_entry entry = sa_catalog_explain((unsigned)parse_code(argv[i]));

        if (globals->json) {
            (void)json_array_append_new(list, entry_json(&entry));
            continue;
        }
        if (i > 1)
            (void)putchar('\n');
        print_entry(&entry);
    }
    if (globals->json)
        print_json(list);
    else
        json_decref(list);
    return 0;
}

int
sa_command_codes(const struct sa_globals *globals, int argc, char **argv)
{
    const char *kind = NULL;
    size_t count, shown = 0;
    const struct sa_catalog_entry *entry = sa_catalog_all(&count);
    json_t *list;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--kind") != 0 || ++i == argc)
            return sa_usage_error("codes", "\"%s\" is not understood here", argv[i < argc ? i : i - 1]);
        kind = argv[i];
    }
    list = json_array();
    for (; count > 0; entry++, count--) {
        if (kind != NULL && strcmp(kind, entry->kind) != 0)
            continue;
        shown++;
        if (globals->json)
            (void)json_array_append_new(list, entry_json(entry));
        else
            (void)printf("%u  %-36s %-13s %s\n", entry->code, entry->phrase, entry->kind, entry->reference);
    }
    if (globals->json)
        print_json(list);
    else
        json_decref(list);
    if (shown == 0) {
        (void)fprintf(stderr, "sipalert codes: no code is of kind \"%s\"\n", kind);
        return 1;
    }
    return 0;
}
