/* Looking at a result: columns, paging, warnings. */
#include "cluster/result.h"

#include <string.h>

static const cql_str none = {NULL, 0};

static const cqln_column *column(const cql_result *res, size_t i)
{
    return res->metadata && i < res->metadata->count ? &res->metadata->columns[i] : NULL;
}

cql_result_kind cql_result_kind_of(const cql_result *res)
{
    return res->kind;
}

size_t cql_result_row_count(const cql_result *res)
{
    return res->rows.row_count;
}

size_t cql_result_column_count(const cql_result *res)
{
    return res->metadata ? res->metadata->count : 0;
}

cql_str cql_result_column_name(const cql_result *res, size_t i)
{
    const cqln_column *c = column(res, i);
    return c ? c->name : none;
}

cql_str cql_result_column_keyspace(const cql_result *res, size_t i)
{
    const cqln_column *c = column(res, i);
    return c ? c->keyspace : none;
}

cql_str cql_result_column_table(const cql_result *res, size_t i)
{
    const cqln_column *c = column(res, i);
    return c ? c->table : none;
}

const cql_type *cql_result_column_type(const cql_result *res, size_t i)
{
    const cqln_column *c = column(res, i);
    return c ? c->type : NULL;
}

cql_status cql_result_column_index(const cql_result *res, const char *name, size_t *i)
{
    cql_str wanted = cql_str_of(name);
    for (size_t k = 0; k < cql_result_column_count(res); k++) {
        if (cql_str_equal(res->metadata->columns[k].name, wanted)) {
            *i = k;
            return CQL_OK;
        }
    }
    return CQL_NO_SUCH_NAME;
}

bool cql_result_has_more(const cql_result *res)
{
    return (res->rows.flags & CQLN_ROWS_HAS_MORE) != 0 && res->rows.has_paging_state;
}

cql_str cql_result_paging_state(const cql_result *res)
{
    return cql_result_has_more(res) ? res->rows.paging_state : none;
}

size_t cql_result_warning_count(const cql_result *res)
{
    return res->prefix.warnings;
}

cql_str cql_result_warning(const cql_result *res, size_t i)
{
    cqln_reader rd;
    cql_str text = none;
    if (i >= res->prefix.warnings)
        return none;
    cqln_reader_init(&rd, res->prefix.warnings_bytes.ptr, res->prefix.warnings_bytes.len);
    for (size_t k = 0; k <= i; k++)
        text = cqln_read_string(&rd);
    return rd.failed ? none : text;
}

cql_str cql_result_keyspace(const cql_result *res)
{
    return res->kind == CQL_RESULT_SET_KEYSPACE ? res->keyspace : none;
}

cql_str cql_result_host(const cql_result *res)
{
    return res->host;
}

bool cql_result_applied(const cql_result *res)
{
    const cqln_column *first = column(res, 0);
    if (!first || first->type->id != CQL_TYPE_BOOLEAN ||
        !cql_str_equal(first->name, cql_str_of("[applied]")))
        return true;
    cql_rows rows;
    cql_rows_init(&rows, res);
    return cql_rows_next(&rows) && cql_rows_bool(&rows, 0);
}

bool cql_result_tracing_id(const cql_result *res, cql_uuid *out)
{
    if (!res->prefix.trace_id)
        return false;
    memcpy(out->bytes, res->prefix.trace_id, sizeof out->bytes);
    return true;
}

bool cql_result_schema_agreed(const cql_result *res)
{
    return res->schema_agreed;
}
