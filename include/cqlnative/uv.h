/* uv.h: a session on the caller's own libuv loop: no thread is made. The only header that needs
 * <uv.h>, which wants names that are not of ISO C: compile with -std=gnu11, or -D_DEFAULT_SOURCE beside -std=c11. */
#ifndef CQLNATIVE_UV_H
#define CQLNATIVE_UV_H

#include <cqlnative/session.h>
#include <uv.h>

CQL_BEGIN

/* A session on `loop`, which must outlive it. All calls are made on the loop's thread; nothing blocks
 * (the _wait calls return CQL_WRONG_THREAD). Close with cql_session_close, then cql_session_free in
 * or after its callback. Options are copied. An idle session keeps uv_run from returning until it is
 * closed. A name that is being looked up just then keeps the loop busy, and a few hundred bytes of the
 * session's allocator in use, until the resolver is done: run the loop to its end before it is closed.
 * CQL_NO_MEMORY, CQL_SYSTEM, CQL_BAD_VALUE (loop_threads over 1): the loop is as it was. [loop thread] */
CQL_API cql_status cql_session_new_uv(uv_loop_t *loop, const cql_options *o, cql_session **out,
                                      cql_error **err);

CQL_END
#endif
