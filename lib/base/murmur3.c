/* MurmurHash3_x64_128 with the signed tail. */
#include "base/murmur3.h"

#include <string.h>

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

static inline uint64_t mix2(uint64_t k)
{
    return cqln_murmur3_rotate(k * CQLN_MURMUR3_C2, 33) * CQLN_MURMUR3_C1;
}

static __attribute__((noinline)) int64_t hash_any(const uint8_t *p, size_t len)
{
    uint64_t h1 = 0, h2 = 0;
    size_t left = len;
    for (; left >= 16; p += 16, left -= 16) {
        h1 = cqln_murmur3_rotate(h1 ^ cqln_murmur3_mix(cqln_murmur3_load(p)), 27) + h2;
        h1 = h1 * 5 + 0x52dce729;
        h2 = cqln_murmur3_rotate(h2 ^ mix2(cqln_murmur3_load(p + 8)), 31) + h1;
        h2 = h2 * 5 + 0x38495ab5;
    }
    if (left > 8)
        h2 ^= mix2(cqln_murmur3_signed(load_some(p + 8, left - 8)));
    if (left >= 8)
        h1 ^= cqln_murmur3_mix(cqln_murmur3_signed(cqln_murmur3_load(p)));
    else if (left)
        h1 ^= cqln_murmur3_mix(cqln_murmur3_signed(load_some(p, left)));
    return cqln_murmur3_end(h1, h2, len);
}

int64_t cqln_murmur3(const void *bytes, size_t len)
{
    return len == 8 ? cqln_murmur3_eight(bytes) : hash_any(bytes, len);
}
