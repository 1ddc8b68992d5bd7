/*
 * inotify behind two questions: which directories changed, and which open files grew.  When the kernel
 * refuses watches (limits) the follower's poll goes on alone, and watcher_text() says why.
 */
#ifndef SA_WATCHER_H
#define SA_WATCHER_H

#include "loop.h"

struct sa_watcher;

struct sa_watcher_events {
    void (*grew)(void *arg, int watch); /* the file with this watch was written, moved or changed */
    void (*rescan)(void *arg);          /* names appeared, moved or vanished, or events were lost */
};

/* Never NULL for want of inotify; NULL: out of memory. */
struct sa_watcher *sa_watcher_new(struct sa_loop *loop, const struct sa_watcher_events *events, void *arg);
struct sa_watcher *sa_watcher_free(struct sa_watcher *watcher);

/* Watches an open file by its descriptor, whatever its name is by now; -1: only the poll will see it. */
int sa_watcher_add_file(struct sa_watcher *watcher, int fd);

/* One file less uses this watch. */
void sa_watcher_remove_file(struct sa_watcher *watcher, int watch);

/* Watches a directory for names that come and go; adding it again is harmless. */
void sa_watcher_add_directory(struct sa_watcher *watcher, const char *path);

/* NULL while inotify works, otherwise why the source is polled. */
const char *sa_watcher_text(const struct sa_watcher *watcher);

#endif
