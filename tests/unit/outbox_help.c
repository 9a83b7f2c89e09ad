#include "outbox_help.h"

#include "base/alloc.h"

#include <stdio.h>

const cql_allocator *outbox_memory(void)
{
    return cqln_alloc_default();
}

void outbox_record(cqlox_buf *b, uint64_t seq, int32_t i)
{
    char cql[80], keyspace[8], text[128];
    snprintf(cql, sizeof cql, "INSERT INTO t%d (a, b, c, d) VALUES (?, ?, ?, ?)", i);
    snprintf(keyspace, sizeof keyspace, i % 2 ? "ks" : "");
    memset(text, 'a' + i % 26, sizeof text);
    cqlox_statement st = {.kind = CQLOX_STATEMENT,
                          .seq = seq,
                          .timestamp_us = 1000 + i,
                          .consistency = (uint16_t)(i % 4),
                          .keyspace = keyspace,
                          .cql = cql,
                          .cql_len = strlen(cql)};
    cql_values v = CQL_VALUES(cql_value_int32(i), cql_value_null(), cql_value_unset(),
                              cql_value_str((cql_str){text, (size_t)(i % 97)}));
    assert_int_equal(cqlox_statement_write(b, outbox_memory(), &st, v), CQL_OK);
}

int32_t outbox_number(const cqlox_statement *st)
{
    cqlox_values it;
    cql_value v;
    int32_t i = -1;
    char cql[80];
    cqlox_values_init(&it, st);
    assert_true(cqlox_values_next(&it, &v));
    assert_int_equal(cql_value_as_int32(&v, &i), CQL_OK);
    assert_true(cqlox_values_next(&it, &v));
    assert_int_equal(v.state, CQL_VALUE_NULL);
    assert_true(cqlox_values_next(&it, &v));
    assert_int_equal(v.state, CQL_VALUE_UNSET);
    assert_true(cqlox_values_next(&it, &v));
    cql_str text = cql_value_bytes(&v);
    assert_int_equal(text.len, i % 97);
    for (size_t k = 0; k < text.len; k++)
        assert_int_equal(text.ptr[k], 'a' + i % 26);
    assert_false(cqlox_values_next(&it, &v));
    snprintf(cql, sizeof cql, "INSERT INTO t%d (a, b, c, d) VALUES (?, ?, ?, ?)", i);
    assert_string_equal(st->cql, cql);
    assert_int_equal(st->cql_len, strlen(cql));
    assert_string_equal(st->keyspace, i % 2 ? "ks" : "");
    assert_int_equal(st->timestamp_us, 1000 + i);
    assert_int_equal(st->consistency, i % 4);
    return i;
}

cql_status outbox_append(cqlox_store *s, int32_t i, bool sync)
{
    cqlox_buf b = {NULL, 0, 0};
    outbox_record(&b, s->next_seq, i);
    cql_status st = cqlox_store_append(s, &b, 1000 + i, sync);
    cqlseat_free(outbox_memory(), b.ptr);
    return st;
}

size_t outbox_read_all(cqlox_store *s, int32_t *out, size_t cap, uint64_t *first)
{
    cqlox_buf b = {NULL, 0, 0};
    cqlox_statement st;
    size_t count = 0;
    uint64_t seq = s->first_seq;
    if (first)
        *first = seq;
    while (cqlox_store_next(s, &b, &st) == CQL_OK) {
        assert_true(count < cap);
        assert_int_equal(st.seq, seq++);
        out[count++] = outbox_number(&st);
    }
    assert_int_equal(count, cqlox_store_count(s));
    cqlseat_free(outbox_memory(), b.ptr);
    return count;
}
