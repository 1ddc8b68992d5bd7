/* How much may still be read as history; what was spent comes back after the time that history may be old. */
#ifndef SA_FOLLOW_BUDGET_H
#define SA_FOLLOW_BUDGET_H

#include "followed.h"

int64_t sa_budget_left(const struct source *source);
void sa_budget_spend(struct source *source, int64_t bytes);

#endif
