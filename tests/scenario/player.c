#include "player.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_SHOWN 12
#define START_MS    INT64_C(1795176000000) /* 2026-11-20 12:00 */
#define BOOTED_MS   INT64_C(1000000000)    /* how long the machine runs by then */
#define REBOOTED_MS INT64_C(20000)         /* and after a reboot */
#define COMMIT_MS   1000                   /* how long the daemon gathers what it saves */

bool player_wants_red;

static void
print_items(const struct player_said *said, unsigned from, const char *title)
{
    (void)fprintf(stderr, "  %s:%s\n", title, from == said->n ? " none" : "");
    for (unsigned i = from; i < said->n; i++) {
        const struct life_item *item = &said->items[i];

        (void)fprintf(stderr, "    %lld.%03llds", (long long)item->at_ms / 1000,
                      (long long)item->at_ms % 1000);
        for (unsigned k = 0; k < item->n; k++)
            (void)fprintf(stderr, k < 2 ? " %.0s%s" : " %s=\"%s\"", item->fields[k].key,
                          item->fields[k].value);
        (void)fputc('\n', stderr);
    }
}

static void
finish(struct player *player)
{
    if (player->life != NULL)
        life_kill(player->life);
    player->life = NULL;
    world_end(&player->world);
}

/* Ends the process.  A red that is wanted is one only if it says what the script says of it. */
static void
leave(struct player *player, const char *message, int status)
{
    bool as_told = player->script.red[0] != '\0' && strstr(message, player->script.red) != NULL;

    if (player_wants_red && !as_told)
        (void)fprintf(stderr, "it is red, but not as it says: \"%s\"\n", player->script.red);
    finish(player);
    exit(player_wants_red && !as_told ? PLAYER_GREEN : status);
}

static void
print_message(const struct player *player, const char *message)
{
    (void)fprintf(stderr, "%s:%u: %s\n", player->path, player->line, message);
}

void
player_red(struct player *player, const char *format, ...)
{
    char message[2048];
    va_list arguments;
    unsigned n = player->lines.n;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    print_message(player, message);
    print_items(&player->events, player->events.since, "events since the last expect");
    if (player->notified.next > 0)
        print_items(&player->notified, player->notified.since, "notifications since the last expect");
    print_items(&player->lines, n > LINES_SHOWN ? n - LINES_SHOWN : 0, "last lines of the daemon's log");
    leave(player, message, PLAYER_RED);
    abort();
}

void
player_unusable(struct player *player, const char *format, ...)
{
    char message[2048];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    print_message(player, message);
    leave(player, message, PLAYER_UNUSABLE);
    abort();
}

static void
on_said(void *arg, const struct life_item *item)
{
    struct player *player = arg;
    struct player_said *said = item->kind == LIFE_EVENT      ? &player->events
                               : item->kind == LIFE_NOTIFIED ? &player->notified
                                                             : &player->lines;

    said->items = realloc(said->items, (said->n + 1) * sizeof *said->items);
    if (said->items == NULL)
        abort();
    said->items[said->n] = *item;
    said->items[said->n++].at_ms += player->life_ms;
}

static void
pass(struct player *player, int64_t ms)
{
    player->elapsed_ms += ms;
    player->mono_ms += ms;
    player->wall_ms += ms;
    if (player->life != NULL && !life_turn(player->life, ms))
        player_red(player, "the daemon died");
}

static int64_t
duration(struct player *player, const struct script_word *word)
{
    int64_t ms = word->kind == SCRIPT_BARE ? script_duration(word->text) : -1;

    if (ms < 0)
        player_unusable(player, "\"%s\" is no duration (1h30m, 5s, 250ms)", word->text);
    return ms;
}

static void
need_running(struct player *player, bool running)
{
    if ((player->life != NULL) != running)
        player_unusable(player, running ? "the daemon does not run: \"start\" comes first"
                                        : "the daemon runs: \"stop\" or \"kill\" comes first");
}

static void
do_config(struct player *player, const struct script_word *words, unsigned n)
{
    (void)n;
    need_running(player, false);
    world_configure(&player->world, words[1].text, !player->made_logs);
    player->configured = player->made_logs = true;
}

static void
do_start(struct player *player, const struct script_word *words, unsigned n)
{
    const struct life_options options = {.config = player->world.config,
                                         .control = player->world.control,
                                         .mono_ms = player->mono_ms,
                                         .wall_ms = player->wall_ms,
                                         .snmp_up = player->snmp_up,
                                         .said = on_said,
                                         .arg = player};

    (void)words;
    (void)n;
    need_running(player, false);
    if (!player->configured)
        player_unusable(player, "\"config { … }\" comes first");
    player->life_ms = player->elapsed_ms;
    player->life = life_begin(&options);
    if (player->life == NULL)
        player_red(player, "the daemon does not start");
    if (player->disk_full)
        life_set_disk(player->life, true);
}

static void
do_stop(struct player *player, const struct script_word *words, unsigned n)
{
    struct life *life = player->life;

    (void)words;
    (void)n;
    need_running(player, true);
    player->life = NULL;
    if (!life_stop(life))
        player_red(player, "the daemon did not stop, or not with 0");
}

static void
do_kill(struct player *player, const struct script_word *words, unsigned n)
{
    (void)words;
    (void)n;
    need_running(player, true);
    life_kill(player->life);
    player->life = NULL;
}

static void
do_reboot(struct player *player, const struct script_word *words, unsigned n)
{
    (void)words;
    (void)n;
    need_running(player, false);
    player->mono_ms = REBOOTED_MS;
}

static void
do_pass(struct player *player, const struct script_word *words, unsigned n)
{
    (void)n;
    pass(player, duration(player, &words[1]));
}

static void
do_commit(struct player *player, const struct script_word *words, unsigned n)
{
    (void)words;
    (void)n;
    need_running(player, true);
    pass(player, COMMIT_MS);
}

static void
do_at(struct player *player, const struct script_word *words, unsigned n)
{
    int64_t at_ms = duration(player, &words[1]);

    if (at_ms < player->elapsed_ms)
        player_unusable(player, "it is %lld ms already", (long long)player->elapsed_ms);
    pass(player, at_ms - player->elapsed_ms);
    player_do(player, words + 2, n - 2);
}

/* every STEP for TIME STATEMENT */
static void
do_every(struct player *player, const struct script_word *words, unsigned n)
{
    int64_t step_ms = duration(player, &words[1]), left_ms = duration(player, &words[3]);

    if (strcmp(words[2].text, "for") != 0 || step_ms == 0)
        player_unusable(player, "it is: every STEP for TIME STATEMENT");
    for (; left_ms > 0; left_ms -= step_ms) {
        player_do(player, words + 4, n - 4);
        pass(player, step_ms < left_ms ? step_ms : left_ms);
    }
}

static void
append_bytes(struct player *player, const char *name, const char *bytes, size_t len)
{
    (void)world_append(&player->world, name, bytes, len, player->wall_ms);
    pass(player, 0);
}

/* The options of append that hold for all its lines; returns how many words it took, 0: it is none. */
static unsigned
append_option(struct player *player, struct world_line *line, const struct script_word *words, unsigned n)
{
    const char *word = words[0].text;

    if (words[0].kind != SCRIPT_BARE)
        return 0;
    if (strcmp(word, "sent") == 0 || strcmp(word, "received") == 0) {
        line->sent = word[0] == 's';
        return 1;
    }
    if (n < 2)
        return 0;
    if (strcmp(word, "from") == 0)
        line->peer = words[1].text;
    else if (strcmp(word, "method") == 0)
        line->method = words[1].text;
    else if (strcmp(word, "callid") == 0)
        line->call_id = words[1].text;
    else if (strcmp(word, "age") == 0)
        line->wall_ms = player->wall_ms - duration(player, &words[1]);
    else
        return 0;
    return 2;
}

static unsigned
times(struct player *player, const struct script_word *word)
{
    char *end;
    unsigned long number = strtoul(word->text + 1, &end, 10);

    if (word->text[1] == '\0' || *end != '\0' || number == 0 || number > 1000000)
        player_unusable(player, "\"%s\" is no number of times (x5)", word->text);
    return (unsigned)number;
}

static void
append_lines(struct player *player, const char *name, struct world_line *line,
             const struct script_word *words, unsigned n)
{
    char *text = NULL;
    size_t len = 0;

    for (unsigned i = 0; i < n; i++) {
        unsigned number = 1;

        if (words[i].kind != SCRIPT_QUOTED) {
            i += append_option(player, line, words + i, n - i) - 1; /* was checked before */
            continue;
        }
        line->code = (unsigned)atoi(words[i].text);
        if (i + 1 < n && words[i + 1].kind == SCRIPT_BARE && words[i + 1].text[0] == 'x')
            number = times(player, &words[++i]);
        text = realloc(text, len + number * 512);
        if (text == NULL)
            abort();
        for (; number > 0; number--)
            len += world_line(&player->world, line, text + len);
    }
    append_bytes(player, name, text, len);
    free(text);
}

/* append NAME "CODE" [xN] … [from PEER] [method M] [sent|received] [callid ID] [age TIME], or
 * append NAME line|raw "TEXT" */
static void
do_append(struct player *player, const struct script_word *words, unsigned n)
{
    struct world_line line = {.peer = "192.0.2.1", .method = "INVITE", .wall_ms = player->wall_ms};
    bool whole = strcmp(words[2].text, "line") == 0;
    unsigned codes = 0, took;

    if (words[2].kind == SCRIPT_BARE && (whole || strcmp(words[2].text, "raw") == 0)) {
        if (n != 4 || words[3].kind != SCRIPT_QUOTED)
            player_unusable(player, "it is: append NAME line \"TEXT\"");
        if (whole)
            words[3].text[words[3].len] = '\n'; /* in the place of its end */
        append_bytes(player, words[1].text, words[3].text, words[3].len + whole);
        words[3].text[words[3].len] = '\0';
        return;
    }
    for (unsigned i = 2; i < n; i += took) {
        bool times_follow = i + 1 < n && words[i + 1].kind == SCRIPT_BARE && words[i + 1].text[0] == 'x';

        if (words[i].kind == SCRIPT_QUOTED && strlen(words[i].text) == 3 && atoi(words[i].text) >= 100) {
            took = times_follow ? 2 : 1;
            codes++;
        } else {
            took = append_option(player, &line, words + i, n - i);
        }
        if (took == 0)
            player_unusable(player, "append does not know \"%s\"", words[i].text);
    }
    if (codes == 0)
        player_unusable(player, "append has no code in quotes");
    append_lines(player, words[1].text, &line, words + 2, n - 2);
}

/* What happens to a log, by its word. */
static void
do_log(struct player *player, const struct script_word *words, unsigned n)
{
    static const struct {
        const char *word;
        bool (*fn)(struct world *, const char *);
    } happenings[] = {{"rotate", world_rotate},
                      {"copytruncate", world_copytruncate},
                      {"truncate", world_truncate},
                      {"blind", world_blind},
                      {"seeing", world_seeing}};

    (void)n;
    for (size_t i = 0; i < sizeof happenings / sizeof happenings[0]; i++)
        if (strcmp(words[0].text, happenings[i].word) == 0 &&
            !happenings[i].fn(&player->world, words[1].text))
            player_unusable(player, "the log %s cannot be treated so", words[1].text);
    pass(player, 0);
}

/* The second word is the first of two choices; anything else is wrong. */
static bool
choice(struct player *player, const struct script_word *words, const char *yes, const char *no)
{
    if (strcmp(words[1].text, yes) != 0 && strcmp(words[1].text, no) != 0)
        player_unusable(player, "it is: %s %s, or %s %s", words[0].text, yes, words[0].text, no);
    return strcmp(words[1].text, yes) == 0;
}

static void
do_snmp(struct player *player, const struct script_word *words, unsigned n)
{
    (void)n;
    player->snmp_up = choice(player, words, "up", "down");
    if (player->life != NULL && !life_set_snmp(player->life, player->snmp_up))
        player_red(player, "the daemon died");
}

static void
do_disk(struct player *player, const struct script_word *words, unsigned n)
{
    (void)n;
    player->disk_full = choice(player, words, "full", "free");
    if (player->life != NULL)
        life_set_disk(player->life, player->disk_full);
}

/* wall forward|back TIME */
static void
do_wall(struct player *player, const struct script_word *words, unsigned n)
{
    int64_t ms = duration(player, &words[2]) * (choice(player, words, "forward", "back") ? 1 : -1);

    (void)n;
    player->wall_ms += ms;
    if (player->life != NULL && !life_move_wall(player->life, ms))
        player_red(player, "the daemon died");
}

static void
do_sql(struct player *player, const struct script_word *words, unsigned n)
{
    char error[128];
    int changed;

    (void)n;
    need_running(player, false);
    changed = world_sql(&player->world, words[1].text, error);
    if (changed < 0)
        player_unusable(player, "%s", error);
    if (changed == 0)
        player_unusable(player, "the SQL changes nothing");
}

static void
do_damage(struct player *player, const struct script_word *words, unsigned n)
{
    (void)n;
    need_running(player, false);
    if (strcmp(words[1].text, "state") != 0 || !world_damage(&player->world))
        player_unusable(player, "it is: damage state, after a start");
}

/* A command of the control socket; the answer has to be as wanted. */
static void
command(struct player *player, const char *name, bool wanted)
{
    char *answer;
    bool done;

    need_running(player, true);
    answer = life_ask(player->life, name);
    done = answer != NULL && strstr(answer, "\"ok\":true") != NULL;
    if (done != wanted)
        player_red(player, "%s was %s: %s", name, done ? "accepted" : "refused",
                   answer != NULL ? answer : "no answer");
    free(answer);
}

/* reload [refused] { … } */
static void
do_reload(struct player *player, const struct script_word *words, unsigned n)
{
    const struct script_word *body = &words[n - 1];

    if (body->kind != SCRIPT_BLOCK || (n == 3 && strcmp(words[1].text, "refused") != 0))
        player_unusable(player, "it is: reload { … }, or reload refused { … }");
    world_configure(&player->world, body->text, false);
    command(player, "reload", n == 2);
}

static void
do_test_notify(struct player *player, const struct script_word *words, unsigned n)
{
    (void)n;
    command(player, words[0].text, true);
}

static const struct {
    const char *word;
    unsigned min, max; /* words, this one included */
    void (*fn)(struct player *, const struct script_word *, unsigned);
} known_words[] = {
    {"config", 2, 2, do_config},
    {"start", 1, 1, do_start},
    {"stop", 1, 1, do_stop},
    {"kill", 1, 1, do_kill},
    {"reboot", 1, 1, do_reboot},
    {"reload", 2, 3, do_reload},
    {"pass", 2, 2, do_pass},
    {"commit", 1, 1, do_commit},
    {"at", 3, SCRIPT_WORDS, do_at},
    {"every", 5, SCRIPT_WORDS, do_every},
    {"append", 3, SCRIPT_WORDS, do_append},
    {"rotate", 2, 2, do_log},
    {"copytruncate", 2, 2, do_log},
    {"truncate", 2, 2, do_log},
    {"blind", 2, 2, do_log},
    {"seeing", 2, 2, do_log},
    {"snmp", 2, 2, do_snmp},
    {"disk", 2, 2, do_disk},
    {"wall", 3, 3, do_wall},
    {"sql", 2, 2, do_sql},
    {"damage", 2, 2, do_damage},
    {"test-notify", 1, 1, do_test_notify},
    {"expect", 2, SCRIPT_WORDS, player_expect},
};

void
player_do(struct player *player, const struct script_word *words, unsigned n)
{
    for (size_t i = 0; i < sizeof known_words / sizeof known_words[0]; i++) {
        if (words[0].kind != SCRIPT_BARE || strcmp(words[0].text, known_words[i].word) != 0)
            continue;
        if (n < known_words[i].min || n > known_words[i].max)
            player_unusable(player, "\"%s\" has too few or too many words behind it", words[0].text);
        known_words[i].fn(player, words, n);
        return;
    }
    player_unusable(player, "there is no word \"%s\"", words[0].text);
}

void
player_play(struct player *player)
{
    player->mono_ms = BOOTED_MS;
    player->wall_ms = START_MS;
    player->snmp_up = true;
    world_begin(&player->world);
    for (unsigned i = 0; i < player->script.n; i++) {
        player->line = player->script.statements[i].line;
        player_do(player, player->script.statements[i].words, player->script.statements[i].n);
    }
    if (player->expects == 0)
        player_unusable(player, "nothing is expected in it");
    if (player->life != NULL)
        do_stop(player, NULL, 0);
    if (player->events.next != player->events.n)
        player_red(player, "at the end there are events that nobody expected");
    finish(player);
}
