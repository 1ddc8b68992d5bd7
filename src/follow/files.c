#include "files.h"
#include "family_name.h"
#include "proof.h"
#include "wakes.h"

#include <string.h>

enum file_state
sa_file_state(const struct file *file)
{
    if (file->inflater != NULL)
        return FILE_PACKED;
    if (sa_file_is_unjudged(file))
        return FILE_UNJUDGED;
    if (file->doubt_ms != 0)
        return FILE_DOUBTED;
    if (file->sealed.marker_len > 0)
        return FILE_SEALED;
    return file->emptied ? FILE_EMPTIED : FILE_READ;
}

bool
sa_file_is_unjudged(const struct file *file)
{
    return file->judged != JUDGED;
}

void
sa_file_count(struct file *file)
{
    file->judged = JUDGED;
}

void
sa_file_unjudge(struct file *file)
{
    file->judged = UNJUDGED;
}

void
sa_file_part(struct file *file)
{
    sa_file_forget_content(file);
    file->judged = UNJUDGED_PARTED;
}

void
sa_file_begin_judging(struct file *file)
{
    file->copy_of = NULL;
    file->before = NULL;
    sa_follow_rest(file);
}

void
sa_file_forget_content(struct file *file)
{
    file->offset = 0;
    file->head_len = 0;
    file->marker_len = 0;
    file->resume = 0;
    file->resume_marker_len = 0;
    file->sealed.marker_len = 0;
    file->late_until = 0;
    file->changed = true;
    sa_proof_forget(file);
}

bool
sa_file_is_trusted(const struct file *file)
{
    return file->doubt_ms == 0 && file->sealed.marker_len == 0;
}

bool
sa_file_has_family(const struct source *source, const struct file *file)
{
    if (source->wide)
        return false;
    if (sa_family_is(file->origin, file->path)) /* of a log whose own file this scan may not have met yet */
        return true;
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i] != file && sa_family_is(source->files[i]->path, file->path))
            return true;
    return false;
}

bool
sa_file_is_log(const struct file *file)
{
    return file->gone_ms == 0 && strcmp(file->path, file->origin) == 0;
}

struct file *
sa_file_find_named(const struct source *source, const char *path)
{
    struct file *found = NULL;

    for (unsigned i = 0; i < source->n_files && source->n_by_content > 0; i++) {
        struct file *file = source->files[i];

        if (file->disk.by_content && file->inflater == NULL && strcmp(file->path, path) == 0 &&
            (found == NULL || file->gone_ms == 0))
            found = file;
    }
    return found;
}

void
sa_file_wait_for(struct source *source, struct file *file, struct file *before)
{
    struct file *link = before;

    file->before = NULL;
    for (unsigned i = 0; i < source->n_files && link != NULL; i++) {
        struct file *next = link->before;

        if (next == file)
            link->before = NULL;
        link = next;
    }
    if (before != NULL && before != file)
        file->before = before;
}

bool
sa_file_may_be_lost(const struct file *file)
{
    return file->inflater == NULL && !sa_file_is_unjudged(file) && !file->disk.by_content &&
           sa_proof_may_be_lost(file);
}

bool
sa_file_any_lost(const struct source *source)
{
    for (unsigned i = 0; i < source->n_files; i++)
        if (sa_file_may_be_lost(source->files[i]))
            return true;
    return false;
}
