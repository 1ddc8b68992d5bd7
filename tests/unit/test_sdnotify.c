/* The systemd notification protocol against a socket of our own. */
#include "check.h"
#include "sdnotify.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char dir[64], path[96];

static int
listener(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    strcpy(dir, "/tmp/test_sdnotify.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/notify", dir);
    strcpy(address.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    return fd;
}

static void
unlisten(int fd)
{
    close(fd);
    unlink(path);
    rmdir(dir);
    unsetenv("NOTIFY_SOCKET");
}

static const char *
received(int fd)
{
    static char text[4096];
    ssize_t n = recv(fd, text, sizeof text - 1, 0);

    if (n < 0)
        return NULL;
    text[n] = '\0';
    return text;
}

static bool
has_line(const char *text, const char *line)
{
    size_t n = strlen(line);

    for (const char *at = text; at != NULL; at = strchr(at, '\n'), at = at == NULL ? NULL : at + 1)
        if (strncmp(at, line, n) == 0 && (at[n] == '\n' || at[n] == '\0'))
            return true;
    return false;
}

static void
test_messages(void **state)
{
    int fd = listener();
    const char *text;
    struct timespec now;
    const char *usec;

    (void)state;
    sa_sdnotify_ready("following 1 file");
    text = received(fd);
    assert_non_null(text);
    assert_true(has_line(text, "READY=1"));
    assert_true(has_line(text, "STATUS=following 1 file"));
    assert_null(received(fd)); /* one datagram per message */
    sa_sdnotify_stopping();
    text = received(fd);
    assert_non_null(text);
    assert_true(has_line(text, "STOPPING=1"));
    sa_sdnotify_status("all well");
    text = received(fd);
    assert_non_null(text);
    assert_true(has_line(text, "STATUS=all well"));
    sa_sdnotify_watchdog();
    text = received(fd);
    assert_non_null(text);
    assert_true(has_line(text, "WATCHDOG=1"));
    sa_sdnotify_reloading();
    text = received(fd);
    assert_non_null(text);
    assert_true(has_line(text, "RELOADING=1"));
    usec = strstr(text, "MONOTONIC_USEC=");
    assert_non_null(usec);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    assert_in_range(strtoll(usec + 15, NULL, 10), (now.tv_sec - 60) * 1000000LL,
                    (now.tv_sec + 1) * 1000000LL);
    unlisten(fd);
}

static void
test_without_systemd(void **state)
{
    int fd = listener();

    (void)state;
    unsetenv("NOTIFY_SOCKET");
    sa_sdnotify_ready("x");
    sa_sdnotify_watchdog();
    assert_null(received(fd));
    setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
    sa_sdnotify_ready("x");
    setenv("NOTIFY_SOCKET", "", 1);
    sa_sdnotify_ready("x");
    assert_null(received(fd));
    unlisten(fd);
}

static void
test_abstract_name(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    char name[64];
    const char *text;

    (void)state;
    assert_true(fd >= 0);
    snprintf(name, sizeof name, "@test_sdnotify.%ld", (long)getpid());
    memcpy(address.sun_path, name, strlen(name));
    address.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    setenv("NOTIFY_SOCKET", name, 1);
    sa_sdnotify_ready("x");
    text = received(fd);
    assert_non_null(text);
    assert_true(has_line(text, "READY=1"));
    close(fd);
    unsetenv("NOTIFY_SOCKET");
}

/* A receiver that does not read blocks nobody. */
static void
test_never_blocks(void **state)
{
    int fd = listener();

    (void)state;
    alarm(20);
    for (unsigned i = 0; i < 5000; i++)
        sa_sdnotify_status("still here");
    alarm(0);
    unlisten(fd);
}

static void
test_watchdog_interval(void **state)
{
    char pid[32];

    (void)state;
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(sa_sdnotify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(sa_sdnotify_watchdog_ms(), 15000);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(sa_sdnotify_watchdog_ms(), 15000);
    setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
    assert_int_equal(sa_sdnotify_watchdog_ms(), 0);
    unsetenv("WATCHDOG_PID");
    setenv("WATCHDOG_USEC", "soon", 1);
    assert_int_equal(sa_sdnotify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "0", 1);
    assert_int_equal(sa_sdnotify_watchdog_ms(), 0);
    unsetenv("WATCHDOG_USEC");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),          cmocka_unit_test(test_without_systemd),
        cmocka_unit_test(test_abstract_name),     cmocka_unit_test(test_never_blocks),
        cmocka_unit_test(test_watchdog_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
