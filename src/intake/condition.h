/*
 * How an intake stands, in one way for all kinds: an error and, where the system's own words would mislead, a
 * reason in ours.
 */
#ifndef SA_INTAKE_CONDITION_H
#define SA_INTAKE_CONDITION_H

#include "intake.h"

/* Keeps the reason and returns the error, so that what fails can say why in one line. */
int sa_intake_refuse(const char **ret_why, int error, const char *why);

/* Tells the owner: 0 is following, a negative errno denied or failed.  why: NULL for the system's words. */
void sa_intake_tell(const struct sa_intake_host *host, int error, const char *why);

#endif
