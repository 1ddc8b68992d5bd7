#include "find.h"
#include "hot.h"

#include <string.h>

#define BLOCK 64

/* How common a byte is in logs, roughly: what is probed for should be rare. */
static unsigned
commonness(char c)
{
    static const char common[] = " e0t1aions2r.:=-dlc3p5u4m6h87f9gb/;[]k@vy<>";
    const char *at = c == '\0' ? NULL : strchr(common, c);

    return at == NULL ? 1 : (unsigned)(sizeof common - (size_t)(at - common));
}

/* The same for two neighbours; some are far more common than either byte makes believe ("tag=", "SIP/2.0",
 * "request").
 */
static unsigned
pair_commonness(const char *pair)
{
    static const char *const common[] = {"ag", "IP", "SI", "fr", "ip", "qu"};

    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (memcmp(pair, common[i], 2) == 0)
            return 4096; /* above any product */
    return commonness(pair[0]) * commonness(pair[1]);
}

/* How many halves of a byte have the bit. */
static unsigned
halves(const uint8_t half[16], unsigned bit)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 16; i++)
        n += half[i] >> bit & 1u;
    return n;
}

static void
set_bit(struct sa_literals *set, const char *pair, unsigned bit)
{
    for (int i = 0; i < 2; i++) {
        set->low[i][(unsigned char)pair[i] & 15] |= (uint8_t)(1u << bit);
        set->high[i][(unsigned char)pair[i] >> 4] |= (uint8_t)(1u << bit);
    }
}

/* How many pairs of bytes pass by the bit. */
static unsigned
passing(const struct sa_literals *set, unsigned bit)
{
    return halves(set->low[0], bit) * halves(set->high[0], bit) * halves(set->low[1], bit) *
           halves(set->high[1], bit);
}

/* There are eight bits: literals share one where that lets the fewest other pairs of bytes pass. */
static unsigned
choose_bit(const struct sa_literals *set, const char *pair)
{
    unsigned best = 0, least = ~0u;

    for (unsigned bit = 0; bit < 8; bit++) {
        struct sa_literals with = *set;
        unsigned more;

        set_bit(&with, pair, bit);
        more = passing(&with, bit) - passing(set, bit);
        /* One more is the literal's own pair: an empty bit is as good, and better kept. */
        if (more < least || (more == 1 && least == 1 && passing(set, best) == 0 && passing(set, bit) > 0)) {
            least = more;
            best = bit;
        }
    }
    return best;
}

bool
sa_literals_add(struct sa_literals *set, const char *text, size_t len)
{
    unsigned best = ~0u;

    if (set->n == SA_LITERALS || len < 2 || len > 64)
        return false;
    for (size_t i = 0; i + 1 < len; i++) {
        unsigned weight = pair_commonness(text + i);

        if (weight < best) {
            best = weight;
            set->probe[set->n] = (uint8_t)i;
        }
    }
    set_bit(set, text + set->probe[set->n], choose_bit(set, text + set->probe[set->n]));
    set->text[set->n] = text;
    set->len[set->n++] = (uint8_t)len;
    return true;
}

/* Plain C: a byte at a time into bits. */
struct plain {
    const char *p;
};

static inline uint64_t
plain_equal(struct plain b, char c, char fold)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < BLOCK; i++)
        bits |= (uint64_t)((char)(b.p[i] | fold) == c) << i;
    return bits;
}

static inline uint64_t
plain_blank(struct plain b)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < BLOCK; i++)
        bits |= (uint64_t)((unsigned char)b.p[i] <= ' ') << i;
    return bits;
}

static inline uint64_t
plain_probe(const struct sa_literals *set, const char *p)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < BLOCK; i++) {
        unsigned char a = (unsigned char)p[i], b = (unsigned char)p[i + 1];

        bits |= (uint64_t)((set->low[0][a & 15] & set->high[0][a >> 4] & set->low[1][b & 15] &
                            set->high[1][b >> 4]) != 0)
                << i;
    }
    return bits;
}

#define KERNEL(name) name##_plain
#define PROBE        plain_probe
#define block        struct plain
#define LOAD(from)   ((struct plain){from})
#define EQUAL(b, c)  plain_equal(b, c, 0)
#define LOWER(b, c)  plain_equal(b, c, 0x20)
#define BLANK(b)     plain_blank(b)
#include "find_kernel.h"
#undef KERNEL
#undef block
#undef LOAD
#undef EQUAL
#undef LOWER
#undef BLANK
#undef PROBE

#ifdef __SSE2__
#include <immintrin.h>

struct sse2 {
    __m128i part[4];
};

static inline struct sse2
sse2_load(const char *p)
{
    const __m128i *at = (const __m128i *)(const void *)p;

    return (struct sse2){
        {_mm_loadu_si128(at), _mm_loadu_si128(at + 1), _mm_loadu_si128(at + 2), _mm_loadu_si128(at + 3)}};
}

static inline uint64_t
sse2_bits(__m128i a, __m128i b, __m128i c, __m128i d)
{
    return (uint64_t)(uint32_t)_mm_movemask_epi8(a) | (uint64_t)(uint32_t)_mm_movemask_epi8(b) << 16 |
           (uint64_t)(uint32_t)_mm_movemask_epi8(c) << 32 | (uint64_t)(uint32_t)_mm_movemask_epi8(d) << 48;
}

static inline uint64_t
sse2_equal(struct sse2 b, char c, char fold)
{
    __m128i wanted = _mm_set1_epi8(c), or = _mm_set1_epi8(fold);

    return sse2_bits(_mm_cmpeq_epi8(_mm_or_si128(b.part[0], or), wanted),
                     _mm_cmpeq_epi8(_mm_or_si128(b.part[1], or), wanted),
                     _mm_cmpeq_epi8(_mm_or_si128(b.part[2], or), wanted),
                     _mm_cmpeq_epi8(_mm_or_si128(b.part[3], or), wanted));
}

static inline uint64_t
sse2_blank(struct sse2 b)
{
    __m128i blank = _mm_set1_epi8(' ');

    return sse2_bits(_mm_cmpeq_epi8(_mm_max_epu8(b.part[0], blank), blank),
                     _mm_cmpeq_epi8(_mm_max_epu8(b.part[1], blank), blank),
                     _mm_cmpeq_epi8(_mm_max_epu8(b.part[2], blank), blank),
                     _mm_cmpeq_epi8(_mm_max_epu8(b.part[3], blank), blank));
}

/* SSE2 has no look-up of bytes: compares with each literal in turn. */
static inline uint64_t
sse2_probe(const struct sa_literals *set, const char *p)
{
    struct sse2 first = sse2_load(p), second = sse2_load(p + 1);
    uint64_t bits = 0;

    for (unsigned i = 0; i < set->n; i++)
        bits |= sse2_equal(first, set->text[i][set->probe[i]], 0) &
                sse2_equal(second, set->text[i][set->probe[i] + 1], 0);
    return bits;
}

#define KERNEL(name) name##_sse2
#define PROBE        sse2_probe
#define block        struct sse2
#define LOAD(from)   sse2_load(from)
#define EQUAL(b, c)  sse2_equal(b, c, 0)
#define LOWER(b, c)  sse2_equal(b, c, 0x20)
#define BLANK(b)     sse2_blank(b)
#include "find_kernel.h"
#undef KERNEL
#undef block
#undef LOAD
#undef EQUAL
#undef LOWER
#undef BLANK
#undef PROBE

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,popcnt,bmi"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,popcnt,bmi")
#endif

struct avx2 {
    __m256i low, high;
};

static inline struct avx2
avx2_load(const char *p)
{
    const __m256i *at = (const __m256i *)(const void *)p;

    return (struct avx2){_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};
}

static inline uint64_t
avx2_bits(__m256i low, __m256i high)
{
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                               << 32;
}

static inline uint64_t
avx2_equal(struct avx2 b, char c)
{
    __m256i wanted = _mm256_set1_epi8(c);

    return avx2_bits(_mm256_cmpeq_epi8(b.low, wanted), _mm256_cmpeq_epi8(b.high, wanted));
}

static inline struct avx2
avx2_fold(struct avx2 b)
{
    __m256i fold = _mm256_set1_epi8(0x20);

    return (struct avx2){_mm256_or_si256(b.low, fold), _mm256_or_si256(b.high, fold)};
}

static inline uint64_t
avx2_blank(struct avx2 b)
{
    __m256i blank = _mm256_set1_epi8(' ');

    return avx2_bits(_mm256_cmpeq_epi8(_mm256_max_epu8(b.low, blank), blank),
                     _mm256_cmpeq_epi8(_mm256_max_epu8(b.high, blank), blank));
}

/* The literals that a byte may belong to, as bits, by the two halves of the byte. */
static inline __m256i
avx2_lookup(const uint8_t low[16], const uint8_t high[16], __m256i bytes)
{
    __m256i half = _mm256_set1_epi8(15);
    __m256i lows = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)low));
    __m256i highs = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)high));

    return _mm256_and_si256(_mm256_shuffle_epi8(lows, _mm256_and_si256(bytes, half)),
                            _mm256_shuffle_epi8(highs, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)));
}

static inline uint64_t
avx2_probe(const struct sa_literals *set, const char *p)
{
    struct avx2 first = avx2_load(p), second = avx2_load(p + 1);
    __m256i none = _mm256_setzero_si256();

    return ~avx2_bits(_mm256_cmpeq_epi8(_mm256_and_si256(avx2_lookup(set->low[0], set->high[0], first.low),
                                                         avx2_lookup(set->low[1], set->high[1], second.low)),
                                        none),
                      _mm256_cmpeq_epi8(_mm256_and_si256(avx2_lookup(set->low[0], set->high[0], first.high),
                                                         avx2_lookup(set->low[1], set->high[1], second.high)),
                                        none));
}

#define KERNEL(name) name##_avx2
#define PROBE        avx2_probe
#define block        struct avx2
#define LOAD(from)   avx2_load(from)
#define EQUAL(b, c)  avx2_equal(b, c)
#define LOWER(b, c)  avx2_equal(avx2_fold(b), c)
#define BLANK(b)     avx2_blank(b)
#include "find_kernel.h"
#undef KERNEL
#undef block
#undef LOAD
#undef EQUAL
#undef LOWER
#undef BLANK
#undef PROBE

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif /* __SSE2__ */

bool
sa_find_has(enum sa_find_way way)
{
#ifdef __SSE2__
    return way != SA_FIND_AVX2 || (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                                   __builtin_cpu_supports("popcnt"));
#else
    return way == SA_FIND_PLAIN;
#endif
}

size_t
sa_find_literal_by(enum sa_find_way way, const struct sa_literals *set, const char *p, size_t len)
{
#ifdef __SSE2__
    if (way == SA_FIND_AVX2)
        return find_literal_avx2(set, p, len);
    if (way == SA_FIND_SSE2)
        return find_literal_sse2(set, p, len);
#endif
    (void)way;
    return find_literal_plain(set, p, len);
}

struct sa_passed
sa_pass_lines_by(enum sa_find_way way, const char *p, size_t len, unsigned flags, size_t limit)
{
#ifdef __SSE2__
    if (way == SA_FIND_AVX2)
        return pass_lines_avx2(p, len, flags, limit);
    if (way == SA_FIND_SSE2)
        return pass_lines_sse2(p, len, flags, limit);
#endif
    (void)way;
    return pass_lines_plain(p, len, flags, limit);
}

/* The best that the machine has. */
static enum sa_find_way
best_way(void)
{
    return sa_find_has(SA_FIND_AVX2)   ? SA_FIND_AVX2
           : sa_find_has(SA_FIND_SSE2) ? SA_FIND_SSE2
                                       : SA_FIND_PLAIN;
}

size_t
sa_find_literal(const struct sa_literals *set, const char *p, size_t len)
{
    return sa_find_literal_by(best_way(), set, p, len);
}

struct sa_passed
sa_pass_lines(const char *p, size_t len, unsigned flags, size_t limit)
{
    return sa_pass_lines_by(best_way(), p, len, flags, limit);
}
