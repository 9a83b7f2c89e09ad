/* The parts of a result that few look at: the answer of a conditional statement, custom payload. */
#include "cluster/result.h"

/* --- conditional statements -------------------------------------------------------------------------- */

cql_status cql_result_conditional(const cql_result *res, bool *applied, cql_rows *rows)
{
    if (!res || !applied)
        return CQL_BAD_ARGUMENT;
    if (res->kind != CQL_RESULT_ROWS || !res->metadata || res->metadata->count == 0)
        return CQL_TYPE_MISMATCH;
    const cqln_column *first = &res->metadata->columns[0];
    if (first->type->id != CQL_TYPE_BOOLEAN ||
        !cql_str_equal(first->name, cql_str_of("[applied]")))
        return CQL_TYPE_MISMATCH;
    cql_rows at;
    cql_rows_init(&at, res);
    if (!cql_rows_next(&at))
        return CQL_MALFORMED;
    bool yes = cql_rows_bool(&at, 0);
    if (cql_rows_status(&at) != CQL_OK)
        return CQL_MALFORMED;
    *applied = yes;
    if (rows) /* one column alone: there are no current values */
        cql_rows_init(rows, yes || res->metadata->count == 1 ? NULL : res);
    return CQL_OK;
}

/* --- custom payload ----------------------------------------------------------------------------------- */

size_t cql_result_payload_count(const cql_result *res)
{
    return res->prefix.payload_entries;
}

cql_status cql_result_payload_at(const cql_result *res, size_t i, cql_str *name, cql_str *bytes)
{
    cqln_reader rd;
    cql_str key = {NULL, 0};
    cql_str value = {NULL, 0};
    if (i >= res->prefix.payload_entries)
        return CQL_OUT_OF_RANGE;
    cqln_reader_init(&rd, res->prefix.payload_bytes.ptr, res->prefix.payload_bytes.len);
    for (size_t k = 0; k <= i; k++) {
        value = (cql_str){NULL, 0};
        key = cqln_read_string(&rd);
        cqln_read_nbytes(&rd, &value);
    }
    if (rd.failed)
        return CQL_MALFORMED;
    if (name)
        *name = key;
    if (bytes)
        *bytes = value;
    return CQL_OK;
}

cql_status cql_result_payload(const cql_result *res, const char *name, cql_str *bytes)
{
    cql_str wanted = cql_str_of(name);
    for (size_t i = 0; i < cql_result_payload_count(res); i++) {
        cql_str key;
        cql_str value;
        if (cql_result_payload_at(res, i, &key, &value) == CQL_OK && cql_str_equal(key, wanted)) {
            *bytes = value;
            return CQL_OK;
        }
    }
    return CQL_NO_SUCH_NAME;
}
