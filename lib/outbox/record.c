/* record.c: records both ways. */
#include "outbox/record.h"

#include <string.h>

static const uint8_t magic[8] = {'c', 'q', 'l', 'o', 'u', 't', 0, 1};

/* --- numbers --------------------------------------------------------------------------------------- */

/* CRC-32 as in zip files, four bits at a time: a table of 64 bytes. Start with 0. */
uint32_t cqlox_crc(uint32_t crc, const uint8_t *bytes, size_t len)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

uint64_t cqlox_get_be(const uint8_t *at, unsigned bytes)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | at[i];
    return v;
}

void cqlox_put_be(uint8_t *at, unsigned bytes, uint64_t v)
{
    for (unsigned i = bytes; i-- > 0; v >>= 8)
        at[i] = (uint8_t)v;
}

/* --- header ---------------------------------------------------------------------------------------- */

void cqlox_header_write(uint8_t out[CQLOX_HEADER], const cqlox_header *h)
{
    memcpy(out, magic, sizeof magic);
    cqlox_put_be(out + 8, 8, h->first_seq);
    cqlox_put_be(out + 16, 8, (uint64_t)h->last_us);
    cqlox_put_be(out + 24, 4, 0);
    cqlox_put_be(out + 28, 4, cqlox_crc(0, out, 28));
}

bool cqlox_header_read(const uint8_t in[CQLOX_HEADER], cqlox_header *out)
{
    if (memcmp(in, magic, sizeof magic) != 0 || cqlox_get_be(in + 28, 4) != cqlox_crc(0, in, 28))
        return false;
    out->first_seq = cqlox_get_be(in + 8, 8);
    out->last_us = (int64_t)cqlox_get_be(in + 16, 8);
    return out->first_seq > 0;
}

/* --- writing --------------------------------------------------------------------------------------- */

/* Writes what was counted before; the room is there. */
typedef struct cqlox_writer {
    uint8_t *at;
} cqlox_writer;

static void put(cqlox_writer *wr, unsigned bytes, uint64_t v)
{
    cqlox_put_be(wr->at, bytes, v);
    wr->at += bytes;
}

static void put_bytes(cqlox_writer *wr, const void *bytes, size_t len)
{
    if (len)
        memcpy(wr->at, bytes, len);
    wr->at += len;
}

static void put_text(cqlox_writer *wr, const char *text, size_t len)
{
    put(wr, 4, len);
    put_bytes(wr, text, len);
    put(wr, 1, 0);
}

static void seal(uint8_t *record, size_t body)
{
    cqlox_put_be(record, 4, body);
    uint32_t crc = cqlox_crc(0, record, 4);
    cqlox_put_be(record + 4, 4, cqlox_crc(crc, record + CQLOX_PREFIX, body));
}

/* Bytes of all values in the file. */
static cql_status measure(cql_values values, uint64_t *total)
{
    *total = 0;
    if (values.count > CQLOX_VALUES_MAX)
        return CQL_TOO_LARGE;
    for (size_t i = 0; i < values.count; i++) {
        const cql_value *v = &values.ptr[i];
        if (v->state == CQL_VALUE_UNBOUND)
            return CQL_UNBOUND;
        *total += 6 + (v->state == CQL_VALUE_SET ? (uint64_t)v->len : 0);
    }
    return CQL_OK;
}

static void put_value(cqlox_writer *wr, const cql_value *v)
{
    put(wr, 2, v->type);
    if (v->state != CQL_VALUE_SET) {
        put(wr, 4, v->state == CQL_VALUE_NULL ? UINT32_MAX : UINT32_MAX - 1);
        return;
    }
    cql_str bytes = cql_value_bytes(v);
    put(wr, 4, bytes.len);
    put_bytes(wr, bytes.ptr, bytes.len);
}

cql_status cqlox_statement_write(cqlox_buf *b, const cql_allocator *al, const cqlox_statement *st,
                                 cql_values values)
{
    uint64_t total;
    size_t keyspace_len = strlen(st->keyspace);
    cql_status status = measure(values, &total);
    if (status)
        return status;
    total += 1 + 8 + 8 + 2 + 5 + (uint64_t)keyspace_len + 5 + st->cql_len + 2;
    if (total > CQLOX_BODY_MAX)
        return CQL_TOO_LARGE;
    status = cqlox_buf_reserve(b, al, CQLOX_PREFIX + (size_t)total);
    if (status)
        return status;
    cqlox_writer wr = {b->ptr + CQLOX_PREFIX};
    put(&wr, 1, CQLOX_STATEMENT);
    put(&wr, 8, st->seq);
    put(&wr, 8, (uint64_t)st->timestamp_us);
    put(&wr, 2, st->consistency);
    put_text(&wr, st->keyspace, keyspace_len);
    put_text(&wr, st->cql, st->cql_len);
    put(&wr, 2, values.count);
    for (size_t i = 0; i < values.count; i++)
        put_value(&wr, &values.ptr[i]);
    seal(b->ptr, (size_t)total);
    b->len = CQLOX_PREFIX + (size_t)total;
    return CQL_OK;
}

void cqlox_done_write(uint8_t out[CQLOX_MARK], uint64_t seq)
{
    out[CQLOX_PREFIX] = CQLOX_DONE;
    cqlox_put_be(out + CQLOX_PREFIX + 1, 8, seq);
    seal(out, CQLOX_MARK - CQLOX_PREFIX);
}

void cqlox_record_renumber(uint8_t *record, uint64_t seq)
{
    cqlox_put_be(record + CQLOX_PREFIX + 1, 8, seq);
    seal(record, (size_t)cqlox_get_be(record, 4));
}

/* --- reading --------------------------------------------------------------------------------------- */

/* What is left; after the first read beyond the end everything is 0 and `bad` stays. */
typedef struct cqlox_reader {
    const uint8_t *at;
    size_t left;
    bool bad;
} cqlox_reader;

static const uint8_t *take(cqlox_reader *rd, size_t len)
{
    if (rd->bad || len > rd->left) {
        rd->bad = true;
        return NULL;
    }
    const uint8_t *at = rd->at;
    rd->at += len;
    rd->left -= len;
    return at;
}

static uint64_t get(cqlox_reader *rd, unsigned bytes)
{
    const uint8_t *at = take(rd, bytes);
    return at ? cqlox_get_be(at, bytes) : 0;
}

/* A text with its NUL and no other. */
static const char *get_text(cqlox_reader *rd, size_t *len)
{
    *len = (size_t)get(rd, 4);
    const uint8_t *at = take(rd, *len);
    const uint8_t *end = take(rd, 1);
    if (!end || *end != 0 || memchr(at, 0, *len)) {
        rd->bad = true;
        return "";
    }
    return (const char *)at;
}

static bool get_value(cqlox_reader *rd, cql_value *out)
{
    uint16_t type = (uint16_t)get(rd, 2);
    uint32_t len = (uint32_t)get(rd, 4);
    if (len >= UINT32_MAX - 1) {
        *out = len == UINT32_MAX ? cql_value_null() : cql_value_unset();
        return !rd->bad;
    }
    const uint8_t *bytes = take(rd, len);
    if (bytes)
        *out = cql_value_raw((cql_type_id)type, bytes, len);
    return bytes != NULL;
}

size_t cqlox_prefix_read(const uint8_t in[CQLOX_PREFIX])
{
    uint64_t len = cqlox_get_be(in, 4);
    return len >= CQLOX_MARK - CQLOX_PREFIX && len <= CQLOX_BODY_MAX ? (size_t)len : 0;
}

static bool read_statement(cqlox_reader *rd, cqlox_statement *out)
{
    size_t keyspace_len;
    cql_value v;
    out->timestamp_us = (int64_t)get(rd, 8);
    out->consistency = (uint16_t)get(rd, 2);
    out->keyspace = get_text(rd, &keyspace_len);
    out->cql = get_text(rd, &out->cql_len);
    out->count = (uint16_t)get(rd, 2);
    out->values = rd->at;
    out->values_len = rd->left;
    for (unsigned i = 0; i < out->count; i++)
        if (!get_value(rd, &v))
            return false;
    return !rd->bad && rd->left == 0 && out->consistency <= CQL_CONSISTENCY_LOCAL_ONE;
}

bool cqlox_record_read(const uint8_t *record, size_t len, cqlox_statement *out)
{
    memset(out, 0, sizeof *out);
    if (len < CQLOX_MARK || cqlox_prefix_read(record) != len - CQLOX_PREFIX)
        return false;
    uint32_t crc = cqlox_crc(0, record, 4);
    crc = cqlox_crc(crc, record + CQLOX_PREFIX, len - CQLOX_PREFIX);
    if (cqlox_get_be(record + 4, 4) != crc)
        return false;
    cqlox_reader rd = {record + CQLOX_PREFIX, len - CQLOX_PREFIX, false};
    out->kind = (cqlox_kind)get(&rd, 1);
    out->seq = get(&rd, 8);
    switch (out->kind) {
    case CQLOX_STATEMENT:
        return read_statement(&rd, out);
    case CQLOX_DONE:
        return rd.left == 0;
    }
    return false;
}

void cqlox_values_init(cqlox_values *it, const cqlox_statement *st)
{
    it->at = st->values;
    it->left = st->values_len;
    it->count = st->count;
}

bool cqlox_values_next(cqlox_values *it, cql_value *out)
{
    cqlox_reader rd = {it->at, it->left, false};
    if (it->count == 0 || !get_value(&rd, out))
        return false;
    it->count--;
    it->at = rd.at;
    it->left = rd.left;
    return true;
}
