#include "catalog.h"
#include "catalog_table.h"

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

const char *
sa_catalog_class(unsigned code)
{
    static const char *const names[] = {"Provisional",  "Success",      "Redirection",
                                        "Client Error", "Server Error", "Global Failure"};

    return code >= 100 && code < 700 ? names[code / 100 - 1] : "Invalid";
}

struct sa_catalog_entry
sa_catalog_explain(unsigned code)
{
    /* RFC 3261 registers no 600-class or 400-class fallback text that fits every member, so these are ours.
     */
    static const struct {
        const char *cause, *remediation;
    } classes[] = {
        {"Unregistered provisional response; treated like 183 (RFC 3261 section 8.1.3.2).",
         "None by itself. Find the sender by the peer count and ask its vendor what the code stands for."},
        {"Unregistered success response; treated like 200 (RFC 3261 section 8.1.3.2).",
         "None by itself. Find the sender by the peer count and ask its vendor what the code stands for."},
        {"Unregistered redirection; treated like 300 (RFC 3261 section 8.1.3.2).",
         "Find who sends it and where its Contact points; check routing and forwarding there, and that no "
         "two "
         "places redirect to each other."},
        {"Unregistered request failure; treated like 400 (RFC 3261 section 8.1.3.2). 477-479 are local send "
         "errors of Kamailio.",
         "Look at one affected call: who answered, and what its Reason or Warning header says. For 477-479 "
         "check "
         "DNS and the next hop's address."},
        {"Unregistered server failure; treated like 500 (RFC 3261 section 8.1.3.2).",
         "Look at the answering server's own log for the time of one affected call; take it out of routing "
         "if it "
         "keeps failing."},
        {"Unregistered global failure; treated like 600 (RFC 3261 section 8.1.3.2).",
         "Look at one affected call: a 6xx stops the search everywhere, so check that the sender may say "
         "so."},
    };
    const struct sa_catalog_entry *known = sa_catalog_find(code);
    struct sa_catalog_entry entry = {
        (uint16_t)code,
        "(unregistered)",
        "none",
        "unregistered",
        "Not a valid SIP status code: classes end at 6xx.",
        "Find the sender by the peer count: its stack or the log line is broken."};

    if (known != NULL)
        return *known;
    if (code >= 100 && code < 700) {
        entry.reference = "RFC 3261 s8.1.3.2";
        entry.cause = classes[code / 100 - 1].cause;
        entry.remediation = classes[code / 100 - 1].remediation;
    }
    return entry;
}
