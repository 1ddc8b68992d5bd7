#include "catalog.h"
#include "commands.h"
#include "lang.h"
#include "layout.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add_text(json_t *object, const char *key, const char *text)
{
    (void)json_object_set_new(object, key, json_string(text));
}

static json_t *
entry_json(const struct sa_catalog_entry *entry)
{
    json_t *object =
        json_pack("{si ss ss ss ss ss}", "code", (int)entry->code, "phrase", entry->phrase, "class",
                  sa_catalog_class(entry->code), "class_meaning", _(sa_catalog_class_meaning(entry->code)),
                  "reference", entry->reference, "kind", entry->kind);

    add_text(object, "meaning", _(entry->meaning));
    add_text(object, "when", _(entry->when));
    add_text(object, "remediation", _(entry->remediation));
    for (enum sa_depth depth = 0; depth < SA_DEPTHS; depth++)
        if (entry->depth[depth] != NULL)
            add_text(object, sa_depth_label(depth).key, _(entry->depth[depth]));
    for (enum sa_fact fact = 0; fact < SA_FACTS; fact++)
        add_text(object, sa_fact_label(fact).key, _(sa_fact_sentence(fact, entry->facts[fact])));
    return object;
}

/* The margin of everything that is said of codes, so that explanations of several line up. */
static unsigned
margin(void)
{
    const char *labels[8 + SA_DEPTHS + SA_FACTS] = {
        _("Class"), _("Kind"), _("Reference"), _("Meaning"), _("What to do"), _("Seen when"), _("Finality")};
    size_t n = 7;

    for (enum sa_depth depth = 0; depth < SA_DEPTHS; depth++)
        labels[n++] = _(sa_depth_label(depth).heading);
    for (enum sa_fact fact = 0; fact < SA_FACTS; fact++)
        labels[n++] = _(sa_fact_label(fact).heading);
    return sa_layout_margin(labels, n);
}

static void
put_class(char *text, size_t size, unsigned code)
{
    if (code < 700)
        (void)snprintf(text, size, "%s (%uxx). %s", _(sa_catalog_class(code)), code / 100,
                       _(sa_catalog_class_meaning(code)));
    else
        (void)snprintf(text, size, "%s", _(sa_catalog_class_meaning(code)));
}

static void
put_title(char *text, size_t size, const struct sa_catalog_entry *entry)
{
    (void)snprintf(text, size, "%u %s", entry->code,
                   sa_catalog_find(entry->code) == NULL ? _("(unregistered)") : entry->phrase);
}

static void
print_entry(const struct sa_catalog_entry *entry)
{
    unsigned labels = margin();
    char text[512];

    put_title(text, sizeof text, entry);
    sa_layout_heading(text);
    put_class(text, sizeof text, entry->code);
    sa_layout_paragraph(_("Class"), labels, text);
    sa_layout_paragraph(_("Kind"), labels, entry->kind);
    sa_layout_paragraph(_("Reference"), labels, entry->reference);
    sa_layout_paragraph(_("Meaning"), labels, _(entry->meaning));
    sa_layout_paragraph(_("Seen when"), labels, _(entry->when));
    sa_layout_paragraph(_("What to do"), labels, _(entry->remediation));
    for (enum sa_depth depth = 0; depth < SA_DEPTHS; depth++)
        if (entry->depth[depth] != NULL)
            sa_layout_paragraph(_(sa_depth_label(depth).heading), labels, _(entry->depth[depth]));
    for (enum sa_fact fact = 0; fact < SA_FACTS; fact++)
        sa_layout_paragraph(_(sa_fact_label(fact).heading), labels,
                            _(sa_fact_sentence(fact, entry->facts[fact])));
}

/* A code of three digits, 100 to 999, or -1 after a message. */
static int
parse_code(const char *command, const char *text)
{
    if (strlen(text) == 3 && strspn(text, "0123456789") == 3 && text[0] != '0')
        return atoi(text);
    (void)sa_usage_error(command,
                         text[0] == '-' ? _("option \"%s\" is not understood")
                                        : _("\"%s\" is not a status code of three digits, 100 to 999"),
                         text);
    return -1;
}

int
sa_command_explain(const struct sa_globals *globals, int argc, char **argv)
{
    json_t *list;

    if (argc < 2)
        return sa_usage_error("explain", "%s", _("which code?"));
    for (int i = 1; i < argc; i++)
        if (parse_code("explain", argv[i]) < 0)
            return 2;
    list = json_array();
    for (int i = 1; i < argc; i++) {
        struct sa_catalog_entry entry = sa_catalog_explain((unsigned)atoi(argv[i]));

        if (globals->json) {
            (void)json_array_append_new(list, entry_json(&entry));
            continue;
        }
        if (i > 1)
            (void)putchar('\n');
        print_entry(&entry);
    }
    if (globals->json)
        (void)sa_report_print(list, false);
    else
        json_decref(list);
    return 0;
}

static json_t *
points_json(const struct sa_point *points, unsigned n)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < n; i++)
        (void)json_array_append_new(list, json_pack("{ss ss ss}", "point", points[i].label.key, "a",
                                                    _(points[i].a), "b", _(points[i].b)));
    return list;
}

static void
print_comparison(const struct sa_catalog_entry *a, const struct sa_catalog_entry *b)
{
    struct sa_comparison comparison = sa_catalog_compare(a, b);
    unsigned labels = margin();
    char left[512], right[512];

    put_title(left, sizeof left, a);
    put_title(right, sizeof right, b);
    sa_layout_style(SA_STYLE_STRONG);
    sa_layout_pair("", labels, left, right);
    put_class(left, sizeof left, a->code);
    put_class(right, sizeof right, b->code);
    if (strcmp(left, right) == 0)
        sa_layout_paragraph(_("Class"), labels, left);
    else
        sa_layout_pair(_("Class"), labels, left, right);
    sa_layout_pair(_("Meaning"), labels, _(a->meaning), _(b->meaning));

    (void)putchar('\n');
    sa_layout_heading(_("Key differences"));
    for (unsigned i = 0; i < comparison.n_different; i++)
        if (strcmp(comparison.different[i].label.key, "class") != 0)
            sa_layout_pair(_(comparison.different[i].label.heading), labels, _(comparison.different[i].a),
                           _(comparison.different[i].b));
    if (comparison.n_alike > 0) {
        (void)putchar('\n');
        sa_layout_heading(_("The same for both"));
    }
    for (unsigned i = 0; i < comparison.n_alike; i++)
        if (strcmp(comparison.alike[i].label.key, "class") != 0)
            sa_layout_paragraph(_(comparison.alike[i].label.heading), labels, _(comparison.alike[i].a));

    (void)putchar('\n');
    sa_layout_heading(_("Which one, and what to do"));
    sa_layout_pair(_("Seen when"), labels, _(a->when), _(b->when));
    sa_layout_pair(_("What to do"), labels, _(a->remediation), _(b->remediation));
    for (enum sa_depth depth = 0; depth < SA_DEPTHS; depth++)
        if (a->depth[depth] != NULL && b->depth[depth] != NULL)
            sa_layout_pair(_(sa_depth_label(depth).heading), labels, _(a->depth[depth]), _(b->depth[depth]));
}

int
sa_command_compare(const struct sa_globals *globals, int argc, char **argv)
{
    struct sa_catalog_entry a, b;

    if (argc != 3)
        return sa_usage_error("compare", "%s", _("it takes two codes"));
    for (int i = 1; i < 3; i++)
        if (parse_code("compare", argv[i]) < 0)
            return 2;
    if (strcmp(argv[1], argv[2]) == 0)
        return sa_usage_error("compare", _("%s twice: there is nothing to compare"), argv[1]);
    a = sa_catalog_explain((unsigned)atoi(argv[1]));
    b = sa_catalog_explain((unsigned)atoi(argv[2]));
    if (globals->json) {
        struct sa_comparison comparison = sa_catalog_compare(&a, &b);

        (void)sa_report_print(json_pack("{s[oo] so so}", "codes", entry_json(&a), entry_json(&b), "different",
                                        points_json(comparison.different, comparison.n_different), "alike",
                                        points_json(comparison.alike, comparison.n_alike)),
                              false);
        return 0;
    }
    print_comparison(&a, &b);
    return 0;
}

/* The kinds that there are, each once. */
static void
list_kinds(char *list, size_t size)
{
    size_t count, len = 0;
    const struct sa_catalog_entry *all = sa_catalog_all(&count);

    for (size_t i = 0; i < count; i++) {
        size_t k = 0;

        while (strcmp(all[k].kind, all[i].kind) != 0)
            k++;
        if (k == i && len < size)
            len += (size_t)snprintf(list + len, size - len, "%s%s", i == 0 ? "" : ", ", all[i].kind);
    }
}

int
sa_command_codes(const struct sa_globals *globals, int argc, char **argv)
{
    const char *kind = NULL;
    size_t count, shown = 0;
    const struct sa_catalog_entry *entry = sa_catalog_all(&count);
    char kinds[512];
    json_t *list;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--kind") != 0)
            return sa_usage_error("codes", _("\"%s\" is not understood here"), argv[i]);
        if (++i == argc)
            return sa_usage_error("codes", _("%s needs a value"), "--kind");
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
        (void)sa_report_print(list, false);
    else
        json_decref(list);
    if (shown > 0)
        return 0;
    list_kinds(kinds, sizeof kinds);
    return sa_usage_error("codes", _("no code is of kind \"%s\"; there are %s"), kind, kinds);
}
