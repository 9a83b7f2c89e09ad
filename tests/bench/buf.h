/*
 * A growing byte buffer and a bounded reader, for the parts where speed does not matter.
 */
#ifndef BENCH_BUF_H
#define BENCH_BUF_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire.h"

typedef struct buf {
    uint8_t *data;
    size_t size;
    size_t cap;
} buf;

/* A benchmark without memory has nothing to report, so running out ends the program. */
static inline void *must(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return p;
}

static inline uint8_t *buf_space(buf *b, size_t n)
{
    if (b->cap - b->size < n) {
        b->cap = (b->cap + n) * 2;
        b->data = must(realloc(b->data, b->cap));
    }
    b->size += n;
    return b->data + b->size - n;
}

static inline void buf_bytes(buf *b, const void *p, size_t n)
{
    if (n)
        memcpy(buf_space(b, n), p, n);
}

static inline void buf_u8(buf *b, unsigned v)
{
    *buf_space(b, 1) = (uint8_t)v;
}

static inline void buf_u16(buf *b, unsigned v)
{
    put_u16(buf_space(b, 2), v);
}

static inline void buf_u32(buf *b, uint32_t v)
{
    put_u32(buf_space(b, 4), v);
}

static inline void buf_u64(buf *b, uint64_t v)
{
    put_u64(buf_space(b, 8), v);
}

/* [string]; the text is ours, so its length fits. */
static inline void buf_string(buf *b, const char *text)
{
    size_t n = strlen(text);
    buf_u16(b, (unsigned)n);
    buf_bytes(b, text, n);
}

/* [bytes] */
static inline void buf_cell(buf *b, const void *p, size_t n)
{
    buf_u32(b, (uint32_t)n);
    buf_bytes(b, p, n);
}

typedef struct reader {
    const uint8_t *p;
    const uint8_t *end;
    bool bad; /* sticky: set by the first read past the end, after which reads give zero */
} reader;

static inline const uint8_t *rd_bytes(reader *r, size_t n)
{
    static const uint8_t zeros[8];
    if (r->bad || (size_t)(r->end - r->p) < n) {
        r->bad = true;
        return zeros;
    }
    r->p += n;
    return r->p - n;
}

static inline unsigned rd_u8(reader *r)
{
    return *rd_bytes(r, 1);
}

static inline unsigned rd_u16(reader *r)
{
    return get_u16(rd_bytes(r, 2));
}

static inline uint32_t rd_u32(reader *r)
{
    return get_u32(rd_bytes(r, 4));
}

/* [value] or [bytes]: NULL for a negative length. */
static inline const uint8_t *rd_value(reader *r, size_t *size)
{
    uint32_t n = rd_u32(r);
    *size = n & 0x80000000 ? 0 : n;
    return n & 0x80000000 ? NULL : rd_bytes(r, n);
}

#endif
