/*
 * CRC24 by table; CRC32 by eight tables, or by carry-less multiplication where the processor has
 * it.
 */
#include "crc.h"

#include <stdbool.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define CRC24_START 0x875060u
#define CRC24_POLY  0x1974f0bu
#define CRC32_POLY  0xedb88320u /* reflected */

static uint32_t table24[256];
static uint32_t table32[8][256];
static uint32_t seed; /* the register after the four bytes that come before every payload */

typedef uint32_t crc32_fn(uint32_t reg, const uint8_t *p, size_t n);

static uint32_t crc32_tables(uint32_t reg, const uint8_t *p, size_t n)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t lo = reg ^ get_le32(p);
        uint32_t hi = get_le32(p + 4);
        reg = table32[7][lo & 0xff] ^ table32[6][lo >> 8 & 0xff] ^ table32[5][lo >> 16 & 0xff] ^
              table32[4][lo >> 24] ^ table32[3][hi & 0xff] ^ table32[2][hi >> 8 & 0xff] ^
              table32[1][hi >> 16 & 0xff] ^ table32[0][hi >> 24];
    }
    for (; n; n--, p++)
        reg = reg >> 8 ^ table32[0][(reg ^ *p) & 0xff];
    return reg;
}

static crc32_fn *crc32_run = crc32_tables;

#if defined(__x86_64__)

/*
 * Folding: a 128-bit remainder moved d bits further in the message is its low half times
 * x^(d+64-1) plus its high half times x^(d-1), both modulo the polynomial and bit-reflected.
 */
#define FOLD_512_LO 0x154442bd4
#define FOLD_512_HI 0x1c6e41596
#define FOLD_128_LO 0x1751997d0
#define FOLD_128_HI 0x0ccaa009e

__attribute__((target("pclmul,sse4.1"))) static inline __m128i fold(__m128i x, __m128i k,
                                                                    __m128i next)
{
    __m128i lo = _mm_clmulepi64_si128(x, k, 0x00);
    __m128i hi = _mm_clmulepi64_si128(x, k, 0x11);
    return _mm_xor_si128(_mm_xor_si128(lo, hi), next);
}

__attribute__((target("pclmul,sse4.1"))) static inline __m128i load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

__attribute__((target("pclmul,sse4.1"))) static uint32_t crc32_clmul(uint32_t reg, const uint8_t *p,
                                                                     size_t n)
{
    const __m128i k512 = _mm_set_epi64x(FOLD_512_HI, FOLD_512_LO);
    const __m128i k128 = _mm_set_epi64x(FOLD_128_HI, FOLD_128_LO);
    uint8_t last[16];

    if (n < 32)
        return crc32_tables(reg, p, n);
    __m128i x = _mm_xor_si128(load(p), _mm_cvtsi32_si128((int)reg));
    if (n >= 128) {
        __m128i b = load(p + 16), c = load(p + 32), d = load(p + 48);
        for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
            x = fold(x, k512, load(p));
            b = fold(b, k512, load(p + 16));
            c = fold(c, k512, load(p + 32));
            d = fold(d, k512, load(p + 48));
        }
        x = fold(x, k128, b);
        x = fold(x, k128, c);
        x = fold(x, k128, d);
    } else {
        p += 16;
        n -= 16;
    }
    for (; n >= 16; p += 16, n -= 16)
        x = fold(x, k128, load(p));
    _mm_storeu_si128((__m128i *)(void *)last, x);
    return crc32_tables(crc32_tables(0, last, sizeof last), p, n);
}

static crc32_fn *pick_crc32(void)
{
    return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1") ? crc32_clmul
                                                                                : crc32_tables;
}

#else

static crc32_fn *pick_crc32(void)
{
    return crc32_tables;
}

#endif

static void fill_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c24 = i << 16;
        uint32_t c32 = i;
        for (int bit = 0; bit < 8; bit++) {
            c24 <<= 1;
            if (c24 & 0x1000000)
                c24 ^= CRC24_POLY;
            c32 = c32 & 1 ? c32 >> 1 ^ CRC32_POLY : c32 >> 1;
        }
        table24[i] = c24;
        table32[0][i] = c32;
    }
    for (int t = 1; t < 8; t++)
        for (int i = 0; i < 256; i++)
            table32[t][i] = table32[t - 1][i] >> 8 ^ table32[0][table32[t - 1][i] & 0xff];
}

void crc_init(void)
{
    static const uint8_t before[4] = {0xfa, 0x2d, 0x55, 0xca};

    fill_tables();
    seed = crc32_tables(0xffffffff, before, sizeof before);
    crc32_run = pick_crc32();
}

uint32_t crc24(const uint8_t header[3])
{
    uint32_t reg = CRC24_START;
    for (int i = 0; i < 3; i++)
        reg = (reg << 8 & 0xffffff) ^ table24[(reg >> 16 ^ header[i]) & 0xff];
    return reg;
}

uint32_t crc32_segment(const uint8_t *data, size_t n)
{
    return ~crc32_run(seed, data, n);
}

uint32_t crc32_segment_portable(const uint8_t *data, size_t n)
{
    return ~crc32_tables(seed, data, n);
}

/* The register after n zero bytes. */
static uint32_t crc32_zeros(uint32_t reg, size_t n)
{
    static const uint8_t zeros[4096];

    for (; n > sizeof zeros; n -= sizeof zeros)
        reg = crc32_run(reg, zeros, sizeof zeros);
    return crc32_run(reg, zeros, n);
}

uint32_t crc32_patch16(size_t n, size_t at, uint16_t value)
{
    uint8_t field[2];

    put_u16(field, value);
    return crc32_zeros(crc32_tables(0, field, 2), n - at - 2);
}
