#include "sdnotify.h"
#include "clock.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
notify(const char *message)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path == NULL ? 0 : strlen(path);
    int fd;

    if (len < 2 || len >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') /* abstract name */
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return;
    (void)sendto(fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    (void)close(fd);
}

void
sa_sdnotify_ready(const char *status)
{
    char message[512];

    (void)snprintf(message, sizeof message, "READY=1\nSTATUS=%s", status);
    notify(message);
}

void
sa_sdnotify_reloading(void)
{
    char message[128];

    (void)snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                   sa_clock_mono_ns() / 1000);
    notify(message);
}

void
sa_sdnotify_stopping(void)
{
    notify("STOPPING=1");
}

void
sa_sdnotify_status(const char *status)
{
    char message[512];

    (void)snprintf(message, sizeof message, "STATUS=%s", status);
    notify(message);
}

void
sa_sdnotify_watchdog(void)
{
    notify("WATCHDOG=1");
}

int64_t
sa_sdnotify_watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

    if (usec == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    return strtoll(usec, NULL, 10) / 2000;
}
