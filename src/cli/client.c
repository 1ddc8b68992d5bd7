#include "client.h"
#include "config.h"
#include "lang.h"
#include "protocol.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 10

void
sa_client_init(struct sa_client *client, const struct sa_globals *globals)
{
    static struct sa_config_errors errors;
    struct sa_config *config = NULL;
    const char *found = globals->socket;

    if (found == NULL && (globals->config != NULL || access(SA_CONFIG_PATH, R_OK) == 0)) {
        if (sa_config_load(globals->config != NULL ? globals->config : SA_CONFIG_PATH, &config, &errors) <
            0) {
            (void)fputs(errors.text, stderr);
            found = errors.control[0] != '\0' ? errors.control : SA_CONFIG_CONTROL;
            (void)sa_failure("", _("the configuration has errors; asking at %s (or name it with --socket)"),
                             found);
        } else {
            found = config->control;
        }
    }
    client->patience_s = PATIENCE_S;
    (void)snprintf(client->path, sizeof client->path, "%s", found == NULL ? SA_CONFIG_CONTROL : found);
    (void)sa_config_free(config);
}

static const char *
advice(int problem)
{
    if (problem == EACCES)
        return _("You need to be root or in the daemon's group.");
    return _("Is sipalertd running? See 'systemctl status sipalertd', or name its configuration with -c.");
}

/* A connected stream to the daemon, or NULL. */
static FILE *
call(const struct sa_client *client)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = client->patience_s};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), problem;
    FILE *stream;

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", client->path);
    if (fd != -1 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
        connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        (stream = fdopen(fd, "r+")) != NULL)
        return stream;
    problem = errno;
    if (fd != -1)
        (void)close(fd);
    errno = problem;
    return NULL;
}

/* No answer is longer: of 64 sources with thousands of files each some megabytes. */
#define ANSWER_BYTES (64u << 20)

struct answer {
    FILE *stream;
    size_t left;
};

/* The next byte, or EOF.  A window that changes its size interrupts top while it waits. */
static int
next_byte(FILE *stream)
{
    int c = getc(stream);

    while (c == EOF && ferror(stream) && errno == EINTR) {
        clearerr(stream);
        c = getc(stream);
    }
    return c;
}

/* jansson's own reader of streams has no end: who answers for ever would fill the memory of this process. */
static size_t
take_answer(void *dst, size_t size, void *arg)
{
    struct answer *answer = arg;
    size_t n = 0;
    int c = 0;

    while (n < size && n < answer->left && c != '\n' && (c = next_byte(answer->stream)) != EOF)
        ((char *)dst)[n++] = (char)c;
    answer->left -= n;
    return n == 0 && answer->left == 0 ? (size_t)-1 : n;
}

static json_t *printable(const json_t *value);

/* The keys too: they are shown. */
static json_t *
printable_object(json_t *object)
{
    json_t *copy = json_object(), *member;
    const char *key;

    json_object_foreach(object, key, member)
    {
        char shown[SA_TEXT_ESCAPED(64)];

        (void)sa_text_printable(shown, sizeof shown, key);
        (void)json_object_set_new(copy, shown, printable(member));
    }
    return copy;
}

static json_t *
printable_array(const json_t *array)
{
    json_t *copy = json_array();

    for (size_t i = 0; i < json_array_size(array); i++)
        (void)json_array_append_new(copy, printable(json_array_get(array, i)));
    return copy;
}

static json_t *
printable_string(const json_t *string)
{
    size_t size = SA_TEXT_ESCAPED(json_string_length(string));
    char *shown = malloc(size);
    json_t *copy;

    if (shown == NULL)
        return NULL;
    (void)sa_text_printable(shown, size, json_string_value(string));
    copy = json_string(shown);
    free(shown);
    return copy;
}

/*
 * The same with no control characters in any text, as a new reference: who answers at the socket need not be
 * the daemon.  As deep as jansson reads (2048).
 */
static json_t *
printable(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return printable_object((json_t *)value);
    case JSON_ARRAY:
        return printable_array(value);
    case JSON_STRING:
        return printable_string(value);
    default:
        return json_incref((json_t *)value);
    }
}

/* Its answer, if it is one of this protocol's version, as a new reference; or NULL. */
static json_t *
read_answer(FILE *stream)
{
    struct answer reading = {stream, ANSWER_BYTES};
    json_t *raw = json_load_callback(take_answer, &reading, JSON_DISABLE_EOF_CHECK, NULL), *answer = NULL;

    if (json_is_object(raw) && sa_client_number(raw, "sipalert") == SA_PROTOCOL_VERSION)
        answer = printable(raw);
    json_decref(raw);
    return answer;
}

json_t *
sa_client_ask(const struct sa_client *client, const char *command, char error[SA_CLIENT_ERROR])
{
    json_t *answer = NULL, *result;
    const char *problem = _("it did not answer in time, or not as this version understands");
    FILE *stream = call(client);

    if (stream == NULL) {
        (void)snprintf(error, SA_CLIENT_ERROR, _("cannot reach the daemon at %s: %s. %s"), client->path,
                       strerror(errno), advice(errno));
        return NULL;
    }
    (void)fprintf(stream, "{\"sipalert\":%d,\"command\":\"%s\"}\n", SA_PROTOCOL_VERSION, command);
    if (fflush(stream) == 0)
        answer = read_answer(stream);
    (void)fclose(stream);
    result = json_object_get(answer, "result");
    if (result == NULL) {
        (void)json_unpack(answer, "{ss}", "error", &problem);
        (void)snprintf(error, SA_CLIENT_ERROR, _("the daemon: %s"), problem);
    }
    json_incref(result);
    json_decref(answer);
    return result;
}

json_t *
sa_client_run(const struct sa_globals *globals, const char *name, const char *command)
{
    struct sa_client client;
    char error[SA_CLIENT_ERROR];
    json_t *result;

    sa_client_init(&client, globals);
    result = sa_client_ask(&client, command, error);
    if (result == NULL)
        (void)sa_failure(name, "%s", error);
    return result;
}

const char *
sa_client_snmp(const json_t *status)
{
    const json_t *snmp = json_object_get(status, "snmp");
    bool agentx = strcmp(sa_client_text(snmp, "mode"), "agentx") == 0;

    if (strcmp(sa_client_text(snmp, "mode"), "off") == 0)
        return _("off");
    if (json_is_true(json_object_get(snmp, "connected")))
        return agentx ? _("agentx connected") : _("standalone listening");
    return agentx ? _("agentx not connected") : _("standalone not listening");
}

json_t *
sa_client_worst_first(const json_t *alarms)
{
    static const char *const order[] = {"critical", "major", "minor", "warning"};
    json_t *list = json_array();

    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++)
        for (size_t i = 0; i < json_array_size(alarms); i++)
            if (strcmp(sa_client_text(json_array_get(alarms, i), "severity"), order[k]) == 0)
                (void)json_array_append(list, json_array_get(alarms, i));
    return list;
}

json_int_t
sa_client_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

unsigned
sa_client_code(const char *key)
{
    return strlen(key) == 3 && strspn(key, "0123456789") == 3 ? (unsigned)atoi(key) : 0;
}

const char *
sa_client_text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value == NULL ? "" : value;
}
