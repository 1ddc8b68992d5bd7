#include "faults.h"
#include "text.h"

#include <stdlib.h>

#define BLIND_MS  3000 /* a rotation may leave nothing to read for a moment */
#define SEEING_MS 3000

struct fault {
    bool condition;   /* as it was last set */
    bool holds, up;   /* holds: by the condition or by an event that is not over */
    int64_t since_ms; /* since when it holds, or does not */
    int64_t until_ms; /* of an event: how long it stays up */
    uint64_t lost;
    int error;
    char text[SA_TEXT_SIZE];
};

struct sa_faults {
    const char *const *sources;
    unsigned n_sources;
    struct fault *faults; /* SA_FAULT_STATE, then one of each other kind for each source */
};

unsigned
sa_faults_room(unsigned n_sources)
{
    return 1 + n_sources * SA_FAULT_STATE;
}

struct sa_faults *
sa_faults_new(const char *const *sources, unsigned n_sources)
{
    struct sa_faults *faults = calloc(1, sizeof *faults);

    if (faults == NULL)
        return NULL;
    faults->sources = sources;
    faults->n_sources = n_sources;
    faults->faults = calloc(sa_faults_room(n_sources), sizeof *faults->faults);
    return faults->faults == NULL ? sa_faults_free(faults) : faults;
}

struct sa_faults *
sa_faults_free(struct sa_faults *faults)
{
    if (faults == NULL)
        return NULL;
    free(faults->faults);
    free(faults);
    return NULL;
}

static struct fault *
find(struct sa_faults *faults, enum sa_fault_kind kind, unsigned source)
{
    return &faults->faults[kind == SA_FAULT_STATE ? 0 : 1 + source * SA_FAULT_STATE + kind];
}

static void
update(struct fault *fault, int64_t now_ms)
{
    bool holds = fault->condition || fault->until_ms != 0;

    if (fault->holds != holds)
        fault->since_ms = now_ms;
    fault->holds = holds;
}

void
sa_faults_set(struct sa_faults *faults, enum sa_fault_kind kind, unsigned source, bool holds,
              const char *text, int error, int64_t now_ms)
{
    struct fault *fault = find(faults, kind, source);

    fault->condition = holds;
    fault->error = error;
    update(fault, now_ms);
    if (holds)
        (void)sa_text_copy(fault->text, sizeof fault->text, text);
}

void
sa_faults_event(struct sa_faults *faults, enum sa_fault_kind kind, unsigned source, uint64_t lost,
                const char *text, int error, int64_t hold_ms, int64_t now_ms)
{
    struct fault *fault = find(faults, kind, source);

    fault->lost += lost;
    fault->error = error;
    fault->until_ms = now_ms + hold_ms;
    update(fault, now_ms);
    (void)sa_text_copy(fault->text, sizeof fault->text, text);
}

void
sa_faults_recall(struct sa_faults *faults, enum sa_fault_kind kind, unsigned source, const char *text,
                 int64_t now_ms)
{
    struct fault *fault = find(faults, kind, source);

    fault->up = true;
    fault->since_ms = now_ms;
    (void)sa_text_copy(fault->text, sizeof fault->text, text);
}

/* How long a condition has to hold, or not to, before it is said. */
static int64_t
patience_ms(enum sa_fault_kind kind, bool holds)
{
    if (kind != SA_FAULT_BLIND)
        return 0;
    return holds ? BLIND_MS : SEEING_MS;
}

/* Returns whether the fault will change by itself. */
static bool
evaluate(struct sa_faults *faults, enum sa_fault_kind kind, unsigned source, int64_t now_ms, sa_fault_fn fn,
         void *arg)
{
    struct fault *fault = find(faults, kind, source);
    struct sa_fault said = {.kind = kind, .source = kind == SA_FAULT_STATE ? "" : faults->sources[source]};

    if (fault->until_ms != 0 && now_ms >= fault->until_ms) {
        fault->until_ms = 0;
        update(fault, now_ms);
    }
    if (fault->holds == fault->up)
        return fault->until_ms != 0;
    if (now_ms - fault->since_ms < patience_ms(kind, fault->holds))
        return true;
    fault->up = fault->holds;
    said.raised = fault->up;
    said.lost = fault->lost;
    said.error = fault->error;
    said.text = fault->text;
    if (!fault->up)
        fault->lost = 0;
    fn(arg, &said);
    return fault->until_ms != 0;
}

bool
sa_faults_evaluate(struct sa_faults *faults, int64_t now_ms, sa_fault_fn fn, void *arg)
{
    bool pending = evaluate(faults, SA_FAULT_STATE, 0, now_ms, fn, arg);

    for (unsigned source = 0; source < faults->n_sources; source++)
        for (enum sa_fault_kind kind = 0; kind < SA_FAULT_STATE; kind++)
            pending = evaluate(faults, kind, source, now_ms, fn, arg) || pending;
    return pending;
}
