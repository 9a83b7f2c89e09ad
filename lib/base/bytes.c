/* The writer: a growing block with a cap and a sticky status. */
#include "base/bytes.h"

enum { FIRST_CAP = 256 };

/* Apart: written out with long offsets it is larger than the call. */
__attribute__((noinline)) void cqln_writer_init(cqln_writer *wr, const cql_allocator *al, size_t max)
{
    wr->al = al;
    wr->data = NULL;
    wr->len = 0;
    wr->cap = 0;
    wr->max = max;
    wr->status = CQL_OK;
}

void cqln_writer_fini(cqln_writer *wr)
{
    cqln_free(wr->al, wr->data);
    wr->data = NULL;
    wr->len = 0;
    wr->cap = 0;
}

void cqln_writer_fail(cqln_writer *wr, cql_status st)
{
    if (wr->status == CQL_OK)
        wr->status = st;
}

/* Twice the old size, or what is needed when that is more, but never beyond max. */
static bool grow(cqln_writer *wr, size_t need)
{
    size_t cap = wr->cap ? wr->cap : FIRST_CAP;
    if (cap < need)
        cap = need <= SIZE_MAX / 2 && need < cap * 2 ? cap * 2 : need;
    if (cap > wr->max)
        cap = wr->max;
    uint8_t *data = cqln_realloc(wr->al, wr->data, cap);
    if (!data) {
        wr->status = CQL_NO_MEMORY;
        return false;
    }
    wr->data = data;
    wr->cap = cap;
    return true;
}

bool cqln_writer_reserve(cqln_writer *wr, size_t n)
{
    if (wr->status != CQL_OK)
        return false;
    if (n <= wr->cap - wr->len && wr->data)
        return true;
    if (wr->len > wr->max || n > wr->max - wr->len) {
        wr->status = CQL_TOO_LARGE;
        return false;
    }
    return grow(wr, wr->len + n);
}

void cqln_write_bytes(cqln_writer *wr, const void *bytes, size_t n)
{
    if (!cqln_writer_reserve(wr, n) || n == 0)
        return;
    memcpy(wr->data + wr->len, bytes, n);
    wr->len += n;
}

void cqln_write_u8(cqln_writer *wr, uint8_t v)
{
    if (!cqln_writer_reserve(wr, 1))
        return;
    wr->data[wr->len++] = v;
}

void cqln_write_u16(cqln_writer *wr, uint16_t v)
{
    if (!cqln_writer_reserve(wr, 2))
        return;
    cqln_store_u16(wr->data + wr->len, v);
    wr->len += 2;
}

void cqln_write_u32(cqln_writer *wr, uint32_t v)
{
    if (!cqln_writer_reserve(wr, 4))
        return;
    cqln_store_u32(wr->data + wr->len, v);
    wr->len += 4;
}

void cqln_write_u64(cqln_writer *wr, uint64_t v)
{
    if (!cqln_writer_reserve(wr, 8))
        return;
    cqln_store_u64(wr->data + wr->len, v);
    wr->len += 8;
}

void cqln_writer_patch_u32(cqln_writer *wr, size_t at, uint32_t v)
{
    if (wr->status != CQL_OK || wr->len < 4 || at > wr->len - 4)
        return;
    cqln_store_u32(wr->data + at, v);
}

void cqln_writer_move_back(cqln_writer *wr, size_t at, size_t n, size_t from)
{
    size_t len = wr->len - from;
    if (wr->status || !cqln_writer_reserve(wr, len) || wr->len == 0)
        return;
    memcpy(wr->data + wr->len, wr->data + from, len);
    memmove(wr->data + at + len, wr->data + at + n, from - at - n);
    memcpy(wr->data + at, wr->data + wr->len, len);
    wr->len -= n;
}
