#include "client.h"
#include "catalog.h"
#include "lang.h"
#include "layout.h"
#include "report.h"
#include "severity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
put_number(const json_t *object, const char *key, unsigned cells)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, (int64_t)sa_client_number(object, key));
    sa_layout_number(text, cells);
}

static void
print_sources(json_t *sources)
{
    static const char *const counts[] = {"lines", "responses", "unmatched", "backlog_bytes"};
    const struct sa_layout_column columns[] = {{_("source"), 15, false},   {_("state"), 10, false},
                                               {_("format"), 17, false},   {_("lines"), 10, true},
                                               {_("responses"), 11, true}, {_("unmatched"), 10, true},
                                               {_("behind"), 7, true}};
    const json_t *item;
    size_t i;

    sa_layout_headings(columns, 7);
    json_array_foreach(sources, i, item)
    {
        const char *state = sa_client_text(item, "state");
        bool seeing = strcmp(state, "following") == 0 || strcmp(state, "backlog") == 0;

        sa_layout_cell(sa_client_text(item, "name"), 14);
        (void)putchar(' ');
        sa_layout_style(seeing ? SA_STYLE_GOOD : SA_STYLE_BAD);
        sa_layout_cell(state, 10);
        sa_layout_style(SA_STYLE_PLAIN);
        sa_layout_cell(sa_client_text(item, "format"), 17);
        for (size_t k = 0; k < 4; k++)
            put_number(item, counts[k], columns[k + 3].cells);
        (void)putchar('\n');
        if (sa_client_text(item, "text")[0] != '\0')
            (void)printf("  %s\n", sa_client_text(item, "text"));
        if (sa_client_number(item, "refused") > 0)
            (void)printf(_("  %lld datagrams or connections of senders that allow does not name\n"),
                         (long long)sa_client_number(item, "refused"));
    }
}

static void
print_codes(json_t *codes)
{
    const struct sa_layout_column columns[] = {{_("code"), 6, false},
                                               {_("phrase"), 35, false},
                                               {_("responses"), 13, true},
                                               {_("received"), 13, true},
                                               {_("sent"), 13, true}};
    const char *code;
    json_t *item;

    (void)putchar('\n');
    sa_layout_headings(columns, 5);
    json_object_foreach(codes, code, item)
    {
        (void)printf("%-6s", code);
        sa_layout_cell(sa_catalog_explain(sa_client_code(code)).phrase, 35);
        put_number(item, "responses", 13);
        put_number(item, "received", 13);
        put_number(item, "sent", 13);
        (void)putchar('\n');
    }
}

/* Each active alarm: how bad, which, what it says, what to do. */
static void
print_alarms(const json_t *alarms)
{
    const char *const labels[] = {_("Alarm"), _("Since"), _("What"), _("Call-ID"), _("What to do")};
    unsigned margin = sa_layout_margin(labels, 5);
    json_t *worst_first = sa_client_worst_first(alarms);
    const json_t *item;
    size_t i;

    if (json_array_size(alarms) == 0)
        (void)puts(_("No active alarms."));
    json_array_foreach(worst_first, i, item)
    {
        const char *severity = sa_client_text(item, "severity");

        if (i > 0)
            (void)putchar('\n');
        sa_layout_style(sa_layout_severity_style(severity));
        (void)printf("%s", _(severity));
        sa_layout_style(SA_STYLE_PLAIN);
        (void)printf(" #%" PRId64 "\n", (int64_t)sa_client_number(item, "id"));
        sa_layout_paragraph(labels[0], margin, sa_client_text(item, "identity"));
        sa_layout_paragraph(labels[1], margin, sa_client_text(item, "raised"));
        sa_layout_paragraph(labels[2], margin, sa_client_text(item, "text"));
        if (sa_client_text(item, "evidence")[0] != '\0')
            sa_layout_paragraph(labels[3], margin, sa_client_text(item, "evidence"));
        sa_layout_paragraph(labels[4], margin, sa_client_text(item, "remediation"));
    }
    json_decref(worst_first);
}

static void
print_status(const json_t *status)
{
    json_t *codes = json_object_get(status, "codes");
    const char *why = sa_client_text(json_object_get(status, "snmp"), "text");

    (void)printf(_("sipalertd %s on %s since %s, snmp %s\n\n"), sa_client_text(status, "version"),
                 sa_client_text(status, "node"), sa_client_text(status, "since"), sa_client_snmp(status));
    if (why[0] != '\0')
        (void)printf("snmp: %s\n\n", why);
    print_sources(json_object_get(status, "sources"));
    if (json_object_size(codes) > 0)
        print_codes(codes);
    (void)putchar('\n');
    print_alarms(json_object_get(status, "alarms"));
}

/* Asks for the status and shows what show() makes of it, or the member `part` of it (NULL: all) as JSON. */
static int
show_status(const struct sa_globals *globals, int argc, char **argv, const char *part,
            void (*show)(const json_t *))
{
    json_t *status, *shown;

    if (argc > 1)
        return sa_usage_error(argv[0], _("\"%s\" is not understood here"), argv[1]);
    status = sa_client_run(globals, argv[0], "status");
    if (status == NULL)
        return 1;
    shown = part == NULL ? status : json_object_get(status, part);
    if (globals->json)
        (void)sa_report_print(json_incref(shown), false);
    else
        show(shown);
    json_decref(status);
    return 0;
}

int
sa_command_status(const struct sa_globals *globals, int argc, char **argv)
{
    return show_status(globals, argc, argv, NULL, print_status);
}

int
sa_command_alarms(const struct sa_globals *globals, int argc, char **argv)
{
    return show_status(globals, argc, argv, "alarms", print_alarms);
}
