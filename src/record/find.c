#include "find.h"

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

bool
sa_literals_add(struct sa_literals *set, const char *text, size_t len)
{
    unsigned best = ~0u;

    if (set->n == SA_LITERALS || len < 2 || len > 64)
        return false;
    for (size_t i = 0; i + 1 < len; i++) {
        unsigned weight = commonness(text[i]) * commonness(text[i + 1]);

        if (weight < best) {
            best = weight;
            set->probe[set->n] = (uint8_t)i;
        }
    }
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

#define KERNEL(name) name##_plain
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

#define KERNEL(name) name##_sse2
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

#pragma GCC push_options
#pragma GCC target("avx2,popcnt,bmi")
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,popcnt,bmi"))), apply_to = function)
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

#define KERNEL(name) name##_avx2
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

#ifdef __clang__
#pragma clang attribute pop
#endif
#pragma GCC pop_options
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
