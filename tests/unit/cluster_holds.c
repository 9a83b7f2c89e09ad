/* Holds of one thread: a statement lives as long as anybody holds it, and no longer than that plus the
 * entry. Leaks and early frees are the sanitizer's to find. */
#include "cluster/holds.h"
#include "unit.h"

#include "base/alloc.h"

enum { MANY = 40 };

static cql_prepared *make_prepared(void)
{
    hex h = hex_bytes("0001 31 00000000 00000000 00000000 00000004 00000000");
    cqln_prepared_head head;
    cqln_reader rd;
    cql_prepared *p = NULL;
    const cql_allocator *al = cqln_alloc_default();
    cqln_reader_init(&rd, h.data, h.len);
    assert_int_equal(cqln_decode_prepared(&rd, 4, al, &head), CQL_OK);
    assert_int_equal(cqln_prepared_new(al, cql_str_of("x"), cql_str_of(""), &head, &p), CQL_OK);
    hex_free(&h);
    return p;
}

static uint32_t refs(cql_prepared *p)
{
    return atomic_load(&p->refs);
}

static void one_statement_is_counted_once(void **state)
{
    (void)state;
    cqln_holds h = {0};
    cql_prepared *p = make_prepared();
    for (int i = 0; i < 100; i++)
        assert_ptr_equal(cqln_holds_take(&h, p), p);
    assert_int_equal(refs(p), 2);
    for (int i = 0; i < 40; i++)
        cqln_holds_drop(&h, p);
    cqln_holds_fini(&h);
    assert_int_equal(refs(p), 1 + 60);
    for (int i = 0; i < 60; i++)
        cqln_holds_drop(&h, p);
    assert_int_equal(refs(p), 1);
    cql_prepared_unref(p);
}

static void a_hold_outlives_the_program_s(void **state)
{
    (void)state;
    cqln_holds h = {0};
    cql_prepared *p = make_prepared();
    cqln_holds_take(&h, p);
    cqln_holds_take(&h, p);
    cql_prepared_unref(p);
    cqln_holds_drop(&h, p);
    assert_string_equal(p->cql.ptr, "x");
    cqln_holds_drop(&h, p);
    cqln_holds_fini(&h);
}

/* More statements than entries: each takes the place of others, which come back with holds that were
 * taken under an earlier entry. */
static void statements_take_turns(void **state)
{
    (void)state;
    cqln_holds h = {0};
    cql_prepared *p[MANY];
    unsigned held[MANY] = {0};
    uint32_t seed = 7;
    for (int i = 0; i < MANY; i++)
        p[i] = make_prepared();
    for (int step = 0; step < 20000; step++) {
        seed = seed * 1664525 + 1013904223;
        unsigned i = (seed >> 16) % MANY;
        if (held[i] && seed >> 31) {
            held[i]--;
            cqln_holds_drop(&h, p[i]);
        } else if (held[i] < 50) {
            held[i]++;
            cqln_holds_take(&h, p[i]);
        }
    }
    cqln_holds_fini(&h);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(refs(p[i]), 1 + held[i]);
        while (held[i]--)
            cqln_holds_drop(&h, p[i]);
        assert_int_equal(refs(p[i]), 1);
        cql_prepared_unref(p[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_statement_is_counted_once),
        cmocka_unit_test(a_hold_outlives_the_program_s),
        cmocka_unit_test(statements_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
