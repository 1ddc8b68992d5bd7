/*
 * The address of a listener as the configuration writes it, to a bound socket.
 */
#ifndef SA_INTAKE_BIND_H
#define SA_INTAKE_BIND_H

#include <stdbool.h>
#include <sys/types.h>

struct sa_bound {
    int fd;           /* the owner of the struct closes it */
    int type;         /* SOCK_DGRAM, or SOCK_STREAM, which listens */
    const char *path; /* of a unix socket, inside the spec; else NULL */
    dev_t dev;        /* of the path when it was bound */
    ino_t ino;
};

/*
 * The spec is as listener_address.h reads it.  A socket file that nobody listens at is replaced.
 * Returns 0, or negative errno with a reason in ret_why where the system's own words would mislead.
 */
int sa_bound_open(const char *spec, struct sa_bound *ret_bound, const char **ret_why);

/*
 * Whether what is sent to the address still arrives at the socket: 0; -ESTALE if the path is gone or
 * another's, so that it has to be bound anew; -EADDRNOTAVAIL with a reason while the machine does not have
 * the address.
 */
int sa_bound_check(const struct sa_bound *bound, const char **ret_why);

/* Closes it and removes the path if it still is this socket's. */
void sa_bound_release(struct sa_bound *bound);

#endif
