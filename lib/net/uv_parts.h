/* uv_parts.h: what io_uv.c and stream_uv.c share. Nobody else includes it. */
#ifndef CQLN_NET_UV_PARTS_H
#define CQLN_NET_UV_PARTS_H

#include "net/io.h"

#include <uv.h>

typedef struct uv_parts {
    cqln_io base; /* first: an io is a uv_parts */
    const cql_allocator *al;
    uv_loop_t *loop;
    uv_loop_t own_loop;
    uv_async_t async;
    uv_prepare_t prepare;
    uv_timer_t timer;
    uv_timer_t limit; /* own loops: bounds one turn */
    pthread_t thread;
    cqln_address from; /* len 0: the system chooses */
    unsigned open_handles;
    bool own;
} uv_parts;

cql_status cqln_uv_connect(cqln_io *base, const cqln_address *to, const cqln_stream_events *ev,
                            void *user, cqln_stream **out);
bool cqln_uv_write(cqln_stream *s, const uint8_t *bytes, size_t len);
void cqln_uv_shut(cqln_stream *s);
cql_status cqln_uv_resolve(cqln_io *base, const char *host, uint16_t port, cqln_lookup_cb cb,
                            void *user, cqln_lookup **out);
void cqln_uv_forget(cqln_lookup *l);
void cqln_uv_close(uv_parts *io, uv_handle_t *handle);

#endif
