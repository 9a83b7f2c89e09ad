/* A build that starts no threads (configure --disable-threads): programs turn the loop themselves. */
#include "api/loops.h"
#include "api/session_make.h"

cql_status cqln_session_start_thread(cql_session *s)
{
    return s->loops ? cqln_loops_start(s) : CQL_UNSUPPORTED;
}

cql_status cqln_hand_start_thread(cqln_hand *h, pthread_t *out)
{
    (void)h;
    (void)out;
    return CQL_UNSUPPORTED;
}
