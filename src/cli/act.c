#include "client.h"
#include "lang.h"
#include "report.h"

#include <stdio.h>
#include <time.h>

#define WAIT_S 5 /* for a receiver to take the test notification */

int
sa_command_reload(const struct sa_globals *globals, int argc, char **argv)
{
    json_t *result;

    if (argc > 1)
        return sa_usage_error("reload", _("\"%s\" is not understood here"), argv[1]);
    result = sa_client_run(globals, "reload", "reload");
    if (result == NULL)
        return 1;
    if (globals->json) {
        (void)sa_report_print(result, false);
    } else {
        (void)puts(sa_client_text(result, "text"));
        json_decref(result);
    }
    return 0;
}

/* Waits until nothing is queued any more; false: something still is. */
static bool
wait_for_delivery(const struct sa_client *client)
{
    const struct timespec pause = {.tv_nsec = 200000000};
    char error[SA_CLIENT_ERROR];
    bool delivered = false;

    for (int tries = WAIT_S * 5; tries > 0 && !delivered; tries--) {
        json_t *status = sa_client_ask(client, "status", error);

        delivered =
            status != NULL && sa_client_number(json_object_get(status, "notifications"), "queued") == 0;
        json_decref(status);
        if (!delivered)
            (void)nanosleep(&pause, NULL);
    }
    return delivered;
}

int
sa_command_test_notify(const struct sa_globals *globals, int argc, char **argv)
{
    struct sa_client client;
    json_t *result;
    bool snmp, delivered;

    if (argc > 1)
        return sa_usage_error("test-notify", _("\"%s\" is not understood here"), argv[1]);
    result = sa_client_run(globals, "test-notify", "test-notify");
    if (result == NULL)
        return 1;
    sa_client_init(&client, globals);
    snmp = json_is_true(json_object_get(result, "snmp"));
    delivered = !snmp || wait_for_delivery(&client);
    if (globals->json) {
        (void)json_object_set_new(result, "delivered", json_boolean(delivered));
        (void)sa_report_print(result, false);
    } else {
        (void)printf(_("test notification %lld: %s%s\n"), (long long)sa_client_number(result, "sequence"),
                     !snmp       ? _("SNMP notifications are off")
                     : delivered ? _("SNMP has taken it")
                                 : _("SNMP has not taken it yet and keeps it queued (is the receiver up?)"),
                     json_is_true(json_object_get(result, "syslog")) ? _("; syslog has it") : "");
        json_decref(result);
    }
    return delivered ? 0 : 1;
}
