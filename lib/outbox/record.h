/* record.h: the bytes of an outbox file. Numbers are big-endian.
 *
 *   file      header, records
 *   header    "cqlout" 0 1, [u64 number of the first statement], [i64 last write time], [u32 0],
 *             [u32 CRC-32 of the 28 bytes before]
 *   record    [u32 length of the body], [u32 CRC-32 of the length's bytes and the body], body
 *   body      1 [u64 number] [i64 write time] [u16 consistency] [text keyspace] [text cql] [u16 count] values
 *             2 [u64 number]: all statements up to this one have ended
 *   text      [u32 length], bytes, 0
 *   value     [u16 type], [i32 length; -1 null, -2 unset], bytes
 *
 * Nothing here does I/O. What is read is trusted in nothing: every length is compared with what is left. */
#ifndef CQLOX_RECORD_H
#define CQLOX_RECORD_H

#include "outbox/buf.h"

#include <cqlnative/statement.h>

enum {
    CQLOX_HEADER = 32,
    CQLOX_PREFIX = 8,                 /* of a record, before its body */
    CQLOX_MARK = CQLOX_PREFIX + 9,    /* a whole record of kind 2 */
    CQLOX_BODY_MAX = 64 << 20,
    CQLOX_VALUES_MAX = 65535
};

typedef enum cqlox_kind { CQLOX_STATEMENT = 1, CQLOX_DONE = 2 } cqlox_kind;

typedef struct cqlox_header {
    uint64_t first_seq;
    int64_t last_us;
} cqlox_header;

/* Views of a body. */
typedef struct cqlox_statement {
    cqlox_kind kind;
    uint64_t seq;
    int64_t timestamp_us;
    uint16_t consistency; /* 0: the session's */
    const char *keyspace; /* NUL-terminated, "" for none */
    const char *cql;
    size_t cql_len;
    uint16_t count;
    const uint8_t *values;
    size_t values_len;
} cqlox_statement;

uint32_t cqlox_crc(uint32_t crc, const uint8_t *bytes, size_t len);
uint64_t cqlox_get_be(const uint8_t *at, unsigned bytes);
void cqlox_put_be(uint8_t *at, unsigned bytes, uint64_t v);

void cqlox_header_write(uint8_t out[CQLOX_HEADER], const cqlox_header *h);
bool cqlox_header_read(const uint8_t in[CQLOX_HEADER], cqlox_header *out);

/* A whole record into b (emptied before). CQL_TOO_LARGE, CQL_UNBOUND, CQL_NO_MEMORY. */
cql_status cqlox_statement_write(cqlox_buf *b, const cql_allocator *al, const cqlox_statement *st,
                                 cql_values values);
void cqlox_done_write(uint8_t out[CQLOX_MARK], uint64_t seq);
/* Another number for a whole record of a statement. */
void cqlox_record_renumber(uint8_t *record, uint64_t seq);

/* The length of the body that a prefix tells; 0: it cannot be. */
size_t cqlox_prefix_read(const uint8_t in[CQLOX_PREFIX]);
/* A whole record: the checksum, then the body, every part of it. False: damaged. */
bool cqlox_record_read(const uint8_t *record, size_t len, cqlox_statement *out);

/* Walks the values of a statement that was read. False at the end. */
typedef struct cqlox_values {
    const uint8_t *at;
    size_t left;
    uint16_t count;
} cqlox_values;
void cqlox_values_init(cqlox_values *it, const cqlox_statement *st);
bool cqlox_values_next(cqlox_values *it, cql_value *out);

#endif
