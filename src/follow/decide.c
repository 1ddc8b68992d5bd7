#include "decide.h"

#define IN(state) (1u << (state))
#define NO_FILE   IN(FILE_NONE)
#define PACKED    IN(FILE_PACKED)
#define PLAIN     (IN(FILE_UNJUDGED) | IN(FILE_DOUBTED) | IN(FILE_SEALED) | IN(FILE_EMPTIED) | IN(FILE_READ))

/* Of a name that cannot be opened the source says why; where the disk is ill its numbers are not believed. */
static enum action
of_unreached(const struct facts *facts)
{
    return facts->reached == REACHED_ILL && !facts->by_content ? ACT_DISTRUST : ACT_TELL;
}

static enum action
on_appeared(enum file_state state, const struct facts *facts)
{
    (void)state;
    if (facts->reached != REACHED)
        return of_unreached(facts);
    if (facts->done)
        return ACT_NOTHING;
    return facts->ghost ? ACT_OPEN_FIRST : ACT_OPEN;
}

static enum action
on_stayed(enum file_state state, const struct facts *facts)
{
    (void)state;
    (void)facts;
    return ACT_KEEP;
}

static enum action
on_renamed(enum file_state state, const struct facts *facts)
{
    (void)state;
    return facts->rotated ? ACT_ROTATE : ACT_RENAME;
}

static enum action
on_gone(enum file_state state, const struct facts *facts)
{
    bool awaited = state == FILE_PACKED ? facts->cut : !facts->waited;

    if (facts->named)
        return ACT_MISS;
    return facts->reading || awaited ? ACT_NOTHING : ACT_CLOSE;
}

/* What a descriptor's number says is asked only where numbers can be believed. */
static enum action
on_opened(enum file_state state, const struct facts *facts)
{
    (void)state;
    if (facts->reached != REACHED)
        return of_unreached(facts);
    if (facts->by_content)
        return ACT_VIEW;
    if (facts->lies)
        return ACT_DISTRUST;
    if (facts->followed)
        return ACT_RENAME;
    return facts->replaced ? ACT_DESCRIPTOR : ACT_SEARCH;
}

static enum action
on_searched(enum file_state state, const struct facts *facts)
{
    (void)state;
    if (facts->past == PAST_OTHER)
        return facts->ghost_open ? ACT_LOSE : ACT_FORGET;
    if (facts->past == PAST_UNKNOWN || facts->came_back)
        return ACT_DISTRUST; /* whether it is the file we know shows when it can be read, or by its content */
    if (facts->past == PAST_SAME)
        return ACT_RESUME;
    if (facts->past == PAST_READ)
        return ACT_SKIP;
    return facts->from_end ? ACT_OPEN_AT_END : ACT_OPEN;
}

/* What is new beside others may be a copy of them. */
static enum action
on_placed(enum file_state state, const struct facts *facts)
{
    (void)state;
    if (facts->expected && facts->past == PAST_NONE && facts->beside)
        return ACT_JUDGE;
    return facts->replaces ? ACT_COUNT : ACT_NOTHING;
}

/* It may come back under another name, or packed. */
static enum action
on_closed(enum file_state state, const struct facts *facts)
{
    if (state == FILE_UNJUDGED && facts->by_content) /* nothing was taken of it */
        return ACT_FORGET;
    if (facts->left_out)
        return ACT_LEAVE;
    return facts->discarded ? ACT_FORGET : ACT_KEEP;
}

static enum action
on_found(enum file_state state, const struct facts *facts)
{
    (void)state;
    if (!facts->recent || facts->known)
        return ACT_NOTHING;
    if (facts->unfinished)
        return ACT_LOOK_AGAIN;
    if (facts->was_read)
        return ACT_NOTHING;
    if (facts->unreachable || facts->lost)
        return ACT_LOOK_AGAIN;
    return facts->too_large ? ACT_TELL : ACT_OPEN;
}

static enum action
on_turn(enum file_state state, const struct facts *facts)
{
    if (state == FILE_UNJUDGED)
        return ACT_JUDGE;
    if (facts->waits)
        return ACT_COMPARE;
    return state == FILE_PACKED ? ACT_READ_PIPE : ACT_READ;
}

/*
 * The file was truncated to nothing, and now it has bytes.  The old ones, if its disk lied; if it shows only
 * some of these, that is waited for: a log without times may well begin with the same lines again.
 */
static enum action
on_returned(enum file_state state, const struct facts *facts)
{
    (void)state;
    if (facts->by_content)
        return ACT_NOTHING;
    if (facts->came == RETURN_WHOLE)
        return ACT_DISTRUST;
    return facts->came == RETURN_PART && !facts->waited ? ACT_REST : ACT_READ;
}

/* In doubt, and behind a seal, nothing says where the file's new bytes begin. */
static enum action
on_slice(enum file_state state, const struct facts *facts)
{
    if (facts->got == GOT_ERROR)
        return ACT_FAIL;
    if (state == FILE_DOUBTED || state == FILE_SEALED || facts->got == GOT_OTHER)
        return ACT_CHECK;
    return facts->got == GOT_MORE ? ACT_TAKE : ACT_REST;
}

static enum action
on_pipe(enum file_state state, const struct facts *facts)
{
    (void)state;
    switch (facts->got) {
    case GOT_MORE:
        return facts->affordable ? ACT_TAKE : ACT_GIVE_UP;
    case GOT_LATER:
        return ACT_BLOCK;
    case GOT_NOTHING:
        return ACT_END;
    case GOT_OTHER:
    case GOT_ERROR:
        break;
    }
    return ACT_FAIL;
}

/* A number that changes while the file is open, or a size that ends before bytes that are there. */
static enum action
on_size(enum file_state state, const struct facts *facts)
{
    if (state == FILE_UNJUDGED)
        return ACT_NOTHING;
    if (!facts->by_content && (facts->moved || (facts->less && facts->same)))
        return ACT_DISTRUST;
    return facts->less || state == FILE_DOUBTED ? ACT_CHECK : ACT_NOTHING;
}

static enum action
on_grew(enum file_state state, const struct facts *facts)
{
    (void)state;
    return facts->differs || facts->polled ? ACT_READ : ACT_NOTHING;
}

static enum action
on_compared(enum file_state state, const struct facts *facts)
{
    switch (facts->proof) {
    case PROOF_KEPT:
        return state == FILE_DOUBTED ? ACT_TRUST : ACT_NOTHING;
    case PROOF_GONE:
        return ACT_LOSE;
    case PROOF_UNREADABLE:
        return ACT_NOTHING;
    case PROOF_SHORT:
        break;
    }
    if (facts->believed)
        return ACT_BELIEVE;
    return state == FILE_DOUBTED ? ACT_NOTHING : ACT_DOUBT;
}

/* The same bytes that came back, or a size without bytes: no local disk has that. */
static enum action
on_doubt(enum file_state state, const struct facts *facts)
{
    bool caught = facts->ends_early || (state != FILE_DOUBTED && facts->line);

    return !facts->by_content && caught ? ACT_DISTRUST : ACT_TELL;
}

static enum action
on_lost(enum file_state state, const struct facts *facts)
{
    (void)state;
    if (!facts->by_content && facts->elsewhere)
        return ACT_DISTRUST;
    if (facts->lines_left)
        return ACT_STEP_BACK;
    return facts->by_content ? ACT_PART : ACT_BEGIN_ANEW;
}

/*
 * Bytes are taken from a view only behind the record that agrees with all that it shows, or from the start if
 * it differs from every record; what shows no more than a record has waits.
 */
static enum action
on_view(enum file_state state, const struct facts *facts)
{
    (void)state;
    if (!facts->shows || facts->unsure)
        return ACT_NOTHING;
    if (facts->record == RECORD_FILE && facts->one_name)
        return ACT_MERGE;
    if (facts->all_read && !(facts->record == RECORD_GHOST && facts->exact))
        return ACT_HOLD;
    switch (facts->record) {
    case RECORD_NONE:
        return ACT_BEGIN;
    case RECORD_GHOST:
        return ACT_RESUME;
    case RECORD_FILE:
        return facts->at_end ? ACT_TAKE_OVER : ACT_HOLD;
    case RECORD_PACKED:
        break;
    }
    return ACT_HOLD;
}

static enum action
on_beside(enum file_state state, const struct facts *facts)
{
    (void)state;
    if (facts->longer)
        return ACT_DISTRUST;
    if (facts->unsure &&
        facts->same) /* what is missing there is here: it goes on here, once that is certain */
        return ACT_HOLD;
    if (facts->busy)
        return ACT_WAIT_FOR;
    return facts->copy ? ACT_HOLD : ACT_NOTHING;
}

static enum action
on_alone(enum file_state state, const struct facts *facts)
{
    (void)state;
    if (facts->lost) /* truncated while it was compared */
        return ACT_ASK_AGAIN;
    if (facts->past == PAST_READ)
        return ACT_SKIP;
    return facts->past == PAST_SAME ? ACT_RESUME : ACT_COUNT;
}

static const struct {
    unsigned states; /* that the event meets */
    enum action (*decide)(enum file_state state, const struct facts *facts);
} RULES[EVENTS] = {
    [EVENT_APPEARED] = {NO_FILE, on_appeared},
    [EVENT_STAYED] = {PACKED | PLAIN, on_stayed},
    [EVENT_RENAMED] = {PACKED | PLAIN, on_renamed},
    [EVENT_GONE] = {PACKED | PLAIN, on_gone},
    [EVENT_OPENED] = {NO_FILE, on_opened},
    [EVENT_SEARCHED] = {NO_FILE, on_searched},
    [EVENT_PLACED] = {PLAIN, on_placed},
    [EVENT_CLOSED] = {PACKED | PLAIN, on_closed},
    [EVENT_FOUND] = {NO_FILE, on_found},
    [EVENT_TURN] = {PACKED | PLAIN, on_turn},
    [EVENT_RETURNED] = {PLAIN, on_returned},
    [EVENT_SLICE] = {PLAIN, on_slice},
    [EVENT_PIPE] = {PACKED, on_pipe},
    [EVENT_SIZE] = {PLAIN, on_size},
    [EVENT_GREW] = {PLAIN, on_grew},
    [EVENT_COMPARED] = {PLAIN, on_compared},
    [EVENT_DOUBT] = {PLAIN, on_doubt},
    [EVENT_LOST] = {PLAIN, on_lost},
    [EVENT_VIEW] = {IN(FILE_UNJUDGED), on_view},
    [EVENT_BESIDE] = {IN(FILE_UNJUDGED), on_beside},
    [EVENT_ALONE] = {IN(FILE_UNJUDGED), on_alone},
};

bool
sa_decide_meets(enum file_state state, enum event event)
{
    return (RULES[event].states & IN(state)) != 0;
}

enum action
sa_decide(enum file_state state, enum event event, const struct facts *facts)
{
    return sa_decide_meets(state, event) ? RULES[event].decide(state, facts) : ACT_NOTHING;
}
