/*
 * What is known of a status code in a form that can be compared: each fact is one of few values, each value
 * is one sentence.  The data files name the values (codes/), so a wrong word there does not compile.
 */
#ifndef SA_FACTS_H
#define SA_FACTS_H

enum sa_fact {
    SA_FACT_EFFECT, /* what the response does to the request it answers */
    SA_FACT_DIALOG, /* what it ends when it answers a request inside a dialog (RFC 5057 section 5.1) */
    SA_FACT_FUTURE, /* what it means for later requests */
    SA_FACT_RETRY,  /* whether the request is sent again */
    SA_FACT_CACHE,  /* whether its Contact may be remembered */
    SA_FACT_ACTOR,  /* who has to act */
    SA_FACTS
};

enum sa_effect {
    SA_EFFECT_PROGRESS,
    SA_EFFECT_DONE,
    SA_EFFECT_ACCEPTED,
    SA_EFFECT_REDIRECTED,
    SA_EFFECT_ALTERNATIVE,
    SA_EFFECT_CHALLENGED,
    SA_EFFECT_ADJUST,
    SA_EFFECT_REFLOW,
    SA_EFFECT_INDIALOG,
    SA_EFFECT_FAILED,
    SA_EFFECT_REFUSED,
    SA_EFFECT_ENDED,
    SA_EFFECT_EVERYWHERE,
    SA_EFFECTS
};

enum sa_dialog { SA_DIALOG_NONE, SA_DIALOG_TRANSACTION, SA_DIALOG_USAGE, SA_DIALOG_DIALOG, SA_DIALOGS };

enum sa_future {
    SA_FUTURE_NONE,
    SA_FUTURE_CHOOSE,
    SA_FUTURE_REPLACE,
    SA_FUTURE_EXPIRY,
    SA_FUTURE_ONCE,
    SA_FUTURE_SERVICE,
    SA_FUTURE_FLOWS,
    SA_FUTURE_CREDENTIALS,
    SA_FUTURE_ANEW,
    SA_FUTURE_SAME,
    SA_FUTURE_REMOVE,
    SA_FUTURE_LATER,
    SA_FUTURES
};

enum sa_retry {
    SA_RETRY_NEEDLESS,
    SA_RETRY_CONTACT,
    SA_RETRY_SERVICE,
    SA_RETRY_CREDENTIALS,
    SA_RETRY_CHANGED,
    SA_RETRY_FLOW,
    SA_RETRY_ELSEWHERE,
    SA_RETRY_LATER,
    SA_RETRY_NEVER,
    SA_RETRIES
};

enum sa_cache { SA_CACHE_NO, SA_CACHE_EXPIRES, SA_CACHE_PERMANENT, SA_CACHES };

enum sa_actor {
    SA_ACTOR_NOBODY,
    SA_ACTOR_CALLER,
    SA_ACTOR_CALLEE,
    SA_ACTOR_PROXY,
    SA_ACTOR_REGISTRAR,
    SA_ACTOR_OPERATOR,
    SA_ACTOR_PEER,
    SA_ACTORS
};

/* What a fact, or a text, is called: by machines ("future"), and by people ("Future requests", to be
 * translated). */
struct sa_label {
    const char *key, *heading;
};

struct sa_label sa_fact_label(enum sa_fact fact);

/* The sentence of one of its values, in English, to be translated; NULL: there is no such value. */
const char *sa_fact_sentence(enum sa_fact fact, unsigned value);

#endif
