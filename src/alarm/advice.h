/* What to do about a fault, by its kind and by what the system said: advice that does not fit is worse than
 * none. */
#ifndef SA_ADVICE_H
#define SA_ADVICE_H

#include "faults.h"

/* error: negative errno, 0 if it is not known.  A key of the translations of at most 255 octets in each
 * language. */
const char *sa_advice(enum sa_fault_kind kind, int error);

#endif
