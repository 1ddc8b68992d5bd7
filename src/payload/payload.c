#include "payload.h"
#include "text.h"

#include <arpa/inet.h>

void
sa_payload_begin(struct sa_response *response, const struct sa_record *record)
{
    response->code = 0;
    response->direction = SA_DIR_UNKNOWN;
    response->repeat = record->repeat;
    response->time_ms = record->time_ms;
    response->transaction = 0;
    response->again = false;
    response->method[0] = response->peer[0] = response->call_id[0] = '\0';
    if (record->method.len != 0)
        sa_payload_set_method(response, record->method);
    if (record->call_id.len != 0)
        sa_payload_set_call_id(response, record->call_id);
}

unsigned
sa_payload_code(struct sa_slice text)
{
    unsigned hundreds, tens, ones;

    if (text.len != 3)
        return 0;
    hundreds = (unsigned char)(text.p[0] - '0');
    tens = (unsigned char)(text.p[1] - '0');
    ones = (unsigned char)(text.p[2] - '0');
    return hundreds == 0 || hundreds > 9 || tens > 9 || ones > 9 ? 0 : hundreds * 100 + tens * 10 + ones;
}

bool
sa_payload_set_code(struct sa_response *response, struct sa_slice text)
{
    unsigned code = sa_payload_code(text);

    if (code != 0)
        response->code = (uint16_t)code;
    return code != 0;
}

static bool
is_token_char(char c)
{
    /* Of the bytes below 128, as bits: digits, letters and -.!%*_+`'~ */
    static const uint64_t bits[2] = {UINT64_C(0x03ff6ca200000000), UINT64_C(0x47ffffff87fffffe)};
    unsigned char u = (unsigned char)c;

    return u < 128 && (bits[u >> 6] >> (u & 63) & 1) != 0;
}

void
sa_payload_set_method(struct sa_response *response, struct sa_slice text)
{
    if (text.len == 0 || text.len >= SA_METHOD_SIZE)
        return;
    for (size_t i = 0; i < text.len; i++)
        if (!is_token_char(text.p[i]))
            return;
    (void)sa_text_slice(response->method, sizeof response->method, text.p, text.len);
}

/* Length of the IPv4 address at the start, as inet_pton() would have it: without leading zeros; or 0. */
static size_t
ipv4_length(struct sa_slice text)
{
    const char *p = text.p, *end = text.p + text.len;

    for (int part = 0;; part++) {
        unsigned number, digit;
        const char *first = p;

        if (p == end || (number = (unsigned char)(*p++ - '0')) > 9)
            return 0;
        while (p < end && (digit = (unsigned char)(*p - '0')) <= 9 && p - first < 3) {
            number = number * 10 + digit;
            p++;
        }
        if (number > 255 || (*first == '0' && p - first > 1))
            return 0;
        if (part == 3)
            return p < end && sa_is_digit(*p) ? 0 : (size_t)(p - text.p);
        if (p == end || *p++ != '.')
            return 0;
    }
}

void
sa_payload_set_peer(struct sa_response *response, struct sa_slice text)
{
    size_t ipv4 = ipv4_length(text), colon;
    unsigned char address[sizeof(struct in6_addr)];
    char peer[SA_PEER_SIZE];

    if (ipv4 != 0 && (ipv4 == text.len || text.p[ipv4] == ':')) {
        memcpy(response->peer, text.p, ipv4);
        response->peer[ipv4] = '\0';
        return;
    }
    colon = sa_slice_find(text, ':');
    if (text.len > 0 && text.p[0] == '[') { /* [2001:db8::1]:5060 */
        text = sa_slice_from(text, 1);
        text.len = sa_slice_find(text, ']');
    } else if (colon < text.len &&
               sa_slice_find(sa_slice_from(text, colon + 1), ':') == text.len - colon - 1) {
        text.len = colon; /* one colon only: address:port */
    }
    text.len = sa_slice_find(text, '%');
    if (text.len >= sizeof peer)
        return;
    memcpy(peer, text.p, text.len);
    peer[text.len] = '\0';
    if ((text.len != 0 && ipv4_length(text) == text.len) || inet_pton(AF_INET6, peer, address) == 1)
        memcpy(response->peer, peer, text.len + 1);
}

void
sa_payload_set_call_id(struct sa_response *response, struct sa_slice text)
{
    (void)sa_text_slice(response->call_id, sizeof response->call_id, text.p, text.len);
}

void
sa_payload_mix_transaction(struct sa_response *response, struct sa_slice text)
{
    response->transaction = response->transaction * 16777619u ^ sa_text_hash(text.p, text.len);
}
