/*
 * The table of everything that is understood without being configured.
 */
#ifndef SA_PRESETS_H
#define SA_PRESETS_H

#include "message_family.h"
#include "payload.h"

/* How a part of a format reads a record. */
enum sa_part_kind { SA_PART_RECORD, SA_PART_MESSAGE, SA_PART_PATTERN, SA_PART_JSON };

struct sa_preset {
    const char *name;
    enum sa_part_kind kind;
    bool automatic;      /* among those that auto tries */
    enum sa_proxy proxy; /* UNKNOWN: any program's records */
    enum sa_payload_outcome (*parse)(const struct sa_record *, struct sa_response *); /* SA_PART_RECORD */
    const struct sa_message_family *family; /* SA_PART_MESSAGE; NULL: any record introduces one */
    const char *xlog;                       /* SA_PART_PATTERN: received replies */
    const char *literal; /* what each line has that it can read; NULL: nothing in particular */
    const char *description;
    const char *sample; /* a line of such a log */
};

/* Ended by a NULL name. */
extern const struct sa_preset sa_presets[];

/* NULL: there is none. */
const struct sa_preset *sa_preset_find(const char *name);

#endif
