/* A build that starts no threads (configure --disable-threads): programs turn the loop themselves. */
#include "api/session_make.h"

cql_status cqln_session_start_thread(cql_session *s)
{
    (void)s;
    return CQL_UNSUPPORTED;
}
