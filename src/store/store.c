#include "store.h"
#include "clock.h"
#include "database.h"
#include "mailbox.h"
#include "tables.h"
#include "text.h"
#include "thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_FILE   "state.db"
#define DAMAGED      ".damaged-"
#define DAMAGED_KEPT 3

struct order {
    struct sa_batch batch;
    bool whole;
};

struct sa_store {
    char *directory;
    char path[PATH_MAX];
    int lock_fd;
    enum sa_store_privacy privacy; /* of the directory, as it was found */
    mode_t mode;
    struct sa_database *database; /* of the thread, once it runs */
    bool read_only;               /* it was opened to be loaded, not to be written */
    bool adopted;                 /* what is in the file was loaded: it may be replaced */
    struct sa_mailbox *orders, *outcomes;
    pthread_t thread;
    bool running, busy;
    atomic_bool stop;
};

/*
 * The directory is for the daemon alone: who can read it reads who called whom, and who can open the lock can
 * hold it.  One that is more open is closed, if it is ours.
 */
static int
close_to_others(struct sa_store *store)
{
    int fd = open(store->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat status;
    int r = 0;

    if (fd == -1)
        return errno == EACCES ? 0 : -errno; /* what may be entered and not listed will do */
    if (fstat(fd, &status) == -1)
        r = -errno;
    store->mode = r < 0 ? 0 : status.st_mode & 07777;
    store->privacy = (store->mode & 077) == 0                                             ? SA_STORE_PRIVATE
                     : status.st_uid == geteuid() && fchmod(fd, store->mode & 07700) == 0 ? SA_STORE_CLOSED
                                                                                          : SA_STORE_OPEN;
    (void)close(fd);
    return r;
}

/* Returns 0, -EBUSY, or why the directory cannot be used. */
static int
lock_directory(struct sa_store *store)
{
    char path[PATH_MAX];
    int r;

    if (mkdir(store->directory, 0700) == -1 && errno != EEXIST)
        return -errno;
    r = close_to_others(store);
    if (r < 0)
        return r;
    if (snprintf(path, sizeof path, "%s/lock", store->directory) >= (int)sizeof path)
        return -ENAMETOOLONG;
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->lock_fd == -1 && errno == EROFS)
        store->lock_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (store->lock_fd == -1)
        return -errno;
    (void)fchmod(store->lock_fd, 0600); /* an earlier version let the group open it */
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    r = errno == EWOULDBLOCK ? -EBUSY : -errno;
    (void)close(store->lock_fd);
    store->lock_fd = -1;
    return r;
}

static int
newest_first(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name);
}

/* Of what was set aside the latest are kept: a disk that damages each one must not fill up with them. */
static void
forget_damaged(const struct sa_store *store)
{
    struct dirent **names;
    int n = scandir(store->directory, &names, NULL, newest_first), kept = 0;

    for (int i = 0; i < n; i++) {
        const char *name = names[i]->d_name;
        char path[PATH_MAX];

        /* In this order the parts of one database come before it: "…Z-wal", "…Z-shm", "…Z". */
        if (strncmp(name, STATE_FILE DAMAGED, strlen(STATE_FILE DAMAGED)) == 0 &&
            snprintf(path, sizeof path, "%s/%s", store->directory, name) < (int)sizeof path) {
            if (kept >= DAMAGED_KEPT)
                (void)unlink(path);
            kept += name[strlen(name) - 1] == 'Z';
        }
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

/* Moves the database out of the way under a name that tells when. */
static int
set_aside(struct sa_store *store, char text[SA_STORE_TEXT])
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    char stamp[SA_TIME_TEXT_SIZE], from[PATH_MAX + 8], to[PATH_MAX + 64];
    int r = 0;

    sa_text_time(stamp, sa_clock_now().wall_ms);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        (void)snprintf(from, sizeof from, "%s%s", store->path, parts[i]);
        (void)snprintf(to, sizeof to, "%s" DAMAGED "%s%s", store->path, stamp, parts[i]);
        if (rename(from, to) == -1 && errno != ENOENT)
            r = -errno;
    }
    forget_damaged(store);
    (void)sa_text_format(text, SA_STORE_TEXT, "set aside as %s" DAMAGED "%s", store->path, stamp);
    return r;
}

/* Opens the database; one that is damaged gives way to a new one. */
static int
open_database(struct sa_store *store, enum sa_store_found *ret_found, char text[SA_STORE_TEXT])
{
    char why[SA_DATABASE_TEXT];
    int r = sa_database_open(store->path, SA_DATABASE_WRITE, &store->database, why);

    if (r == -EUCLEAN) {
        r = set_aside(store, text);
        if (r == 0)
            r = sa_database_open(store->path, SA_DATABASE_WRITE, &store->database, why);
        *ret_found = SA_STORE_DAMAGED;
    } else if (r == 0) {
        *ret_found = sa_database_empty(store->database) ? SA_STORE_NEW : SA_STORE_KEPT;
    }
    if (r < 0)
        (void)sa_text_format(text, SA_STORE_TEXT, "%s: %s", store->path, why);
    return r;
}

/* The state of an earlier life, where it can be read and not be written. */
static bool
open_to_read(struct sa_store *store)
{
    static const enum sa_database_mode modes[] = {SA_DATABASE_SHARED, SA_DATABASE_AS_IS};
    char ignored[SA_DATABASE_TEXT];

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (sa_database_open(store->path, modes[i], &store->database, ignored) == 0 &&
            !sa_database_empty(store->database))
            return true;
        store->database = sa_database_close(store->database);
    }
    return false;
}

int
sa_store_open(const char *directory, struct sa_store **ret_store, enum sa_store_found *ret_found,
              char text[SA_STORE_TEXT])
{
    struct sa_store *store = calloc(1, sizeof *store);
    int r;

    text[0] = '\0';
    if (store == NULL)
        return -ENOMEM;
    store->lock_fd = -1;
    store->directory = strdup(directory);
    store->orders = sa_mailbox_new(sizeof(struct order), 1);
    store->outcomes = sa_mailbox_new(sizeof(struct sa_store_outcome), 1);
    if (store->directory == NULL || store->orders == NULL || store->outcomes == NULL) {
        r = errno == EMFILE || errno == ENFILE ? -errno : -ENOMEM;
        (void)sa_store_close(store, 0);
        return r;
    }
    (void)snprintf(store->path, sizeof store->path, "%s/" STATE_FILE, directory);
    r = lock_directory(store);
    if (r < 0)
        (void)sa_text_format(text, SA_STORE_TEXT, "%s: %s", directory, strerror(-r));
    else
        r = open_database(store, ret_found, text);
    if (r == -EBUSY || r == -EPROTO) {
        (void)sa_store_close(store, 0);
        return r;
    }
    if (r < 0)
        *ret_found = open_to_read(store) ? SA_STORE_READ_ONLY : SA_STORE_UNUSABLE;
    store->adopted = *ret_found != SA_STORE_UNUSABLE;
    store->read_only = *ret_found == SA_STORE_READ_ONLY;
    *ret_store = store;
    return 0;
}

int
sa_store_load(struct sa_store *store, enum sa_table table,
              void (*fn)(void *arg, enum sa_table table, const void *row), void *arg)
{
    char text[SA_DATABASE_TEXT];

    return store->database == NULL ? 0 : sa_database_load(store->database, table, fn, arg, text);
}

enum sa_store_privacy
sa_store_privacy(const struct sa_store *store, unsigned *ret_mode)
{
    *ret_mode = store->mode;
    return store->privacy;
}

unsigned
sa_store_dropped(const struct sa_store *store, enum sa_table table)
{
    return store->database == NULL ? 0 : sa_database_dropped(store->database, table);
}

const char *
sa_store_table(enum sa_table table)
{
    return sa_tables[table].name;
}

/* Makes the database fit to take a commit: opened, and still the one at the path. */
static int
prepare(struct sa_store *store, char text[SA_STORE_TEXT])
{
    enum sa_store_found found = SA_STORE_NEW;
    int r = 0;

    if (store->read_only) /* what it held is loaded; perhaps it can be written by now */
        store->database = sa_database_close(store->database);
    store->read_only = false;
    if (store->database != NULL && !sa_database_moved(store->database))
        return 0;
    store->database = sa_database_close(store->database);
    if (store->lock_fd != -1) /* its directory may be gone with the database, and be another one now */
        (void)close(store->lock_fd);
    store->lock_fd = -1;
    r = lock_directory(store);
    if (r == 0)
        r = open_database(store, &found, text);
    else
        (void)sa_text_format(text, SA_STORE_TEXT, "%s: %s", store->directory, strerror(-r));
    if (r < 0)
        return r;
    r = found == SA_STORE_KEPT && !store->adopted ? -EEXIST : -ESTALE;
    store->adopted = true;
    return r;
}

static void
work(struct sa_store *store, const struct order *order, struct sa_store_outcome *outcome)
{
    int r = prepare(store, outcome->text);

    if (r == 0 || (r == -ESTALE && order->whole))
        r = sa_database_apply(store->database, &order->batch, outcome->text);
    if (r < 0 && r != -ESTALE &&
        r != -EEXIST) /* opened anew next time: it may be a disk that can be written only later */
        store->database = sa_database_close(store->database);
    outcome->error = r;
}

static void *
run(void *arg)
{
    struct sa_store *store = arg;
    struct pollfd wake = {.fd = sa_mailbox_fd(store->orders), .events = POLLIN};
    struct order order;

    for (;;) {
        bool stop = atomic_load(&store->stop);

        while (sa_mailbox_take(store->orders, &order)) {
            struct sa_store_outcome outcome = {.error = 0};

            work(store, &order, &outcome);
            sa_batch_done(&order.batch);
            (void)sa_mailbox_post(store->outcomes, &outcome);
        }
        if (stop)
            break;
        (void)poll(&wake, 1, -1);
        sa_mailbox_acknowledge(store->orders);
    }
    store->database = sa_database_close(store->database);
    return NULL;
}

int
sa_store_start(struct sa_store *store)
{
    int r = sa_thread_start(&store->thread, run, store);

    store->running = r == 0;
    return r;
}

bool
sa_store_busy(const struct sa_store *store)
{
    return store->busy;
}

void
sa_store_commit(struct sa_store *store, struct sa_batch *batch, bool whole)
{
    const struct order order = {*batch, whole};

    *batch = (struct sa_batch){0};
    store->busy = true;
    (void)sa_mailbox_post(store->orders, &order); /* has room for the one that may be under way */
}

struct sa_mailbox *
sa_store_outcomes(struct sa_store *store)
{
    return store->outcomes;
}

/* A signal does not end the wait: the second SIGTERM may come while the first one's save is under way. */
static void
wait_for(const struct pollfd *awaited, int wait_ms)
{
    int64_t until_ms = sa_clock_now().mono_ms + wait_ms, left_ms = wait_ms;
    struct pollfd ready = *awaited;

    while (left_ms > 0 && poll(&ready, 1, (int)left_ms) == -1 && errno == EINTR)
        left_ms = until_ms - sa_clock_now().mono_ms;
}

bool
sa_store_outcome(struct sa_store *store, struct sa_store_outcome *ret_outcome, int wait_ms)
{
    const struct pollfd ready = {.fd = sa_mailbox_fd(store->outcomes), .events = POLLIN};

    if (store->busy && wait_ms > 0)
        wait_for(&ready, wait_ms);
    sa_mailbox_acknowledge(store->outcomes);
    if (!sa_mailbox_take(store->outcomes, ret_outcome))
        return false;
    store->busy = false;
    return true;
}

bool
sa_store_close(struct sa_store *store, int timeout_ms)
{
    if (store == NULL)
        return true;
    atomic_store(&store->stop, true);
    if (store->running) {
        sa_mailbox_wake(store->orders);
        if (!sa_thread_join(store->thread, timeout_ms))
            return false;
    }
    store->database = sa_database_close(store->database);
    (void)sa_mailbox_free(store->orders);
    (void)sa_mailbox_free(store->outcomes);
    if (store->lock_fd != -1)
        (void)close(store->lock_fd);
    free(store->directory);
    free(store);
    return true;
}
