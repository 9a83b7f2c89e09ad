/* A build without lz4 (configure --without-lz4): nothing is compressed, and no connection agrees on it. */
#include "wire/compress.h"

bool cqln_lz4_available(void)
{
    return false;
}

cqln_lz4 *cqln_lz4_new(const cql_allocator *al)
{
    (void)al;
    return NULL;
}

void cqln_lz4_free(cqln_lz4 *codec)
{
    (void)codec;
}

size_t cqln_lz4_bound(size_t n)
{
    (void)n;
    return 0;
}

size_t cqln_lz4_compress_using(cqln_lz4 *codec, const uint8_t *in, size_t n, uint8_t *out,
                               size_t cap)
{
    (void)codec;
    return cqln_lz4_compress(in, n, out, cap);
}

size_t cqln_lz4_compress(const uint8_t *in, size_t n, uint8_t *out, size_t cap)
{
    (void)in;
    (void)n;
    (void)out;
    (void)cap;
    return 0;
}

bool cqln_lz4_decompress(const uint8_t *in, size_t n, uint8_t *out, size_t plain)
{
    (void)in;
    (void)n;
    (void)out;
    (void)plain;
    return false;
}

bool cqln_lz4_v4_body_using(cqln_lz4 *codec, cqln_writer *wr, const uint8_t *body, size_t n)
{
    (void)codec;
    return cqln_lz4_v4_body(wr, body, n);
}

bool cqln_lz4_v4_body(cqln_writer *wr, const uint8_t *body, size_t n)
{
    (void)wr;
    (void)body;
    (void)n;
    return false;
}

cql_status cqln_lz4_v4_length(const uint8_t *body, size_t n, size_t max, size_t *plain)
{
    (void)body;
    (void)n;
    (void)max;
    *plain = 0;
    return CQL_MALFORMED;
}
