/* MurmurHash3_x64_128 with the signed tail.
 *
 * A negative byte of the tail, widened to 64 bits, also turns every bit above it. So each byte of the
 * word comes out inverted when an odd number of the bytes below it is negative: signed_word() makes all
 * of that at once from the plain little-endian word, the numbers of all bytes by one multiplication. */
#include "base/murmur3.h"

#include <string.h>

static const uint64_t c1 = 0x87c37b91114253d5u;
static const uint64_t c2 = 0x4cf5ad432745937fu;

static inline uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline uint32_t load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

/* n < 8 bytes, zero above them. */
static inline uint64_t load_some(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    if (n >= 4) /* two loads that may overlap */
        return load32(p) | (uint64_t)load32(p + n - 4) << (8 * (n - 4));
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static inline uint64_t signed_word(uint64_t plain)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t below = (plain >> 7 & ones) * (ones << 8); /* in each byte: how many of those below are negative */
    return plain ^ (below & ones) * 0xff;
}

static inline uint64_t mix1(uint64_t k)
{
    return rotate(k * c1, 31) * c2;
}

static inline uint64_t mix2(uint64_t k)
{
    return rotate(k * c2, 33) * c1;
}

static inline uint64_t finish(uint64_t h)
{
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

static inline int64_t finish_both(uint64_t h1, uint64_t h2, size_t len)
{
    h1 ^= len;
    h2 ^= len;
    h1 += h2;
    h2 += h1;
    return (int64_t)(finish(h1) + finish(h2));
}

static __attribute__((noinline)) int64_t hash_any(const uint8_t *p, size_t len)
{
    uint64_t h1 = 0, h2 = 0;
    size_t left = len;
    for (; left >= 16; p += 16, left -= 16) {
        h1 = rotate(h1 ^ mix1(load64(p)), 27) + h2;
        h1 = h1 * 5 + 0x52dce729;
        h2 = rotate(h2 ^ mix2(load64(p + 8)), 31) + h1;
        h2 = h2 * 5 + 0x38495ab5;
    }
    if (left > 8)
        h2 ^= mix2(signed_word(load_some(p + 8, left - 8)));
    if (left >= 8)
        h1 ^= mix1(signed_word(load64(p)));
    else if (left)
        h1 ^= mix1(signed_word(load_some(p, left)));
    return finish_both(h1, h2, len);
}

/* Eight bytes, the commonest key, on a way of their own. */
int64_t cqln_murmur3(const void *bytes, size_t len)
{
    if (len != 8)
        return hash_any(bytes, len);
    return finish_both(mix1(signed_word(load64(bytes))), 0, len);
}
