/* Sessions on the caller's loop. */
#include "api/options.h"
#include "api/session.h"
#include "api/session_make.h"
#include "base/error.h"

#include <cqlnative/uv.h>

cql_status cql_session_new_uv(uv_loop_t *loop, const cql_options *o, cql_session **out,
                              cql_error **err)
{
    if (!loop || !o || !out)
        return cqln_fail_null(err, !loop ? "loop" : !o ? "o" : "out");
    *out = NULL;
    if (o->config.loop_threads > 1)
        return cqln_fail(err, o->al, CQL_BAD_VALUE,
                         "loop_threads=%u: a session on the program's own loop has that one alone; "
                         "several are for sessions with threads of their own",
                         (unsigned)o->config.loop_threads);
    return cqln_session_make(o, CQLN_MODE_CALLER, loop, out, err);
}
