/* rcbuf.h: a counted block of bytes: a response body that somebody keeps. */
#ifndef CQLN_BASE_RCBUF_H
#define CQLN_BASE_RCBUF_H

#include "base/alloc.h"

typedef struct cqln_rcbuf cqln_rcbuf;

/* One holder. NULL when memory is out. */
cqln_rcbuf *cqln_rcbuf_new(const cql_allocator *al, size_t cap);
cqln_rcbuf *cqln_rcbuf_ref(cqln_rcbuf *b); /* [any thread] */
void cqln_rcbuf_unref(cqln_rcbuf *b);      /* [any thread]; NULL is fine */
/* True when the caller is the only holder: the block may be written again. */
bool cqln_rcbuf_sole(const cqln_rcbuf *b);
uint8_t *cqln_rcbuf_data(cqln_rcbuf *b);
size_t cqln_rcbuf_cap(const cqln_rcbuf *b);
/* A larger block with the first `used` bytes kept; only for a sole holder. On failure NULL is given
 * and b stays as it was. */
cqln_rcbuf *cqln_rcbuf_grow(cqln_rcbuf *b, size_t used, size_t cap);

#endif
