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
    response->method[0] = response->peer[0] = response->call_id[0] = '\0';
    if (record->method.len != 0)
        sa_payload_set_method(response, record->method);
    if (record->call_id.len != 0)
        sa_payload_set_call_id(response, record->call_id);
}

bool
sa_payload_set_code(struct sa_response *response, struct sa_slice text)
{
    if (text.len != 3 || sa_slice_digits(text) != 3 || text.p[0] == '0')
        return false;
    response->code = (uint16_t)((text.p[0] - '0') * 100 + (text.p[1] - '0') * 10 + (text.p[2] - '0'));
    return true;
}

static bool
is_token_char(char c)
{
    return sa_is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("-.!%*_+`'~", c) != NULL);
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

void
sa_payload_set_peer(struct sa_response *response, struct sa_slice text)
{
    size_t colon = sa_slice_find(text, ':');
    unsigned char address[sizeof(struct in6_addr)];
    char peer[SA_PEER_SIZE];

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
    (void)sa_text_slice(peer, sizeof peer, text.p, text.len);
    if (inet_pton(AF_INET, peer, address) == 1 || inet_pton(AF_INET6, peer, address) == 1)
        memcpy(response->peer, peer, text.len + 1);
}

void
sa_payload_set_call_id(struct sa_response *response, struct sa_slice text)
{
    (void)sa_text_slice(response->call_id, sizeof response->call_id, text.p, text.len);
}
