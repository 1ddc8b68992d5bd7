#include "condition.h"

#include <errno.h>
#include <string.h>

int
sa_intake_refuse(const char **ret_why, int error, const char *why)
{
    *ret_why = why;
    return error;
}

static enum sa_source_state
state_of(int error)
{
    if (error == 0)
        return SA_SOURCE_FOLLOWING;
    return error == -EACCES || error == -EPERM ? SA_SOURCE_DENIED : SA_SOURCE_FAILED;
}

void
sa_intake_tell(const struct sa_intake_host *host, int error, const char *why)
{
    host->events->state(host->arg, state_of(error), error == 0 ? "" : why != NULL ? why : strerror(-error));
}
