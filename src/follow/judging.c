#include "judging.h"
#include "answers.h"
#include "close_file.h"
#include "decide.h"
#include "distrust.h"
#include "family_name.h"
#include "files.h"
#include "ghosts.h"
#include "going_on.h"
#include "judging_view.h"
#include "positions.h"
#include "proof.h"
#include "recognise.h"
#include "wakes.h"

/* Whether the other may be what the file was made of. */
static bool
may_be_made_of(const struct file *file, const struct file *other)
{
    if (other == file || other->inflater != NULL || sa_file_is_unjudged(other) ||
        file->born_ns < other->born_ns)
        return false; /* a copy is younger than what it was made of; the generation before is older */
    return sa_family_is(other->path, file->path) || sa_family_is(other->origin, file->path);
}

/*
 * Whether the file holds what was read of the other and more than that has: a copy has more only of what was
 * truncated, and the other shows no sign of that.
 */
static bool
is_longer_copy(const struct file *file, const struct file *other)
{
    return sa_file_is_log(other) && file->size > sa_position_end(other->fd) &&
           sa_proof_same(file->fd, other) && sa_proof_same(other->fd, other);
}

/* Compares the file with another, and no further than needed. */
static struct facts
compare(const struct file *file, const struct file *other)
{
    size_t n = file->size < HEAD_BYTES ? (size_t)file->size : HEAD_BYTES;
    struct facts facts = {.longer = is_longer_copy(file, other)};

    facts.unsure = !facts.longer && !sa_file_is_trusted(other);
    facts.same = facts.unsure && sa_proof_same(file->fd, other);
    facts.busy = !facts.longer && !facts.same && (other->due != DUE_NOT || sa_proof_may_be_lost(other));
    facts.copy = !facts.longer && !facts.same && !facts.busy && sa_file_is_log(other) &&
                 sa_same_bytes(file->fd, other->fd, 0, n) &&
                 sa_same_bytes(file->fd, other->fd, file->size - (int64_t)n, n);
    return facts;
}

/* Judges the file beside the others, until one of them says what it is.  Returns what was done. */
static enum action
judge_beside(struct sa_follower *follower, struct source *source, struct file *file)
{
    enum action action = ACT_NOTHING;

    for (unsigned i = 0; i < source->n_files && action == ACT_NOTHING; i++) {
        struct file *other = source->files[i];
        struct facts facts;

        if (!may_be_made_of(file, other))
            continue;
        facts = compare(file, other);
        action = sa_decide(sa_file_state(file), EVENT_BESIDE, &facts);
        if (action == ACT_DISTRUST) {
            sa_distrust_source(follower, source, other->path);
            sa_judging_view(follower, source, file);
        } else if (action == ACT_HOLD) {
            file->copy_of = other;
        } else if (action == ACT_WAIT_FOR) {
            sa_follow_want_reading(follower, other);
            sa_file_wait_for(source, file, other);
            sa_follow_ask_again(file);
        }
    }
    return action;
}

/*
 * Whether the file holds what was lost from its place.  *ret_ghost: the position behind which it goes on, if
 * it has more than that.
 */
static enum past
find_lost(struct source *source, const struct file *file, struct ghost **ret_ghost)
{
    for (unsigned i = 0; i < source->n_ghosts; i++) {
        struct ghost *ghost = &source->ghosts[i];
        enum match match = !ghost->lost || !sa_family_is(ghost->position.path, file->path)
                               ? MATCH_NONE
                               : sa_position_match(file->fd, &ghost->position);

        if (match != MATCH_SHORT && match != MATCH_SAME)
            continue;
        *ret_ghost = ghost;
        return match == MATCH_SHORT || file->size == ghost->position.offset ? PAST_READ : PAST_SAME;
    }
    return PAST_NONE;
}

/* Its lines are its own: they count. */
static void
count(struct sa_follower *follower, struct source *source, struct file *file)
{
    sa_file_count(file);
    source->rotations++;
    sa_follow_want_reading(follower, file);
}

/* What the position has was counted. */
static void
begin_behind(struct sa_follower *follower, struct source *source, struct file *file, struct ghost *ghost)
{
    file->offset = ghost->position.offset;
    sa_position_load(file);
    sa_position_forget(follower, source, ghost->position.id);
    sa_ghost_remove(source, ghost);
}

static void
judge_alone(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct facts facts = {.lost = sa_file_any_lost(source)};
    struct ghost *ghost = NULL;
    enum action action;

    if (!facts.lost)
        facts.past = find_lost(source, file, &ghost);
    action = sa_decide(sa_file_state(file), EVENT_ALONE, &facts);
    if (action == ACT_ASK_AGAIN) {
        sa_going_on_read_lost(follower, source);
        sa_follow_ask_again(file);
        return;
    }
    if (action == ACT_SKIP) {
        sa_close_file_skip(file);
        return;
    }
    if (action == ACT_RESUME && ghost != NULL)
        begin_behind(follower, source, file, ghost);
    count(follower, source, file);
}

/* A file that may be a copy of another; it is one as long as copy_of is set, and is not read then. */
static void
judge_copy(struct sa_follower *follower, struct source *source, struct file *file)
{
    int64_t end = sa_position_end(file->fd);

    sa_file_begin_judging(file);
    if (end <= 0)
        return; /* its first bytes will tell */
    file->size = end;
    if (sa_family_has_unseen_log(source, file->origin)) {
        source->names_changed = true;
        sa_follow_want_scan(follower);
        sa_follow_ask_again(file);
        return;
    }
    if (judge_beside(follower, source, file) == ACT_NOTHING)
        judge_alone(follower, source, file);
}

void
sa_judging_judge(struct sa_follower *follower, struct source *source, struct file *file)
{
    if (file->disk.by_content)
        sa_judging_view(follower, source, file);
    else
        judge_copy(follower, source, file);
}
