#include "resolve.h"
#include "mailbox.h"
#include "thread.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct sa_resolver {
    atomic_uint users; /* the owner and the threads that look something up; the last one frees it */
    struct sa_mailbox *answers;
};

struct question {
    struct sa_resolver *resolver;
    unsigned tag;
    struct sa_address address;
};

const char *
sa_resolved_reason(const struct sa_resolved *resolved)
{
    return resolved->error == EAI_SYSTEM ? strerror(resolved->system_error) : gai_strerror(resolved->error);
}

struct sa_resolver *
sa_resolver_new(unsigned capacity)
{
    struct sa_resolver *resolver = calloc(1, sizeof *resolver);

    if (resolver == NULL)
        return NULL;
    atomic_init(&resolver->users, 1);
    resolver->answers = sa_mailbox_new(sizeof(struct sa_resolved), capacity);
    return resolver->answers == NULL ? sa_resolver_free(resolver) : resolver;
}

struct sa_resolver *
sa_resolver_free(struct sa_resolver *resolver)
{
    if (resolver != NULL && atomic_fetch_sub(&resolver->users, 1) == 1) {
        (void)sa_mailbox_free(resolver->answers);
        free(resolver);
    }
    return NULL;
}

static void *
run(void *arg)
{
    struct question *question = arg;
    struct sa_resolved answer = {.tag = question->tag};

    answer.error = sa_endpoint_look_up(&question->address, 0, &answer.endpoint);
    answer.system_error = errno;
    (void)sa_mailbox_post(question->resolver->answers, &answer);
    (void)sa_resolver_free(question->resolver);
    free(question);
    return NULL;
}

int
sa_resolver_ask(struct sa_resolver *resolver, unsigned tag, const struct sa_address *address)
{
    struct question *question = malloc(sizeof *question);
    pthread_t thread;
    int r;

    if (question == NULL)
        return -ENOMEM;
    *question = (struct question){resolver, tag, *address};
    (void)atomic_fetch_add(&resolver->users, 1);
    r = sa_thread_start(&thread, run, question);
    if (r < 0) {
        (void)sa_resolver_free(resolver);
        free(question);
        return r;
    }
    (void)pthread_detach(thread);
    return 0;
}

int
sa_resolver_fd(const struct sa_resolver *resolver)
{
    return sa_mailbox_fd(resolver->answers);
}

bool
sa_resolver_take(struct sa_resolver *resolver, struct sa_resolved *ret_resolved)
{
    sa_mailbox_acknowledge(resolver->answers);
    return sa_mailbox_take(resolver->answers, ret_resolved);
}
