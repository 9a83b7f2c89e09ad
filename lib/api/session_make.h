/* session_make.h: making a session of a given mode. */
#ifndef CQLN_API_SESSION_MAKE_H
#define CQLN_API_SESSION_MAKE_H

#include "api/session.h"

/* uv_loop: the caller's `uv_loop_t *` in the caller's-loop mode, else NULL. */
cql_status cqln_session_make(const cql_options *o, cqln_session_mode mode, void *uv_loop,
                             cql_session **out, cql_error **err);

/* An io for one loop of the session, uv_loop as above. CQL_BAD_VALUE with why: local_address is no address. */
cql_status cqln_session_make_io(const cql_session *s, void *uv_loop, cqln_io **out, char *why);

/* Starts the session's own thread, which turns its loop. CQL_SYSTEM, CQL_UNSUPPORTED (a build that starts
 * no threads). */
cql_status cqln_session_start_thread(cql_session *s);

#endif
