/* What the request encoders share: the envelope, and the query parameters.
 *
 *   [consistency] flags(v4 byte, v5 int)
 *       [values] [page_size] [paging_state] [serial consistency] [timestamp] [keyspace, v5]
 *
 * native_protocol_v4 section 4.1.4, native_protocol_v5 section 4.1.4. */
#include "msg/encode.h"

enum {
    OPTION_VALUES = 0x01,
    OPTION_SKIP_METADATA = 0x02,
    OPTION_PAGE_SIZE = 0x04,
    OPTION_PAGING_STATE = 0x08,
    OPTION_SERIAL = 0x10,
    OPTION_TIMESTAMP = 0x20,
    OPTION_KEYSPACE = 0x80
};

cql_status cqln_encode_too_large(cqln_writer *wr)
{
    if (!wr->status)
        wr->status = CQL_TOO_LARGE;
    return wr->status;
}

uint8_t *cqln_envelope_begin(cqln_writer *wr, uint8_t version, uint8_t flags, cqln_opcode opcode,
                             uint64_t body)
{
    if (body > INT32_MAX) {
        cqln_encode_too_large(wr);
        return NULL;
    }
    size_t total = CQLN_FRAME_HEADER + (size_t)body;
    if (!cqln_writer_reserve(wr, total))
        return NULL;
    uint8_t *p = wr->data + wr->len;
    wr->len += total;
    p[0] = version;
    p[1] = flags;
    p[2] = 0;
    p[3] = 0;
    p[4] = (uint8_t)opcode;
    return cqln_put_u32(p + 5, (uint32_t)body);
}

/* The flags of the fields that both QUERY/EXECUTE and BATCH know. */
static uint32_t common_flags(uint8_t version, const cqln_query_options *o)
{
    uint32_t flags = 0;
    if (o->serial_consistency)
        flags |= OPTION_SERIAL;
    if (o->has_timestamp)
        flags |= OPTION_TIMESTAMP;
    if (o->keyspace.len && version >= 5)
        flags |= OPTION_KEYSPACE;
    return flags;
}

static uint32_t query_flags(uint8_t version, const cqln_query_options *o,
                            const cqln_values_bytes *values)
{
    uint32_t flags = common_flags(version, o);
    if (values && values->count)
        flags |= OPTION_VALUES;
    if (o->skip_metadata)
        flags |= OPTION_SKIP_METADATA;
    if (o->page_size)
        flags |= OPTION_PAGE_SIZE;
    if (o->paging_state.len)
        flags |= OPTION_PAGING_STATE;
    return flags;
}

bool cqln_options_fit(uint8_t version, const cqln_query_options *o)
{
    return o->paging_state.len <= INT32_MAX && (version < 5 || o->keyspace.len <= CQLN_STRING_MAX);
}

static uint64_t flags_size(uint8_t version)
{
    return version >= 5 ? 4 : 1;
}

static uint64_t common_size(uint32_t flags, const cqln_query_options *o)
{
    uint64_t size = 0;
    if (flags & OPTION_SERIAL)
        size += 2;
    if (flags & OPTION_TIMESTAMP)
        size += 8;
    if (flags & OPTION_KEYSPACE)
        size += 2 + (uint64_t)o->keyspace.len;
    return size;
}

uint64_t cqln_options_size(uint8_t version, const cqln_query_options *o,
                           const cqln_values_bytes *values)
{
    uint32_t flags = query_flags(version, o, values);
    uint64_t size = 2 + flags_size(version) + common_size(flags, o);
    if (flags & OPTION_VALUES)
        size += 2 + (uint64_t)values->bytes.len;
    if (flags & OPTION_PAGE_SIZE)
        size += 4;
    if (flags & OPTION_PAGING_STATE)
        size += 4 + (uint64_t)o->paging_state.len;
    return size;
}

uint64_t cqln_batch_options_size(uint8_t version, const cqln_query_options *o)
{
    return 2 + flags_size(version) + common_size(common_flags(version, o), o);
}

static uint8_t *put_head(uint8_t *p, uint8_t version, uint16_t consistency, uint32_t flags)
{
    p = cqln_put_u16(p, consistency);
    if (version >= 5)
        return cqln_put_u32(p, flags);
    *p = (uint8_t)flags;
    return p + 1;
}

static uint8_t *put_common(uint8_t *p, uint32_t flags, const cqln_query_options *o)
{
    if (flags & OPTION_SERIAL)
        p = cqln_put_u16(p, o->serial_consistency);
    if (flags & OPTION_TIMESTAMP) {
        cqln_store_u64(p, (uint64_t)o->timestamp);
        p += 8;
    }
    if (flags & OPTION_KEYSPACE)
        p = cqln_put_string(p, o->keyspace);
    return p;
}

uint8_t *cqln_put_options(uint8_t *p, uint8_t version, const cqln_query_options *o,
                          const cqln_values_bytes *values)
{
    uint32_t flags = query_flags(version, o, values);
    p = put_head(p, version, o->consistency, flags);
    if (flags & OPTION_VALUES)
        p = cqln_put_raw(cqln_put_u16(p, values->count), values->bytes);
    if (flags & OPTION_PAGE_SIZE)
        p = cqln_put_u32(p, (uint32_t)o->page_size);
    if (flags & OPTION_PAGING_STATE)
        p = cqln_put_long_string(p, o->paging_state);
    return put_common(p, flags, o);
}

uint8_t *cqln_put_batch_options(uint8_t *p, uint8_t version, const cqln_query_options *o)
{
    uint32_t flags = common_flags(version, o);
    return put_common(put_head(p, version, o->consistency, flags), flags, o);
}
