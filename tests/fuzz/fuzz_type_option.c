/* [option]: read and stepped over, which must agree; names and items of what was read are looked
 * at. */
#include "fuzz.h"

#include "types/type.h"

enum { MOST_MEMORY = 1 << 26 };

static size_t look_at(const cql_type *t, unsigned depth)
{
    size_t seen = cql_type_name(t).len + cql_type_keyspace(t).len;
    FUZZ_CHECK(t && depth <= CQLN_TYPE_DEPTH);
    for (size_t i = 0; i < cql_type_count(t); i++) {
        cql_str field = cql_type_field(t, i);
        for (size_t k = 0; k < field.len; k++)
            seen += (unsigned char)field.ptr[k];
        seen += look_at(cql_type_at(t, i), depth + 1);
    }
    FUZZ_CHECK(cql_type_at(t, cql_type_count(t)) == NULL);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cqln_arena a;
    cqln_reader rd;
    cqln_reader over;
    const cql_type *t = NULL;
    cqln_arena_init(&a, cqln_alloc_default(), MOST_MEMORY);
    cqln_reader_init(&rd, data, size);
    cqln_reader_init(&over, data, size);
    cql_status st = cqln_type_read(&rd, &a, &t);
    bool skipped = cqln_type_skip(&over);
    FUZZ_CHECK((st == CQL_OK) == (t != NULL));
    if (st != CQL_NO_MEMORY)
        FUZZ_CHECK(skipped == (st == CQL_OK));
    if (t) {
        size_t len = 0;
        FUZZ_CHECK(rd.at == over.at);
        look_at(t, 0);
        FUZZ_CHECK(cql_type_print(t, NULL, 0, &len) == CQL_OK && len > 0);
    }
    cqln_arena_fini(&a);
    return 0;
}
