/*
 * The groups of one rule: for each combination of what the rule is by (source, peer, method, code) its
 * windows and where it stands.  A group is made when the first response of it is counted; it is reclaimed
 * when it is ok and its windows are empty, so one that is up never goes.  Not more than max_groups of them:
 * what finds no room is counted, and counts in the overflow group of its source, which is judged by the same
 * limits and says what it is.  Rules by source alone need no such bound.
 *
 * A group takes some 490 bytes and 128 for each direction and code that it saw, at most 2.3 kB; 248 and
 * 4 kB where some step of it counts more than 65,535.  Pure, one
 * thread.
 */
#ifndef SA_GROUPS_H
#define SA_GROUPS_H

#include "group_name.h"
#include "judge.h"
#include "rule_def.h"
#include "window.h"

#define HASH_NONFATAL_OOM 1 /* of an element that found no memory hh.tbl is NULL */
#include <uthash.h>

#define SA_ANY_SOURCE UINT32_MAX /* of a rule that is not by source */
#define SA_NO_COLUMN  (-1)

/* Compared as bytes: made by sa_group_key() and sa_group_key_of() alone. */
struct sa_group_key {
    uint32_t source; /* number of the source, or SA_ANY_SOURCE */
    uint16_t code;
    bool overflow;
    char method[SA_METHOD_SIZE];
    char peer[SA_PEER_SIZE]; /* as it is shown: printable */
};

struct sa_group {
    UT_hash_handle hh;
    struct sa_group_key key;
    struct sa_groups *of;
    struct sa_group *prev, *next; /* in the list of those that are to be judged, while `hot` */
    struct sa_group *parent;      /* by code: the group of all codes, which has the base; otherwise NULL */
    struct sa_group *children, *sibling; /* of a parent */
    struct sa_standing standing;
    struct sa_window window;
    int8_t matches[SA_DIR_COUNT],
        base[SA_DIR_COUNT]; /* columns of the window, or SA_NO_COLUMN: none so far */
    int8_t code_columns[SA_GROUP_CODES];
    uint16_t codes[SA_GROUP_CODES];
    uint8_t n_codes;
    bool hot;                      /* in the list of those that are to be judged */
    bool dirty;                    /* something was counted that can have crossed a limit */
    bool changed;                  /* since it was last saved */
    bool saved;                    /* there is a row of it in the store */
    char evidence[SA_CALLID_SIZE]; /* Call-ID of the latest match */
};

struct sa_groups {
    const struct sa_rule_def *rule;
    bool by_source, by_code; /* by source alone; by code, perhaps among others */
    struct sa_group *head;   /* uthash; in the order in which they were made */
    unsigned n_overflow;     /* overflow groups among them */
    uint64_t unfitted;       /* responses that found no room in a group of their own */
    int64_t swept_s;
    void (*gone)(void *arg, struct sa_group *group); /* called before a group is reclaimed */
    void *arg;
};

void sa_groups_init(struct sa_groups *groups, const struct sa_rule_def *rule,
                    void (*gone)(void *arg, struct sa_group *group), void *arg);
void sa_groups_done(struct sa_groups *groups);

/* The key of a response; with_code: of what matches, otherwise of the base. */
struct sa_group_key sa_group_key(const struct sa_rule_def *rule, uint32_t source,
                                 const struct sa_response *response, bool with_code);

/* The key of a name; false: the rule has no such group. */
bool sa_group_key_of(const struct sa_rule_def *rule, uint32_t source, const struct sa_group_name *name,
                     struct sa_group_key *ret_key);

struct sa_group *sa_groups_find(const struct sa_groups *groups, const struct sa_group_key *key);

/* Makes it if it is missing.  NULL: there is no room for it, or no memory. */
struct sa_group *sa_groups_make(struct sa_groups *groups, const struct sa_group_key *key, int64_t now_s);

/* The same; if there is no room for it, the overflow group of its source. */
struct sa_group *sa_groups_get(struct sa_groups *groups, const struct sa_group_key *key, int64_t now_s);

/* The overflow group of a source, or NULL: everything found room so far. */
struct sa_group *sa_groups_overflow(const struct sa_groups *groups, uint32_t source);

/* Reclaims what is idle. */
void sa_groups_sweep(struct sa_groups *groups, int64_t now_s);

/* Takes the group out and frees it, whatever it is. */
void sa_groups_drop(struct sa_groups *groups, struct sa_group *group);

/* Counting.  The first response of a direction or code makes its column; without memory it is not counted. */
void sa_group_add_first(struct sa_group *group, int8_t *column, int64_t now_s, uint32_t n);

static inline void
sa_group_add_to(struct sa_group *group, int8_t *column, int64_t now_s, uint32_t n)
{
    if (*column != SA_NO_COLUMN)
        sa_window_add(&group->window, (unsigned)*column, now_s, n);
    else
        sa_group_add_first(group, column, now_s, n);
}

static inline void
sa_group_add_base(struct sa_group *group, enum sa_direction direction, int64_t now_s, uint32_t n)
{
    sa_group_add_to(group, &group->base[direction], now_s, n);
    group->changed = true;
}

void sa_group_add_match(struct sa_group *group, const struct sa_response *response, int64_t now_s,
                        uint32_t n);

/* Whether a response of the base can complete min_total for matches that are there already. */
static inline bool
sa_group_can_complete(const struct sa_group *group)
{
    if (group->standing.state != SA_RULE_OK)
        return false;
    for (unsigned i = 0; i < SA_DIR_COUNT; i++)
        if (group->matches[i] != SA_NO_COLUMN && sa_window_has(&group->window, (unsigned)group->matches[i]))
            return true;
    return false;
}

/* The ways the rule's direction looks at the group. */
struct sa_measures sa_group_measures(struct sa_group *group, bool blind, int64_t now_s);

/* The codes in the window, most frequent first, of equals the lower one; returns how many. */
unsigned sa_group_rank(struct sa_group *group, int64_t now_s, uint16_t codes[SA_GROUP_CODES]);

/* The windows as bytes, and into a group that has counted nothing; shift_s for a clock that started anew. */
void sa_group_save_windows(const struct sa_group *group, struct sa_buffer *buffer);
void sa_group_load_windows(struct sa_group *group, struct sa_buffer_reader *reader, int64_t shift_s);

/* Whether these are bytes that sa_group_save_windows() can have written, of no second after the latest. */
bool sa_group_windows_are_sound(const void *bytes, size_t len, int64_t latest_s);

#endif
