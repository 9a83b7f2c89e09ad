/* vint.h: the variable-length integers of native_protocol section 3 over the reader. */
#ifndef CQLN_TYPES_VINT_H
#define CQLN_TYPES_VINT_H

#include "base/bytes.h"

static inline uint64_t vint_read(cqln_reader *rd)
{
    uint8_t first = cqln_read_u8(rd);
    unsigned extra = 0;
    while (extra < 8 && first & 0x80u >> extra)
        extra++;
    const uint8_t *p = cqln_read_bytes(rd, extra);
    uint64_t v = extra < 8 ? first & 0xffu >> (extra + 1) : 0;
    for (unsigned i = 0; p && i < extra; i++)
        v = v << 8 | p[i];
    return p ? v : 0;
}

static inline int64_t vint_read_signed(cqln_reader *rd)
{
    uint64_t v = vint_read(rd);
    return (int64_t)(v >> 1 ^ (~(v & 1) + 1));
}

static inline size_t vint_store(uint8_t out[9], uint64_t v)
{
    unsigned extra = 0;
    while (extra < 8 && v >> (7 * (extra + 1)))
        extra++;
    for (unsigned i = extra; i > 0; i--, v >>= 8)
        out[i] = (uint8_t)v;
    out[0] = (uint8_t)((0xff00u >> extra) | (extra < 8 ? v : 0));
    return extra + 1;
}

static inline size_t vint_store_signed(uint8_t out[9], int64_t v)
{
    return vint_store(out, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

#endif
