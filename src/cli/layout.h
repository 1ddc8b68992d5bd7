/*
 * Text on a screen: columns that line up in any language, paragraphs that fit the width, and colour where
 * there is a terminal that wants it (NO_COLOR is honoured).  Everything goes to standard output, in UTF-8.
 */
#ifndef SA_LAYOUT_H
#define SA_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

enum sa_style { SA_STYLE_PLAIN, SA_STYLE_STRONG, SA_STYLE_FAINT, SA_STYLE_GOOD, SA_STYLE_WARN, SA_STYLE_BAD };

/* Columns to fill: those of the terminal between 40 and 120, 80 where there is none. */
unsigned sa_layout_width(void);

/* Cells that the text takes on the screen; control characters count as none. */
unsigned sa_layout_cells(const char *text);

/* The bytes of text that fit into so many cells. */
size_t sa_layout_fit(const char *text, unsigned cells);

/* The style of all that is printed until the next call. */
void sa_layout_style(enum sa_style style);

/* The text, filled up to so many cells; cut with an ellipsis if it is longer. */
void sa_layout_cell(const char *text, unsigned cells);

/* A number, or its name, at the right border of its column. */
void sa_layout_number(const char *text, unsigned cells);

/* A column of a table: right-aligned for numbers. */
struct sa_layout_column {
    const char *heading;
    unsigned cells;
    bool number;
};

/* The headings of a table, in strong style. */
void sa_layout_headings(const struct sa_layout_column *columns, size_t n);

/* A line in strong style. */
void sa_layout_heading(const char *text);

/* The widest of n labels and two cells behind it. */
unsigned sa_layout_margin(const char *const *labels, size_t n);

/* A paragraph behind its label, broken to fit. */
void sa_layout_paragraph(const char *label, unsigned margin, const char *text);

/* Two paragraphs side by side behind a label. */
void sa_layout_pair(const char *label, unsigned margin, const char *left, const char *right);

#endif
