/* A build without values as text (configure --disable-text): what is text is printed, and of types the name. */
#include "types/check.h"
#include "types/print_text.h"
#include "types/value.h"

static bool is_text(uint16_t type)
{
    return type == CQL_TYPE_TEXT || type == CQL_TYPE_ASCII;
}

cql_status cql_value_print(const cql_value *v, const cql_type *type, char *buf, size_t cap,
                           size_t *len)
{
    cqln_sink out;
    if (!v || (!buf && cap))
        return CQL_BAD_ARGUMENT;
    cqln_sink_init(&out, buf, cap);
    if (v->state != CQL_VALUE_SET) {
        cqln_sink_text(&out, v->state == CQL_VALUE_UNSET ? "unset" : "null");
        return cqln_sink_end(&out, CQL_OK, len);
    }
    if (type && !cqln_type_takes(type->id, v->type))
        return cqln_sink_end(&out, CQL_TYPE_MISMATCH, len);
    if (!is_text(type ? type->id : v->type))
        return cqln_sink_end(&out, CQL_UNSUPPORTED, len);
    cqln_print_text(&out, cql_value_bytes(v), false);
    return cqln_sink_end(&out, CQL_OK, len);
}

cql_status cql_value_print_json(const cql_value *v, const cql_type *type, char *buf, size_t cap,
                                size_t *len)
{
    (void)v;
    (void)type;
    if (buf && cap)
        *buf = '\0';
    (void)len;
    return CQL_UNSUPPORTED;
}

cql_status cql_value_parse(const cql_type *type, cql_str text, void *buf, size_t cap, size_t *len)
{
    (void)type;
    (void)text;
    (void)buf;
    (void)cap;
    (void)len;
    return CQL_UNSUPPORTED;
}

/* Without what is in it. */
cql_status cql_type_print(const cql_type *type, char *buf, size_t cap, size_t *len)
{
    cqln_sink out;
    cql_str name = cql_type_name(type);
    if (!buf && cap)
        return CQL_BAD_ARGUMENT;
    cqln_sink_init(&out, buf, cap);
    cqln_sink_put(&out, name.ptr, name.len);
    return cqln_sink_end(&out, type ? CQL_OK : CQL_BAD_ARGUMENT, len);
}
