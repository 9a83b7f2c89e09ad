/* The file of an outbox: whatever is in it, its good beginning is read, the rest is put aside as it is, and
 * what is left is whole and can be gone on with. */
#include "fuzz.h"

#include "base/alloc.h"
#include "outbox/store.h"
#include "simdisk.h"

enum { CAP = 1 << 20 };

/* Every statement is what the reader says it is. */
static uint64_t read_all(cqlox_store *s)
{
    cqlox_buf b = {NULL, 0, 0};
    cqlox_statement st;
    cqlox_values it;
    cql_value v;
    uint64_t seq = s->first_seq;
    while (cqlox_store_next(s, &b, &st) == CQL_OK) {
        size_t count = 0;
        FUZZ_CHECK(st.kind == CQLOX_STATEMENT && st.seq == seq++);
        FUZZ_CHECK(strlen(st.cql) == st.cql_len);
        cqlox_values_init(&it, &st);
        while (cqlox_values_next(&it, &v)) {
            cql_str bytes = cql_value_bytes(&v);
            uint8_t *copy = fuzz_block(bytes.len);
            if (bytes.len)
                memcpy(copy, bytes.ptr, bytes.len);
            free(copy);
            count++;
        }
        FUZZ_CHECK(count == st.count);
    }
    FUZZ_CHECK(seq == s->next_seq && !s->broken);
    cqlseat_free(s->al, b.ptr);
    return seq - s->first_seq;
}

static void append(cqlox_store *s)
{
    cqlox_buf b = {NULL, 0, 0};
    cqlox_statement st = {.kind = CQLOX_STATEMENT, .seq = s->next_seq, .keyspace = "", .cql = "X",
                          .cql_len = 1};
    FUZZ_CHECK(cqlox_statement_write(&b, s->al, &st, (cql_values){NULL, 0}) == CQL_OK);
    if (cqlox_store_room(s, b.len) == CQL_OK)
        FUZZ_CHECK(cqlox_store_append(s, &b, 1, true) == CQL_OK);
    cqlseat_free(s->al, b.ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static simdisk disk;
    cqlox_store s;
    const cql_allocator *al = cqln_alloc_default();
    simdisk_init(&disk);
    simdisk_put(&disk, "box", data, size);
    FUZZ_CHECK(cqlox_store_open(&s, &disk.fs, al, "box", CAP) == CQL_OK);
    if (s.aside) {
        const simbytes *aside = simdisk_file(&disk, s.aside);
        FUZZ_CHECK(aside && aside->len == s.aside_bytes && aside->len <= size);
        FUZZ_CHECK(memcmp(aside->ptr, data + (size - aside->len), aside->len) == 0);
    }
    uint64_t count = read_all(&s);
    if (s.next_seq < UINT64_MAX - 2)
        append(&s);
    uint64_t next = s.next_seq;
    cqlox_store_close(&s);
    FUZZ_CHECK(cqlox_store_open(&s, &disk.fs, al, "box", CAP) == CQL_OK);
    FUZZ_CHECK(!s.aside && s.next_seq == next && read_all(&s) >= count);
    cqlox_store_done(&s, s.next_seq - 1);
    cqlox_store_close(&s);
    simdisk_fini(&disk);
    return 0;
}
