#include "unreadable.h"
#include "commands.h"
#include "lang.h"

#include <errno.h>
#include <string.h>

static const char *
why(int error)
{
    switch (error) {
    case -ENODATA:
        return _("cut off; counted up to there");
    case -EBADMSG:
        return _("damaged; counted up to there");
    case -EOVERFLOW:
        return _("needs a window of more than 128 MiB to be unpacked");
    case -ENOTSUP:
        return _("cannot be read as a log");
    case -EILSEQ:
        return _("binary data and no log; nothing was counted");
    default:
        return strerror(-error);
    }
}

int
sa_unreadable(const char *command, const char *path, const char *packing, int error)
{
    if (packing == NULL || strcmp(packing, "plain") == 0)
        return sa_failure(command, "%s: %s", path, why(error));
    return sa_failure(command, "%s: %s: %s", path, packing, why(error));
}
