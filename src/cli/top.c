/* The running daemon, live: sources, codes and alarms on one calm screen, asked for once a second. */
#include "catalog.h"
#include "client.h"
#include "clock.h"
#include "lang.h"
#include "layout.h"
#include "report.h"
#include "severity.h"

#include <curses.h>
#include <term.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ENOUGH     10  /* lines for codes and alarms */
#define PAGE       10u /* lines of the alarms */
#define PATIENCE_S 2   /* a daemon that hangs must not take the keys with it */

enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD };

struct top {
    struct sa_client client;
    json_t *now, *before; /* the last two answers */
    double seconds;       /* between them */
    int64_t asked_ms;
    char error[SA_CLIENT_ERROR]; /* "": the last question was answered */
    unsigned scroll;             /* lines of the alarms that are above the window */
    bool coloured;
};

static void
ask(struct top *top)
{
    json_t *status = sa_client_ask(&top->client, "status", top->error);
    int64_t now_ms = sa_clock_now().mono_ms;

    if (status == NULL)
        return;
    top->error[0] = '\0';
    json_decref(top->before);
    top->before = top->now;
    top->now = status;
    top->seconds = (double)(now_ms - top->asked_ms) / 1000;
    top->asked_ms = now_ms;
}

/* Text at a place, cut at the right border; returns the column behind it. */
static int __attribute__((format(printf, 4, 5))) put(int y, int x, int attributes, const char *format, ...)
{
    char text[1024];
    int room = COLS - x;
    va_list ap;

    if (y < 0 || y >= LINES || room <= 0)
        return x;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    (void)attrset(attributes);
    (void)mvaddnstr(y, x, text, (int)sa_layout_fit(text, (unsigned)room));
    (void)attrset(A_NORMAL);
    return x + (int)sa_layout_cells(text);
}

/* The same, right-aligned before column `end`. */
static void
put_right(int y, int end, int attributes, const char *text)
{
    (void)put(y, end - (int)sa_layout_cells(text), attributes, "%s", text);
}

static int
colour(const struct top *top, enum colour wanted)
{
    if (top->coloured)
        return (int)COLOR_PAIR(wanted);
    return wanted == COLOUR_BAD ? (int)A_BOLD : (int)A_NORMAL;
}

static int
severity_colour(const struct top *top, const char *severity)
{
    return colour(top, sa_layout_severity_style(severity) == SA_STYLE_BAD ? COLOUR_BAD : COLOUR_WARN);
}

/* What grew per second between the last two answers; the daemon may have started anew in between. */
static void
put_rate(int y, int end, const struct top *top, const json_t *now, const json_t *before)
{
    double grown = (double)sa_client_number(now, "responses") - (double)sa_client_number(before, "responses");
    char text[32];

    if (top->before == NULL || top->seconds <= 0 || grown < 0)
        (void)snprintf(text, sizeof text, "-");
    else
        (void)snprintf(text, sizeof text, "%.1f", grown / top->seconds);
    put_right(y, end, A_NORMAL, text);
}

static void
put_count(int y, int end, const json_t *object, const char *key)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, (int64_t)sa_client_number(object, key));
    put_right(y, end, A_NORMAL, text);
}

static const json_t *
source_before(const struct top *top, const char *name)
{
    json_t *sources = json_object_get(top->before, "sources");
    json_t *item;
    size_t i;

    json_array_foreach(sources, i, item) if (strcmp(sa_client_text(item, "name"), name) == 0) return item;
    return NULL;
}

static bool
is_seeing(const json_t *source)
{
    const char *state = sa_client_text(source, "state");

    return strcmp(state, "following") == 0 || strcmp(state, "backlog") == 0;
}

/* The sources, those in trouble in front, as a new reference. */
static json_t *
troubled_first(json_t *sources)
{
    json_t *list = json_array();
    json_t *item;
    size_t i;

    for (int seeing = 0; seeing < 2; seeing++)
        json_array_foreach(sources, i, item) if (is_seeing(item) == seeing)(void)
            json_array_append(list, item);
    return list;
}

/* Draws at most `rows` lines from y on; returns the line behind. */
static int
draw_sources(const struct top *top, int y, int rows)
{
    json_t *sources = troubled_first(json_object_get(top->now, "sources"));
    const json_t *item;
    size_t i;

    (void)put(y, 0, A_BOLD, "%s", _("source"));
    (void)put(y, 17, A_BOLD, "%s", _("state"));
    (void)put(y, 28, A_BOLD, "%s", _("format"));
    put_right(y, 56, A_BOLD, _("per s"));
    put_right(y, 68, A_BOLD, _("responses"));
    put_right(y++, 79, A_BOLD, _("behind"));
    json_array_foreach(sources, i, item)
    {
        const char *name = sa_client_text(item, "name");

        if ((int)i >= rows - 2 && json_array_size(sources) > i + 1) {
            (void)put(y++, 0, A_DIM, _("and %zu more"), json_array_size(sources) - i);
            break;
        }
        (void)put(y, 0, A_NORMAL, "%.*s", (int)sa_layout_fit(name, 16), name);
        (void)put(y, 17, colour(top, is_seeing(item) ? COLOUR_GOOD : COLOUR_BAD), "%s",
                  sa_client_text(item, "state"));
        (void)put(y, 28, A_NORMAL, "%.*s", (int)sa_layout_fit(sa_client_text(item, "format"), 20),
                  sa_client_text(item, "format"));
        put_rate(y, 56, top, item, source_before(top, name));
        put_count(y, 68, item, "responses");
        put_count(y++, 79, item, "backlog_bytes");
    }
    json_decref(sources);
    return y;
}

/* The count of a step; as the answer comes from elsewhere, none is believed that no daemon could have. */
static json_int_t
step_of(const json_t *steps, size_t i)
{
    json_int_t value = json_integer_value(json_array_get(steps, i));

    return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : value;
}

/* The last `cells` steps of a code, each as a block of the height it has beside the others. */
static void
draw_sparkline(int y, int x, const json_t *steps, unsigned cells)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    size_t n = json_array_size(steps), first = n > cells ? n - cells : 0;
    json_int_t highest = 1;

    for (size_t i = first; i < n; i++)
        if (step_of(steps, i) > highest)
            highest = step_of(steps, i);
    for (size_t i = first; i < n; i++) {
        json_int_t value = step_of(steps, i);

        (void)put(y, x++, A_NORMAL, "%s", blocks[value == 0 ? 0 : 1 + value * 7 / highest]);
    }
}

static json_int_t
sum_of(const json_t *steps)
{
    json_int_t sum = 0;

    for (size_t i = 0; i < json_array_size(steps); i++)
        sum += step_of(steps, i);
    return sum;
}

/* The rows of the codes with the most responses of late, in the order of their numbers. */
static size_t
choose_codes(const struct top *top, const char **chosen, size_t room)
{
    json_t *codes = json_object_get(top->now, "codes");
    json_t *recent = json_object_get(json_object_get(top->now, "recent"), "codes");
    const char *code;
    json_t *item;
    size_t n = 0;

    json_object_foreach(codes, code, item)
    {
        size_t least = 0;

        if (n == room) { /* the quietest gives way */
            for (size_t i = 1; i < n; i++)
                if (sum_of(json_object_get(recent, chosen[i])) <
                    sum_of(json_object_get(recent, chosen[least])))
                    least = i;
            if (sum_of(json_object_get(recent, code)) <= sum_of(json_object_get(recent, chosen[least])))
                continue;
            memmove(chosen + least, chosen + least + 1, (n - least - 1) * sizeof *chosen);
            n--;
        }
        chosen[n++] = code;
    }
    return n;
}

static int
draw_codes(const struct top *top, int y, int rows)
{
    json_t *codes = json_object_get(top->now, "codes");
    json_t *recent = json_object_get(json_object_get(top->now, "recent"), "codes");
    const char *chosen[64];
    size_t n = choose_codes(top, chosen, rows < 3 ? 2 : rows < 65 ? (size_t)rows - 1 : 64);

    (void)put(y, 0, A_BOLD, "%s", _("code"));
    (void)put(y, 5, A_BOLD, "%s", _("phrase"));
    put_right(y, 38, A_BOLD, _("per s"));
    put_right(y, 48, A_BOLD, _("total"));
    (void)put(y++, 50, A_BOLD, "%s", _("the last 7 minutes"));
    if (n < json_object_size(codes))
        n--;
    for (size_t i = 0; i < n; i++, y++) {
        const char *phrase = sa_catalog_explain(sa_client_code(chosen[i])).phrase;
        const json_t *item = json_object_get(codes, chosen[i]);

        (void)put(y, 0, A_NORMAL, "%s", chosen[i]);
        (void)put(y, 5, A_NORMAL, "%.*s", (int)sa_layout_fit(phrase, 25), phrase);
        put_rate(y, 38, top, item, json_object_get(json_object_get(top->before, "codes"), chosen[i]));
        put_count(y, 48, item, "responses");
        draw_sparkline(y, 50, json_object_get(recent, chosen[i]), 28);
    }
    if (n < json_object_size(codes))
        (void)put(y++, 0, A_DIM, _("and %zu more"), json_object_size(codes) - n);
    return y;
}

/* One line of the alarms, unless it is scrolled away; lines are counted from 0. */
static void
put_alarm_line(const struct top *top, int y, int *line, int attributes, const char *text)
{
    if ((unsigned)*line >= top->scroll)
        (void)put(y + (int)((unsigned)*line - top->scroll), 0, attributes, "%s", text);
    (*line)++;
}

static void
put_alarm_text(const struct top *top, int y, int *line, const char *text)
{
    while (*text != '\0') {
        char row[1024];
        size_t len = sa_layout_fit(text, (unsigned)COLS - 3), end = len;

        while (text[len] != '\0' && end > 0 && text[end] != ' ')
            end--;
        if (end == 0)
            end = len == 0 ? 1 : len;
        (void)snprintf(row, sizeof row, "  %.*s", (int)end, text);
        put_alarm_line(top, y, line, A_NORMAL, row);
        text += end + strspn(text + end, " ");
    }
}

/* Returns the number of lines that the alarms have. */
static unsigned
draw_alarms(const struct top *top, int y)
{
    json_t *alarms = sa_client_worst_first(json_object_get(top->now, "alarms"));
    const json_t *item;
    size_t i;
    int line = 0;

    (void)put(y, 0, A_BOLD, _("%zu active alarms"), json_array_size(alarms));
    y++;
    json_array_foreach(alarms, i, item)
    {
        const char *severity = sa_client_text(item, "severity");
        char text[512], advice[512];

        (void)snprintf(text, sizeof text, _("%s  %s  since %.19sZ"), _(severity),
                       sa_client_text(item, "identity"), sa_client_text(item, "raised"));
        put_alarm_line(top, y, &line, severity_colour(top, severity), text);
        put_alarm_text(top, y, &line, sa_client_text(item, "text"));
        (void)snprintf(advice, sizeof advice, _("What to do: %s"), sa_client_text(item, "remediation"));
        put_alarm_text(top, y, &line, advice);
    }
    json_decref(alarms);
    return (unsigned)line;
}

static void
draw(struct top *top)
{
    int y = 0;
    unsigned alarm_lines;

    (void)erase();
    if (top->error[0] != '\0')
        (void)put(y++, 0, colour(top, COLOUR_BAD), "%s", top->error);
    if (top->now != NULL) {
        (void)put(y, 0, A_BOLD, _("sipalertd %s on %s, snmp %s"), sa_client_text(top->now, "version"),
                  sa_client_text(top->now, "node"), sa_client_snmp(top->now));
        put_right(y, COLS, A_DIM, _("q quits"));
        y += 2;
        y = draw_sources(top, y, LINES / 4) + 1;
        if (LINES - y >= ENOUGH) /* otherwise the alarms are more important */
            y = draw_codes(top, y, (LINES - y) / 2 + 1) + 1;
        alarm_lines = draw_alarms(top, y);
        if (top->scroll >= alarm_lines) {
            top->scroll = alarm_lines == 0 ? 0 : alarm_lines - 1;
            (void)draw_alarms(top, y);
        }
    }
    (void)refresh();
}

/* False: enough of it. */
static bool
take_key(struct top *top, int key)
{
    switch (key) {
    case 'q':
    case 'Q':
        return false;
    case KEY_DOWN:
        top->scroll++;
        break;
    case KEY_UP:
        top->scroll -= top->scroll > 0;
        break;
    case KEY_NPAGE:
        top->scroll += PAGE;
        break;
    case KEY_PPAGE:
        top->scroll -= top->scroll < PAGE ? top->scroll : PAGE;
        break;
    case KEY_HOME:
        top->scroll = 0;
        break;
    case KEY_END:
        top->scroll = UINT_MAX; /* draw() knows where the end is */
        break;
    default: /* KEY_RESIZE among them: it is drawn anew anyhow */
        break;
    }
    return true;
}

/* NULL: the terminal is of no use. */
static SCREEN *
begin_screen(struct top *top)
{
    const char *no_color = getenv("NO_COLOR");
    SCREEN *screen = newterm(NULL, stdout, stdin);

    if (screen == NULL)
        return NULL;
    (void)cbreak();
    (void)noecho();
    (void)curs_set(0);
    (void)keypad(stdscr, TRUE);
    top->coloured = (no_color == NULL || no_color[0] == '\0') && has_colors();
    if (top->coloured) {
        (void)start_color();
        (void)use_default_colors();
        (void)init_pair(COLOUR_GOOD, COLOR_GREEN, -1);
        (void)init_pair(COLOUR_WARN, COLOR_YELLOW, -1);
        (void)init_pair(COLOUR_BAD, COLOR_RED, -1);
    }
    return screen;
}

static volatile sig_atomic_t interrupted; /* by ^C, which ends it as q does */

static void
on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static int
run_screen(struct top *top, int every_ms)
{
    const struct sigaction interrupt = {.sa_handler = on_interrupt};
    SCREEN *screen = begin_screen(top);
    int64_t next_ms = 0;

    if (screen == NULL)
        return sa_failure("top", "%s", _("this needs a terminal; 'sipalert status' does not"));
    (void)sigaction(SIGINT, &interrupt, NULL);
    for (;;) {
        int64_t left_ms = next_ms - sa_clock_now().mono_ms;

        if (left_ms <= 0) {
            ask(top);
            next_ms = sa_clock_now().mono_ms + every_ms;
            left_ms = every_ms;
        }
        draw(top);
        timeout((int)left_ms);
        if (!take_key(top, getch()) || interrupted)
            break;
    }
    (void)endwin();
    delscreen(screen);
    return 0;
}

/* One line of JSON each time, until nobody reads it. */
static int
run_json(struct top *top, int every_ms)
{
    const struct timespec pause = {every_ms / 1000, every_ms % 1000 * 1000000L};

    for (;;) {
        ask(top);
        if (top->error[0] != '\0') {
            return sa_failure("top", "%s", top->error);
        }
        if (!sa_report_print(json_incref(top->now), true) || fflush(stdout) == EOF)
            return 0;
        (void)nanosleep(&pause, NULL);
    }
}

/* A terminal that can place text. */
static bool
is_screen(void)
{
    bool places = false;
    int problem;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return false;
    if (setupterm(NULL, STDOUT_FILENO, &problem) == OK) {
        places = tigetstr("cup") != NULL && tigetstr("cup") != (char *)-1;
        (void)del_curterm(cur_term);
    }
    return places;
}

/* --every SECONDS; milliseconds, or negative after a message. */
static int
take_every(int argc, char **argv)
{
    double seconds = 1;
    char *end = NULL;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--every") != 0)
            return -sa_usage_error("top", _("\"%s\" is not understood here"), argv[i]);
        if (++i == argc)
            return -sa_usage_error("top", _("%s needs a value"), "--every");
        seconds = strtod(argv[i], &end);
        if (end == argv[i] || *end != '\0' || !(seconds >= 0.2 && seconds <= 3600))
            return -sa_usage_error("top", _("--every %s: seconds, 0.2 to 3600"), argv[i]);
    }
    return (int)(seconds * 1000);
}

int
sa_command_top(const struct sa_globals *globals, int argc, char **argv)
{
    struct top top = {.scroll = 0};
    int every_ms = take_every(argc, argv), status = 1;

    if (every_ms < 0)
        return 2;
    sa_client_init(&top.client, globals);
    top.client.patience_s = PATIENCE_S;
    if (!globals->json && !is_screen())
        (void)sa_failure("top", "%s", _("this needs a terminal; 'sipalert status' does not"));
    else
        status = globals->json ? run_json(&top, every_ms) : run_screen(&top, every_ms);
    json_decref(top.now);
    json_decref(top.before);
    return status;
}
