/* BATCH (native_protocol section 4.1.7).
 *
 *   [byte] type  [short] n  n entries  [consistency] flags [serial] [timestamp] [keyspace, v5]
 *   entry: [byte] kind (0: [long string] cql, 1: [short bytes] id)  [short] m  m [value]s
 */
#include "msg/encode.h"

enum { ENTRY_QUERY = 0, ENTRY_PREPARED = 1 };

static uint8_t *put_values(uint8_t *p, const cqln_values_bytes *v)
{
    if (!v)
        return cqln_put_u16(p, 0);
    return cqln_put_raw(cqln_put_u16(p, v->count), v->bytes);
}

static uint8_t *entry_begin(cqln_writer *entries, uint64_t size, const cqln_values_bytes *v)
{
    size += 1 + 2 + (v ? (uint64_t)v->bytes.len : 0);
    if (size > INT32_MAX) {
        cqln_encode_too_large(entries);
        return NULL;
    }
    if (!cqln_writer_reserve(entries, (size_t)size))
        return NULL;
    uint8_t *p = entries->data + entries->len;
    entries->len += (size_t)size;
    return p;
}

void cqln_encode_batch_query_entry(cqln_writer *entries, cql_str cql, const cqln_values_bytes *v)
{
    uint8_t *p = entry_begin(entries, 4 + (uint64_t)cql.len, v);
    if (!p)
        return;
    *p = ENTRY_QUERY;
    put_values(cqln_put_long_string(p + 1, cql), v);
}

void cqln_encode_batch_prepared_entry(cqln_writer *entries, cql_str id, const cqln_values_bytes *v)
{
    if (id.len > CQLN_STRING_MAX) {
        cqln_encode_too_large(entries);
        return;
    }
    uint8_t *p = entry_begin(entries, 2 + (uint64_t)id.len, v);
    if (!p)
        return;
    *p = ENTRY_PREPARED;
    put_values(cqln_put_string(p + 1, id), v);
}

cql_status cqln_encode_batch(cqln_writer *wr, uint8_t version, uint8_t type, uint16_t count,
                             cql_str entries, const cqln_query_options *o)
{
    if (!cqln_options_fit(version, o))
        return cqln_encode_too_large(wr);
    uint8_t *p = cqln_envelope_open(wr, 3 + (uint64_t)entries.len + cqln_options_bound(o, NULL));
    if (!p)
        return wr->status;
    p = cqln_put_payload(p, o);
    *p = type;
    uint8_t *consistency = cqln_put_raw(cqln_put_u16(p + 1, count), entries);
    uint32_t flags = 0;
    p = cqln_put_consistency(consistency, version, o->consistency);
    p = cqln_put_shared(p, version, o, &flags);
    cqln_put_flags(consistency, version, flags);
    return cqln_envelope_close(wr, version, cqln_request_flags(o), CQLN_OP_BATCH, p);
}
