/* What was wrong with a value, in words: the marker, what it takes, and what was given. */
#include "api/statement.h"
#include "base/error.h"
#include "types/coll.h"

#include <stdio.h>
#include <string.h>

enum { TYPE_SHOWN = 200, VALUE_SHOWN = 48, HEX_SHOWN = 16, LENGTH_SHOWN = 64 };

static const char *state_name(const cql_value *v)
{
    switch (v->state) {
    case CQL_VALUE_NULL:
        return "null";
    case CQL_VALUE_UNSET:
        return "an unset value";
    default:
        return "no value at all";
    }
}

/* Bytes that are no value of their type. */
static void show_hex(const cql_value *v, char *out, size_t cap)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = cqln_value_ptr(v);
    size_t n = v->len < HEX_SHOWN ? v->len : HEX_SHOWN;
    char hex[2 * HEX_SHOWN + 1];
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[p[i] >> 4];
        hex[2 * i + 1] = digits[p[i] & 15];
    }
    hex[2 * n] = '\0';
    snprintf(out, cap, " 0x%s%s", hex, n < v->len ? "..." : "");
}

/* " 42", " 'abc...'"; nothing for what has elements. */
static void show_value(const cql_value *v, char out[VALUE_SHOWN + 16])
{
    char text[VALUE_SHOWN];
    size_t len = 0;
    bool quoted = v->type == CQL_TYPE_TEXT || v->type == CQL_TYPE_ASCII;
    out[0] = '\0';
    if (v->inside == 2 || v->type >= CQL_TYPE_LIST)
        return;
    if (cql_value_print(v, NULL, text, sizeof text, &len) != CQL_OK)
        show_hex(v, out, VALUE_SHOWN + 16);
    else
        snprintf(out, VALUE_SHOWN + 16, " %s%s%s%s", quoted ? "'" : "", text,
                 len >= sizeof text ? "..." : "", quoted ? "'" : "");
}

/* " of 2 elements, not 3": a vector of another length than the type's, a tuple or user type with more fields. Of
 * bytes that no builder made only vectors of numbers show how many they are. */
static void show_length(const cql_type *type, const cql_value *v, char out[LENGTH_SHOWN])
{
    bool vector = type->id == CQL_TYPE_VECTOR;
    uint32_t each = vector ? type->items[0]->packed : 0;
    uint32_t wanted = vector ? type->dimension : type->count, given;
    out[0] = '\0';
    if (v->type != type->id || (!vector && type->id != CQL_TYPE_TUPLE && type->id != CQL_TYPE_UDT))
        return;
    if (v->inside == 2)
        given = ((const cql_collection *)v->u.built.shape)->count;
    else if (each && v->len % each == 0)
        given = v->len / each;
    else
        return;
    if (given > wanted || (vector && given < wanted))
        snprintf(out, LENGTH_SHOWN, " of %u %s%s, not %u", given, vector ? "element" : "field",
                 given == 1 ? "" : "s", wanted);
}

/* "int", "list<int>": of what a builder made with its elements. */
static void show_type(const cql_value *v, char out[TYPE_SHOWN])
{
    cqln_sink text;
    cqln_sink_init(&text, out, TYPE_SHOWN);
    if (v->state != CQL_VALUE_SET)
        cqln_sink_text(&text, state_name(v));
    else if (v->inside == 2)
        cqln_shape_print(&text, v->u.built.shape);
    else
        cqln_sink_text(&text, cql_type_id_name((cql_type_id)v->type));
    cqln_sink_end(&text, CQL_OK, NULL);
}

static cql_str marker_name(const cql_statement *s, size_t index)
{
    if (s->prepared)
        return s->prepared->bind->columns[index].name;
    const cqln_extra *x = s->ex.extra;
    return cql_str_of(x && x->names && x->names[index] ? x->names[index] : "?");
}

static void keep(cql_statement *s, cql_error *made)
{
    cql_error_unref(s->misfit);
    s->misfit = made;
}

cql_status cqln_misfit(cql_statement *s, size_t index, const cql_value *v, cql_status st)
{
    char type[TYPE_SHOWN] = "any type";
    char given[TYPE_SHOWN];
    char value[VALUE_SHOWN + 16] = "";
    char length[LENGTH_SHOWN] = "";
    cqln_error_info info = {.status = st};
    if (index >= s->markers) {
        keep(s, cqln_error_make(s->al, &info, NULL, 0,
                                "value %zu: the statement has only %u markers", index + 1,
                                s->markers));
        return st;
    }
    bool set = v->state == CQL_VALUE_SET;
    const char *advice = "";
    cql_str name = marker_name(s, index);
    const cql_type *wanted = s->prepared ? s->prepared->bind->columns[index].type : NULL;
    if (wanted)
        cql_type_print(wanted, type, sizeof type, NULL);
    show_type(v, given);
    if (set)
        show_value(v, value);
    if (set && wanted)
        show_length(wanted, v, length);
    if (set && wanted && st == CQL_TYPE_MISMATCH && cqln_could_be_parsed(s->al, wanted, v))
        advice = " (cql_statement_bind_parsed reads it)";
    keep(s, cqln_error_make(s->al, &info, NULL, 0,
                            "value %zu for \"%.*s\": %s: it takes %s, given was %s%s%s%s", index + 1,
                            (int)name.len, name.ptr, cql_status_text(st), type, given, length,
                            value, advice));
    return st;
}

cql_status cqln_misfit_name(cql_statement *s, const char *name)
{
    cqln_error_info info = {.status = CQL_NO_SUCH_NAME};
    keep(s, cqln_error_make(s->al, &info, NULL, 0, "the statement has no marker named \"%s\"", name));
    return CQL_NO_SUCH_NAME;
}

const cql_error *cql_statement_error(const cql_statement *s)
{
    return s ? s->misfit : NULL;
}

cql_status cqln_fail_unbound(const cql_statement *s, const cql_allocator *al, cql_error **err)
{
    size_t i = 0;
    while (i < s->markers && s->bound[i])
        i++;
    cql_str name = i < s->markers ? marker_name(s, i) : cql_str_of("?");
    return cqln_fail(err, al, CQL_UNBOUND,
                     "marker %zu, \"%.*s\", has no value (%u of %u have none)%s%s", i + 1,
                     (int)name.len, name.ptr, s->unbound, s->markers,
                     s->misfit ? "; refused was: " : "",
                     s->misfit ? cql_error_text(s->misfit) : "");
}

cql_status cql_statement_check(const cql_statement *s, cql_error **err)
{
    if (!s)
        return cqln_fail_null(err, "stmt");
    return s->unbound ? cqln_fail_unbound(s, s->al, err) : CQL_OK;
}
