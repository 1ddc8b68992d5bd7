/*
 * What the follower does with a file: every state, every event and every combination of what may be found
 * out, against a table, and the page that shows it.
 */
#include "check.h"
#include "decide.h"

enum { ANY = 1 << FILE_STATES };

#define IN(state) (1u << (state))

static const char *const STATE_NAMES[FILE_STATES] = {
    [FILE_NONE] = "none",       [FILE_PACKED] = "packed", [FILE_UNJUDGED] = "unjudged",
    [FILE_DOUBTED] = "doubted", [FILE_SEALED] = "sealed", [FILE_EMPTIED] = "emptied",
    [FILE_READ] = "read",
};

static const char *const EVENT_NAMES[EVENTS] = {
    [EVENT_APPEARED] = "appeared", [EVENT_STAYED] = "stayed",     [EVENT_RENAMED] = "renamed",
    [EVENT_GONE] = "gone",         [EVENT_OPENED] = "opened",     [EVENT_SEARCHED] = "searched",
    [EVENT_PLACED] = "placed",     [EVENT_CLOSED] = "closed",     [EVENT_FOUND] = "found",
    [EVENT_TURN] = "turn",         [EVENT_RETURNED] = "returned", [EVENT_SLICE] = "slice",
    [EVENT_PIPE] = "pipe",         [EVENT_SIZE] = "size",         [EVENT_GREW] = "grew",
    [EVENT_COMPARED] = "compared", [EVENT_DOUBT] = "doubt",       [EVENT_LOST] = "lost",
    [EVENT_VIEW] = "view",         [EVENT_BESIDE] = "beside",     [EVENT_ALONE] = "alone",
};

static const char *const ACTION_NAMES[ACTIONS] = {
    [ACT_NOTHING] = "nothing",     [ACT_TELL] = "tell",
    [ACT_DISTRUST] = "distrust",   [ACT_JUDGE] = "judge",
    [ACT_COUNT] = "count",         [ACT_FORGET] = "forget",
    [ACT_SKIP] = "skip",           [ACT_RESUME] = "resume",
    [ACT_OPEN] = "open",           [ACT_OPEN_FIRST] = "open first",
    [ACT_KEEP] = "keep",           [ACT_RENAME] = "rename",
    [ACT_ROTATE] = "rotate",       [ACT_MISS] = "miss",
    [ACT_CLOSE] = "close",         [ACT_DESCRIPTOR] = "descriptor",
    [ACT_VIEW] = "view",           [ACT_SEARCH] = "search",
    [ACT_LOSE] = "lose",           [ACT_OPEN_AT_END] = "open at end",
    [ACT_LEAVE] = "leave",         [ACT_LOOK_AGAIN] = "look again",
    [ACT_COMPARE] = "compare",     [ACT_READ] = "read",
    [ACT_READ_PIPE] = "read pipe", [ACT_TAKE] = "take",
    [ACT_REST] = "rest",           [ACT_FAIL] = "fail",
    [ACT_BLOCK] = "block",         [ACT_END] = "end",
    [ACT_GIVE_UP] = "give up",     [ACT_CHECK] = "check",
    [ACT_DOUBT] = "doubt",         [ACT_TRUST] = "trust",
    [ACT_BELIEVE] = "believe",     [ACT_STEP_BACK] = "step back",
    [ACT_PART] = "part",           [ACT_BEGIN_ANEW] = "begin anew",
    [ACT_HOLD] = "hold",           [ACT_WAIT_FOR] = "wait for",
    [ACT_ASK_AGAIN] = "ask again", [ACT_MERGE] = "merge",
    [ACT_TAKE_OVER] = "take over", [ACT_BEGIN] = "begin",
};

/* A fact by its place in the struct, and how many values it has. */
struct fact {
    size_t at, size;
    unsigned values;
};

#define WORD(name, last)                                                                                     \
    ((struct fact){offsetof(struct facts, name), sizeof(((struct facts *)0)->name), (last) + 1})
#define FLAG(name)   WORD(name, 1)
#define REACHED_FACT WORD(reached, REACHED_ILL)
#define PAST_FACT    WORD(past, PAST_UNKNOWN)
#define GOT_FACT     WORD(got, GOT_LATER)
#define CAME_FACT    WORD(came, RETURN_WHOLE)
#define PROOF_FACT   WORD(proof, PROOF_UNREADABLE)
#define RECORD_FACT  WORD(record, RECORD_GHOST)

static void
set(struct facts *facts, const struct fact *fact, unsigned value)
{
    bool flag = value != 0;

    if (fact->size == sizeof flag)
        memcpy((char *)facts + fact->at, &flag, sizeof flag);
    else
        memcpy((char *)facts + fact->at, &value, sizeof value);
}

static unsigned
get(const struct facts *facts, const struct fact *fact)
{
    unsigned value = 0;
    bool flag;

    if (fact->size != sizeof flag) {
        memcpy(&value, (const char *)facts + fact->at, sizeof value);
        return value;
    }
    memcpy(&flag, (const char *)facts + fact->at, sizeof flag);
    return flag;
}

#define CONDITIONS 4

/* The first row that fits says what is done; a state or a fact that it does not name may be any. */
struct row {
    enum event event;
    unsigned states;
    struct {
        struct fact fact;
        unsigned value;
    } when[CONDITIONS];
    enum action action;
};

#define OTHERWISE                                                                                            \
    {                                                                                                        \
        {0}, 0                                                                                               \
    }
#define IS(name)                                                                                             \
    {                                                                                                        \
        FLAG(name), 1                                                                                        \
    }
#define NOT(name)                                                                                            \
    {                                                                                                        \
        FLAG(name), 0                                                                                        \
    }
#define EQ(word, its)                                                                                        \
    {                                                                                                        \
        word, its                                                                                            \
    }

static const struct row ROWS_OF[] = {
    {EVENT_APPEARED, ANY, {EQ(REACHED_FACT, REACHED_ILL), NOT(by_content)}, ACT_DISTRUST},
    {EVENT_APPEARED, ANY, {EQ(REACHED_FACT, REACHED_ILL)}, ACT_TELL},
    {EVENT_APPEARED, ANY, {EQ(REACHED_FACT, REACHED_NOT)}, ACT_TELL},
    {EVENT_APPEARED, ANY, {IS(done)}, ACT_NOTHING},
    {EVENT_APPEARED, ANY, {IS(ghost)}, ACT_OPEN_FIRST},
    {EVENT_APPEARED, ANY, {OTHERWISE}, ACT_OPEN},

    {EVENT_STAYED, ANY, {OTHERWISE}, ACT_KEEP},

    {EVENT_RENAMED, ANY, {IS(rotated)}, ACT_ROTATE},
    {EVENT_RENAMED, ANY, {NOT(rotated)}, ACT_RENAME},

    {EVENT_GONE, ANY, {IS(named)}, ACT_MISS},
    {EVENT_GONE, ANY, {IS(reading)}, ACT_NOTHING},
    {EVENT_GONE, IN(FILE_PACKED), {IS(cut)}, ACT_NOTHING},
    {EVENT_GONE, IN(FILE_PACKED), {NOT(cut)}, ACT_CLOSE},
    {EVENT_GONE, ANY, {NOT(waited)}, ACT_NOTHING},
    {EVENT_GONE, ANY, {IS(waited)}, ACT_CLOSE},

    {EVENT_OPENED, ANY, {EQ(REACHED_FACT, REACHED_ILL), NOT(by_content)}, ACT_DISTRUST},
    {EVENT_OPENED, ANY, {EQ(REACHED_FACT, REACHED_ILL)}, ACT_TELL},
    {EVENT_OPENED, ANY, {EQ(REACHED_FACT, REACHED_NOT)}, ACT_TELL},
    {EVENT_OPENED, ANY, {IS(by_content)}, ACT_VIEW},
    {EVENT_OPENED, ANY, {IS(lies)}, ACT_DISTRUST},
    {EVENT_OPENED, ANY, {IS(followed)}, ACT_RENAME},
    {EVENT_OPENED, ANY, {IS(replaced)}, ACT_DESCRIPTOR},
    {EVENT_OPENED, ANY, {OTHERWISE}, ACT_SEARCH},

    {EVENT_SEARCHED, ANY, {EQ(PAST_FACT, PAST_OTHER), IS(ghost_open)}, ACT_LOSE},
    {EVENT_SEARCHED, ANY, {EQ(PAST_FACT, PAST_OTHER), NOT(ghost_open)}, ACT_FORGET},
    {EVENT_SEARCHED, ANY, {EQ(PAST_FACT, PAST_UNKNOWN)}, ACT_DISTRUST},
    {EVENT_SEARCHED, ANY, {IS(came_back)}, ACT_DISTRUST},
    {EVENT_SEARCHED, ANY, {EQ(PAST_FACT, PAST_SAME)}, ACT_RESUME},
    {EVENT_SEARCHED, ANY, {EQ(PAST_FACT, PAST_READ)}, ACT_SKIP},
    {EVENT_SEARCHED, ANY, {EQ(PAST_FACT, PAST_NONE), IS(from_end)}, ACT_OPEN_AT_END},
    {EVENT_SEARCHED, ANY, {EQ(PAST_FACT, PAST_NONE), NOT(from_end)}, ACT_OPEN},

    {EVENT_PLACED, ANY, {IS(expected), EQ(PAST_FACT, PAST_NONE), IS(beside)}, ACT_JUDGE},
    {EVENT_PLACED, ANY, {IS(replaces)}, ACT_COUNT},
    {EVENT_PLACED, ANY, {NOT(replaces)}, ACT_NOTHING},

    {EVENT_CLOSED, IN(FILE_UNJUDGED), {IS(by_content)}, ACT_FORGET},
    {EVENT_CLOSED, ANY, {IS(left_out)}, ACT_LEAVE},
    {EVENT_CLOSED, ANY, {IS(discarded)}, ACT_FORGET},
    {EVENT_CLOSED, ANY, {OTHERWISE}, ACT_KEEP},

    {EVENT_FOUND, ANY, {NOT(recent)}, ACT_NOTHING},
    {EVENT_FOUND, ANY, {IS(known)}, ACT_NOTHING},
    {EVENT_FOUND, ANY, {IS(unfinished)}, ACT_LOOK_AGAIN},
    {EVENT_FOUND, ANY, {IS(was_read)}, ACT_NOTHING},
    {EVENT_FOUND, ANY, {IS(unreachable)}, ACT_LOOK_AGAIN},
    {EVENT_FOUND, ANY, {IS(lost)}, ACT_LOOK_AGAIN},
    {EVENT_FOUND, ANY, {IS(too_large)}, ACT_TELL},
    {EVENT_FOUND, ANY, {NOT(too_large)}, ACT_OPEN},

    {EVENT_TURN, IN(FILE_UNJUDGED), {OTHERWISE}, ACT_JUDGE},
    {EVENT_TURN, ANY, {IS(waits)}, ACT_COMPARE},
    {EVENT_TURN, IN(FILE_PACKED), {OTHERWISE}, ACT_READ_PIPE},
    {EVENT_TURN, ANY, {OTHERWISE}, ACT_READ},

    {EVENT_RETURNED, ANY, {IS(by_content)}, ACT_NOTHING},
    {EVENT_RETURNED, ANY, {EQ(CAME_FACT, RETURN_WHOLE)}, ACT_DISTRUST},
    {EVENT_RETURNED, ANY, {EQ(CAME_FACT, RETURN_PART), NOT(waited)}, ACT_REST},
    {EVENT_RETURNED, ANY, {OTHERWISE}, ACT_READ},

    {EVENT_SLICE, ANY, {EQ(GOT_FACT, GOT_ERROR)}, ACT_FAIL},
    {EVENT_SLICE, IN(FILE_DOUBTED) | IN(FILE_SEALED), {OTHERWISE}, ACT_CHECK},
    {EVENT_SLICE, ANY, {EQ(GOT_FACT, GOT_OTHER)}, ACT_CHECK},
    {EVENT_SLICE, ANY, {EQ(GOT_FACT, GOT_MORE)}, ACT_TAKE},
    {EVENT_SLICE, ANY, {OTHERWISE}, ACT_REST},

    {EVENT_PIPE, ANY, {EQ(GOT_FACT, GOT_MORE), IS(affordable)}, ACT_TAKE},
    {EVENT_PIPE, ANY, {EQ(GOT_FACT, GOT_MORE), NOT(affordable)}, ACT_GIVE_UP},
    {EVENT_PIPE, ANY, {EQ(GOT_FACT, GOT_LATER)}, ACT_BLOCK},
    {EVENT_PIPE, ANY, {EQ(GOT_FACT, GOT_NOTHING)}, ACT_END},
    {EVENT_PIPE, ANY, {OTHERWISE}, ACT_FAIL},

    {EVENT_SIZE, IN(FILE_UNJUDGED), {OTHERWISE}, ACT_NOTHING},
    {EVENT_SIZE, ANY, {NOT(by_content), IS(moved)}, ACT_DISTRUST},
    {EVENT_SIZE, ANY, {NOT(by_content), IS(less), IS(same)}, ACT_DISTRUST},
    {EVENT_SIZE, ANY, {IS(less)}, ACT_CHECK},
    {EVENT_SIZE, IN(FILE_DOUBTED), {OTHERWISE}, ACT_CHECK},
    {EVENT_SIZE, ANY, {OTHERWISE}, ACT_NOTHING},

    {EVENT_GREW, ANY, {IS(differs)}, ACT_READ},
    {EVENT_GREW, ANY, {IS(polled)}, ACT_READ},
    {EVENT_GREW, ANY, {OTHERWISE}, ACT_NOTHING},

    {EVENT_COMPARED, IN(FILE_DOUBTED), {EQ(PROOF_FACT, PROOF_KEPT)}, ACT_TRUST},
    {EVENT_COMPARED, ANY, {EQ(PROOF_FACT, PROOF_KEPT)}, ACT_NOTHING},
    {EVENT_COMPARED, ANY, {EQ(PROOF_FACT, PROOF_GONE)}, ACT_LOSE},
    {EVENT_COMPARED, ANY, {EQ(PROOF_FACT, PROOF_UNREADABLE)}, ACT_NOTHING},
    {EVENT_COMPARED, ANY, {EQ(PROOF_FACT, PROOF_SHORT), IS(believed)}, ACT_BELIEVE},
    {EVENT_COMPARED, IN(FILE_DOUBTED), {EQ(PROOF_FACT, PROOF_SHORT)}, ACT_NOTHING},
    {EVENT_COMPARED, ANY, {EQ(PROOF_FACT, PROOF_SHORT)}, ACT_DOUBT},

    {EVENT_DOUBT, ANY, {IS(by_content)}, ACT_TELL},
    {EVENT_DOUBT, ANY, {IS(ends_early)}, ACT_DISTRUST},
    {EVENT_DOUBT, IN(FILE_DOUBTED), {OTHERWISE}, ACT_TELL},
    {EVENT_DOUBT, ANY, {IS(line)}, ACT_DISTRUST},
    {EVENT_DOUBT, ANY, {NOT(line)}, ACT_TELL},

    {EVENT_LOST, ANY, {NOT(by_content), IS(elsewhere)}, ACT_DISTRUST},
    {EVENT_LOST, ANY, {IS(lines_left)}, ACT_STEP_BACK},
    {EVENT_LOST, ANY, {IS(by_content)}, ACT_PART},
    {EVENT_LOST, ANY, {OTHERWISE}, ACT_BEGIN_ANEW},

    {EVENT_VIEW, ANY, {NOT(shows)}, ACT_NOTHING},
    {EVENT_VIEW, ANY, {IS(unsure)}, ACT_NOTHING},
    {EVENT_VIEW, ANY, {EQ(RECORD_FACT, RECORD_FILE), IS(one_name)}, ACT_MERGE},
    {EVENT_VIEW, ANY, {IS(all_read), EQ(RECORD_FACT, RECORD_GHOST), IS(exact)}, ACT_RESUME},
    {EVENT_VIEW, ANY, {IS(all_read)}, ACT_HOLD},
    {EVENT_VIEW, ANY, {EQ(RECORD_FACT, RECORD_NONE)}, ACT_BEGIN},
    {EVENT_VIEW, ANY, {EQ(RECORD_FACT, RECORD_GHOST)}, ACT_RESUME},
    {EVENT_VIEW, ANY, {EQ(RECORD_FACT, RECORD_FILE), IS(at_end)}, ACT_TAKE_OVER},
    {EVENT_VIEW, ANY, {OTHERWISE}, ACT_HOLD},

    {EVENT_BESIDE, ANY, {IS(longer)}, ACT_DISTRUST},
    {EVENT_BESIDE, ANY, {IS(unsure), IS(same)}, ACT_HOLD},
    {EVENT_BESIDE, ANY, {IS(busy)}, ACT_WAIT_FOR},
    {EVENT_BESIDE, ANY, {IS(copy)}, ACT_HOLD},
    {EVENT_BESIDE, ANY, {NOT(copy)}, ACT_NOTHING},

    {EVENT_ALONE, ANY, {IS(lost)}, ACT_ASK_AGAIN},
    {EVENT_ALONE, ANY, {EQ(PAST_FACT, PAST_READ)}, ACT_SKIP},
    {EVENT_ALONE, ANY, {EQ(PAST_FACT, PAST_SAME)}, ACT_RESUME},
    {EVENT_ALONE, ANY, {OTHERWISE}, ACT_COUNT},
};

#define FACTS_OF_ONE 16

/* The facts that the rows of an event name: all others are of no account to it.  Returns how many. */
static unsigned
facts_of(enum event event, struct fact found[FACTS_OF_ONE])
{
    unsigned n = 0;

    for (unsigned i = 0; i < ROWS(ROWS_OF); i++)
        for (unsigned k = 0; k < CONDITIONS && ROWS_OF[i].event == event; k++) {
            const struct fact *fact = &ROWS_OF[i].when[k].fact;
            unsigned seen = 0;

            while (seen < n && found[seen].at != fact->at)
                seen++;
            if (fact->values == 0 || seen < n)
                continue;
            assert_true(n < FACTS_OF_ONE);
            found[n++] = *fact;
        }
    return n;
}

/* The number-th of all combinations of the facts; false: there are no more. */
static bool
combine(struct facts *facts, const struct fact *of, unsigned n, unsigned number)
{
    for (unsigned i = 0; i < n; i++) {
        set(facts, &of[i], number % of[i].values);
        number /= of[i].values;
    }
    return number == 0;
}

static bool
fits(const struct row *row, enum file_state state, enum event event, const struct facts *facts)
{
    if (row->event != event || (row->states != ANY && (row->states & IN(state)) == 0))
        return false;
    for (unsigned k = 0; k < CONDITIONS; k++)
        if (row->when[k].fact.values != 0 && get(facts, &row->when[k].fact) != row->when[k].value)
            return false;
    return true;
}

static const struct row *
row_for(enum file_state state, enum event event, const struct facts *facts)
{
    for (unsigned i = 0; i < ROWS(ROWS_OF); i++)
        if (fits(&ROWS_OF[i], state, event, facts))
            return &ROWS_OF[i];
    return NULL;
}

static void
check_one(enum file_state state, enum event event, const struct facts *facts)
{
    const struct row *row = row_for(state, event, facts);
    enum action action = sa_decide(state, event, facts);

    if (row == NULL)
        fail_msg("%s, %s: a combination has no row, and %s is done", STATE_NAMES[state], EVENT_NAMES[event],
                 ACTION_NAMES[action]);
    if (action != row->action)
        fail_msg("%s, %s: %s is done, and row %u of the table says %s", STATE_NAMES[state],
                 EVENT_NAMES[event], ACTION_NAMES[action], (unsigned)(row - ROWS_OF),
                 ACTION_NAMES[row->action]);
}

/* Every combination of its facts, with all other facts left zero, and with all of them set. */
static uint64_t
check_pair(enum file_state state, enum event event)
{
    struct fact of[FACTS_OF_ONE];
    unsigned n = facts_of(event, of);
    uint64_t actions = 0;

    for (unsigned number = 0;; number++) {
        struct facts facts = {0}, full;

        memset(&full, 1, sizeof full);
        if (!combine(&facts, of, n, number))
            return actions;
        (void)combine(&full, of, n, number);
        check_one(state, event, &facts);
        check_one(state, event, &full);
        actions |= UINT64_C(1) << sa_decide(state, event, &facts);
    }
}

static void
every_combination_has_the_action_of_its_row(void **arg)
{
    (void)arg;
    for (int event = 0; event < EVENTS; event++)
        for (int state = 0; state < FILE_STATES; state++)
            if (sa_decide_meets(state, event))
                (void)check_pair(state, event);
}

static void
what_cannot_be_is_left_alone(void **arg)
{
    struct facts facts;
    unsigned meet = 0;

    (void)arg;
    memset(&facts, 1, sizeof facts);
    for (int event = 0; event < EVENTS; event++)
        for (int state = 0; state < FILE_STATES; state++) {
            meet += sa_decide_meets(state, event);
            if (!sa_decide_meets(state, event))
                CHECK_INT(EVENT_NAMES[event], sa_decide(state, event, &facts), ACT_NOTHING);
        }
    assert_true(meet > EVENTS && meet < EVENTS * FILE_STATES);
}

static void
every_event_meets_a_state_and_every_action_is_decided(void **arg)
{
    uint64_t actions = 0;

    (void)arg;
    for (int event = 0; event < EVENTS; event++) {
        uint64_t of_event = 0;

        for (int state = 0; state < FILE_STATES; state++)
            if (sa_decide_meets(state, event))
                of_event |= check_pair(state, event);
        if (of_event == 0)
            fail_msg("%s meets no state", EVENT_NAMES[event]);
        actions |= of_event;
    }
    for (int action = 0; action < ACTIONS; action++)
        if ((actions >> action & 1) == 0)
            fail_msg("%s is never done", ACTION_NAMES[action]);
}

/* A row that no combination comes to says something that is not so. */
static void
every_row_is_needed(void **arg)
{
    (void)arg;
    for (unsigned i = 0; i < ROWS(ROWS_OF); i++) {
        struct fact of[FACTS_OF_ONE];
        unsigned n = facts_of(ROWS_OF[i].event, of);
        bool used = false;

        for (int state = 0; state < FILE_STATES && !used; state++)
            for (unsigned number = 0; !used && sa_decide_meets(state, ROWS_OF[i].event); number++) {
                struct facts facts = {0};

                if (!combine(&facts, of, n, number))
                    break;
                used = row_for(state, ROWS_OF[i].event, &facts) == &ROWS_OF[i];
            }
        if (!used)
            fail_msg("row %u, of %s, is never used", i, EVENT_NAMES[ROWS_OF[i].event]);
    }
}

static void
put_cell(FILE *page, enum file_state state, enum event event)
{
    uint64_t actions = sa_decide_meets(state, event) ? check_pair(state, event) : 0;
    const char *comma = " ";

    for (int action = 0; action < ACTIONS; action++)
        if ((actions >> action & 1) != 0) {
            fprintf(page, "%s%s", comma, ACTION_NAMES[action]);
            comma = ", ";
        }
    fputs(actions == 0 ? " – |" : " |", page);
}

/* The table of the page, as it has to be. */
static void
put_page(FILE *page)
{
    fputs("| event |", page);
    for (int state = 0; state < FILE_STATES; state++)
        fprintf(page, " %s |", STATE_NAMES[state]);
    fputs("\n|---|", page);
    for (int state = 0; state < FILE_STATES; state++)
        fputs("---|", page);
    for (int event = 0; event < EVENTS; event++) {
        fprintf(page, "\n| %s |", EVENT_NAMES[event]);
        for (int state = 0; state < FILE_STATES; state++)
            put_cell(page, state, event);
    }
    fputc('\n', page);
}

static void
the_page_shows_what_is_decided(void **arg)
{
    static char readme[65536];
    FILE *file = fopen(SA_SOURCE_DIR "/src/follow/README.md", "r");
    char *wanted = NULL;
    size_t len = 0;
    FILE *page = open_memstream(&wanted, &len);
    bool found;

    (void)arg;
    assert_non_null(page);
    put_page(page);
    fclose(page);
    assert_non_null(file);
    readme[fread(readme, 1, sizeof readme - 1, file)] = '\0';
    fclose(file);
    found = strstr(readme, wanted) != NULL;
    if (!found)
        fprintf(stderr, "the table has to be\n%s", wanted); /* longer than a message of cmocka */
    free(wanted);
    if (!found)
        fail_msg("%s", "src/follow/README.md does not show what is decided");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_has_the_action_of_its_row),
        cmocka_unit_test(what_cannot_be_is_left_alone),
        cmocka_unit_test(every_event_meets_a_state_and_every_action_is_decided),
        cmocka_unit_test(every_row_is_needed),
        cmocka_unit_test(the_page_shows_what_is_decided),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
