/* lz4 blocks. The compressor needs a hash table of 16 KiB. With a codec it is kept from block to block
 * and made ready by LZ4_resetStream_fast, which need not clear it; without one it lies on the stack and
 * is cleared for each block. Neither takes memory from the heap per call. */
#include "wire/compress.h"

#include <lz4.h>

enum { MOST_PER_BYTE = 255, LENGTH_BYTES = 4 };

struct cqln_lz4 {
    cql_allocator al;
    LZ4_stream_t stream;
};

bool cqln_lz4_available(void)
{
    return true;
}

cqln_lz4 *cqln_lz4_new(const cql_allocator *al)
{
    cqln_lz4 *codec = cqln_alloc(al, sizeof *codec);
    if (!codec)
        return NULL;
    codec->al = *al;
    LZ4_initStream(&codec->stream, sizeof codec->stream);
    return codec;
}

void cqln_lz4_free(cqln_lz4 *codec)
{
    if (!codec)
        return;
    cql_allocator al = codec->al;
    cqln_free(&al, codec);
}

size_t cqln_lz4_bound(size_t n)
{
    return n > LZ4_MAX_INPUT_SIZE ? 0 : (size_t)LZ4_COMPRESSBOUND(n);
}

static size_t compress_with(LZ4_stream_t *stream, const uint8_t *in, size_t n, uint8_t *out,
                            size_t cap)
{
    if (n > LZ4_MAX_INPUT_SIZE)
        return 0;
    int room = cap > INT32_MAX ? INT32_MAX : (int)cap;
    int made = LZ4_compress_fast_continue(stream, (const char *)in, (char *)out, (int)n, room, 1);
    return made > 0 ? (size_t)made : 0;
}

/* A stream that failed to fit its block is in no defined state, so it is set up anew. */
static size_t compress_kept(cqln_lz4 *codec, const uint8_t *in, size_t n, uint8_t *out, size_t cap)
{
    LZ4_resetStream_fast(&codec->stream);
    size_t made = compress_with(&codec->stream, in, n, out, cap);
    if (made == 0)
        LZ4_initStream(&codec->stream, sizeof codec->stream);
    return made;
}

static size_t compress_once(const uint8_t *in, size_t n, uint8_t *out, size_t cap)
{
    LZ4_stream_t stream;
    LZ4_initStream(&stream, sizeof stream);
    return compress_with(&stream, in, n, out, cap);
}

size_t cqln_lz4_compress_using(cqln_lz4 *codec, const uint8_t *in, size_t n, uint8_t *out,
                               size_t cap)
{
    return codec ? compress_kept(codec, in, n, out, cap) : compress_once(in, n, out, cap);
}

size_t cqln_lz4_compress(const uint8_t *in, size_t n, uint8_t *out, size_t cap)
{
    return compress_once(in, n, out, cap);
}

bool cqln_lz4_decompress(const uint8_t *in, size_t n, uint8_t *out, size_t plain)
{
    if (n > INT32_MAX || plain > INT32_MAX)
        return false;
    int made = LZ4_decompress_safe((const char *)in, (char *)out, (int)n, (int)plain);
    return made >= 0 && (size_t)made == plain;
}

/* The room is one byte less than the body, so that what fits is smaller. */
bool cqln_lz4_v4_body_using(cqln_lz4 *codec, cqln_writer *wr, const uint8_t *body, size_t n)
{
    if (n <= LENGTH_BYTES + 1 || n > LZ4_MAX_INPUT_SIZE || !cqln_writer_reserve(wr, n - 1))
        return false;
    uint8_t *at = wr->data + wr->len;
    size_t made = cqln_lz4_compress_using(codec, body, n, at + LENGTH_BYTES, n - 1 - LENGTH_BYTES);
    if (made == 0)
        return false;
    cqln_store_u32(at, (uint32_t)n);
    wr->len += LENGTH_BYTES + made;
    return true;
}

bool cqln_lz4_v4_body(cqln_writer *wr, const uint8_t *body, size_t n)
{
    return cqln_lz4_v4_body_using(NULL, wr, body, n);
}

cql_status cqln_lz4_v4_length(const uint8_t *body, size_t n, size_t max, size_t *plain)
{
    if (n < LENGTH_BYTES)
        return CQL_MALFORMED;
    uint32_t length = cqln_load_u32(body);
    if (length > INT32_MAX || length > (uint64_t)(n - LENGTH_BYTES) * MOST_PER_BYTE)
        return CQL_MALFORMED;
    if (length > max)
        return CQL_TOO_LARGE;
    *plain = length;
    return CQL_OK;
}
