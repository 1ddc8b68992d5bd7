#include "mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct sa_mailbox {
    pthread_mutex_t lock;
    char *items;
    size_t item_size;
    unsigned capacity, first, count;
    int fd;
};

struct sa_mailbox *
sa_mailbox_new(size_t item_size, unsigned capacity)
{
    struct sa_mailbox *mailbox = calloc(1, sizeof *mailbox);

    if (mailbox == NULL)
        return NULL;
    (void)pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->item_size = item_size;
    mailbox->capacity = capacity;
    mailbox->items = calloc(capacity, item_size);
    mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->items == NULL || mailbox->fd == -1)
        return sa_mailbox_free(mailbox);
    return mailbox;
}

struct sa_mailbox *
sa_mailbox_free(struct sa_mailbox *mailbox)
{
    if (mailbox == NULL)
        return NULL;
    if (mailbox->fd != -1)
        (void)close(mailbox->fd);
    (void)pthread_mutex_destroy(&mailbox->lock);
    free(mailbox->items);
    free(mailbox);
    return NULL;
}

void
sa_mailbox_wake(struct sa_mailbox *mailbox)
{
    const uint64_t one = 1;

    (void)!write(mailbox->fd, &one,
                 sizeof one); /* fails only when the counter is full: then it is readable */
}

int
sa_mailbox_post(struct sa_mailbox *mailbox, const void *item)
{
    int r = 0;

    (void)pthread_mutex_lock(&mailbox->lock);
    if (mailbox->count == mailbox->capacity) {
        r = -ENOBUFS;
    } else {
        unsigned at = (mailbox->first + mailbox->count++) % mailbox->capacity;

        memcpy(mailbox->items + at * mailbox->item_size, item, mailbox->item_size);
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
    if (r == 0)
        sa_mailbox_wake(mailbox);
    return r;
}

bool
sa_mailbox_take(struct sa_mailbox *mailbox, void *item)
{
    bool taken = false;

    (void)pthread_mutex_lock(&mailbox->lock);
    if (mailbox->count > 0) {
        memcpy(item, mailbox->items + mailbox->first * mailbox->item_size, mailbox->item_size);
        mailbox->first = (mailbox->first + 1) % mailbox->capacity;
        mailbox->count--;
        taken = true;
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
    return taken;
}

int
sa_mailbox_fd(const struct sa_mailbox *mailbox)
{
    return mailbox->fd;
}

void
sa_mailbox_acknowledge(struct sa_mailbox *mailbox)
{
    uint64_t count;

    (void)!read(mailbox->fd, &count, sizeof count);
}
