#include "layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define INDENT 2
#define GAP    2 /* between two columns */

unsigned
sa_layout_width(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
        return 80;
    return size.ws_col < 40 ? 40 : size.ws_col > 120 ? 120 : size.ws_col;
}

/* One character: its bytes, and its cells. */
static size_t
step(const char *text, unsigned *ret_cells)
{
    mbstate_t state = {0};
    wchar_t wide;
    size_t n = mbrtowc(&wide, text, MB_CUR_MAX, &state);
    int cells;

    *ret_cells = 1;
    if (n == (size_t)-1 || n == (size_t)-2)
        return 1;
    cells = wcwidth(wide);
    *ret_cells = cells > 0 ? (unsigned)cells : 0;
    return n == 0 ? 0 : n;
}

size_t
sa_layout_fit(const char *text, unsigned cells)
{
    size_t len = 0;

    while (text[len] != '\0') {
        unsigned more;
        size_t n = step(text + len, &more);

        if (more > cells)
            break;
        cells -= more;
        len += n;
    }
    return len;
}

unsigned
sa_layout_cells(const char *text)
{
    unsigned cells = 0, more;

    for (; *text != '\0'; cells += more)
        text += step(text, &more);
    return cells;
}

static bool
wants_colour(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0') && term != NULL &&
           term[0] != '\0' && strcmp(term, "dumb") != 0;
}

void
sa_layout_style(enum sa_style style)
{
    static const char *const codes[] = {"\033[0m",  "\033[1m",  "\033[2m",
                                        "\033[32m", "\033[33m", "\033[1;31m"};

    if (wants_colour())
        (void)fputs(codes[style], stdout);
}

static void
fill(unsigned cells)
{
    (void)printf("%*s", (int)cells, "");
}

void
sa_layout_cell(const char *text, unsigned cells)
{
    unsigned width = sa_layout_cells(text);

    if (width > cells)
        (void)printf("%.*s…", (int)sa_layout_fit(text, cells - 1), text);
    else
        (void)fputs(text, stdout);
    fill(width < cells ? cells - width : 0);
}

void
sa_layout_number(const char *text, unsigned cells)
{
    unsigned width = sa_layout_cells(text);

    fill(width < cells ? cells - width : 0);
    (void)fputs(text, stdout);
}

void
sa_layout_headings(const struct sa_layout_column *columns, size_t n)
{
    sa_layout_style(SA_STYLE_STRONG);
    for (size_t i = 0; i < n; i++) {
        if (columns[i].number)
            sa_layout_number(columns[i].heading, columns[i].cells);
        else
            sa_layout_cell(columns[i].heading, columns[i].cells);
    }
    sa_layout_style(SA_STYLE_PLAIN);
    (void)putchar('\n');
}

void
sa_layout_heading(const char *text)
{
    sa_layout_style(SA_STYLE_STRONG);
    (void)fputs(text, stdout);
    sa_layout_style(SA_STYLE_PLAIN);
    (void)putchar('\n');
}

unsigned
sa_layout_margin(const char *const *labels, size_t n)
{
    unsigned widest = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned cells = sa_layout_cells(labels[i]);

        widest = cells > widest ? cells : widest;
    }
    return INDENT + widest + GAP;
}

/* Takes one line of so many cells off the text, broken at a blank where there is one. */
static size_t
take_line(const char **text, unsigned cells)
{
    const char *line = *text;
    size_t len = sa_layout_fit(line, cells), end = len;

    if (line[len] != '\0' && line[len] != ' ') {
        while (end > 0 && line[end - 1] != ' ')
            end--;
        if (end == 0) /* one word that is longer than the line */
            end = len > 0 ? len : 1;
    }
    *text = line + end + strspn(line + end, " ");
    while (end > 0 && line[end - 1] == ' ')
        end--;
    return end;
}

static void
put_label(const char *label, unsigned margin)
{
    fill(INDENT);
    sa_layout_style(SA_STYLE_FAINT);
    sa_layout_cell(label, margin - INDENT);
    sa_layout_style(SA_STYLE_PLAIN);
}

void
sa_layout_paragraph(const char *label, unsigned margin, const char *text)
{
    unsigned width = sa_layout_width() - margin;

    put_label(label, margin);
    for (bool first = true; first || *text != '\0'; first = false) {
        const char *line = text;
        size_t len = take_line(&text, width);

        fill(first ? 0 : margin);
        (void)printf("%.*s\n", (int)len, line);
    }
}

void
sa_layout_pair(const char *label, unsigned margin, const char *left, const char *right)
{
    unsigned screen = sa_layout_width() < 60 ? 60 : sa_layout_width(), width = (screen - margin - GAP) / 2;

    put_label(label, margin);
    for (bool first = true; first || *left != '\0' || *right != '\0'; first = false) {
        const char *a = left, *b = right;
        size_t a_len = take_line(&left, width), b_len = take_line(&right, width);
        char cell[1024];

        fill(first ? 0 : margin);
        (void)snprintf(cell, sizeof cell, "%.*s", (int)a_len, a);
        if (b_len != 0)
            sa_layout_cell(cell, width + GAP);
        else
            (void)fputs(cell, stdout);
        (void)printf("%.*s\n", (int)b_len, b);
    }
}
