/* Type strings: the first byte picks a class string (even) or CQL text (odd), the rest is the text.
 * What was understood is printed as CQL, and that must be read as the same. */
#include "fuzz.h"

#include "types/type.h"

enum { MOST_MEMORY = 1 << 26 };

static unsigned depth_of(const cql_type *t)
{
    unsigned deepest = 0;
    for (size_t i = 0; i < cql_type_count(t); i++) {
        unsigned d = cql_type_at(t, i) ? depth_of(cql_type_at(t, i)) : 0;
        deepest = d > deepest ? d : deepest;
    }
    return cql_type_count(t) ? deepest + 1 : 0;
}

static char *printed(const cql_type *t, size_t *len)
{
    FUZZ_CHECK(cql_type_print(t, NULL, 0, len) == CQL_OK);
    char *text = malloc(*len + 1);
    FUZZ_CHECK(text);
    FUZZ_CHECK(cql_type_print(t, text, *len + 1, len) == CQL_OK);
    FUZZ_CHECK(strlen(text) <= *len);
    return text;
}

static void check_again(cqln_arena *a, const cql_type *t)
{
    size_t len;
    size_t again_len;
    char *text = printed(t, &len);
    const cql_type *again = NULL;
    cql_status st = cqln_type_parse_cql(a, (cql_str){text, len}, &again);
    FUZZ_CHECK(st == CQL_OK || st == CQL_NO_MEMORY);
    if (st == CQL_OK) {
        char *again_text = printed(again, &again_len);
        FUZZ_CHECK(len == again_len && memcmp(text, again_text, len) == 0);
        free(again_text);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    cqln_arena a;
    const cql_type *t = NULL;
    cql_str text = {(const char *)data + 1, size - 1};
    cqln_arena_init(&a, cqln_alloc_default(), MOST_MEMORY);
    cql_status st;
    if (data[0] % 2 == 0) {
        st = cqln_type_parse_class(&a, text, &t);
        FUZZ_CHECK(st == CQL_OK || st == CQL_NO_MEMORY);
    } else {
        st = cqln_type_parse_cql(&a, text, &t);
        FUZZ_CHECK(st == CQL_OK || st == CQL_NO_MEMORY || st == CQL_MALFORMED);
    }
    FUZZ_CHECK((st == CQL_OK) == (t != NULL));
    if (t) {
        FUZZ_CHECK(depth_of(t) <= CQLN_TYPE_DEPTH);
        check_again(&a, t);
    }
    cqln_arena_fini(&a);
    return 0;
}
