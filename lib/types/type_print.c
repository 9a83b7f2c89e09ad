/* type_print.c: descriptors as CQL text. The wire does not say what is frozen, so that is printed
 * where CQL knows no other form: tuples, and everything but vectors inside of another type. */
#include "types/sink.h"
#include "types/type.h"

#include <string.h>

/* Words that CQL reserves: names spelled like one need quotes. */
static const char *const reserved[] = {
    "add",
    "allow",
    "alter",
    "and",
    "apply",
    "asc",
    "authorize",
    "batch",
    "begin",
    "by",
    "columnfamily",
    "create",
    "default",
    "delete",
    "desc",
    "describe",
    "drop",
    "entries",
    "execute",
    "from",
    "full",
    "grant",
    "if",
    "in",
    "index",
    "infinity",
    "insert",
    "into",
    "is",
    "keyspace",
    "limit",
    "materialized",
    "mbean",
    "mbeans",
    "modify",
    "nan",
    "norecursive",
    "not",
    "null",
    "of",
    "on",
    "or",
    "order",
    "primary",
    "rename",
    "replace",
    "revoke",
    "schema",
    "select",
    "set",
    "table",
    "to",
    "token",
    "truncate",
    "unlogged",
    "unset",
    "update",
    "use",
    "using",
    "view",
    "where",
    "with",
    /* and those that a type could be taken for */
    "varchar",
    "frozen",
    "list",
    "map",
    "tuple",
    "vector",
    "empty",
};

static bool needs_quotes(cql_str name)
{
    if (name.len == 0 || name.ptr[0] < 'a' || name.ptr[0] > 'z')
        return true;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return true;
    }
    for (size_t i = 0; i < CQL_COUNT(reserved); i++)
        if (cql_str_equal(name, cql_str_of(reserved[i])))
            return true;
    for (uint16_t id = 1; id < CQL_TYPE_LIST; id++)
        if (cqln_type_scalar(id) && cql_str_equal(name, cqln_type_scalar(id)->name))
            return true;
    return false;
}

static void quoted(cqln_sink *out, cql_str text, char quote)
{
    cqln_sink_char(out, quote);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == quote)
            cqln_sink_char(out, quote);
        cqln_sink_char(out, text.ptr[i]);
    }
    cqln_sink_char(out, quote);
}

static void print_name(cqln_sink *out, cql_str name)
{
    if (needs_quotes(name))
        quoted(out, name, '"');
    else
        cqln_sink_put(out, name.ptr, name.len);
}

static void print_type(cqln_sink *out, const cql_type *t, bool nested);

static void print_generic(cqln_sink *out, const cql_type *t)
{
    cqln_sink_text(out, cql_type_id_name((cql_type_id)t->id));
    cqln_sink_char(out, '<');
    for (uint32_t i = 0; i < t->count; i++) {
        if (i > 0)
            cqln_sink_text(out, ", ");
        print_type(out, t->items[i], true);
    }
    if (t->id == CQL_TYPE_VECTOR) {
        cqln_sink_text(out, ", ");
        cqln_sink_int(out, t->dimension, 1);
    }
    cqln_sink_char(out, '>');
}

static void print_type(cqln_sink *out, const cql_type *t, bool nested)
{
    if (t->id == CQL_TYPE_CUSTOM) {
        quoted(out, t->name, '\'');
        return;
    }
    if (t->id < CQL_TYPE_LIST) {
        cqln_sink_put(out, t->name.ptr, t->name.len);
        return;
    }
    bool frozen = t->id == CQL_TYPE_TUPLE || (nested && t->id != CQL_TYPE_VECTOR);
    if (frozen)
        cqln_sink_text(out, "frozen<");
    if (t->id == CQL_TYPE_UDT)
        print_name(out, t->name);
    else
        print_generic(out, t);
    if (frozen)
        cqln_sink_char(out, '>');
}

cql_status cql_type_print(const cql_type *type, char *buf, size_t cap, size_t *len)
{
    if (!buf && cap)
        return CQL_BAD_ARGUMENT;
    cqln_sink out;
    cqln_sink_init(&out, buf, cap);
    if (!type)
        return cqln_sink_end(&out, CQL_BAD_ARGUMENT, len);
    print_type(&out, type, false);
    return cqln_sink_end(&out, CQL_OK, len);
}
