/*
 * The core and its sources as others see them: the status answer of the control socket, and the snapshot for
 * the SNMP thread.
 */
#ifndef SA_PRESENT_H
#define SA_PRESENT_H

#include "agent.h"
#include "board.h"
#include "core.h"
#include "sources.h"

#include <jansson.h>

/* The contract's `status --json`; a new reference, NULL for want of memory. */
json_t *sa_present_status(const struct sa_core *core, const struct sa_sources *sources, const char *snmp_mode,
                          const struct sa_agent_state *agent);

/* A new snapshot owned by the caller, NULL for want of memory. */
struct sa_snapshot *sa_present_snapshot(const struct sa_core *core, const struct sa_sources *sources);

#endif
