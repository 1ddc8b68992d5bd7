#include "resolve.h"
#include "mailbox.h"
#include "thread.h"

#include <arpa/inet.h>
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
    struct sa_snmp_address address;
};

static void
set_port(struct sa_endpoint *endpoint, uint16_t port)
{
    if (endpoint->to.any.sa_family == AF_INET)
        endpoint->to.in.sin_port = htons(port);
    else
        endpoint->to.in6.sin6_port = htons(port);
}

static const struct addrinfo *
choose(const struct addrinfo *list)
{
    for (const struct addrinfo *info = list; info != NULL; info = info->ai_next)
        if (info->ai_family == AF_INET)
            return info;
    return list;
}

/* Returns getaddrinfo(3)'s error. */
static int
look_up(const struct sa_snmp_address *address, int flags, struct sa_endpoint *ret_endpoint)
{
    const struct addrinfo hints = {
        .ai_family = address->family, .ai_socktype = SOCK_DGRAM, .ai_flags = flags};
    const char *host = address->host[0] != '\0' ? address->host : NULL;
    struct addrinfo *list;
    int error = getaddrinfo(host, host == NULL ? "0" : NULL, &hints, &list);

    if (error != 0)
        return error;
    *ret_endpoint = (struct sa_endpoint){.len = choose(list)->ai_addrlen};
    memcpy(&ret_endpoint->to, choose(list)->ai_addr, ret_endpoint->len);
    set_port(ret_endpoint, address->port);
    freeaddrinfo(list);
    return 0;
}

bool
sa_resolve_number(const struct sa_snmp_address *address, struct sa_endpoint *ret_endpoint)
{
    if (address->kind != SA_ADDRESS_UNIX)
        return look_up(address, AI_NUMERICHOST, ret_endpoint) == 0;
    *ret_endpoint = (struct sa_endpoint){.len = sizeof(struct sockaddr_un), .to.un.sun_family = AF_UNIX};
    memcpy(ret_endpoint->to.un.sun_path, address->path, sizeof ret_endpoint->to.un.sun_path);
    return true;
}

bool
sa_endpoint_equal(const struct sa_endpoint *a, const struct sa_endpoint *b)
{
    return a->len == b->len && memcmp(&a->to, &b->to, a->len) == 0;
}

void
sa_endpoint_number(const struct sa_endpoint *endpoint, char *dst, size_t size)
{
    if (getnameinfo(&endpoint->to.any, endpoint->len, dst, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
        dst[0] = '\0';
}

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

    answer.error = look_up(&question->address, 0, &answer.endpoint);
    answer.system_error = errno;
    (void)sa_mailbox_post(question->resolver->answers, &answer);
    (void)sa_resolver_free(question->resolver);
    free(question);
    return NULL;
}

int
sa_resolver_ask(struct sa_resolver *resolver, unsigned tag, const struct sa_snmp_address *address)
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
