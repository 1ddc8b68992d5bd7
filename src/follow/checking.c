#include "checking.h"
#include "answers.h"
#include "clock.h"
#include "decide.h"
#include "distrust.h"
#include "files.h"
#include "going_on.h"
#include "positions.h"
#include "proof.h"
#include "source_state.h"
#include "wakes.h"

#include <errno.h>
#include <unistd.h>

/* Whether the file's name leads to a file of another number with the same content: no disk has that. */
static bool
is_elsewhere(const struct file *file)
{
    int fd = sa_disk_open(file->path);
    struct stat status;
    bool elsewhere = fd != -1 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                     (status.st_ino != file->ino || status.st_dev != file->dev) && status.st_size > 0 &&
                     sa_same_beginning(fd, file->fd);

    if (fd != -1)
        (void)close(fd);
    return elsewhere;
}

static void
step_back(struct sa_follower *follower, struct source *source, struct file *file, int64_t end)
{
    sa_proof_step_back(file, end);
    source->truncations++;
    follower->events->truncated(follower->arg, file->stream);
    sa_follow_want_reading(follower, file);
}

/* From the start, then, after what a copy may hold of it. */
static void
begin_anew(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct facts facts = {.expected = true};
    int64_t id = file->id;

    source->truncations++;
    sa_going_on_rest(follower, source, file);
    if (file->id == id)
        follower->events->truncated(follower->arg, file->stream);
    file->emptied = sa_position_end(file->fd) == 0;
    sa_file_forget_content(file);
    facts.beside = sa_file_has_family(source, file);
    if (sa_decide(sa_file_state(file), EVENT_PLACED, &facts) == ACT_JUDGE) {
        sa_file_unjudge(file); /* perhaps a copy was written over an old generation */
        file->born_ns = INT64_MAX;
    }
    sa_follow_want_reading(follower, file);
}

/* What was taken is not there any more. */
static void
lose(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct facts facts = {.by_content = file->disk.by_content};
    int64_t end;

    follower->took_some = true;
    facts.elsewhere = !facts.by_content && is_elsewhere(file);
    if (sa_decide(sa_file_state(file), EVENT_LOST, &facts) == ACT_DISTRUST)
        sa_distrust_source(follower, source, file->path);
    facts.by_content = file->disk.by_content;
    end = sa_proof_common_end(file);
    facts.lines_left = end != 0;
    switch (sa_decide(sa_file_state(file), EVENT_LOST, &facts)) {
    case ACT_STEP_BACK:
        step_back(follower, source, file, end);
        break;
    case ACT_PART:
        sa_going_on_part(follower, source, file);
        break;
    default:
        begin_anew(follower, source, file);
    }
}

/* The doubt began or is over: the source's text says so, and the disk may be caught. */
static void
change_doubt(struct sa_follower *follower, struct source *source, struct file *file, int64_t doubt_ms)
{
    struct facts facts = {.by_content = file->disk.by_content};

    file->doubt_ms = doubt_ms;
    facts.line = doubt_ms == 0 && sa_proof_has_line(file->marker, file->marker_len);
    facts.ends_early = !facts.by_content && !facts.line && sa_disk_ends_early(file->fd);
    if (sa_decide(sa_file_state(file), EVENT_DOUBT, &facts) == ACT_DISTRUST)
        sa_distrust_source(follower, source, file->path);
    sa_source_state_tell(follower, source);
}

void
sa_checking_compare(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct facts facts = {.proof = sa_proof_look(file->fd, file)};
    int64_t now_ms = sa_clock_now().mono_ms;

    if (facts.proof == PROOF_KEPT)
        sa_proof_unseal(file);
    facts.believed = facts.proof == PROOF_SHORT && sa_proof_is_believed(file, now_ms);
    switch (sa_decide(sa_file_state(file), EVENT_COMPARED, &facts)) {
    case ACT_DOUBT:
        change_doubt(follower, source, file, now_ms);
        break;
    case ACT_TRUST:
        change_doubt(follower, source, file, 0);
        break;
    case ACT_LOSE:
        file->doubt_ms = 0;
        file->believed_until = 0;
        lose(follower, source, file);
        break;
    case ACT_BELIEVE: /* the same bytes a second time would be no truncation but a fault */
        file->doubt_ms = 0;
        file->believed_until = file->offset;
        lose(follower, source, file);
        break;
    default:
        break;
    }
}

/* What a look at the number and the size says; the bytes are read only where the size is below them. */
static struct facts
look_at_size(const struct file *file, const struct stat *status)
{
    struct facts facts = {
        .by_content = file->disk.by_content,
        .moved = status->st_ino != file->ino || status->st_dev != file->dev,
        .less = status->st_size < file->offset,
    };

    facts.same = facts.less && !facts.moved && !facts.by_content && !sa_file_is_unjudged(file) &&
                 sa_proof_same(file->fd, file);
    return facts;
}

void
sa_checking_size(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct stat status;
    struct facts facts;
    enum action action;

    if (file->inflater != NULL)
        return;
    if (fstat(file->fd, &status) == -1) {
        if (sa_disk_is_ill(-errno))
            sa_distrust_source(follower, source, file->path);
        return;
    }
    file->size = status.st_size;
    facts = look_at_size(file, &status);
    action = sa_decide(sa_file_state(file), EVENT_SIZE, &facts);
    if (action == ACT_DISTRUST) {
        sa_distrust_source(follower, source, file->path);
        facts.by_content = true;
        action = sa_decide(sa_file_state(file), EVENT_SIZE, &facts);
    }
    if (action == ACT_CHECK)
        sa_checking_compare(follower, source, file);
    facts = (struct facts){.differs = file->size != file->offset, .polled = file->disk.polled != NULL};
    if (sa_decide(sa_file_state(file), EVENT_GREW, &facts) == ACT_READ)
        sa_follow_want_reading(follower, file);
}
