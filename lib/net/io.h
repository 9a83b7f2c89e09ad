/* io.h: the only seam to the world. Everything above it runs unchanged on libuv (io_uv.c) and on the
 * simulated network and clock of the tests (tests/support/simio.c).
 *
 * Calls are made on the loop's thread except those tagged [any thread]. No call runs one of the
 * handlers before it returned. */
#ifndef CQLN_NET_IO_H
#define CQLN_NET_IO_H

#include "base/alloc.h"
#include "meta/address.h"

typedef struct cqln_io cqln_io;
typedef struct cqln_stream cqln_stream;
typedef struct cqln_lookup cqln_lookup;

/* What happens to a byte stream. `reason` is text for people, borrowed for the call. */
typedef struct cqln_stream_events {
    void (*connected)(void *user, cql_status st, const char *reason);
    void (*space)(void *user, uint8_t **ptr, size_t *cap); /* where the next bytes go */
    void (*received)(void *user, size_t n);
    void (*written)(void *user); /* the memory given to a write that returned false is free again */
    void (*lost)(void *user, cql_status st, const char *reason); /* the peer closed, or an error */
    void (*closed)(void *user); /* the last call, after close */
} cqln_stream_events;

/* What happens to the loop. */
typedef struct cqln_io_events {
    void (*turn)(void *user);  /* once a turn, right before the loop waits */
    void (*woken)(void *user); /* after wake; several wakes may come as one */
    void (*timer)(void *user); /* the time of timer_at has come */
    void (*ended)(void *user); /* after end: nothing of the io is in use any more */
} cqln_io_events;

/* Addresses of a name, in the order of the resolver; count 0 and a reason when it failed. */
typedef void (*cqln_lookup_cb)(void *user, const cqln_address *found, size_t count,
                               const char *reason);

typedef struct cqln_io_ops {
    uint64_t (*now)(cqln_io *io);     /* milliseconds, monotonic, read once a turn */
    int64_t (*wall_us)(cqln_io *io);  /* microseconds since the epoch [any thread] */
    uint64_t (*random)(cqln_io *io);  /* a seed */
    bool (*on_loop)(cqln_io *io);     /* is this the loop's thread? [any thread] */
    void (*wake)(cqln_io *io);        /* [any thread] */
    void (*timer_at)(cqln_io *io, uint64_t at); /* one timer; UINT64_MAX: none */
    cql_status (*connect)(cqln_io *io, const cqln_address *to, const cqln_stream_events *ev,
                          void *user, cqln_stream **out);
    /* Writes now what the transport takes. True: all of it left. False: the rest follows by itself,
     * the memory must stay until written(), and no other write comes before that. */
    bool (*write)(cqln_stream *s, const uint8_t *bytes, size_t len);
    void (*close)(cqln_stream *s);
    cql_status (*resolve)(cqln_io *io, const char *host, uint16_t port, cqln_lookup_cb cb,
                          void *user, cqln_lookup **out);
    void (*forget)(cqln_lookup *l); /* the callback will not come any more */
    void (*end)(cqln_io *io);       /* all streams are closed: let go of the loop, then ended() */
    uint64_t (*now_us)(cqln_io *io); /* microseconds, monotonic, read each time */
} cqln_io_ops;

struct cqln_io {
    const cqln_io_ops *ops;
    const cqln_io_events *events;
    void *user;
    unsigned inside; /* depth of the io's own calls of handlers on the stack */
    const char *why; /* the last connect could not begin, for people; static; NULL: what its status says */
};

#endif
