/* Values from text: the first line is a type, the rest is the text of a value. What is read is a good
 * value of the type, and what it is printed as is read as the same value again. */
#include "fuzz.h"

#include "types/value.h"

enum { MOST_MEMORY = 1 << 24, MOST_TEXT = 1 << 16, MOST_BYTES = 1 << 20, LONG_NUMBER = 512 };

/* Is what is printed for a value of it the way back? Text is printed with escapes, for a screen; long
 * numbers as hex; of an opaque type nothing is known. */
static bool comes_back(const cql_type *type)
{
    switch (cql_type_of(type)) {
    case CQL_TYPE_TEXT:
    case CQL_TYPE_ASCII:
    case CQL_TYPE_CUSTOM:
        return false;
    default:
        break;
    }
    for (size_t i = 0; i < cql_type_count(type); i++)
        if (!comes_back(cql_type_at(type, i)))
            return false;
    return true;
}

static void there_and_back(const cql_type *type, const cqln_writer *wire)
{
    size_t len = 0;
    cqln_writer again;
    cql_value v = cqln_value_view(type, wire->data ? wire->data : (const uint8_t *)"", wire->len);
    FUZZ_CHECK(cql_value_print(&v, type, NULL, 0, &len) == CQL_OK);
    if (!comes_back(type) || wire->len > LONG_NUMBER || len > MOST_TEXT)
        return;
    char *text = (char *)fuzz_block(len + 1);
    FUZZ_CHECK(cql_value_print(&v, type, text, len + 1, &len) == CQL_OK);
    cqln_writer_init(&again, cqln_alloc_default(), MOST_BYTES);
    FUZZ_CHECK(cqln_value_scan(type, (cql_str){text, len}, &again) == CQL_OK);
    FUZZ_CHECK(again.len == wire->len);
    FUZZ_CHECK(again.len == 0 || memcmp(again.data, wire->data, again.len) == 0);
    cqln_writer_fini(&again);
    free(text);
}

static void read_value(const cql_type *type, cql_str text)
{
    cqln_writer wire;
    cqln_writer_init(&wire, cqln_alloc_default(), MOST_BYTES);
    cql_status st = cqln_value_scan(type, text, &wire);
    FUZZ_CHECK(st == CQL_OK || st == CQL_BAD_VALUE || st == CQL_TOO_LARGE || st == CQL_NO_MEMORY);
    if (st == CQL_OK) {
        cql_str bytes = {(const char *)wire.data, wire.len};
        FUZZ_CHECK(cqln_value_wellformed(type, bytes) == CQL_OK);
        there_and_back(type, &wire);
    }
    cqln_writer_fini(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cqln_arena arena;
    const cql_type *type = NULL;
    uint8_t *block = fuzz_block(size);
    if (size)
        memcpy(block, data, size);
    const uint8_t *line = size ? memchr(block, '\n', size) : NULL;
    size_t first = line ? (size_t)(line - block) : size;
    size_t rest = line ? first + 1 : size;
    cqln_arena_init(&arena, cqln_alloc_default(), MOST_MEMORY);
    if (size <= MOST_TEXT &&
        cqln_type_parse_cql(&arena, (cql_str){(const char *)block, first}, &type) == CQL_OK)
        read_value(type, (cql_str){(const char *)block + rest, size - rest});
    cqln_arena_fini(&arena);
    free(block);
    return 0;
}
