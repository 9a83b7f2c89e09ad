/* murmur3.h: MurmurHash3 (x64, 128 bits, seed 0, first half) as Cassandra's Murmur3Partitioner computes
 * it: the bytes behind the last whole block of 16 are taken as signed numbers, so that the result differs
 * from the published function when one of them is 0x80 or more. */
#ifndef CQLN_BASE_MURMUR3_H
#define CQLN_BASE_MURMUR3_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The hash as it is; the token of a key is made of it in meta/token.h. */
int64_t cqln_murmur3(const void *bytes, size_t len);

/* --- its steps ------------------------------------------------------------------------------------ */

#define CQLN_MURMUR3_C1 0x87c37b91114253d5u
#define CQLN_MURMUR3_C2 0x4cf5ad432745937fu

static inline uint64_t cqln_murmur3_rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline uint64_t cqln_murmur3_load(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* A negative byte of the tail, widened to 64 bits, also turns every bit above it. So each byte of the word comes out
 * inverted when an odd number of the bytes below it is negative: all of that is made at once from the plain little-endian
 * word, the numbers of all bytes by one multiplication. */
static inline uint64_t cqln_murmur3_signed(uint64_t plain)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t below = (plain >> 7 & ones) * (ones << 8); /* in each byte: how many of those below are negative */
    return plain ^ (below & ones) * 0xff;
}

static inline uint64_t cqln_murmur3_mix(uint64_t k)
{
    return cqln_murmur3_rotate(k * CQLN_MURMUR3_C1, 31) * CQLN_MURMUR3_C2;
}

static inline uint64_t cqln_murmur3_finish(uint64_t h)
{
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

static inline int64_t cqln_murmur3_end(uint64_t h1, uint64_t h2, size_t len)
{
    h1 ^= len;
    h2 ^= len;
    h1 += h2;
    h2 += h1;
    return (int64_t)(cqln_murmur3_finish(h1) + cqln_murmur3_finish(h2));
}

/* Of eight bytes, the commonest key. */
static inline int64_t cqln_murmur3_eight(const void *bytes)
{
    return cqln_murmur3_end(cqln_murmur3_mix(cqln_murmur3_signed(cqln_murmur3_load(bytes))), 0, 8);
}

#endif
