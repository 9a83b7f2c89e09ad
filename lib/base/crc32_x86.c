/* CRC-32 by carry-less multiplication (PCLMULQDQ), after Gopal and others, "Fast CRC Computation for
 * Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009.
 *
 * The message is a polynomial over GF(2); only its remainder modulo P matters. A 16-byte block that
 * stands d bits before another is folded into it: its halves times x^(d+32) and x^(d-32) mod P, added to
 * the other. Four blocks go side by side while 64 bytes remain; then they are folded into one, the rest
 * follows in steps of 16 bytes, a last part of less than 16 by a shuffle, and the 128 bits that remain
 * are reduced to 32 (Barrett). All constants are bit-reflected, shifted by one. */
#include "base/crc32.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define TARGET __attribute__((target("pclmul,sse4.1")))

/* Asked of the processor itself: the compiler's own helper brings a table of 4 KB. */
bool cqln_crc32_x86_usable(void)
{
    const unsigned needed = bit_PCLMUL | bit_SSE4_1;
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & needed) == needed;
}

/* x^(d+32) and x^(d-32) mod P for the distance d in bits. */
#define FOLD_512 _mm_set_epi64x(0x1c6e41596, 0x154442bd4)
#define FOLD_384 _mm_set_epi64x(0x174359406, 0x03db1ecdc)
#define FOLD_256 _mm_set_epi64x(0x15a546366, 0x0f1da05aa)
#define FOLD_128 _mm_set_epi64x(0x0ccaa009e, 0x1751997d0)
/* x^64 mod P; P itself and the quotient x^64 / P. */
#define FOLD_64  _mm_set_epi64x(0, 0x163cd6124)
#define BARRETT  _mm_set_epi64x(0x1f7011641, 0x1db710641)

TARGET static inline __m128i load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* `a` carried forward by the distance of `k`. */
TARGET static inline __m128i carry(__m128i a, __m128i k)
{
    return _mm_xor_si128(_mm_clmulepi64_si128(a, k, 0x00), _mm_clmulepi64_si128(a, k, 0x11));
}

/* Folds the bytes into four accumulators while there are 64 more, then these into one. */
TARGET static inline __m128i fold_wide(__m128i first, const uint8_t **at, size_t *len)
{
    const uint8_t *p = *at;
    size_t left = *len - 64;
    __m128i a = first, b = load(p + 16), c = load(p + 32), d = load(p + 48);
    const __m128i k = FOLD_512;
    for (p += 64; left >= 64; p += 64, left -= 64) {
        a = _mm_xor_si128(carry(a, k), load(p));
        b = _mm_xor_si128(carry(b, k), load(p + 16));
        c = _mm_xor_si128(carry(c, k), load(p + 32));
        d = _mm_xor_si128(carry(d, k), load(p + 48));
    }
    *at = p;
    *len = left;
    a = _mm_xor_si128(carry(a, FOLD_384), carry(b, FOLD_256));
    return _mm_xor_si128(_mm_xor_si128(a, carry(c, FOLD_128)), d);
}

/* Takes in the last n bytes, 1..15, that end at `end`; at least 16 bytes lie before `end`. The
 * accumulator's first n bytes move 16 bytes before the block made of the others and the new ones. */
TARGET static inline __m128i fold_last(__m128i acc, const uint8_t *end, size_t n)
{
    static const uint8_t window[48] = {
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
        0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
    __m128i towards_end = load(window + n);        /* acc[0..n) to the last n places, zeros before */
    __m128i towards_start = load(window + 16 + n); /* acc[n..16) to the front, zeros behind */
    __m128i before = _mm_shuffle_epi8(acc, towards_end);
    __m128i kept = _mm_shuffle_epi8(acc, towards_start);
    /* Bit 7 of the shuffle byte is set just where the new bytes belong. */
    __m128i block = _mm_blendv_epi8(kept, load(end - 16), towards_start);
    return _mm_xor_si128(carry(before, FOLD_128), block);
}

/* 128 bits to the 32 of the remainder. */
TARGET static inline uint32_t reduce(__m128i acc)
{
    const __m128i low32 = _mm_set_epi32(0, 0, 0, -1);
    /* 128 to 96 bits: the low half times x^96 mod P, on the high half; then to 64 with x^64. */
    acc = _mm_xor_si128(_mm_clmulepi64_si128(acc, FOLD_128, 0x10), _mm_srli_si128(acc, 8));
    acc = _mm_xor_si128(_mm_clmulepi64_si128(_mm_and_si128(acc, low32), FOLD_64, 0x00),
                        _mm_srli_si128(acc, 4));
    __m128i q = _mm_clmulepi64_si128(_mm_and_si128(acc, low32), BARRETT, 0x10);
    q = _mm_clmulepi64_si128(_mm_and_si128(q, low32), BARRETT, 0x00);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(acc, q), 1);
}

TARGET uint32_t cqln_crc32_x86(uint32_t crc, const uint8_t *bytes, size_t len)
{
    const uint8_t *end = bytes + len;
    __m128i acc = _mm_xor_si128(load(bytes), _mm_cvtsi32_si128((int)~crc));
    if (len >= 64) {
        acc = fold_wide(acc, &bytes, &len);
    } else {
        bytes += 16;
        len -= 16;
    }
    const __m128i k = FOLD_128;
    for (; len >= 16; bytes += 16, len -= 16)
        acc = _mm_xor_si128(carry(acc, k), load(bytes));
    if (len > 0)
        acc = fold_last(acc, end, len);
    return ~reduce(acc);
}

#else

bool cqln_crc32_x86_usable(void)
{
    return false;
}

uint32_t cqln_crc32_x86(uint32_t crc, const uint8_t *bytes, size_t len)
{
    return cqln_crc32_portable(crc, bytes, len);
}

#endif
