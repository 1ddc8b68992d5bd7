#include "commands.h"
#include "config.h"
#include "control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Where the daemon's control socket is: --socket, or what the configuration says. */
static int
find_socket(const struct sa_globals *globals, char path[sizeof((struct sockaddr_un *)0)->sun_path])
{
    static struct sa_config_errors errors;
    struct sa_config *config = NULL;
    const char *found = globals->socket;

    if (found == NULL && (globals->config != NULL || access(SA_CONFIG_PATH, R_OK) == 0)) {
        if (sa_config_load(globals->config != NULL ? globals->config : SA_CONFIG_PATH, &config, &errors) <
            0) {
            (void)fputs(errors.text, stderr);
            return -EINVAL;
        }
        found = config->control;
    }
    if (found == NULL)
        found = SA_CONFIG_CONTROL;
    (void)snprintf(path, sizeof((struct sockaddr_un *)0)->sun_path, "%s", found);
    (void)sa_config_free(config);
    return 0;
}

/* Asks the daemon; returns the result as a new reference, or NULL after saying why not. */
static json_t *
ask(const struct sa_globals *globals, const char *command)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = 10};
    json_t *answer = NULL, *result = NULL;
    const char *problem = "the answer is not understood";
    FILE *stream;
    int fd;

    if (find_socket(globals, address.sun_path) < 0)
        return NULL;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || connect(fd, (const struct sockaddr *)&address, sizeof address) == -1) {
        (void)fprintf(stderr, "sipalert: cannot reach the daemon at %s: %s\n%s", address.sun_path,
                      strerror(errno),
                      errno == EACCES ? "You need to be in the daemon's group.\n"
                                      : "Is sipalertd running? See 'systemctl status sipalertd', or name its "
                                        "configuration with -c.\n");
        if (fd != -1)
            (void)close(fd);
        return NULL;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    stream = fdopen(fd, "r+");
    if (stream == NULL) {
        (void)close(fd);
        return NULL;
    }
    (void)fprintf(stream, "{\"sipalert\":%d,\"command\":\"%s\"}\n", SA_CONTROL_VERSION, command);
    if (fflush(stream) == 0)
        answer = json_loadf(stream, JSON_DISABLE_EOF_CHECK, NULL);
    (void)fclose(stream);
    result = json_object_get(answer, "result");
    if (result == NULL) {
        (void)json_unpack(answer, "{ss}", "error", &problem);
        (void)fprintf(stderr, "sipalert: %s\n", problem);
    }
    json_incref(result);
    json_decref(answer);
    return result;
}

static json_int_t
number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *
text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value == NULL ? "" : value;
}

static void
print_status(const json_t *status)
{
    const json_t *item;
    size_t i;
    const char *code;
    json_t *sources = json_object_get(status, "sources"), *alarms = json_object_get(status, "alarms");
    json_t *codes = json_object_get(status, "codes"), *snmp = json_object_get(status, "snmp");

    (void)printf("sipalertd %s on %s since %s, snmp %s %s\n\n", text(status, "version"), text(status, "node"),
                 text(status, "since"), text(snmp, "mode"),
                 json_is_true(json_object_get(snmp, "connected")) ? "connected" : "not connected");
    (void)printf("%-20s %-10s %-18s %12s %12s %12s %10s\n", "source", "state", "format", "lines", "responses",
                 "unmatched", "behind");
    json_array_foreach(sources, i, item)
    {
        (void)printf("%-20s %-10s %-18s %12" PRId64 " %12" PRId64 " %12" PRId64 " %10" PRId64 "\n",
                     text(item, "name"), text(item, "state"), text(item, "format"),
                     (int64_t)number(item, "lines"), (int64_t)number(item, "responses"),
                     (int64_t)number(item, "unmatched"), (int64_t)number(item, "backlog_bytes"));
        if (text(item, "text")[0] != '\0')
            (void)printf("  %s\n", text(item, "text"));
    }
    if (json_object_size(codes) > 0)
        (void)printf("\n%-6s %12s %12s %12s\n", "code", "responses", "received", "sent");
    json_object_foreach(codes, code, item)(void)
        printf("%-6s %12" PRId64 " %12" PRId64 " %12" PRId64 "\n", code, (int64_t)number(item, "responses"),
               (int64_t)number(item, "received"), (int64_t)number(item, "sent"));
    (void)printf("\n%zu active alarms\n", json_array_size(alarms));
    json_array_foreach(alarms, i, item)(void)
        printf("  %-8s %s since %s\n           %s\n           What to do: %s\n", text(item, "severity"),
               text(item, "identity"), text(item, "raised"), text(item, "text"), text(item, "remediation"));
}

int
sa_command_status(const struct sa_globals *globals, int argc, char **argv)
{
    json_t *status;

    if (argc > 1)
        return sa_usage_error("status", "\"%s\" is not understood here", argv[1]);
    status = ask(globals, "status");
    if (status == NULL)
        return 1;
    if (globals->json) {
        (void)json_dumpf(status, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
        (void)putchar('\n');
    } else {
        print_status(status);
    }
    json_decref(status);
    return 0;
}
