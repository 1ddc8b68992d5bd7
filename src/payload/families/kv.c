/*
 * Words of the form key=value, in any order: "SIPALERT dir=in code=503 method=INVITE peer=192.0.2.5:5060
 * callid=a@b". The first of each key counts.
 */
#include "message_family.h"
#include "payload.h"

static bool
take_value(struct sa_slice word, const char *const names[3], struct sa_slice *value)
{
    for (int i = 0; i < 3 && names[i] != NULL; i++) {
        struct sa_slice rest = word;

        if (sa_slice_skip(&rest, names[i]) && sa_slice_skip(&rest, "=")) {
            if (value->p == NULL)
                *value = rest;
            return true;
        }
    }
    return false;
}

enum sa_payload_outcome
sa_payload_kv(const struct sa_record *record, struct sa_response *response)
{
    enum { CODE, METHOD, PEER, DIRECTION, CALL_ID, KEYS };
    static const char *const names[KEYS][3] = {
        {"code", "status"}, {"method"}, {"peer", "src_ip"}, {"dir", "direction"}, {"callid", "call_id"}};
    struct sa_slice s = record->payload, word, values[KEYS] = {{NULL, 0}};

    while (sa_take_word(&s, &word))
        for (int key = 0; key < KEYS; key++)
            if (take_value(word, names[key], &values[key]))
                break;
    sa_payload_begin(response, record);
    if (values[CODE].p == NULL || !sa_payload_set_code(response, values[CODE]))
        return SA_PAYLOAD_NOTHING;
    if (values[METHOD].p != NULL)
        sa_payload_set_method(response, values[METHOD]);
    if (values[PEER].p != NULL)
        sa_payload_set_peer(response, values[PEER]);
    if (values[CALL_ID].p != NULL)
        sa_payload_set_call_id(response, values[CALL_ID]);
    if (values[DIRECTION].p != NULL)
        response->direction =
            sa_slice_starts(values[DIRECTION], "in") || sa_slice_starts(values[DIRECTION], "rec")
                ? SA_DIR_RECEIVED
            : sa_slice_starts(values[DIRECTION], "out") || sa_slice_starts(values[DIRECTION], "sent")
                ? SA_DIR_SENT
                : SA_DIR_UNKNOWN;
    return SA_PAYLOAD_RESPONSE;
}
