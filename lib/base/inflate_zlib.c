/* inflate_zlib.c: raw deflate by zlib, in one step: the caller knows how long it gets. */
#include "base/inflate.h"

#include <zlib.h>

static void *zlib_alloc(void *opaque, unsigned count, unsigned size)
{
    return cqln_alloc_array(opaque, count, size);
}

static void zlib_free(void *opaque, void *block)
{
    cqln_free(opaque, block);
}

cql_status cqln_inflate(const cql_allocator *al, const uint8_t *bytes, size_t len, uint8_t *out,
                        size_t out_len)
{
    uint8_t none;
    z_stream z = {0};
    if (len > UINT32_MAX || out_len > UINT32_MAX)
        return CQL_MALFORMED;
    z.zalloc = zlib_alloc;
    z.zfree = zlib_free;
    z.opaque = (void *)(uintptr_t)al; /* zlib hands it back, nothing more */
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return CQL_NO_MEMORY;
    z.next_in = (z_const Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)len;
    z.next_out = out_len ? out : &none;
    z.avail_out = (uInt)out_len;
    int end = inflate(&z, Z_FINISH);
    bool whole = end == Z_STREAM_END && z.avail_in == 0 && z.avail_out == 0;
    (void)inflateEnd(&z);
    return whole ? CQL_OK : end == Z_MEM_ERROR ? CQL_NO_MEMORY : CQL_MALFORMED;
}
