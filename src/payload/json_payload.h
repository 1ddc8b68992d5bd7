/*
 * Log lines that are JSON objects of the operator's own making, read by the names that the configuration
 * gives: which members make an object a response, and which of them hold its fields.  Names may be paths
 * ("sip.status").
 */
#ifndef SA_JSON_PAYLOAD_H
#define SA_JSON_PAYLOAD_H

#include "payload.h"

#define SA_JSON_NAME_SIZE  96
#define SA_JSON_CONDITIONS 8

/* Empty where the configuration says nothing. */
struct sa_json_def {
    char where[SA_JSON_CONDITIONS][SA_JSON_NAME_SIZE]; /* "name=value", all of which must hold */
    unsigned n_where;
    char code[SA_JSON_NAME_SIZE], method[SA_JSON_NAME_SIZE], peer[SA_JSON_NAME_SIZE],
        call_id[SA_JSON_NAME_SIZE];
    char direction[SA_JSON_NAME_SIZE], received[SA_JSON_NAME_SIZE], sent[SA_JSON_NAME_SIZE];
};

/* SA_PAYLOAD_NOTHING, or RESPONSE with *response filled.  Of a name that occurs twice the first counts: a
 * script that does not escape lets strangers append members. */
enum sa_payload_outcome sa_json_payload(const struct sa_json_def *def, const struct sa_record *record,
                                        struct sa_response *response);

/* Why the record is not one of its responses, for people. */
void sa_json_payload_explain(const struct sa_json_def *def, const struct sa_record *record, char *text,
                             size_t size);

#endif
