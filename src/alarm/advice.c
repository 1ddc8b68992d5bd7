#include "advice.h"
#include "lang.h"

#include <errno.h>
#include <stddef.h>

/* The first entry of a kind that has the error, or error 0, which stands last. */
static const struct advice {
    enum sa_fault_kind kind;
    int error;
    const char *text;
} advices[] = {
    {SA_FAULT_BLIND, -EACCES,
     N_("Nothing of this source is counted and no alarm of it can clear. User sipalert may not read it: put "
        "it "
        "into the group that may (for logs of Debian: adm), or open the file and the directories on the way. "
        "It "
        "is looked at again by itself.")},
    {SA_FAULT_BLIND, -ENOENT,
     N_("Nothing of this source is counted and no alarm of it can clear. Nothing has this name: see that the "
        "proxy runs and logs, and that the path is right. It is read from its start as soon as it is "
        "there.")},
    {SA_FAULT_BLIND, -EMFILE,
     N_("Not all of this source is counted. The limit of open files is reached: raise LimitNOFILE in a "
        "drop-in of "
        "sipalertd.service, or name fewer files.")},
    {SA_FAULT_BLIND, -EUCLEAN,
     N_("The log shows less than what was read of it, or something old: nothing is counted twice, so it "
        "waits. See "
        "whether the network file system or its server is in trouble; it goes on by itself when new lines "
        "show.")},
    {SA_FAULT_BLIND, -EMEDIUMTYPE,
     N_("Nothing of this source is counted. What has this name is not a file that can be followed (a "
        "directory, a "
        "device, a FIFO): correct the path, or use fifo = for a FIFO.")},
    {SA_FAULT_BLIND, 0,
     N_("Not all of this source is counted, perhaps nothing, and no alarm of it can clear: a file, address, "
        "FIFO, socket or journal is missing, not readable or another's. \"sipalert status\" shows which "
        "and why. It is looked at again by itself.")},
    {SA_FAULT_UNDERCOUNT, 0,
     N_("Log lines were lost: counts and ratios are too low. Raise the rate limit or buffer that the text or "
        "log names: imuxsock, imjournal, RateLimitBurst, net.core.rmem_max, max_connections (TCP senders), "
        "logger_queue_limit (Asterisk), xlog_buf_size (OpenSIPS).")},
    {SA_FAULT_STATE, -ETXTBSY,
     N_("Counting and alarms go on. Another program has the state database open: end the sqlite3 or the "
        "backup that "
        "reads it (fuser names it), and it is saved by itself. A restart before that counts from the last "
        "saved "
        "moment.")},
    {SA_FAULT_STATE, -ENOSPC,
     N_("Counting and alarms go on. The disk below state_dir is full: free space, and the state is saved by "
        "itself. "
        "A restart before that counts from the last saved moment.")},
    {SA_FAULT_STATE, -EFBIG,
     N_("Counting and alarms go on. A limit of the file size is reached: raise LimitFSIZE of "
        "sipalertd.service. A "
        "restart before that counts from the last saved moment.")},
    {SA_FAULT_STATE, -EACCES,
     N_("Counting and alarms go on. User sipalert may not write below state_dir: give it the directory and "
        "its "
        "files. A restart before that counts from the last saved moment.")},
    {SA_FAULT_STATE, -EROFS,
     N_("Counting and alarms go on. The disk below state_dir is read-only: see why (dmesg), and mount it for "
        "writing. A restart before that counts from the last saved moment.")},
    {SA_FAULT_STATE, -EUCLEAN,
     N_("The counters began anew; what was saved is kept beside the new database for a closer look. Check "
        "the disk "
        "and its file system.")},
    {SA_FAULT_STATE, -EBADMSG,
     N_("Counting and alarms go on. What the dropped rows held begins anew; a log whose position was among "
        "them is read from its start and counts again. Let nobody but sipalertd write below state_dir, and "
        "check the disk.")},
    {SA_FAULT_STATE, 0,
     N_("Counting and alarms go on, but the state is not saved: see that the directory of state_dir can be "
        "written. "
        "A restart before that counts from the last saved moment.")},
};

static int
alike(int error)
{
    switch (error) {
    case -EPERM:
        return -EACCES;
    case -ENOTDIR:
        return -ENOENT;
    case -EDQUOT:
        return -ENOSPC;
    case -ENFILE:
        return -EMFILE;
    default:
        return error;
    }
}

const char *
sa_advice(enum sa_fault_kind kind, int error)
{
    const struct advice *advice = advices;

    while (advice->kind != kind || (advice->error != alike(error) && advice->error != 0))
        advice++;
    return advice->text;
}
