#include "makezip.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void makezip_init(makezip *z)
{
    memset(z, 0, sizeof *z);
    z->bytes = malloc(MAKEZIP_MAX);
    assert(z->bytes);
}

void makezip_fini(makezip *z)
{
    free(z->bytes);
    z->bytes = NULL;
}

static void put(makezip *z, uint32_t v, unsigned n)
{
    for (; n; n--, v >>= 8)
        z->bytes[z->len++] = (uint8_t)v;
}

static void put_bytes(makezip *z, const void *bytes, size_t len)
{
    assert(z->len + len + 64 < MAKEZIP_MAX);
    if (len)
        memcpy(z->bytes + z->len, bytes, len);
    z->len += len;
}

static size_t pack(uint8_t *out, size_t cap, const void *bytes, size_t len)
{
    z_stream s = {0};
    assert(deflateInit2(&s, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    s.next_in = (z_const Bytef *)(uintptr_t)bytes;
    s.avail_in = (uInt)len;
    s.next_out = out;
    s.avail_out = (uInt)cap;
    int end = deflate(&s, Z_FINISH);
    assert(end == Z_STREAM_END);
    (void)end;
    size_t packed = cap - s.avail_out;
    deflateEnd(&s);
    return packed;
}

void makezip_add(makezip *z, const char *name, const void *bytes, size_t len, bool deflated)
{
    makezip_entry *e = &z->entries[z->count++];
    uint8_t *packed = malloc(len + 1024);
    assert(packed && z->count <= MAKEZIP_ENTRIES && strlen(name) < sizeof e->name);
    strcpy(e->name, name);
    e->crc = (uint32_t)crc32(0, bytes, (uInt)len);
    e->size = (uint32_t)len;
    e->method = deflated ? 8 : 0;
    e->local = (uint32_t)z->len;
    if (deflated)
        e->packed = (uint32_t)pack(packed, len + 1024, bytes, len);
    else
        e->packed = (uint32_t)len;
    put(z, 0x04034b50, 4);
    put(z, 20, 2);
    put(z, e->flags, 2);
    put(z, e->method, 2);
    put(z, 0, 4);
    put(z, e->crc, 4);
    put(z, e->packed, 4);
    put(z, e->size, 4);
    put(z, (uint32_t)strlen(name), 2);
    put(z, 3, 2);
    put_bytes(z, name, strlen(name));
    put_bytes(z, "xyz", 3);
    put_bytes(z, deflated ? packed : bytes, e->packed);
    free(packed);
}

void makezip_finish(makezip *z, const char *comment)
{
    z->directory = z->len;
    for (size_t i = 0; i < z->count; i++) {
        const makezip_entry *e = &z->entries[i];
        put(z, 0x02014b50, 4);
        put(z, 20 | 20 << 16, 4);
        put(z, e->flags, 2);
        put(z, e->method, 2);
        put(z, 0, 4);
        put(z, e->crc, 4);
        put(z, e->packed, 4);
        put(z, e->size, 4);
        put(z, (uint32_t)strlen(e->name), 2);
        put(z, 2, 2);
        put(z, 1, 2);
        put(z, 0, 4);
        put(z, 0, 4);
        put(z, e->local, 4);
        put_bytes(z, e->name, strlen(e->name));
        put_bytes(z, "ex", 2);
        put_bytes(z, "c", 1);
    }
    size_t size = z->len - z->directory;
    put(z, 0x06054b50, 4);
    put(z, 0, 4);
    put(z, (uint32_t)z->count, 2);
    put(z, (uint32_t)z->count, 2);
    put(z, (uint32_t)size, 4);
    put(z, (uint32_t)z->directory, 4);
    put(z, (uint32_t)strlen(comment), 2);
    put_bytes(z, comment, strlen(comment));
}
