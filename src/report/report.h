/*
 * Counters as JSON, in the one shape that `sipalert scan --json` and `sipalert status --json` share.
 * Pure; objects returned are new references of the caller.  NULL means out of memory.
 */
#ifndef SA_REPORT_H
#define SA_REPORT_H

#include "peers.h"
#include "tally.h"

#include <jansson.h>
#include <stdbool.h>

/* {"302":{"responses":0,"received":0,"sent":0,"methods":{"INVITE":0}}} */
json_t *sa_report_codes(const struct sa_tally *tally);

/*
 * {"step_s":15,"codes":{"302":[0,…]}}: the responses of each code in the tally's windows, in steps, oldest
 * first; the last step ends with now_s, a second of the clock that the responses were added with.
 */
json_t *sa_report_recent(const struct sa_tally *tally, int64_t now_s, unsigned step_s);

/* [{"peer":"…","responses":0,"codes":{"302":0}}], most responses first. */
json_t *sa_report_peers(const struct sa_peers *peers);

/* A string from a log or a path: escaped where it is not printable UTF-8. */
json_t *sa_report_text(const char *text);

/* A name of the configuration: as it is, but for what is not printable. */
json_t *sa_report_name(const char *name);

/*
 * Prints a value and lets go of it: on lines of its own for people who look, or on one line where many follow
 * each other.  False: the output is gone.
 */
bool sa_report_print(json_t *value, bool one_line);

/* RFC 3339, "" for 0. */
json_t *sa_report_time(int64_t wall_ms);

#endif
