#include "message_family.h"
#include "payload.h"

bool
sa_take_number(struct sa_slice *s, uint32_t *ret_number)
{
    size_t digits = sa_slice_digits(*s);
    uint32_t number = 0;

    if (digits == 0 || digits > 9)
        return false;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (uint32_t)(s->p[i] - '0');
    *ret_number = number;
    *s = sa_slice_from(*s, digits);
    return true;
}

bool
sa_take_word(struct sa_slice *s, struct sa_slice *word)
{
    struct sa_slice rest = *s;
    size_t n = 0;

    while (rest.len > 0 && (rest.p[0] == ' ' || rest.p[0] == '\t'))
        rest = sa_slice_from(rest, 1);
    while (n < rest.len && rest.p[n] != ' ' && rest.p[n] != '\t')
        n++;
    if (n == 0)
        return false;
    *word = (struct sa_slice){rest.p, n};
    *s = sa_slice_from(rest, n);
    return true;
}

void
sa_take_peer(struct sa_response *response, struct sa_slice address, bool has_port)
{
    size_t slash = sa_slice_find(address, '/'), letters = 0, last;

    if (slash < address.len) {
        address = sa_slice_from(address, slash + 1);
    } else {
        while (letters < address.len && (unsigned char)((address.p[letters] | 0x20) - 'a') < 26)
            letters++;
        if (letters > 1 && letters + 1 < address.len && address.p[letters] == ':' &&
            address.p[letters + 1] != ':')
            address = sa_slice_from(address, letters + 1);
    }
    if (has_port && address.len > 0 && address.p[0] != '[') {
        for (last = address.len; last > 0 && address.p[last - 1] != ':'; last--)
            ;
        if (last > 1)
            address.len = last - 1;
    }
    sa_payload_set_peer(response, address);
}
