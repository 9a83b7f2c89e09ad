/* A build without values as text (configure --disable-text): none is bound by what it looks like, or shown. */
#include "api/misfit.h"
#include "base/error.h"

#include <stdio.h>

cql_status cql_statement_bind_parsed(cql_statement *s, size_t index, const char *text,
                                     cql_error **err)
{
    (void)index;
    (void)text;
    return cqln_fail(err, s ? s->al : cqln_alloc_default(), CQL_UNSUPPORTED,
                     "this build of the library reads no values from text (it was configured "
                     "--disable-text)");
}

/* The types alone. */
void cqln_show(cqln_shown *out, const cql_statement *s, const cql_type *wanted, const cql_value *v, cql_status st)
{
    (void)s;
    (void)st;
    const char *given = v->state == CQL_VALUE_SET ? cql_type_id_name((cql_type_id)v->type) : cqln_state_name(v);
    if (wanted)
        cql_type_print(wanted, out->taken, sizeof out->taken, NULL);
    snprintf(out->given, sizeof out->given, "%s", given);
    out->advice = "";
}
