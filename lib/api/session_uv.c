/* Sessions on the caller's loop. */
#include "api/session.h"
#include "api/session_make.h"

#include <cqlnative/uv.h>

cql_status cql_session_new_uv(uv_loop_t *loop, const cql_options *o, cql_session **out,
                              cql_error **err)
{
    if (!loop || !o || !out)
        return CQL_BAD_ARGUMENT;
    *out = NULL;
    return cqln_session_make(o, CQLN_MODE_CALLER, loop, out, err);
}
