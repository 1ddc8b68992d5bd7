#include "player.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A thing with named values, as texts: an event, an alarm of the status, a source of it. */
struct thing {
    const struct life_item *item;
    json_t *json;
};

/* The statement as it stands in the script, nearly. */
static const char *
as_written(const struct script_word *words, unsigned n)
{
    static char text[1024];
    size_t len = 0;

    for (unsigned i = 0; i < n && len < sizeof text - 1; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i == 0 ? "" : " ", words[i].text);
    return text;
}

/* NULL: it has no such value. */
static const char *
value_of(const struct thing *thing, const char *key, char number[32])
{
    json_t *value = thing->json == NULL ? NULL : json_object_get(thing->json, key);

    for (unsigned i = 0; thing->item != NULL && i < thing->item->n; i++)
        if (strcmp(thing->item->fields[i].key, key) == 0)
            return thing->item->fields[i].value;
    if (json_is_integer(value))
        (void)snprintf(number, 32, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    return json_is_integer(value) ? number : json_string_value(value);
}

/* key=value, key!=value, key~part or key!~part. */
struct condition {
    char key[32];
    bool negated, part;
    const char *value;
};

static struct condition
read_condition(struct player *player, const struct script_word *word)
{
    size_t len = strcspn(word->text, "=~");
    struct condition condition = {.part = word->text[len] == '~', .value = word->text + len + 1};

    if (word->kind != SCRIPT_BARE || word->text[len] == '\0' || len == 0 || len >= sizeof condition.key)
        player_unusable(player, "\"%s\" is no condition (key=value, key~\"part\", key!=value, key!~\"part\")",
                        word->text);
    condition.negated = word->text[len - 1] == '!';
    memcpy(condition.key, word->text, len - condition.negated);
    return condition;
}

/* Times are compared by their seconds: rules are judged once in each. */
static bool
holds_at(struct player *player, const struct condition *condition, const struct life_item *item,
         char number[32])
{
    int64_t wanted_ms = script_duration(condition->value);

    if (wanted_ms < 0 || condition->part)
        player_unusable(player, "\"%s\" is no time (at=1m10s)", condition->value);
    (void)snprintf(number, 32, "%lld.%03llds", (long long)item->at_ms / 1000, (long long)item->at_ms % 1000);
    return wanted_ms / 1000 == item->at_ms / 1000;
}

/* Returns the first condition that does not hold, as an index of words, or n; *ret_value is what is there
 * instead. */
static unsigned
first_broken(struct player *player, const struct thing *thing, const struct script_word *words, unsigned n,
             char ret_value[600])
{
    for (unsigned i = 0; i < n; i++) {
        struct condition condition = read_condition(player, &words[i]);
        char number[32];
        const char *value = number;
        bool holds;

        if (thing->item != NULL && strcmp(condition.key, "at") == 0) {
            holds = holds_at(player, &condition, thing->item, number);
        } else {
            value = value_of(thing, condition.key, number);
            if (value == NULL)
                player_unusable(player, "there is no \"%s\" in what is compared", condition.key);
            holds =
                condition.part ? strstr(value, condition.value) != NULL : strcmp(value, condition.value) == 0;
        }
        (void)snprintf(ret_value, 600, "%s", value);
        if (holds == condition.negated)
            return i;
    }
    return n;
}

static void
taken(struct player_said *said)
{
    said->next++;
    said->since = said->next;
}

/* words: TRANSITION RULE CONDITION… */
static void
expect_next(struct player *player, struct player_said *said, const struct script_word *words, unsigned n)
{
    const struct life_item *item = said->next < said->n ? &said->items[said->next] : NULL;
    const struct thing thing = {.item = item};
    char value[600];
    unsigned broken;

    if (n < 2)
        player_unusable(player, "which rule?");
    for (unsigned i = 2; i < n; i++)
        (void)read_condition(player, &words[i]);
    if (item == NULL)
        player_red(player, "expected %s, but nothing came", as_written(words, n));
    if (strcmp(item->fields[0].value, words[0].text) != 0 ||
        strcmp(item->fields[1].value, words[1].text) != 0)
        player_red(player, "expected %s, but there is %s %s", as_written(words, n), item->fields[0].value,
                   item->fields[1].value);
    broken = first_broken(player, &thing, words + 2, n - 2, value);
    if (broken != n - 2)
        player_red(player, "expected %s, but of %s there is \"%s\"", as_written(words, n),
                   words[2 + broken].text, value);
    taken(said);
}

static void
expect_nothing(struct player *player, struct player_said *said)
{
    if (said->next != said->n)
        player_red(player, "expected nothing, but there is %s %s", said->items[said->next].fields[0].value,
                   said->items[said->next].fields[1].value);
    said->since = said->n;
}

/* The status over the control socket; a new reference. */
static json_t *
ask_status(struct player *player)
{
    char *answer = player->life == NULL ? NULL : life_ask(player->life, "status");
    json_t *whole = answer == NULL ? NULL : json_loads(answer, 0, NULL);
    json_t *status = json_incref(json_object_get(whole, "result"));

    json_decref(whole);
    free(answer);
    if (status == NULL)
        player_unusable(player, "there is no status: the daemon does not run, or does not answer");
    return status;
}

/* The member of a list by its name, or NULL. */
static json_t *
named(json_t *list, const char *key, const char *name)
{
    json_t *member;
    size_t i;

    json_array_foreach(list, i, member) if (strcmp(json_string_value(json_object_get(member, key)), name) ==
                                            0) return member;
    return NULL;
}

static json_t *
source_of(struct player *player, json_t *status, const char *name)
{
    json_t *source = named(json_object_get(status, "sources"), "name", name);

    if (source == NULL)
        player_unusable(player, "there is no source \"%s\"", name);
    return source;
}

/* count SOURCE|all CODE [METHOD|received|sent] = N */
static void
expect_count(struct player *player, const struct script_word *words, unsigned n)
{
    json_t *status, *codes, *code;
    long long wanted, count = 0;

    if ((n != 5 && n != 6) || strcmp(words[n - 2].text, "=") != 0)
        player_unusable(player, "it is: expect count SOURCE|all CODE [METHOD|received|sent] = N");
    wanted = atoll(words[n - 1].text);
    status = ask_status(player);
    codes = json_object_get(
        strcmp(words[1].text, "all") == 0 ? status : source_of(player, status, words[1].text), "codes");
    code = json_object_get(codes, words[2].text);
    if (n == 5)
        count = json_integer_value(json_object_get(code, "responses"));
    else if (strcmp(words[3].text, "received") == 0 || strcmp(words[3].text, "sent") == 0)
        count = json_integer_value(json_object_get(code, words[3].text));
    else
        count = json_integer_value(json_object_get(json_object_get(code, "methods"), words[3].text));
    if (count != wanted)
        player_red(player, "expected %s, but it is %lld", as_written(words, n), count);
    json_decref(status);
}

static void
expect_thing(struct player *player, json_t *json, const struct script_word *words, unsigned first, unsigned n)
{
    const struct thing thing = {.json = json};
    char value[600];
    unsigned broken = first_broken(player, &thing, words + first, n - first, value);

    if (broken != n - first)
        player_red(player, "expected %s, but of %s there is \"%s\"", as_written(words, n),
                   words[first + broken].text, value);
}

/* source NAME CONDITION… */
static void
expect_source(struct player *player, const struct script_word *words, unsigned n)
{
    json_t *status = ask_status(player);

    if (n < 3)
        player_unusable(player, "it is: expect source NAME CONDITION…");
    expect_thing(player, source_of(player, status, words[1].text), words, 2, n);
    json_decref(status);
}

/* notifications CONDITION… */
static void
expect_notifications(struct player *player, const struct script_word *words, unsigned n)
{
    json_t *status = ask_status(player);

    expect_thing(player, json_object_get(status, "notifications"), words, 1, n);
    json_decref(status);
}

/* Whether an alarm of the rule is up for which all conditions hold. */
static bool
is_active(struct player *player, json_t *status, const struct script_word *words, unsigned n, char value[600])
{
    json_t *alarm;
    size_t i;

    (void)snprintf(value, 600, "nothing");
    json_array_foreach(json_object_get(status, "alarms"), i, alarm)
    {
        const struct thing thing = {.json = alarm};

        if (strcmp(json_string_value(json_object_get(alarm, "rule")), words[1].text) == 0 &&
            first_broken(player, &thing, words + 2, n - 2, value) == n - 2)
            return true;
    }
    return false;
}

/* active RULE CONDITION…, inactive RULE CONDITION…, active nothing */
static void
expect_active(struct player *player, const struct script_word *words, unsigned n)
{
    bool wanted = strcmp(words[0].text, "active") == 0, active;
    json_t *status = ask_status(player);
    char value[600];

    if (n < 2)
        player_unusable(player, "it is: expect active RULE CONDITION…, or expect active nothing");
    for (unsigned i = 2; i < n; i++)
        (void)read_condition(player, &words[i]);
    if (strcmp(words[1].text, "nothing") == 0) {
        if (!wanted || json_array_size(json_object_get(status, "alarms")) != 0)
            player_red(player, "expected that no alarm is up");
    } else {
        active = is_active(player, status, words, n, value);
        if (active != wanted)
            player_red(player, "expected %s, but there is \"%s\"", as_written(words, n), value);
    }
    json_decref(status);
}

/* logged "TEXT": since the last line that was expected; unlogged "TEXT": in no line at all. */
static void
expect_logged(struct player *player, const struct script_word *words, unsigned n)
{
    bool wanted = strcmp(words[0].text, "logged") == 0;
    struct player_said *lines = &player->lines;

    if (n != 2 || words[1].kind != SCRIPT_QUOTED)
        player_unusable(player, "it is: expect %s \"TEXT\"", words[0].text);
    for (unsigned i = wanted ? lines->next : 0; i < lines->n; i++)
        if (strstr(lines->items[i].fields[0].value, words[1].text) != NULL) {
            lines->next = i + 1;
            if (!wanted)
                player_red(player, "expected no line with \"%s\"", words[1].text);
            return;
        }
    if (wanted)
        player_red(player, "expected a line with \"%s\"", words[1].text);
}

static void
expect_notified(struct player *player, const struct script_word *words, unsigned n)
{
    if (n == 2 && strcmp(words[1].text, "nothing") == 0)
        expect_nothing(player, &player->notified);
    else
        expect_next(player, &player->notified, words + 1, n - 1);
}

static void
expect_event(struct player *player, const struct script_word *words, unsigned n)
{
    expect_next(player, &player->events, words, n);
}

static void
expect_no_event(struct player *player, const struct script_word *words, unsigned n)
{
    (void)words;
    if (n != 1)
        player_unusable(player, "\"nothing\" stands alone");
    expect_nothing(player, &player->events);
}

static const struct {
    const char *word;
    void (*fn)(struct player *, const struct script_word *, unsigned);
} what[] = {
    {"raised", expect_event},
    {"changed", expect_event},
    {"cleared", expect_event},
    {"fault", expect_event},
    {"restored", expect_event},
    {"test", expect_event},
    {"nothing", expect_no_event},
    {"notified", expect_notified},
    {"count", expect_count},
    {"source", expect_source},
    {"notifications", expect_notifications},
    {"active", expect_active},
    {"inactive", expect_active},
    {"logged", expect_logged},
    {"unlogged", expect_logged},
};

void
player_expect(struct player *player, const struct script_word *words, unsigned n)
{
    for (size_t i = 0; i < sizeof what / sizeof what[0]; i++)
        if (words[1].kind == SCRIPT_BARE && strcmp(words[1].text, what[i].word) == 0) {
            player->expects++;
            what[i].fn(player, words + 1, n - 1);
            return;
        }
    player_unusable(player, "nothing like \"%s\" can be expected", words[1].text);
}
