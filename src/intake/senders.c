#include "senders.h"
#include "clock.h"
#include "text.h"

#include <inttypes.h>

#define TOLD_MS 60000

bool
sa_senders_are_limited(const struct sa_senders *senders)
{
    return senders->host->n_allow != 0;
}

void
sa_senders_look(struct sa_senders *senders)
{
    char text[256];
    int64_t now_ms = sa_clock_now().mono_ms;

    if (senders->untold == 0 || (senders->told_ms != 0 && now_ms - senders->told_ms < TOLD_MS))
        return;
    (void)sa_text_format(text, sizeof text,
                         "datagrams or connections of senders that allow does not name: %" PRIu64
                         ", the latest from %s",
                         senders->untold, senders->latest);
    senders->host->events->note(senders->host->arg, text);
    senders->untold = 0;
    senders->told_ms = now_ms;
}

bool
sa_senders_allow(struct sa_senders *senders, const struct sockaddr *from)
{
    const struct sa_intake_host *host = senders->host;

    for (unsigned i = 0; i < host->n_allow; i++)
        if (sa_network_holds(&host->allow[i], from))
            return true;
    if (host->n_allow == 0)
        return true;
    host->events->refused(host->arg, 1);
    senders->untold++;
    sa_network_address(from, senders->latest);
    sa_senders_look(senders);
    return false;
}
