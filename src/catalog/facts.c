#include "facts.h"
#include "lang.h"

#include <stddef.h>

static const char *const effects[SA_EFFECTS] = {
    [SA_EFFECT_PROGRESS] = N_("The request goes on; a final response still follows."),
    [SA_EFFECT_DONE] = N_("The request was carried out."),
    [SA_EFFECT_ACCEPTED] = N_("The request was taken on but is not finished; the outcome comes later."),
    [SA_EFFECT_REDIRECTED] = N_("The request ends here; it can go on at an address in Contact."),
    [SA_EFFECT_ALTERNATIVE] = N_("The request fails as it was asked; another kind of service may work."),
    [SA_EFFECT_CHALLENGED] = N_("The request ends here; its sender repeats it with credentials."),
    [SA_EFFECT_ADJUST] = N_("The request fails until its sender changes it."),
    [SA_EFFECT_REFLOW] = N_("The request fails on this one flow; another flow to the same device may work."),
    [SA_EFFECT_INDIALOG] =
        N_("The request fails inside its dialog or transaction; there is no other target to try."),
    [SA_EFFECT_FAILED] = N_("The request fails at this target; a proxy may still try another one."),
    [SA_EFFECT_REFUSED] = N_("The request is refused on purpose at this target."),
    [SA_EFFECT_ENDED] = N_("The request was given up by the side that sent it."),
    [SA_EFFECT_EVERYWHERE] = N_("The request fails for the user as a whole; proxies stop searching."),
};

static const char *const dialogs[SA_DIALOGS] = {
    [SA_DIALOG_NONE] = N_("Nothing is ended."),
    [SA_DIALOG_TRANSACTION] = N_("Only this request fails; the call goes on."),
    [SA_DIALOG_USAGE] = N_("This use of the dialog ends: the call, or the subscription."),
    [SA_DIALOG_DIALOG] = N_("The whole dialog ends, with every use of it."),
};

static const char *const futures[SA_FUTURES] = {
    [SA_FUTURE_NONE] = N_("Nothing changes: the next request takes the same way."),
    [SA_FUTURE_CHOOSE] =
        N_("Nothing is replaced: the next request goes to the original URI and gets the list anew."),
    [SA_FUTURE_REPLACE] = N_("They go straight to the new address; the old one is out of use."),
    [SA_FUTURE_EXPIRY] =
        N_("They go to the original URI again, except while the stated expiry of the Contact runs."),
    [SA_FUTURE_ONCE] = N_("Nothing changes: the proxy in Contact is for this one request."),
    [SA_FUTURE_SERVICE] = N_("Nothing changes for ordinary requests; the same need is served the other way."),
    [SA_FUTURE_FLOWS] =
        N_("They reach the device over its other flows, or over a new one after it registers again."),
    [SA_FUTURE_CREDENTIALS] = N_("They can carry credentials from the start while the nonce is valid."),
    [SA_FUTURE_ANEW] = N_("Requests in the same dialog fail too; a new call is not affected."),
    [SA_FUTURE_SAME] = N_("They fail in the same way until the sender or the configuration is changed."),
    [SA_FUTURE_REMOVE] = N_("They fail for good: the address should be taken out of use."),
    [SA_FUTURE_LATER] = N_("They may succeed when the present condition is over."),
};

static const char *const retries[SA_RETRIES] = {
    [SA_RETRY_NEEDLESS] = N_("No: nothing failed."),
    [SA_RETRY_CONTACT] = N_("Yes, at the address in Contact."),
    [SA_RETRY_SERVICE] = N_("Yes, as the other service that the body names."),
    [SA_RETRY_CREDENTIALS] = N_("Yes, once, with credentials."),
    [SA_RETRY_CHANGED] = N_("Only after the request was changed."),
    [SA_RETRY_FLOW] = N_("Yes, by the proxy, over another flow of the same device."),
    [SA_RETRY_ELSEWHERE] = N_("Yes, at another target or route."),
    [SA_RETRY_LATER] = N_("Yes, later; not before Retry-After if it is given."),
    [SA_RETRY_NEVER] = N_("No: the same request gets the same answer."),
};

static const char *const caches[SA_CACHES] = {
    [SA_CACHE_NO] = N_("No."),
    [SA_CACHE_EXPIRES] = N_("Only as long as an Expires header or the expires parameter of Contact says."),
    [SA_CACHE_PERMANENT] = N_("Yes, until told otherwise."),
};

static const char *const actors[SA_ACTORS] = {
    [SA_ACTOR_NOBODY] = N_("Nobody."),
    [SA_ACTOR_CALLER] = N_("The calling side."),
    [SA_ACTOR_CALLEE] = N_("The called side."),
    [SA_ACTOR_PROXY] = N_("The proxy."),
    [SA_ACTOR_REGISTRAR] = N_("The registrar."),
    [SA_ACTOR_OPERATOR] = N_("The operator of this network."),
    [SA_ACTOR_PEER] = N_("The other network's operator, or the maker of the other stack."),
};

static const struct {
    struct sa_label label;
    const char *const *sentences;
    unsigned n;
} facts[SA_FACTS] = {
    [SA_FACT_EFFECT] = {{"effect", N_("This request")}, effects, SA_EFFECTS},
    [SA_FACT_DIALOG] = {{"dialog", N_("Inside a call")}, dialogs, SA_DIALOGS},
    [SA_FACT_FUTURE] = {{"future", N_("Future requests")}, futures, SA_FUTURES},
    [SA_FACT_RETRY] = {{"retry", N_("Send again")}, retries, SA_RETRIES},
    [SA_FACT_CACHE] = {{"cache", N_("Cache Contact")}, caches, SA_CACHES},
    [SA_FACT_ACTOR] = {{"actor", N_("Who acts")}, actors, SA_ACTORS},
};

struct sa_label
sa_fact_label(enum sa_fact fact)
{
    return facts[fact].label;
}

const char *
sa_fact_sentence(enum sa_fact fact, unsigned value)
{
    return value < facts[fact].n ? facts[fact].sentences[value] : NULL;
}
