/* lz4: the input as a v4 body from a server, as a bare block with a length of its own, and as data that
 * is compressed and must come back. */
#include "fuzz.h"

#include "wire/compress.h"

enum { MOST = 1 << 20 };

static void as_v4_body(const uint8_t *data, size_t size)
{
    size_t plain = 0;
    if (cqln_lz4_v4_length(data, size, MOST, &plain) != CQL_OK)
        return;
    FUZZ_CHECK(plain <= MOST);
    uint8_t *out = fuzz_block(plain);
    (void)cqln_lz4_decompress(data + 4, size - 4, out, plain);
    free(out);
}

static void as_block(const uint8_t *data, size_t size)
{
    if (size < 2)
        return;
    size_t plain = (size_t)(data[0] << 8 | data[1]);
    uint8_t *out = fuzz_block(plain);
    (void)cqln_lz4_decompress(data + 2, size - 2, out, plain);
    free(out);
}

static void there_and_back(cqln_lz4 *codec, const uint8_t *data, size_t size)
{
    size_t bound = cqln_lz4_bound(size);
    uint8_t *packed = fuzz_block(bound);
    uint8_t *plain = fuzz_block(size);
    size_t made = cqln_lz4_compress_using(codec, data, size, packed, bound);
    FUZZ_CHECK(made > 0 && made <= bound);
    FUZZ_CHECK(cqln_lz4_decompress(packed, made, plain, size));
    FUZZ_CHECK(size == 0 || memcmp(plain, data, size) == 0);
    if (made > 1)
        FUZZ_CHECK(!cqln_lz4_decompress(packed, made - 1, plain, size));
    free(plain);
    free(packed);
}

static void as_request_body(const uint8_t *data, size_t size)
{
    cqln_writer wr;
    cqln_writer_init(&wr, cqln_alloc_default(), MOST);
    if (cqln_lz4_v4_body(&wr, data, size)) {
        size_t plain = 0;
        FUZZ_CHECK(wr.len < size);
        FUZZ_CHECK(cqln_lz4_v4_length(wr.data, wr.len, MOST, &plain) == CQL_OK && plain == size);
    } else {
        FUZZ_CHECK(wr.status == CQL_OK && wr.len == 0);
    }
    cqln_writer_fini(&wr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cqln_lz4 *codec; /* kept from input to input, as a connection keeps it */
    if (!codec)
        codec = cqln_lz4_new(cqln_alloc_default());
    as_v4_body(data, size);
    as_block(data, size);
    there_and_back(NULL, data, size);
    there_and_back(codec, data, size);
    as_request_body(data, size);
    return 0;
}
