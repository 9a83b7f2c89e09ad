/* inflate.h: raw deflate streams, as in zip files. inflate_zlib.c is the only implementation. */
#ifndef CQLN_BASE_INFLATE_H
#define CQLN_BASE_INFLATE_H

#include "base/alloc.h"

/* Unpacks a whole stream of exactly out_len bytes into out. CQL_MALFORMED: it is no such stream, or one of
 * another length, or bytes are left. CQL_NO_MEMORY. */
cql_status cqln_inflate(const cql_allocator *al, const uint8_t *bytes, size_t len, uint8_t *out,
                        size_t out_len);

#endif
