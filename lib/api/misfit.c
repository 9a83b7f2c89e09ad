/* What was wrong with a value, in words: the marker, what it takes, and what was given. */
#include "api/statement.h"
#include "base/error.h"
#include "types/value.h"

#include <stdio.h>
#include <string.h>

enum { TYPE_SHOWN = 200, VALUE_SHOWN = 48, HEX_SHOWN = 16 };

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
    char value[VALUE_SHOWN + 16] = "";
    cqln_error_info info = {.status = st};
    if (index >= s->markers) {
        keep(s, cqln_error_make(s->al, &info, NULL, 0,
                                "value %zu: the statement has only %u markers", index + 1,
                                s->markers));
        return st;
    }
    bool set = v->state == CQL_VALUE_SET;
    cql_str name = marker_name(s, index);
    if (s->prepared)
        cql_type_print(s->prepared->bind->columns[index].type, type, sizeof type, NULL);
    if (set)
        show_value(v, value);
    keep(s, cqln_error_make(s->al, &info, NULL, 0,
                            "value %zu for \"%.*s\": %s: it takes %s, given was %s%s", index + 1,
                            (int)name.len, name.ptr, cql_status_text(st), type,
                            set ? cql_type_id_name((cql_type_id)v->type) : state_name(v), value));
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
    if (err)
        *err = NULL;
    return s->unbound ? cqln_fail_unbound(s, s->al, err) : CQL_OK;
}
