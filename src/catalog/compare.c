#include "catalog.h"
#include "lang.h"

#include <string.h>

static const char *
finality(const struct sa_catalog_entry *entry)
{
    if (entry->code >= 200)
        return N_("Final: the transaction ends with it.");
    return entry->code == 100 ? N_("Provisional, from the next hop only.")
                              : N_("Provisional: a final response follows.");
}

static void
add(struct sa_comparison *comparison, struct sa_label label, const char *a, const char *b)
{
    struct sa_point point = {label, a, b};

    if (strcmp(a, b) == 0)
        comparison->alike[comparison->n_alike++] = point;
    else
        comparison->different[comparison->n_different++] = point;
}

struct sa_comparison
sa_catalog_compare(const struct sa_catalog_entry *a, const struct sa_catalog_entry *b)
{
    struct sa_comparison comparison = {.n_different = 0};

    add(&comparison, (struct sa_label){"class", N_("Class")}, sa_catalog_class(a->code),
        sa_catalog_class(b->code));
    add(&comparison, (struct sa_label){"finality", N_("Finality")}, finality(a), finality(b));
    for (enum sa_fact fact = 0; fact < SA_FACTS; fact++)
        add(&comparison, sa_fact_label(fact), sa_fact_sentence(fact, a->facts[fact]),
            sa_fact_sentence(fact, b->facts[fact]));
    add(&comparison, (struct sa_label){"reference", N_("Reference")}, a->reference, b->reference);
    return comparison;
}
