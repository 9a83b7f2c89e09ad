/* bytes.h: the one bounded reader for bytes from outside, and the writer that makes ours.
 *
 * The reader's failure is sticky: a read past the end gives zero or NULL, sets `failed`, and every
 * later read fails too, so a decoder checks once at the end of each structure. */
#ifndef CQLN_BASE_BYTES_H
#define CQLN_BASE_BYTES_H

#include "base/alloc.h"

#include <string.h>

typedef struct cqln_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
} cqln_reader;

static inline uint16_t cqln_load_u16(const uint8_t *p)
{
    return (uint16_t)((uint16_t)(p[0] << 8) | p[1]);
}

static inline uint32_t cqln_load_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static inline uint64_t cqln_load_u64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline void cqln_store_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void cqln_store_u32(uint8_t *p, uint32_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    memcpy(p, &v, sizeof v);
}

static inline void cqln_store_u64(uint8_t *p, uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    memcpy(p, &v, sizeof v);
}

/* As memcpy, for what is mostly short: 8 to 32 bytes go as two halves that may overlap, without a call. */
static inline void cqln_copy(uint8_t *to, const void *bytes, size_t n)
{
    const uint8_t *from = (const uint8_t *)bytes;
    if (n > 32 || n < 8) {
        if (n)
            memcpy(to, from, n);
    } else if (n < 16) {
        uint64_t a, b;
        memcpy(&a, from, 8);
        memcpy(&b, from + n - 8, 8);
        memcpy(to, &a, 8);
        memcpy(to + n - 8, &b, 8);
    } else {
        memcpy(to, from, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    }
}

static inline void cqln_reader_init(cqln_reader *rd, const void *bytes, size_t len)
{
    rd->at = bytes;
    rd->end = rd->at ? rd->at + len : rd->at;
    rd->failed = false;
}

static inline size_t cqln_reader_left(const cqln_reader *rd)
{
    return (size_t)(rd->end - rd->at);
}

/* Ends the reader: for bytes that are there but make no sense. */
static inline void cqln_reader_fail(cqln_reader *rd)
{
    rd->failed = true;
    rd->at = rd->end;
}

/* The next n bytes, borrowed; NULL when there are fewer. n == 0 gives the current place. */
static inline const uint8_t *cqln_read_bytes(cqln_reader *rd, size_t n)
{
    if (rd->failed || n > cqln_reader_left(rd)) {
        cqln_reader_fail(rd);
        return NULL;
    }
    const uint8_t *p = rd->at;
    rd->at += n;
    return p;
}

static inline uint8_t cqln_read_u8(cqln_reader *rd)
{
    const uint8_t *p = cqln_read_bytes(rd, 1);
    return p ? p[0] : 0;
}

static inline uint16_t cqln_read_u16(cqln_reader *rd)
{
    const uint8_t *p = cqln_read_bytes(rd, 2);
    return p ? cqln_load_u16(p) : 0;
}

static inline uint32_t cqln_read_u32(cqln_reader *rd)
{
    const uint8_t *p = cqln_read_bytes(rd, 4);
    return p ? cqln_load_u32(p) : 0;
}

static inline int32_t cqln_read_i32(cqln_reader *rd)
{
    return (int32_t)cqln_read_u32(rd);
}

static inline uint64_t cqln_read_u64(cqln_reader *rd)
{
    const uint8_t *p = cqln_read_bytes(rd, 8);
    return p ? cqln_load_u64(p) : 0;
}

/* How long a [bytes] is, its length included. */
static inline size_t cqln_bytes_size(const uint8_t *p)
{
    int32_t len = (int32_t)cqln_load_u32(p);
    return 4 + (len < 0 ? 0 : (size_t)len);
}

/* Grows up to `max`; the first failure (CQL_NO_MEMORY, CQL_TOO_LARGE) is sticky in `status` and later
 * writes do nothing, so an encoder checks once at its end. */
typedef struct cqln_writer {
    const cql_allocator *al;
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max;
    cql_status status;
} cqln_writer;

void cqln_writer_init(cqln_writer *wr, const cql_allocator *al, size_t max);
void cqln_writer_fini(cqln_writer *wr);
/* Empties it and forgets a failure; keeps the memory. */
static inline void cqln_writer_reset(cqln_writer *wr)
{
    wr->len = 0;
    wr->status = CQL_OK;
}
/* Sets the status unless one is set already: for an encoder that meets what cannot be written. */
void cqln_writer_fail(cqln_writer *wr, cql_status st);
/* Room for n more bytes; false (and status set) when there is none. */
bool cqln_writer_reserve(cqln_writer *wr, size_t n);
void cqln_write_bytes(cqln_writer *wr, const void *bytes, size_t n);
void cqln_write_u8(cqln_writer *wr, uint8_t v);
void cqln_write_u16(cqln_writer *wr, uint16_t v);
void cqln_write_u32(cqln_writer *wr, uint32_t v);
void cqln_write_u64(cqln_writer *wr, uint64_t v);
/* Overwrites four bytes written before; does nothing after a failure. */
void cqln_writer_patch_u32(cqln_writer *wr, size_t at, uint32_t v);
/* What was written last, from `from` on, takes the place of the n bytes at `at`, which lie before it. */
void cqln_writer_move_back(cqln_writer *wr, size_t at, size_t n, size_t from);

#endif
