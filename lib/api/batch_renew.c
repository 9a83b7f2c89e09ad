/* A batch whose prepared statements have other ids now: in its wire form only the ids change. */
#include "api/statement.h"

#include <string.h>

const cql_prepared *cql_batch_prepared(const cql_batch *b, size_t i)
{
    return b && i < b->member_count ? b->members[i] : NULL;
}

static bool same_statement(const cql_prepared *a, const cql_prepared *b)
{
    return cql_str_equal(a->cql, b->cql) && cql_str_equal(a->keyspace, b->keyspace) &&
           a->id.len == b->id.len && cqln_metadata_same(a->bind, b->bind);
}

/* The id of the next entry, in place; an empty view: it has none. What is read was written here (msg/batch.c). */
static cql_str next_id(cqln_reader *rd)
{
    bool prepared = cqln_read_u8(rd) == 1;
    cql_str first = prepared ? cqln_read_short_bytes(rd) : cqln_read_long_string(rd);
    for (uint16_t n = cqln_read_u16(rd); n > 0 && !rd->failed; n--) {
        cql_str value;
        (void)cqln_read_nbytes(rd, &value);
    }
    return prepared ? first : (cql_str){NULL, 0};
}

static void change_ids(cql_batch *b, cql_str old, cql_str now)
{
    cqln_reader rd;
    cqln_reader_init(&rd, b->entries.data, b->entries.len);
    for (uint32_t i = 0; i < b->count && !rd.failed; i++) {
        cql_str id = next_id(&rd);
        if (id.len && cql_str_equal(id, old))
            memcpy(b->entries.data + ((const uint8_t *)id.ptr - b->entries.data), now.ptr, now.len);
    }
}

cql_status cql_batch_renew(cql_batch *b, const cql_prepared *old, const cql_prepared *now)
{
    if (!b || !old || !now)
        return CQL_BAD_ARGUMENT;
    if (!same_statement(old, now))
        return CQL_PREPARED_CHANGED;
    for (size_t i = 0; i < b->member_count && old != now; i++)
        if (b->members[i] == old) {
            change_ids(b, old->id, now->id);
            b->members[i] = cql_prepared_ref(now);
            cql_prepared_unref((cql_prepared *)(uintptr_t)old); /* the batch's hold */
            break;
        }
    return CQL_OK;
}
