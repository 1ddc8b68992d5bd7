/*
 * Files that are known by their content: on network file systems and FUSE, and on a disk whose numbers were
 * caught contradicting the content.  There a descriptor is only a view, and what it shows may be of another
 * file, or old, or less than there is.  What was read of a content is kept as a record: of an open file, or
 * as a position whose file is closed.  Bytes are taken from a view only behind the record that agrees with
 * all that it shows, or from the start if it differs from every record; what shows no more than a record has
 * waits. So nothing counts twice, whatever names and descriptors mean meanwhile.
 */
#include "clock.h"
#include "followed.h"
#include "close_file.h"
#include "files.h"
#include "lang.h"
#include "names.h"
#include "open_file.h"
#include "reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a descriptor shows at the moment. */
struct shown {
    int fd;
    int64_t end;
    char first[FIRST_BYTES];
    size_t first_len;
};

/* Where reading goes on in what is shown. */
struct place {
    struct file *file; /* of the record, if it is open */
    struct ghost *ghost;
    int64_t offset;
    bool all_read; /* a record has all that is shown */
    bool unknown;  /* it could not be compared with each record */
};

static bool
look_at(struct shown *shown, int fd)
{
    ssize_t n;

    shown->fd = fd;
    shown->end = sa_position_end(fd);
    n = sa_position_read(fd, shown->first, sizeof shown->first, 0);
    shown->first_len = n > 0 ? (size_t)n : 0;
    return shown->end >= 0 && n >= 0;
}

static bool
has_record(const struct file *file)
{
    return file->offset > 0 && (file->marker_len > 0 || file->sealed.marker_len > 0);
}

/* Whether the path may be a name of the log's content, or of a copy of it. */
static bool
is_related(const char *record_origin, const char *path, const char *origin)
{
    return strcmp(record_origin, origin) == 0 || sa_family_is(record_origin, path) ||
           sa_family_is(path, record_origin);
}

static enum proof
look_at_file(const struct shown *shown, const struct file *file)
{
    size_t n = shown->first_len < file->head_len ? shown->first_len : file->head_len;

    if (file->sealed.marker_len == 0 && memcmp(shown->first, file->head, n) != 0)
        return PROOF_GONE;
    return sa_proof_look(shown->fd, file);
}

static enum proof
look_at_position(const struct shown *shown, const struct sa_position *position)
{
    size_t n = sa_position_first_len(position->head_len);

    if (position->first_hash != 0 && n <= shown->first_len &&
        sa_position_hash(shown->first, n) != position->first_hash)
        return PROOF_GONE;
    return sa_proof_of_position(shown->fd, position);
}

/* Whether the record is a better place than the one that was found before. */
static bool
weigh(struct place *place, const struct shown *shown, enum proof proof, int64_t offset)
{
    place->unknown = place->unknown || proof == PROOF_UNREADABLE;
    place->all_read =
        place->all_read || proof == PROOF_SHORT || (proof == PROOF_KEPT && shown->end <= offset);
    if (proof != PROOF_KEPT || offset <= place->offset)
        return false;
    place->offset = offset;
    return true;
}

/* The place among the records of the source.  A file of which nothing was taken has none. */
static struct place
find_place(struct source *source, const struct shown *shown, const char *path, const char *origin)
{
    struct place place = {0};

    for (unsigned i = 0; i < source->n_files; i++) {
        struct file *file = source->files[i];
        bool related = is_related(file->origin, path, origin);
        enum proof proof;

        if (!has_record(file) || (!related && file->seen))
            continue;
        proof = look_at_file(shown, file);
        if ((related || proof == PROOF_KEPT) && weigh(&place, shown, proof, file->offset))
            place.file = file;
    }
    for (unsigned i = 0; i < source->n_ghosts; i++) {
        struct ghost *ghost = &source->ghosts[i];

        if (ghost->position.offset > 0 && is_related(ghost->position.path, path, origin) &&
            weigh(&place, shown, look_at_position(shown, &ghost->position), ghost->position.offset)) {
            place.ghost = ghost;
            place.file = NULL;
        }
    }
    return place;
}

/* Whether all that the file's own descriptor shows was read. */
static bool
is_at_end(const struct file *file)
{
    return !file->pending && sa_position_end(file->fd) <= file->offset;
}

bool
sa_views_is_new(struct source *source, int fd, const char *path, const char *origin)
{
    struct shown shown;
    struct place place;

    if (!look_at(&shown, fd) || shown.end == 0)
        return false;
    place = find_place(source, &shown, path, origin);
    return !place.all_read && !place.unknown && (place.file == NULL || is_at_end(place.file));
}

enum return_
sa_views_came_back(struct source *source, const struct file *file)
{
    char bytes[MARKER_BYTES];
    struct shown shown;
    struct place place;
    size_t len;

    if (!look_at(&shown, file->fd) || shown.end == 0)
        return RETURN_NO;
    place = find_place(source, &shown, file->path, file->origin);
    len = place.offset < MARKER_BYTES ? (size_t)place.offset : MARKER_BYTES;
    if (sa_position_read(file->fd, bytes, len, place.offset - (int64_t)len) == (ssize_t)len &&
        sa_proof_has_line(bytes, len))
        return RETURN_WHOLE;
    return place.all_read && place.offset == 0 ? RETURN_PART : RETURN_NO;
}

struct file *
sa_views_file(struct source *source, int fd, const char *path, const char *origin)
{
    struct shown shown;

    return look_at(&shown, fd) ? find_place(source, &shown, path, origin).file : NULL;
}

/* Whether the name, shown, leads to what the file showed, of which nothing was taken. */
static bool
keeps_unread(const struct file *file, const struct shown *shown, bool *ret_take)
{
    struct shown own;
    size_t n;

    *ret_take = !look_at(&own, file->fd) || (own.end == 0 && shown->end > 0);
    n = own.first_len < shown->first_len ? own.first_len : shown->first_len;
    return *ret_take || memcmp(own.first, shown->first, n) == 0;
}

static bool
keeps_read(const struct file *file, const struct shown *shown, bool *ret_take)
{
    enum proof named = look_at_file(shown, file), own = sa_proof_look(file->fd, file);

    *ret_take = named == PROOF_KEPT && own != PROOF_KEPT;
    return named != PROOF_GONE || own == PROOF_GONE;
}

bool
sa_views_leads_to(const struct file *file, const char *path, int *ret_fd)
{
    int fd = file->inflater == NULL ? sa_disk_open(path) : -1;
    bool keeps = true, take = false;
    struct shown shown;

    *ret_fd = -1;
    if (fd == -1)
        return true;
    if (look_at(&shown, fd))
        keeps = has_record(file) ? keeps_read(file, &shown, &take) : keeps_unread(file, &shown, &take);
    if (keeps && take)
        *ret_fd = fd;
    else
        (void)close(fd);
    return keeps;
}

static void
close_view(struct sa_follower *follower, struct source *source, const struct file *file)
{
    unsigned i = 0;

    while (source->files[i] != file)
        i++;
    source->files[i]->discarded = true;
    sa_follow_close_file(follower, source, i);
}

/* The file is another view of one that has lost its name, or has the same: that one goes on with it. */
static void
merge(struct sa_follower *follower, struct source *source, struct file *file, struct file *into,
      const struct shown *shown)
{
    if (sa_proof_look(into->fd, into) != PROOF_KEPT || sa_position_end(into->fd) < shown->end)
        sa_follow_take_descriptor(follower, source, into, file->fd);
    if (file->gone_ms == 0)
        sa_follow_give_name(source, into, file->path);
    sa_follow_want_reading(follower, into);
    close_view(follower, source, file);
}

static void
forget_content(struct file *file)
{
    file->offset = 0;
    file->head_len = 0;
    file->marker_len = 0;
    file->resume = 0;
    file->resume_marker_len = 0;
    file->sealed.marker_len = 0;
    file->late_until = 0;
    file->may_be_copy = true;
    file->changed = true;
    sa_proof_forget(file);
}

/* The other, which shows no more, becomes the copy. */
static void
take_over(struct sa_follower *follower, struct source *source, struct file *file, struct file *other)
{
    sa_copies_take_over(file, other);
    file->may_be_copy = file->parted = false;
    forget_content(other);
    other->copy_of = file;
    sa_follow_want_reading(follower, file);
    sa_follow_note(follower, source, "going on with %s in %s", other->path, file->path);
}

/* Goes on with the stream of an earlier life, or behind what was read in this one. */
static void
resume(struct sa_follower *follower, struct source *source, struct file *file, struct ghost *ghost)
{
    struct sa_position had = ghost->position;
    char *origin = strdup(had.path);
    void *stream =
        had.open && origin != NULL
            ? follower->events->opened(follower->arg, (unsigned)(source - follower->sources), had.id, true)
            : NULL;

    if (stream != NULL) {
        follower->events->closed(follower->arg, file->stream);
        file->stream = stream;
        file->id = had.id;
        free(file->origin);
        file->origin = origin;
        source->rotations += strcmp(origin, file->path) != 0;
    } else {
        free(origin);
        sa_position_forget(follower, had.id);
    }
    file->offset = had.offset;
    file->may_be_copy = file->parted = false;
    sa_position_load(file);
    if (file->marker_len < (size_t)had.marker_len)
        sa_proof_seal(file, &had);
    sa_ghost_remove(source, ghost);
    sa_follow_want_reading(follower, file);
}

/*
 * The log's content began anew, in place or in another file.  Its first bytes are taken at once, so that
 * another view of it finds a record.
 */
static void
begin(struct sa_follower *follower, struct source *source, struct file *file)
{
    bool replaces = !file->seen;

    for (unsigned i = 0; i < source->n_files && !replaces; i++)
        replaces = source->files[i] != file && !source->files[i]->seen &&
                   strcmp(source->files[i]->path, file->path) == 0;
    sa_reading_take(follower, source, file);
    if (file->offset == 0)
        return;
    if (file->parted)
        source->truncations++;
    else if (replaces)
        source->rotations++;
    file->may_be_copy = file->parted = false;
    sa_follow_want_reading(follower, file);
}

/* Says so if it cannot; the poll tries again. */
static bool
can_be_read(struct sa_follower *follower, struct source *source, struct file *file, struct shown *shown)
{
    bool readable = look_at(shown, file->fd);
    int error = readable ? 0 : errno == 0 ? -EIO : -errno;

    if (error != file->error) {
        file->error = error;
        sa_follow_judge(follower, source);
    }
    return readable;
}

void
sa_views_judge(struct sa_follower *follower, struct source *source, struct file *file)
{
    struct shown shown;
    struct place place;

    file->pending = false;
    file->copy_of = NULL;
    file->before = NULL;
    if (!can_be_read(follower, source, file, &shown) || shown.end == 0)
        return; /* its first bytes will tell */
    file->size = shown.end;
    place = find_place(source, &shown, file->path, file->origin);
    if (place.unknown)
        return;
    file->copy_of = place.file;
    if (place.file != NULL && place.file->inflater == NULL &&
        (!place.file->seen || strcmp(place.file->path, file->path) == 0))
        merge(follower, source, file, place.file, &shown);
    else if (place.all_read && (place.ghost == NULL || place.file != NULL || place.offset != shown.end))
        return;
    else if (place.file == NULL && place.ghost != NULL)
        resume(follower, source, file, place.ghost);
    else if (place.file == NULL)
        begin(follower, source, file);
    else if (place.file->inflater == NULL && is_at_end(place.file))
        take_over(follower, source, file, place.file);
}

void
sa_views_part(struct sa_follower *follower, struct source *source, struct file *file)
{
    sa_ghost_keep(follower, source, file);
    follower->events->truncated(follower->arg, file->stream);
    forget_content(file);
    file->parted = true;
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->copy_of == file) {
            source->files[i]->copy_of = NULL;
            sa_follow_want_reading(follower, source->files[i]);
        }
    sa_follow_want_reading(follower, file);
}

void
sa_views_distrust(struct sa_follower *follower, struct source *source, const char *path)
{
    if (source->distrusted_ms != 0)
        return;
    source->distrusted_ms = sa_clock_now().wall_ms;
    for (unsigned i = 0; i < source->n_files; i++) {
        struct file *file = source->files[i];

        if (file->inflater != NULL || file->disk.by_content)
            continue;
        sa_index_remove(source, file);
        file->disk = sa_disk_distrusted();
        file->may_be_copy = file->offset == 0;
        sa_index_add(source, file);
    }
    sa_follow_note(follower, source,
                   "the file system cannot be relied on, files are known by their content from now on: %s",
                   path);
    sa_follow_judge(follower, source);
    sa_follow_want_scan(follower);
}
