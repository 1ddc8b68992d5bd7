#include "files.h"

enum file_state
sa_file_state(const struct file *file)
{
    if (file->inflater != NULL)
        return FILE_PACKED;
    if (file->may_be_copy)
        return FILE_UNJUDGED;
    if (file->doubt_ms != 0)
        return FILE_DOUBTED;
    if (file->sealed.marker_len > 0)
        return FILE_SEALED;
    return file->emptied ? FILE_EMPTIED : FILE_READ;
}

bool
sa_file_is_trusted(const struct file *file)
{
    return file->doubt_ms == 0 && file->sealed.marker_len == 0;
}
