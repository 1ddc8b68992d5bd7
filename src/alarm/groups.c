#include "groups.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

void
sa_groups_init(struct sa_groups *groups, const struct sa_rule_def *rule,
               void (*gone)(void *arg, struct sa_group *group), void *arg)
{
    *groups = (struct sa_groups){.rule = rule,
                                 .by_source = sa_rule_by(rule) == SA_BY_SOURCE,
                                 .by_code = (sa_rule_by(rule) & SA_BY_CODE) != 0,
                                 .swept_s = -1,
                                 .gone = gone,
                                 .arg = arg};
}

static void
free_group(struct sa_group *group)
{
    sa_window_done(&group->window);
    free(group);
}

void
sa_groups_done(struct sa_groups *groups)
{
    struct sa_group *group = groups->head, *next;

    HASH_CLEAR(hh, groups->head); /* the table alone */
    for (; group != NULL; group = next) {
        next = group->hh.next;
        free_group(group);
    }
}

static bool
is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\')
            return false;
    return true;
}

/* What came from a log is shown in alarms: printable, and two that are told apart stay two. */
static void
put_shown(char *dst, size_t size, const char *text)
{
    char escaped[SA_TEXT_ESCAPED(SA_PEER_SIZE)];

    if (is_plain(text)) {
        (void)sa_text_copy(dst, size, text);
        return;
    }
    (void)sa_text_escape(escaped, sizeof escaped, text, strlen(text));
    (void)sa_text_fit(dst, size, escaped);
}

struct sa_group_key
sa_group_key(const struct sa_rule_def *rule, uint32_t source, const struct sa_response *response,
             bool with_code)
{
    unsigned by = sa_rule_by(rule);
    struct sa_group_key key;

    memset(&key, 0, sizeof key);
    key.source = (by & SA_BY_SOURCE) != 0 ? source : SA_ANY_SOURCE;
    if ((by & SA_BY_PEER) != 0)
        put_shown(key.peer, sizeof key.peer, response->peer);
    if ((by & SA_BY_METHOD) != 0)
        put_shown(key.method, sizeof key.method, response->method);
    if ((by & SA_BY_CODE) != 0 && with_code)
        key.code = response->code;
    return key;
}

bool
sa_group_key_of(const struct sa_rule_def *rule, uint32_t source, const struct sa_group_name *name,
                struct sa_group_key *ret_key)
{
    unsigned by = sa_rule_by(rule);
    bool detailed = name->peer[0] != '\0' || name->method[0] != '\0' || name->code != 0;

    if (name->overflow && (detailed || by == SA_BY_SOURCE))
        return false;
    if ((name->peer[0] != '\0' && (by & SA_BY_PEER) == 0) ||
        (name->method[0] != '\0' && (by & SA_BY_METHOD) == 0) || (name->code != 0 && (by & SA_BY_CODE) == 0))
        return false;
    memset(ret_key, 0, sizeof *ret_key);
    ret_key->source = (by & SA_BY_SOURCE) != 0 ? source : SA_ANY_SOURCE;
    put_shown(ret_key->peer, sizeof ret_key->peer, name->peer);
    put_shown(ret_key->method, sizeof ret_key->method, name->method);
    ret_key->code = name->code;
    ret_key->overflow = name->overflow;
    return true;
}

struct sa_group *
sa_groups_find(const struct sa_groups *groups, const struct sa_group_key *key)
{
    struct sa_group *group;

    HASH_FIND(hh, groups->head, key, sizeof *key, group);
    return group;
}

static struct sa_group *
add(struct sa_groups *groups, const struct sa_group_key *key, struct sa_group *parent)
{
    struct sa_group *group = calloc(1, sizeof *group);

    if (group == NULL)
        return NULL;
    group->key = *key;
    group->of = groups;
    group->standing = sa_standing_ok;
    sa_window_init(&group->window, groups->rule->window_s, sa_window_step_s(groups->rule->window_s));
    memset(group->matches, SA_NO_COLUMN, sizeof group->matches);
    memset(group->base, SA_NO_COLUMN, sizeof group->base);
    memset(group->code_columns, SA_NO_COLUMN, sizeof group->code_columns);
    HASH_ADD(hh, groups->head, key, sizeof group->key, group);
    if (group->hh.tbl == NULL) {
        free(group);
        return NULL;
    }
    if (parent != NULL) {
        group->parent = parent;
        group->sibling = parent->children;
        parent->children = group;
    }
    groups->n_overflow += key->overflow;
    return group;
}

static bool
is_full(const struct sa_groups *groups)
{
    uint32_t max = groups->rule->max_groups == 0 ? SA_MAX_GROUPS_DEFAULT : groups->rule->max_groups;

    return !groups->by_source && HASH_COUNT(groups->head) - groups->n_overflow >= max;
}

/* There is at most one sweep a second: a flood of new peers must not make each response look at all groups.
 */
static bool
has_room(struct sa_groups *groups, int64_t now_s)
{
    if (is_full(groups) && groups->swept_s != now_s)
        sa_groups_sweep(groups, now_s);
    return !is_full(groups);
}

/* The group of all codes, made before those of single codes; it stays as long as there are any. */
static struct sa_group *
parent_of(struct sa_groups *groups, const struct sa_group_key *key)
{
    struct sa_group_key all = *key;
    struct sa_group *parent;

    all.code = 0;
    parent = sa_groups_find(groups, &all);
    return parent != NULL ? parent : add(groups, &all, NULL);
}

struct sa_group *
sa_groups_make(struct sa_groups *groups, const struct sa_group_key *key, int64_t now_s)
{
    struct sa_group *group = sa_groups_find(groups, key), *parent = NULL;

    if (group != NULL)
        return group;
    if (!key->overflow && !has_room(groups, now_s))
        return NULL;
    if (key->code != 0) {
        parent = parent_of(groups, key);
        if (parent == NULL || is_full(groups))
            return NULL;
    }
    return add(groups, key, parent);
}

static struct sa_group_key
overflow_key(uint32_t source)
{
    struct sa_group_key key;

    memset(&key, 0, sizeof key);
    key.source = source;
    key.overflow = true;
    return key;
}

struct sa_group *
sa_groups_overflow(const struct sa_groups *groups, uint32_t source)
{
    struct sa_group_key key = overflow_key(source);

    return groups->n_overflow == 0 ? NULL : sa_groups_find(groups, &key);
}

struct sa_group *
sa_groups_get(struct sa_groups *groups, const struct sa_group_key *key, int64_t now_s)
{
    struct sa_group *group = sa_groups_make(groups, key, now_s);
    struct sa_group_key overflow = overflow_key(key->source);

    return group != NULL || !is_full(groups) ? group : sa_groups_make(groups, &overflow, now_s);
}

static void
leave_parent(struct sa_group *group)
{
    struct sa_group **at = group->parent == NULL ? NULL : &group->parent->children;

    while (at != NULL && *at != group)
        at = &(*at)->sibling;
    if (at != NULL)
        *at = group->sibling;
}

void
sa_groups_drop(struct sa_groups *groups, struct sa_group *group)
{
    for (struct sa_group *child = group->children; child != NULL; child = child->sibling)
        child->parent = NULL;
    leave_parent(group);
    groups->n_overflow -= group->key.overflow;
    HASH_DEL(groups->head, group);
    groups->gone(groups->arg, group);
    free_group(group);
}

static bool
is_idle(struct sa_group *group, int64_t now_s)
{
    return group->standing.state == SA_RULE_OK && !group->hot && group->children == NULL &&
           sa_window_is_empty(&group->window, now_s);
}

void
sa_groups_sweep(struct sa_groups *groups, int64_t now_s)
{
    struct sa_group *group, *next;

    groups->swept_s = now_s;
    HASH_ITER(hh, groups->head, group, next)
    {
        if (is_idle(group, now_s))
            sa_groups_drop(groups, group);
    }
}
