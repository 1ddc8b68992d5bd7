#include "bind.h"
#include "condition.h"
#include "lang.h"
#include "listener_address.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* 0: the path is free, or what has it is a socket that nobody listens at any more. */
static int
check_free(const struct sockaddr_un *address, const char **ret_why)
{
    struct stat status;
    int fd, r = 0;

    if (lstat(address->sun_path, &status) == -1)
        return 0; /* bind(2) says what is wrong with it */
    if (!S_ISSOCK(status.st_mode))
        return sa_intake_refuse(ret_why, -ENOTSOCK, N_("not a socket"));
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EPROTOTYPE ||
        errno == EPERM)
        r = sa_intake_refuse(ret_why, -EADDRINUSE, N_("another program listens there"));
    else if (errno != ECONNREFUSED)
        r = -errno;
    else if (unlink(address->sun_path) == -1 && errno != ENOENT)
        r = sa_intake_refuse(ret_why, -errno, N_("the socket of an earlier program cannot be removed"));
    (void)close(fd);
    return r;
}

static int
refuse_path(int error, const char **ret_why)
{
    if (error == -ENOENT || error == -ENOTDIR)
        return sa_intake_refuse(ret_why, error, N_("its directory does not exist"));
    if (error == -EACCES || error == -EROFS)
        return sa_intake_refuse(ret_why, -EACCES, N_("its directory may not be written"));
    return error;
}

static int
bind_path(struct sa_bound *bound, const struct sockaddr_un *address, const char **ret_why)
{
    struct stat status;
    mode_t mask;
    int r = check_free(address, ret_why);

    if (r < 0)
        return r;
    /*
     * 0666 as /dev/log has it, for whoever logs may write; with the file's making, because a chmod of the
     * path would be of what somebody has put there meanwhile.  Files that other threads make at this moment
     * are in the state directory, which lets no others in.
     */
    mask = umask(0111);
    r = bind(bound->fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : -errno;
    (void)umask(mask);
    if (r < 0)
        return refuse_path(r, ret_why);
    if (lstat(address->sun_path, &status) == -1)
        return -errno;
    bound->dev = status.st_dev;
    bound->ino = status.st_ino;
    return 0;
}

static int
bind_unix(struct sa_bound *bound, const struct sa_listener_address *address, const char **ret_why)
{
    bound->path = address->path;
    bound->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return bound->fd == -1 ? -errno : bind_path(bound, &address->endpoint.to.un, ret_why);
}

static int
refuse_address(int error, const char **ret_why)
{
    if (error == -EACCES)
        return sa_intake_refuse(ret_why, error,
                                N_("a port below 1024 needs the capability CAP_NET_BIND_SERVICE"));
    if (error == -EADDRNOTAVAIL)
        return sa_intake_refuse(ret_why, error, N_("this machine does not have the address"));
    return error;
}

/* The interface may have come, or come anew, since the last attempt.  False: it is not there. */
static bool
set_scope(struct sa_endpoint *endpoint, const char *zone)
{
    bool is_number = zone[strspn(zone, "0123456789")] == '\0';

    if (zone[0] == '\0')
        return true;
    endpoint->to.in6.sin6_scope_id = is_number ? (uint32_t)strtoul(zone, NULL, 10) : if_nametoindex(zone);
    return is_number || endpoint->to.in6.sin6_scope_id != 0;
}

static int
bind_inet(struct sa_bound *bound, const struct sa_listener_address *address, const char **ret_why)
{
    struct sa_endpoint endpoint = address->endpoint;
    int yes = 1;

    if (!set_scope(&endpoint, address->zone))
        return refuse_address(-EADDRNOTAVAIL, ret_why);
    bound->fd = socket(endpoint.to.any.sa_family, bound->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bound->fd == -1)
        return -errno;
    if (bound->type == SOCK_STREAM)
        (void)setsockopt(bound->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(bound->fd, &endpoint.to.any, endpoint.len) == -1)
        return refuse_address(-errno, ret_why);
    if (bound->type == SOCK_STREAM && listen(bound->fd, SOMAXCONN) == -1)
        return -errno;
    return 0;
}

static int
bind_spec(struct sa_bound *bound, const char *spec, const char **ret_why)
{
    struct sa_listener_address address;
    int r = sa_listener_address_parse(spec, &address);

    if (r < 0) /* the configuration's check has said more */
        return sa_intake_refuse(ret_why, -EINVAL, N_("not the number of an address"));
    bound->type = address.type;
    return address.path != NULL ? bind_unix(bound, &address, ret_why) : bind_inet(bound, &address, ret_why);
}

int
sa_bound_open(const char *spec, struct sa_bound *ret_bound, const char **ret_why)
{
    struct sa_bound bound = {.fd = -1};
    int r;

    *ret_why = NULL;
    r = bind_spec(&bound, spec, ret_why);
    if (r == 0)
        *ret_bound = bound;
    else if (bound.fd != -1)
        (void)close(bound.fd);
    return r;
}

static bool
has_its_path(const struct sa_bound *bound)
{
    struct stat status;

    return lstat(bound->path, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_dev == bound->dev &&
           status.st_ino == bound->ino;
}

/* Another socket could be bound to the address, but for the port. */
static int
check_inet(const struct sa_bound *bound, const char **ret_why)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    socklen_t len = sizeof address;
    int fd, r = 0;

    if (getsockname(bound->fd, &address.any, &len) == -1)
        return 0;
    if (address.any.sa_family == AF_INET6)
        address.v6.sin6_port = 0;
    else
        address.v4.sin_port = 0;
    fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return 0;
    if (bind(fd, &address.any, len) == -1 && errno == EADDRNOTAVAIL)
        r = refuse_address(-EADDRNOTAVAIL, ret_why);
    (void)close(fd);
    return r;
}

int
sa_bound_check(const struct sa_bound *bound, const char **ret_why)
{
    *ret_why = NULL;
    if (bound->path == NULL)
        return check_inet(bound, ret_why);
    return has_its_path(bound) ? 0 : -ESTALE;
}

void
sa_bound_release(struct sa_bound *bound)
{
    if (bound->path != NULL && has_its_path(bound))
        (void)unlink(bound->path);
    if (bound->fd != -1)
        (void)close(bound->fd);
    bound->fd = -1;
}
