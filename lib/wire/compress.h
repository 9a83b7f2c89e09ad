/* compress.h: lz4 blocks, as v4 bodies and as v5 segment payloads. lz4.h is included by
 * compress_lz4.c alone. */
#ifndef CQLN_WIRE_COMPRESS_H
#define CQLN_WIRE_COMPRESS_H

#include "base/bytes.h"

/* False in a build without lz4. */
bool cqln_lz4_available(void);
/* Upper bound of the compressed size of n bytes; 0 when n is too large. */
size_t cqln_lz4_bound(size_t n);

/* A compressor's working memory (16 KiB), kept from block to block: the blocks stay independent of each
 * other, but the memory need not be cleared for each. One user at a time. NULL when memory is out. */
typedef struct cqln_lz4 cqln_lz4;
cqln_lz4 *cqln_lz4_new(const cql_allocator *al);
void cqln_lz4_free(cqln_lz4 *codec);

/* Compresses into out (cap bytes); 0 when it does not fit. The first form, and the second with a NULL
 * codec, use 16 KiB of stack and clear it first; neither takes memory from the heap. */
size_t cqln_lz4_compress(const uint8_t *in, size_t n, uint8_t *out, size_t cap);
size_t cqln_lz4_compress_using(cqln_lz4 *codec, const uint8_t *in, size_t n, uint8_t *out,
                               size_t cap);
/* Bounds-checked; true only when exactly `plain` bytes came out. */
bool cqln_lz4_decompress(const uint8_t *in, size_t n, uint8_t *out, size_t plain);

/* v4: the body is a 4-byte big-endian uncompressed length and a block. Appends that form of `body` to
 * wr; false when it is not smaller than the body (nothing appended: send it plain),
 * and when the writer has no room for n - 1 bytes (its status tells). */
bool cqln_lz4_v4_body(cqln_writer *wr, const uint8_t *body, size_t n);
bool cqln_lz4_v4_body_using(cqln_lz4 *codec, cqln_writer *wr, const uint8_t *body, size_t n);
/* The announced length of a v4 body; CQL_MALFORMED when shorter than 4 bytes, negative, or larger than
 * a block of that size can hold (255 times its bytes); CQL_TOO_LARGE over max. */
cql_status cqln_lz4_v4_length(const uint8_t *body, size_t n, size_t max, size_t *plain);

#endif
