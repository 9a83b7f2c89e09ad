/* filter.h: a layer between stream and link that changes bytes on their way, as TLS does. No I/O, no
 * clock: bytes in, bytes out.
 *
 *      stream --space/commit--> [filter] --read---> link, machine
 *      stream <--output/sent--- [filter] <--write-- link, machine
 *
 * One filter belongs to one link. Nothing here runs anybody's code before it returned. */
#ifndef CQLN_NET_FILTER_H
#define CQLN_NET_FILTER_H

#include <cqlnative/base.h>

enum { CQLN_FILTER_REASON = 440 };

typedef enum cqln_filter_state {
    CQLN_FILTER_OPENING, /* its own handshake is under way: nothing is written yet */
    CQLN_FILTER_OPEN,
    CQLN_FILTER_ENDED, /* the other side said that it ends here */
    CQLN_FILTER_FAILED
} cqln_filter_state;

typedef struct cqln_filter cqln_filter;

typedef struct cqln_filter_ops {
    /* The transport is up: the first bytes of the handshake go to the output. */
    void (*start)(cqln_filter *f);
    /* Where the next bytes of the transport go (at least one byte of room), and how many came. All
     * that read can give has to be read before the next space. */
    void (*space)(cqln_filter *f, uint8_t **ptr, size_t *cap);
    void (*commit)(cqln_filter *f, size_t n);
    /* Plain bytes that are there, at most cap; 0: none until more come, or the state is no longer
     * open. Also goes on with the handshake. */
    size_t (*read)(cqln_filter *f, uint8_t *ptr, size_t cap);
    /* Takes plain bytes into the output; how many, 0 when it has enough to be written, is not open,
     * or has failed. Nothing of `bytes` is needed afterwards. */
    size_t (*write)(cqln_filter *f, const uint8_t *bytes, size_t len);
    /* Bytes for the transport, false when there are none. The memory is stable until sent has taken
     * them all; what comes meanwhile is gathered for the next output. */
    bool (*output)(cqln_filter *f, const uint8_t **ptr, size_t *len);
    bool (*has_output)(const cqln_filter *f);
    void (*sent)(cqln_filter *f);
    /* This side ends: the goodbye goes to the output. */
    void (*finish)(cqln_filter *f);
    /* The transport ended without a goodbye: what that means here, as text for people; borrowed.
     * *st may be changed. */
    const char *(*lost)(cqln_filter *f, cql_status *st, const char *reason);
    void (*free)(cqln_filter *f);
} cqln_filter_ops;

struct cqln_filter {
    const cqln_filter_ops *ops;
    cqln_filter_state state;
    cql_status status;               /* of a failure */
    char reason[CQLN_FILTER_REASON]; /* of a failure, for people; escaped */
};

#endif
