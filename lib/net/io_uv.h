/* io_uv.h: the io on libuv, and the ways to turn its loop. */
#ifndef CQLN_NET_IO_UV_H
#define CQLN_NET_IO_UV_H

#include "net/io.h"

/* uv_loop: the caller's `uv_loop_t *`, or NULL for a loop of the io's own. Nothing is on the loop before the
 * start; what is called until then may look at the clock, no more. CQL_NO_MEMORY, CQL_SYSTEM. */
cql_status cqln_io_uv_new(const cql_allocator *al, void *uv_loop, cqln_io **out);
/* Connections to addresses of the same kind are made from this one. */
void cqln_io_uv_from(cqln_io *io, const cqln_address *from);
/* From here on it has its handles on the loop, which only end() closes. CQL_SYSTEM: nothing is on the loop. */
cql_status cqln_io_uv_start(cqln_io *io);
/* Frees; after ended(), inside of it too, or without a start. Look-ups that were forgotten may still be on a caller's
 * loop: it has them until the resolver is done, and frees them by the allocator. */
void cqln_io_uv_free(cqln_io *io);

/* The calling thread is the loop's from now on (it is the creating one until then). */
void cqln_io_uv_adopt(cqln_io *io);
/* One turn of an own loop: waits for at most timeout_ms (-1: until something happens). False when
 * nothing is left that could happen. */
bool cqln_io_uv_turn(cqln_io *io, int timeout_ms);
/* Turns until ended(). */
void cqln_io_uv_run(cqln_io *io);
int cqln_io_uv_fd(cqln_io *io);
int cqln_io_uv_timeout(cqln_io *io);

#endif
