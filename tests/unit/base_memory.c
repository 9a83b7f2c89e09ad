/* Allocator helpers, arena, counted blocks. */
#include "unit.h"

#include "base/arena.h"
#include "base/rcbuf.h"

#include <stdalign.h>

static void sizes_are_checked(void **state)
{
    (void)state;
    size_t out = 7;
    assert_false(cqln_mul_size(SIZE_MAX, 2, &out));
    assert_false(cqln_mul_size(SIZE_MAX / 2 + 1, 2, &out));
    assert_false(cqln_add_size(SIZE_MAX, 1, &out));
    assert_int_equal(out, 7);
    assert_true(cqln_mul_size(SIZE_MAX, 0, &out));
    assert_int_equal(out, 0);
    assert_true(cqln_mul_size(SIZE_MAX / 2, 2, &out));
    assert_true(cqln_add_size(SIZE_MAX - 1, 1, &out));
    assert_true(out == SIZE_MAX);
}

static void alloc_never_gives_null_for_nothing(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    void *a = cqln_alloc(&f.al, 0);
    assert_non_null(a);
    void *b = cqln_realloc(&f.al, NULL, 0);
    assert_non_null(b);
    uint8_t *c = cqln_alloc_zero(&f.al, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(c[i], 0);
    assert_null(cqln_alloc_array(&f.al, SIZE_MAX / 2, 3));
    assert_null(cqln_realloc_array(&f.al, a, SIZE_MAX / 2, 3));
    c = cqln_realloc_array(&f.al, c, 50, 4);
    assert_int_equal(c[99], 0);
    cqln_free(&f.al, a);
    cqln_free(&f.al, b);
    cqln_free(&f.al, c);
    cqln_free(&f.al, NULL);
    assert_int_equal(atomic_load(&f.live), 0);
}

static void strdup_adds_a_nul(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    cql_str view = {"abcdef", 3};
    char *copy = cqln_strdup(&f.al, view);
    assert_string_equal(copy, "abc");
    cqln_free(&f.al, copy);
    copy = cqln_strdup(&f.al, cql_str_of(NULL));
    assert_string_equal(copy, "");
    cqln_free(&f.al, copy);
    f.fail_at = atomic_load(&f.requests) + 1;
    assert_null(cqln_strdup(&f.al, view));
    assert_int_equal(atomic_load(&f.live), 0);
}

static void wipe_wipes(void **state)
{
    (void)state;
    char secret[] = "secret";
    cqln_wipe(secret, 4);
    assert_memory_equal(secret, "\0\0\0\0et", 7);
    cqln_wipe(NULL, 4);
    cqln_wipe(secret, 0);
}

static void arena_gives_aligned_zeroed_separate_pieces(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    cqln_arena a;
    cqln_arena_init(&a, &f.al, 0);
    assert_int_equal(atomic_load(&f.requests), 0);
    uint8_t *piece[300];
    for (size_t i = 0; i < 300; i++) {
        piece[i] = cqln_arena_alloc(&a, i);
        assert_non_null(piece[i]);
        assert_int_equal((uintptr_t)piece[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < i; k++)
            assert_int_equal(piece[i][k], 0);
        memset(piece[i], (int)(i & 0xff), i);
    }
    for (size_t i = 0; i < 300; i++) {
        for (size_t k = 0; k < i; k++)
            assert_int_equal(piece[i][k], i & 0xff);
    }
    assert_true(atomic_load(&f.requests) < 12);
    assert_non_null(cqln_arena_array(&a, 1000, 1000));
    assert_null(cqln_arena_array(&a, SIZE_MAX / 2, 3));
    assert_null(cqln_arena_alloc(&a, SIZE_MAX));
    assert_null(cqln_arena_alloc(&a, SIZE_MAX - 64));
    cqln_arena_fini(&a);
    assert_int_equal(atomic_load(&f.live), 0);
    cqln_arena_fini(&a);
}

static void arena_keeps_to_its_cap(void **state)
{
    (void)state;
    const size_t step = _Alignof(max_align_t);
    cqln_arena a;
    cqln_arena_init(&a, cqln_alloc_default(), 64);
    assert_non_null(cqln_arena_alloc(&a, 64 - 2 * step + 1));
    assert_null(cqln_arena_alloc(&a, step + 1));
    assert_non_null(cqln_arena_alloc(&a, step));
    assert_null(cqln_arena_alloc(&a, 0));
    cqln_arena_fini(&a);
}

static void arena_copies_text(void **state)
{
    (void)state;
    cqln_arena a;
    cqln_arena_init(&a, cqln_alloc_default(), 1024);
    cql_str view = {"keyspace", 3};
    cql_str copy = cqln_arena_str(&a, view);
    assert_int_equal(copy.len, 3);
    assert_string_equal(copy.ptr, "key");
    copy = cqln_arena_str(&a, cql_str_of(NULL));
    assert_non_null(copy.ptr);
    assert_int_equal(copy.len, 0);
    cql_str hostile = {"x", SIZE_MAX};
    assert_null(cqln_arena_str(&a, hostile).ptr);
    hostile.len = 5000;
    copy = cqln_arena_str(&a, hostile);
    assert_null(copy.ptr);
    assert_int_equal(copy.len, 0);
    cqln_arena_fini(&a);
}

static cql_status use_arena(const cql_allocator *al, void *user)
{
    (void)user;
    cqln_arena a;
    cqln_arena_init(&a, al, 0);
    cql_status st = CQL_OK;
    for (int i = 0; i < 20; i++) {
        if (!cqln_arena_alloc(&a, 500))
            st = CQL_NO_MEMORY;
    }
    cqln_arena_fini(&a);
    return st;
}

static void arena_reports_want_of_memory(void **state)
{
    (void)state;
    assert_true(failmalloc_each(use_arena, NULL, false) >= 3);
}

static void rcbuf_lives_as_long_as_a_holder(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    cql_allocator gone_later = f.al;
    cqln_rcbuf *b = cqln_rcbuf_new(&gone_later, 10);
    memset(&gone_later, 0, sizeof gone_later); /* the table is copied */
    assert_int_equal(cqln_rcbuf_cap(b), 10);
    assert_int_equal((uintptr_t)cqln_rcbuf_data(b) % alignof(max_align_t), 0);
    memcpy(cqln_rcbuf_data(b), "0123456789", 10);
    assert_true(cqln_rcbuf_sole(b));
    cqln_rcbuf *same = cqln_rcbuf_ref(b);
    assert_ptr_equal(same, b);
    assert_false(cqln_rcbuf_sole(b));
    cqln_rcbuf_unref(b);
    assert_true(cqln_rcbuf_sole(same));
    assert_int_equal(atomic_load(&f.live), 1);
    cqln_rcbuf_unref(same);
    assert_int_equal(atomic_load(&f.live), 0);
    cqln_rcbuf_unref(NULL);
    assert_null(cqln_rcbuf_new(&f.al, SIZE_MAX));
}

static void rcbuf_grows_and_keeps_the_used_part(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    cqln_rcbuf *b = cqln_rcbuf_new(&f.al, 4);
    memcpy(cqln_rcbuf_data(b), "abcd", 4);
    assert_ptr_equal(cqln_rcbuf_grow(b, 4, 3), b);
    f.fail_at = atomic_load(&f.requests) + 1;
    assert_null(cqln_rcbuf_grow(b, 4, 100));
    assert_memory_equal(cqln_rcbuf_data(b), "abcd", 4);
    b = cqln_rcbuf_grow(b, 3, 100);
    assert_int_equal(cqln_rcbuf_cap(b), 100);
    assert_memory_equal(cqln_rcbuf_data(b), "abc\xa5", 4);
    cqln_rcbuf_unref(b);
    assert_int_equal(atomic_load(&f.live), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(alloc_never_gives_null_for_nothing),
        cmocka_unit_test(strdup_adds_a_nul),
        cmocka_unit_test(wipe_wipes),
        cmocka_unit_test(arena_gives_aligned_zeroed_separate_pieces),
        cmocka_unit_test(arena_keeps_to_its_cap),
        cmocka_unit_test(arena_copies_text),
        cmocka_unit_test(arena_reports_want_of_memory),
        cmocka_unit_test(rcbuf_lives_as_long_as_a_holder),
        cmocka_unit_test(rcbuf_grows_and_keeps_the_used_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
