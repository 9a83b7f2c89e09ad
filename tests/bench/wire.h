/*
 * Big-endian access and the few protocol constants that the responder and the floor need.
 *
 * The bench folder has its own small wire code on purpose: a responder built from the library's
 * encoders would agree with the library's mistakes, and a floor built from them would measure them.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    ENVELOPE_HEADER = 9,
    SEGMENT_HEADER = 6,   /* 3 bytes of length and flag, 3 bytes of CRC24 */
    SEGMENT_TRAILER = 4,  /* CRC32 */
    SEGMENT_MAX = 131071, /* payload bytes, 2^17 - 1 */
    SEGMENT_SELF_CONTAINED = 1 << 17,
};

enum opcode {
    OP_ERROR = 0x00,
    OP_STARTUP = 0x01,
    OP_READY = 0x02,
    OP_OPTIONS = 0x05,
    OP_SUPPORTED = 0x06,
    OP_QUERY = 0x07,
    OP_RESULT = 0x08,
    OP_PREPARE = 0x09,
    OP_EXECUTE = 0x0a,
    OP_REGISTER = 0x0b,
    OP_BATCH = 0x0d,
};

enum result_kind { KIND_VOID = 1, KIND_ROWS = 2, KIND_SET_KEYSPACE = 3, KIND_PREPARED = 4 };

enum query_flag {
    QUERY_VALUES = 0x01,
    QUERY_SKIP_METADATA = 0x02,
    QUERY_PAGE_SIZE = 0x04,
    QUERY_PAGING_STATE = 0x08,
    QUERY_SERIAL = 0x10,
    QUERY_TIMESTAMP = 0x20,
    QUERY_NAMES = 0x40,
};

enum rows_flag {
    ROWS_GLOBAL_SPEC = 1,
    ROWS_MORE_PAGES = 2,
    ROWS_NO_METADATA = 4,
    ROWS_METADATA_CHANGED = 8,
};

enum type_id {
    TYPE_BIGINT = 0x02,
    TYPE_BLOB = 0x03,
    TYPE_BOOLEAN = 0x04,
    TYPE_DOUBLE = 0x07,
    TYPE_INT = 0x09,
    TYPE_TIMESTAMP = 0x0b,
    TYPE_UUID = 0x0c,
    TYPE_TEXT = 0x0d,
    TYPE_INET = 0x10,
    TYPE_LIST = 0x20,
    TYPE_MAP = 0x21,
    TYPE_SET = 0x22,
};

static inline uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t get_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static inline uint64_t get_u64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline void put_u16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put_u32(uint8_t *p, uint32_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    memcpy(p, &v, sizeof v);
}

static inline void put_u64(uint8_t *p, uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    memcpy(p, &v, sizeof v);
}

/* Segments are little-endian where everything else is big-endian. */
static inline uint32_t get_le24(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static inline void put_le24(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
}

static inline uint32_t get_le32(const uint8_t *p)
{
    return get_le24(p) | (uint32_t)p[3] << 24;
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
    put_le24(p, v);
    p[3] = (uint8_t)(v >> 24);
}

static inline void put_header(uint8_t *p, unsigned version, uint16_t stream, enum opcode op,
                              size_t length)
{
    p[0] = (uint8_t)version;
    p[1] = 0;
    put_u16(p + 2, stream);
    p[4] = (uint8_t)op;
    put_u32(p + 5, (uint32_t)length);
}

#endif
