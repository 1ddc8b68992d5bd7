/*
 * The control socket: a stream socket of mode 0660 that speaks protocol.h.  Clients are untrusted: their
 * number, their requests and what they leave unread are bounded, and a client that never reads costs nothing
 * but its own connection.  Each user has at most SA_CONTROL_OF_USER connections, and users without rights
 * SA_CONTROL_OF_OTHERS together: places are left for root and for the daemon's own user, whatever the others
 * hold.  Beyond a limit the oldest connection under the same limit, which has had its time, gives way to the
 * newcomer.  Main thread.
 */
#ifndef SA_CONTROL_H
#define SA_CONTROL_H

#include "loop.h"
#include "protocol.h"

#define SA_CONTROL_OF_USER   8
#define SA_CONTROL_OF_OTHERS 24

struct sa_control;

/*
 * Listens at path with mode 0660.  Returns 0; -EADDRINUSE if a daemon already answers there; another negative
 * errno if the socket cannot be made.
 */
int sa_control_open(struct sa_loop *loop, const char *path, sa_control_fn fn, void *arg,
                    struct sa_control **ret_control);
/*
 * Looks whether the socket is still at its path, and makes it anew if somebody removed it.  Returns 0 if it
 * was there, 1 if it was made anew, or negative errno: -EADDRINUSE if somebody else answers there.
 */
int sa_control_look(struct sa_control *control);
struct sa_control *sa_control_close(struct sa_control *control);

#endif
