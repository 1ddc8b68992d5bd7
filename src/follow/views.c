/*
 * Files that are known by their content: on network file systems and FUSE, and on a disk whose numbers were
 * caught contradicting the content.  There a descriptor is only a view, and what it shows may be of another
 * file, or old, or less than there is.  What was read of a content is kept as a record: of an open file, or
 * as a position whose file is closed.  Bytes are taken from a view only behind the record that agrees with
 * all that it shows, or from the start if it differs from every record; what shows no more than a record has
 * waits. So nothing counts twice, whatever names and descriptors mean meanwhile.
 */
#include "views.h"
#include "answers.h"
#include "family_name.h"
#include "positions.h"
#include "proof.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
sa_views_look(struct shown *shown, int fd)
{
    ssize_t n;

    shown->fd = fd;
    shown->end = sa_position_end(fd);
    n = sa_disk_read_whole(fd, shown->first, sizeof shown->first, 0);
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

/* What the record says of the view: perhaps that it has no more, or that nobody can tell. */
static void
note(struct place *place, const struct shown *shown, enum proof proof, int64_t offset)
{
    place->unknown = place->unknown || proof == PROOF_UNREADABLE;
    place->all_read =
        place->all_read || proof == PROOF_SHORT || (proof == PROOF_KEPT && shown->end <= offset);
}

/* Whether the record is a better place than the one that was found before. */
static bool
is_further(const struct place *place, enum proof proof, int64_t offset)
{
    return proof == PROOF_KEPT && offset > place->offset;
}

/* A file of which nothing was taken has no record. */
static void
find_among_files(struct place *place, const struct source *source, const struct shown *shown,
                 const char *path, const char *origin)
{
    for (unsigned i = 0; i < source->n_files; i++) {
        struct file *file = source->files[i];
        bool related = is_related(file->origin, path, origin);
        enum proof proof;

        if (!has_record(file) || (!related && file->seen))
            continue;
        proof = look_at_file(shown, file);
        if (!related && proof != PROOF_KEPT)
            continue;
        note(place, shown, proof, file->offset);
        if (!is_further(place, proof, file->offset))
            continue;
        place->file = file;
        place->offset = file->offset;
    }
}

static void
find_among_ghosts(struct place *place, const struct source *source, const struct shown *shown,
                  const char *path, const char *origin)
{
    for (unsigned i = 0; i < source->n_ghosts; i++) {
        struct ghost *ghost = &source->ghosts[i];
        enum proof proof;

        if (ghost->position.offset <= 0 || !is_related(ghost->position.path, path, origin))
            continue;
        proof = look_at_position(shown, &ghost->position);
        note(place, shown, proof, ghost->position.offset);
        if (!is_further(place, proof, ghost->position.offset))
            continue;
        place->ghost = ghost;
        place->file = NULL;
        place->offset = ghost->position.offset;
    }
}

struct place
sa_views_find(const struct source *source, const struct shown *shown, const char *path, const char *origin)
{
    struct place place = {0};

    find_among_files(&place, source, shown, path, origin);
    find_among_ghosts(&place, source, shown, path, origin);
    return place;
}

/* Whether all that the file's own descriptor shows was read. */
bool
sa_views_is_at_end(const struct file *file)
{
    return file->due == DUE_NOT && sa_position_end(file->fd) <= file->offset;
}

bool
sa_views_is_new(const struct source *source, int fd, const char *path, const char *origin)
{
    struct shown shown;
    struct place place;

    if (!sa_views_look(&shown, fd) || shown.end == 0)
        return false;
    place = sa_views_find(source, &shown, path, origin);
    return !place.all_read && !place.unknown && (place.file == NULL || sa_views_is_at_end(place.file));
}

enum return_
sa_views_came_back(const struct source *source, const struct file *file)
{
    char bytes[MARKER_BYTES];
    struct shown shown;
    struct place place;
    size_t len;

    if (!sa_views_look(&shown, file->fd) || shown.end == 0)
        return RETURN_NO;
    place = sa_views_find(source, &shown, file->path, file->origin);
    len = place.offset < MARKER_BYTES ? (size_t)place.offset : MARKER_BYTES;
    if (sa_disk_read_whole(file->fd, bytes, len, place.offset - (int64_t)len) == (ssize_t)len &&
        sa_proof_has_line(bytes, len))
        return RETURN_WHOLE;
    return place.all_read && place.offset == 0 ? RETURN_PART : RETURN_NO;
}

struct file *
sa_views_file(const struct source *source, int fd, const char *path, const char *origin)
{
    struct shown shown;

    return sa_views_look(&shown, fd) ? sa_views_find(source, &shown, path, origin).file : NULL;
}

/* Whether the name, shown, leads to what the file showed, of which nothing was taken. */
static bool
keeps_unread(const struct file *file, const struct shown *shown, bool *ret_take)
{
    struct shown own;
    size_t n;

    *ret_take = !sa_views_look(&own, file->fd) || (own.end == 0 && shown->end > 0);
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
    if (sa_views_look(&shown, fd))
        keeps = has_record(file) ? keeps_read(file, &shown, &take) : keeps_unread(file, &shown, &take);
    if (keeps && take)
        *ret_fd = fd;
    else
        (void)close(fd);
    return keeps;
}
