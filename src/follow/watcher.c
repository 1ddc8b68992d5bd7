#include "watcher.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#define FILE_EVENTS (IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVE_SELF | IN_DELETE_SELF)
#define DIRECTORY_EVENTS                                                                                     \
    (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF |       \
     IN_ONLYDIR)
#define NAME_EVENTS                                                                                          \
    (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB)

struct sa_watcher {
    int fd;
    struct sa_watch *readable;
    const struct sa_watcher_events *events;
    void *arg;
    const char *text;
};

static void
refused(struct sa_watcher *watcher, int error)
{
    if (error == ENOSPC)
        watcher->text = "polling: inotify watch limit reached";
    else if (error == EMFILE || error == ENFILE)
        watcher->text = "polling: inotify instance limit reached";
    else if (error != ENOENT && error != EACCES && error != ENOTDIR)
        watcher->text = "polling: inotify is not available";
}

static void
on_readable(void *arg)
{
    struct sa_watcher *watcher = arg;
    char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t len;
    bool rescan = false;

    while ((len = read(watcher->fd, buffer, sizeof buffer)) > 0)
        for (ssize_t at = 0; at < len;) {
            const struct inotify_event *event = (const void *)(buffer + at);

            at += (ssize_t)sizeof *event + event->len;
            if (event->mask & (IN_Q_OVERFLOW | NAME_EVENTS))
                rescan = true;
            if (event->wd >= 0)
                watcher->events->grew(watcher->arg, event->wd);
        }
    if (rescan)
        watcher->events->rescan(watcher->arg);
}

struct sa_watcher *
sa_watcher_new(struct sa_loop *loop, const struct sa_watcher_events *events, void *arg)
{
    struct sa_watcher *watcher = calloc(1, sizeof *watcher);

    if (watcher == NULL)
        return NULL;
    watcher->events = events;
    watcher->arg = arg;
    watcher->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watcher->fd == -1) {
        refused(watcher, errno);
        return watcher;
    }
    watcher->readable = sa_loop_readable(loop, watcher->fd, on_readable, watcher);
    return watcher->readable == NULL ? sa_watcher_free(watcher) : watcher;
}

struct sa_watcher *
sa_watcher_free(struct sa_watcher *watcher)
{
    if (watcher == NULL)
        return NULL;
    (void)sa_watch_free(watcher->readable);
    if (watcher->fd != -1)
        (void)close(watcher->fd);
    free(watcher);
    return NULL;
}

int
sa_watcher_add_file(struct sa_watcher *watcher, int fd)
{
    char path[64];
    int watch;

    if (watcher->fd == -1)
        return -1;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    watch = inotify_add_watch(watcher->fd, path, FILE_EVENTS);
    if (watch == -1)
        refused(watcher, errno);
    return watch;
}

void
sa_watcher_remove_file(struct sa_watcher *watcher, int watch)
{
    if (watcher->fd != -1 && watch != -1)
        (void)inotify_rm_watch(watcher->fd, watch);
}

void
sa_watcher_add_directory(struct sa_watcher *watcher, const char *path)
{
    if (watcher->fd != -1 && inotify_add_watch(watcher->fd, path, DIRECTORY_EVENTS) == -1)
        refused(watcher, errno);
}

const char *
sa_watcher_text(const struct sa_watcher *watcher)
{
    return watcher->text;
}
