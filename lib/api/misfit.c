/* What was wrong with a value: the error that names the marker, what it takes, and what was given. */
#include "api/misfit.h"
#include "base/error.h"

const char *cqln_state_name(const cql_value *v)
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
    cqln_error_info info = {.status = st};
    if (index >= s->markers) {
        keep(s, cqln_error_make(s->al, &info, NULL, 0,
                                "value %zu: the statement has only %u markers", index + 1,
                                s->markers));
        return st;
    }
    cqln_shown shown = {.taken = "any type"};
    cql_str name = marker_name(s, index);
    cqln_show(&shown, s, s->prepared ? s->prepared->bind->columns[index].type : NULL, v, st);
    keep(s, cqln_error_make(s->al, &info, NULL, 0,
                            "value %zu for \"%.*s\": %s: it takes %s, given was %s%s%s%s", index + 1,
                            (int)name.len, name.ptr, cql_status_text(st), shown.taken, shown.given,
                            shown.length, shown.value, shown.advice));
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
