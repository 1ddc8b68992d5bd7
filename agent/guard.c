#include "guard.h"

#include <stdbool.h>

#define AGENTX_FLAGS     2          /* where they are in the header */
#define AGENTX_LENGTH    16         /* where the length of what follows is */
#define IN_NETWORK_ORDER 0x10       /* of the flags */
#define AGENTX_MAX       (1U << 20) /* far more than any question that fits into a message of a manager */
#define SNMP_MAX         (1U << 16)
#define LONG_FORM        0x80 /* of a BER length: its other bits say how many bytes it has */
#define LENGTH_BITS      0x7f

static uint32_t
number(const uint8_t *p, unsigned n)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < n; i++)
        value = value << 8 | p[i];
    return value;
}

/* Each function returns whether the header is whole, and then the length of what follows. */
static bool
agentx_length(const struct sa_guard *guard, uint32_t *ret_length)
{
    const uint8_t *p = guard->header + AGENTX_LENGTH;

    if (guard->header_len < SA_GUARD_HEADER)
        return false;
    *ret_length =
        guard->header[AGENTX_FLAGS] & IN_NETWORK_ORDER ? number(p, 4) : __builtin_bswap32(number(p, 4));
    return true;
}

static bool
snmp_length(const struct sa_guard *guard, uint32_t *ret_length)
{
    unsigned n = guard->header_len < 2 ? 0 : guard->header[1] & LENGTH_BITS;
    bool is_long = (guard->header[1] & LONG_FORM) != 0, useless = is_long && (n == 0 || n > 4);

    if (guard->header_len < 2 || (is_long && !useless && guard->header_len < 2 + n))
        return false;
    *ret_length = !is_long ? n : useless ? UINT32_MAX : number(guard->header + 2, n);
    return true;
}

uint32_t
sa_guard_pass(struct sa_guard *guard, enum sa_guard_kind kind, const uint8_t *p, size_t len)
{
    uint32_t most = kind == SA_GUARD_AGENTX ? AGENTX_MAX : SNMP_MAX;

    while (len > 0) {
        size_t n = len < guard->left ? len : guard->left;

        if (n == 0) {
            n = 1;
            guard->header[guard->header_len++] = *p;
            if (kind == SA_GUARD_AGENTX ? agentx_length(guard, &guard->left)
                                        : snmp_length(guard, &guard->left))
                guard->header_len = 0;
            if (guard->left > most)
                return guard->left;
        } else {
            guard->left -= (uint32_t)n;
        }
        p += n;
        len -= n;
    }
    return 0;
}
