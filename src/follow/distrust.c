#include "distrust.h"
#include "clock.h"
#include "files.h"
#include "index.h"
#include "source_state.h"
#include "wakes.h"

void
sa_distrust_source(struct sa_follower *follower, struct source *source, const char *path)
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
        if (file->offset == 0)
            sa_file_unjudge(file);
        else
            sa_file_count(file);
        sa_index_add(source, file);
    }
    sa_follow_note(follower, source,
                   "the file system cannot be relied on, files are known by their content from now on: %s",
                   path);
    sa_source_state_tell(follower, source);
    sa_follow_want_scan(follower);
}
