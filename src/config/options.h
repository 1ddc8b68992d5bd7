/* The keys of the table as libConfuse's options, each with its check. */
#ifndef SA_OPTIONS_H
#define SA_OPTIONS_H

#include <confuse.h>

/* NULL: out of memory. */
cfg_t *sa_options_new(void);

#endif
