/* Binding what a text means: for what people typed, and files hold. */
#include "api/statement.h"
#include "base/error.h"
#include "types/value.h"

#include <string.h>

enum { SHOWN = 64 };

static cql_status explain(const cql_statement *s, size_t index, const char *text, cql_status st,
                          cql_error **err)
{
    char type[200];
    size_t len;
    cql_str name = cql_prepared_marker_name(s->prepared, index);
    cql_type_print(cql_prepared_marker_type(s->prepared, index), type, sizeof type, &len);
    return cqln_fail(err, s->al, st, "marker %zu, \"%.*s\": %s: '%.*s%s' is no %s", index + 1,
                     (int)name.len, name.ptr, cql_status_text(st), SHOWN, text,
                     strlen(text) > SHOWN ? "..." : "", type);
}

cql_status cql_statement_bind_parsed(cql_statement *s, size_t index, const char *text,
                                     cql_error **err)
{
    cqln_writer wire;
    if (!s)
        return CQL_BAD_ARGUMENT;
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
