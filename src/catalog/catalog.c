#include "catalog.h"
#include "catalog_table.h"
#include "lang.h"

#include <string.h>

const struct sa_catalog_entry *
sa_catalog_all(size_t *ret_count)
{
    *ret_count = sa_catalog_count;
    return sa_catalog_table;
}

const struct sa_catalog_entry *
sa_catalog_find(unsigned code)
{
    size_t low = 0, high = sa_catalog_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (sa_catalog_table[middle].code == code)
            return &sa_catalog_table[middle];
        if (sa_catalog_table[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* A class, and what is said of a code of it that is not registered. */
struct class
{
    const char *name, *all, *meaning, *remediation;
    unsigned char facts[SA_FACTS];
};

#define ASK_VENDOR                                                                                           \
    N_("None by itself. Find the sender by the peer count and ask its vendor what the code stands for.")

static const struct class classes[] = {
    {N_("Invalid"),
     N_("No class: SIP status codes end at 6xx, so a client can do nothing with it."),
     N_("Not a valid SIP status code: classes end at 6xx."),
     N_("Find the sender by the peer count: its stack or the log line is broken."),
     {SA_EFFECT_FAILED, SA_DIALOG_TRANSACTION, SA_FUTURE_SAME, SA_RETRY_NEVER, SA_CACHE_NO, SA_ACTOR_PEER}},
    {N_("Provisional"),
     N_("The request arrived and is being worked on. A final response follows."),
     N_("Unregistered provisional response; treated like 183 (RFC 3261 section 8.1.3.2)."),
     ASK_VENDOR,
     {SA_EFFECT_PROGRESS, SA_DIALOG_NONE, SA_FUTURE_NONE, SA_RETRY_NEEDLESS, SA_CACHE_NO, SA_ACTOR_NOBODY}},
    {N_("Success"),
     N_("The request arrived, was understood and accepted."),
     N_("Unregistered success response; treated like 200 (RFC 3261 section 8.1.3.2)."),
     ASK_VENDOR,
     {SA_EFFECT_DONE, SA_DIALOG_NONE, SA_FUTURE_NONE, SA_RETRY_NEEDLESS, SA_CACHE_NO, SA_ACTOR_NOBODY}},
    {N_("Redirection"),
     N_("Not served here: the caller, or a proxy for it, has to take a further step elsewhere."),
     N_("Unregistered redirection; treated like 300 (RFC 3261 section 8.1.3.2)."),
     N_("Find who sends it and where its Contact points; check routing and forwarding there, and that no two "
        "places redirect to each other."),
     {SA_EFFECT_REDIRECTED, SA_DIALOG_TRANSACTION, SA_FUTURE_CHOOSE, SA_RETRY_CONTACT, SA_CACHE_NO,
      SA_ACTOR_CALLER}},
    {N_("Client Error"),
     N_("This request cannot be served at this server as it stands. It may succeed changed, later, or "
        "elsewhere."),
     N_("Unregistered request failure; treated like 400 (RFC 3261 section 8.1.3.2). 477-479 are local send "
        "errors of "
        "Kamailio."),
     N_("Look at one affected call: who answered, and what its Reason or Warning header says. For 477-479 "
        "check DNS "
        "and the next hop's address."),
     {SA_EFFECT_FAILED, SA_DIALOG_TRANSACTION, SA_FUTURE_SAME, SA_RETRY_CHANGED, SA_CACHE_NO,
      SA_ACTOR_OPERATOR}},
    {N_("Server Error"),
     N_("The request looks right but this server failed to serve it. Another server may do."),
     N_("Unregistered server failure; treated like 500 (RFC 3261 section 8.1.3.2)."),
     N_("Look at the answering server's own log for the time of one affected call; take it out of routing if "
        "it keeps "
        "failing."),
     {SA_EFFECT_FAILED, SA_DIALOG_TRANSACTION, SA_FUTURE_LATER, SA_RETRY_ELSEWHERE, SA_CACHE_NO,
      SA_ACTOR_OPERATOR}},
    {N_("Global Failure"),
     N_("No server can serve the request: the answer is for the user, not for one place."),
     N_("Unregistered global failure; treated like 600 (RFC 3261 section 8.1.3.2)."),
     N_("Look at one affected call: a 6xx stops the search everywhere, so check that the sender may say so."),
     {SA_EFFECT_EVERYWHERE, SA_DIALOG_TRANSACTION, SA_FUTURE_LATER, SA_RETRY_NEVER, SA_CACHE_NO,
      SA_ACTOR_NOBODY}},
};

static const struct class *
class_of(unsigned code)
{
    return &classes[code >= 100 && code < 700 ? code / 100 : 0];
}

const char *
sa_catalog_class(unsigned code)
{
    return class_of(code)->name;
}

const char *
sa_catalog_class_meaning(unsigned code)
{
    return class_of(code)->all;
}

struct sa_catalog_entry
sa_catalog_explain(unsigned code)
{
    const struct sa_catalog_entry *known = sa_catalog_find(code);
    const struct class *class = class_of(code);
    struct sa_catalog_entry entry = {
        .code = (uint16_t)code,
        .phrase = "(unregistered)",
        .reference = class == classes ? "none" : "RFC 3261 s8.1.3.2",
        .kind = "unregistered",
        .meaning = class->meaning,
        .when = N_("A private extension, an old draft, or a code that a proxy uses for itself alone."),
        .remediation = class->remediation,
    };

    if (known != NULL)
        return *known;
    memcpy(entry.facts, class->facts, sizeof entry.facts);
    return entry;
}

struct sa_label
sa_depth_label(enum sa_depth depth)
{
    static const struct sa_label labels[SA_DEPTHS] = {
        [SA_DEPTH_CONTACT] = {"contact", N_("Contact")},
        [SA_DEPTH_CACHING] = {"caching", N_("Caching")},
        [SA_DEPTH_LOOPS] = {"loops", N_("Loops")},
        [SA_DEPTH_CALLER] = {"caller", N_("Caller")},
        [SA_DEPTH_CALLEE] = {"callee", N_("Called side")},
        [SA_DEPTH_PROXY] = {"proxy", N_("Proxy")},
        [SA_DEPTH_REGISTRAR] = {"registrar", N_("Registrar")},
        [SA_DEPTH_WATCH] = {"watch", N_("Watch")},
    };

    return labels[depth];
}
