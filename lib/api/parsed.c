/* Binding what a text means: for what people typed, and files hold. */
#include "api/statement.h"
#include "base/error.h"
#include "types/value.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN = 64, PARSED_MAX = 256 };

/* ": given were 2, not 3" where a vector's elements are right and only their number is not. */
static void show_length(const cql_allocator *al, const cql_type *type, cql_str text, char out[SHOWN])
{
    cql_type list = *type;
    cqln_writer wire;
    out[0] = '\0';
    if (type->id != CQL_TYPE_VECTOR)
        return;
    list.id = CQL_TYPE_LIST;
    cqln_writer_init(&wire, al, INT32_MAX);
    if (cqln_value_scan(&list, text, &wire) == CQL_OK && cqln_load_u32(wire.data) != type->dimension)
        snprintf(out, SHOWN, ": given were %u, not %u", cqln_load_u32(wire.data), type->dimension);
    cqln_writer_fini(&wire);
}

static cql_status explain(const cql_statement *s, size_t index, const char *text, cql_status st,
                          cql_error **err)
{
    const cql_type *wanted = cql_prepared_marker_type(s->prepared, index);
    char type[200], length[SHOWN];
    size_t len;
    cql_str name = cql_prepared_marker_name(s->prepared, index);
    cql_type_print(wanted, type, sizeof type, &len);
    show_length(s->al, wanted, cql_str_of(text), length);
    return cqln_fail(err, s->al, st, "marker %zu, \"%.*s\": %s: '%.*s%s' is no %s%s", index + 1,
                     (int)name.len, name.ptr, cql_status_text(st), SHOWN, text,
                     strlen(text) > SHOWN ? "..." : "", type, length);
}

bool cqln_could_be_parsed(const cql_allocator *al, const cql_type *type, const cql_value *v)
{
    cqln_writer wire;
    if (v->type != CQL_TYPE_TEXT || v->len == 0 || v->len > PARSED_MAX)
        return false;
    cqln_writer_init(&wire, al, PARSED_MAX);
    bool can = cqln_value_scan(type, cql_value_bytes(v), &wire) == CQL_OK;
    cqln_writer_fini(&wire);
    return can;
}

cql_status cql_statement_bind_parsed(cql_statement *s, size_t index, const char *text,
                                     cql_error **err)
{
    cqln_writer wire;
    if (!s)
        return cqln_fail_null(err, "stmt");
    if (!s->prepared)
        return cqln_fail(err, s->al, CQL_UNSUPPORTED,
                         "the types of a statement that is not prepared are not known");
    const cql_type *type = cql_prepared_marker_type(s->prepared, index);
    if (!type)
        return cqln_fail(err, s->al, CQL_OUT_OF_RANGE, "there is no marker %zu", index + 1);
    if (!text)
        return cql_statement_bind_null(s, index);
    cqln_writer_init(&wire, s->al, INT32_MAX);
    cql_status st = cqln_value_scan(type, cql_str_of(text), &wire);
    if (st == CQL_OK) {
        const void *bytes = wire.data ? (const void *)wire.data : "";
        st = cql_statement_bind_value(s, index,
                                      cql_value_raw((cql_type_id)type->id, bytes, wire.len));
    }
    cqln_writer_fini(&wire);
    return st ? explain(s, index, text, st, err) : CQL_OK;
}
