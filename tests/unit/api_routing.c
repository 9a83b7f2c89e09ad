/* Routing keys: given by hand, of several columns, of batches; and each place where memory may be out. */
#include "api/routing.h"
#include "api/options.h"
#include "unit.h"

#include "failmalloc.h"

/* Markers a blob, b blob, both of the partition key; v int. */
static const char prepared_hex[] =
    "0010 00112233445566778899aabbccddeeff 00000001 00000003 00000002 0000 0001 0002 6b73 0001 74"
    "0001 61 0003  0001 62 0003  0001 76 0009"
    "00000004 00000000";

enum { LONG = 700 /* a key that has memory of its own for a moment */ };

/* The same without a partition key: as with token(…) markers, or a key that is written in the text. */
static const char keyless_hex[] =
    "0010 00112233445566778899aabbccddeeff 00000001 00000001 00000000 0002 6b73 0001 74 0001 61 0002"
    "00000004 00000000";

static cql_prepared *make_prepared_of(const char *text)
{
    hex h = hex_bytes(text);
    cqln_prepared_head head;
    cqln_reader rd;
    cql_prepared *p = NULL;
    const cql_allocator *al = cqln_alloc_default();
    cqln_reader_init(&rd, h.data, h.len);
    assert_int_equal(cqln_decode_prepared(&rd, 4, al, &head), CQL_OK);
    assert_int_equal(cqln_prepared_new(al, cql_str_of("INSERT"), cql_str_of(""), &head, &p), CQL_OK);
    hex_free(&h);
    return p;
}

static cql_prepared *make_prepared(void)
{
    return make_prepared_of(prepared_hex);
}

/* A statement of that, whose memory is that of `al`. */
static cql_statement *bound(const cql_allocator *al, size_t first, size_t second)
{
    static const char bytes[LONG] = {'x'};
    cql_prepared *p = make_prepared();
    const cql_allocator *own = p->al;
    p->al = al;
    cql_statement *s = cql_prepared_bind(p);
    p->al = own;
    if (s && (cql_statement_bind_blob(s, 0, bytes, first) != CQL_OK ||
              cql_statement_bind_blob(s, 1, bytes, second) != CQL_OK ||
              cql_statement_bind_int32(s, 2, 1) != CQL_OK)) {
        cql_statement_free(s);
        s = NULL;
    }
    cql_prepared_unref(p);
    return s;
}

static cqln_route route_of(const cql_statement *s)
{
    cqln_route route = {0};
    cqln_route_slowly(NULL, s, CQLN_PARTITIONER_MURMUR3, &route);
    return route;
}

static void a_key_of_several_columns_has_their_token(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{1, 2}, {3, LONG}};
    for (size_t i = 0; i < CQL_COUNT(sizes); i++) {
        uint8_t key[2 * LONG] = {0}, *at = key;
        for (size_t part = 0; part < 2; part++) { /* length, bytes, 0 */
            at[0] = (uint8_t)(sizes[i][part] >> 8);
            at[1] = (uint8_t)sizes[i][part];
            at[2] = 'x';
            at += 2 + sizes[i][part] + 1;
        }
        cql_statement *s = bound(cqln_alloc_default(), sizes[i][0], sizes[i][1]);
        assert_non_null(s);
        cqln_route route = route_of(s);
        assert_true(route.has_token);
        assert_true(route.token.hi == cqln_token_murmur3(key, (size_t)(at - key)).hi);
        assert_true(route.keyspace_mark == cqln_keyspace_mark(cql_str_of("ks")));
        cql_statement_free(s);
    }
}

static void a_key_by_hand_is_of_the_keyspace_of_the_markers(void **state)
{
    (void)state;
    cql_prepared *p = make_prepared_of(keyless_hex);
    cql_statement *s = cql_prepared_bind(p);
    assert_int_equal(cql_statement_bind_int64(s, 0, 1), CQL_OK);
    assert_false(route_of(s).has_token);
    assert_int_equal(cql_statement_set_routing_key(s, "abc", 3), CQL_OK);
    assert_true(route_of(s).has_token);
    assert_true(route_of(s).keyspace_mark == cqln_keyspace_mark(cql_str_of("ks")));
    cql_statement_free(s);
    cql_prepared_unref(p);
}

/* The token is what it is for: the request goes to some node then. */
static void a_long_key_without_memory_has_no_token(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    cql_statement *s = bound(&f.al, 3, LONG);
    assert_non_null(s);
    assert_true(route_of(s).has_token);
    f.fail_at = f.requests + 1;
    cqln_route route = route_of(s);
    assert_false(route.has_token);
    assert_true(route_of(s).has_token);
    cql_statement_free(s);
    assert_int_equal(f.live, 0);
}

static cql_status by_hand(const cql_allocator *al, void *user)
{
    cql_statement *s = NULL, *copy = NULL;
    (void)user;
    cql_status st = cql_statement_new("SELECT …", 0, al, &s);
    if (st == CQL_OK)
        st = cql_statement_set_routing_keyspace(s, "ks");
    if (st == CQL_OK)
        st = cql_statement_set_routing_key(s, "abc", 3);
    if (st == CQL_OK)
        st = cql_statement_set_routing_values(
            s, CQL_VALUES(cql_value_int32(1), cql_value_text("a text behind it")));
    if (st == CQL_OK && !(copy = cqln_statement_copy(s)))
        st = CQL_NO_MEMORY;
    if (st == CQL_OK)
        assert_true(route_of(copy).token.hi == route_of(s).token.hi);
    cql_statement_free(copy);
    cql_statement_free(s);
    return st;
}

static cql_status of_a_batch(const cql_allocator *al, void *user)
{
    cql_batch *b = NULL;
    cql_statement *s = bound(al, 3, LONG);
    (void)user;
    cql_status st = s ? cql_batch_new(CQL_BATCH_LOGGED, al, &b) : CQL_NO_MEMORY;
    if (st == CQL_OK)
        st = cql_batch_set_routing_keyspace(b, "other");
    if (st == CQL_OK)
        st = cql_batch_add(b, s);
    if (st == CQL_OK)
        st = cql_batch_set_routing_key(b, "a key that is longer", 20);
    if (st == CQL_OK)
        assert_true(b->ex.routing->keyspace_mark == cqln_keyspace_mark(cql_str_of("other")));
    cql_batch_free(b);
    cql_statement_free(s);
    return st;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    assert_true(failmalloc_each(by_hand, NULL, false) >= 6);
    assert_true(failmalloc_each(of_a_batch, NULL, false) >= 6);
}

/* What a batch is told by a member that then does not fit in is as if it had not been tried. */
static void a_member_that_is_not_taken_leaves_no_trace(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    cql_batch *b = NULL;
    cql_statement *s = NULL;
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, &f.al, &b), CQL_OK);
    assert_int_equal(cql_batch_set_routing_keyspace(b, "ks"), CQL_OK); /* the record is there */
    assert_int_equal(cql_statement_new("INSERT INTO t (k) VALUES (1) IF NOT EXISTS", 0, NULL, &s),
                     CQL_OK);
    assert_int_equal(cql_statement_set_routing_key(s, "abc", 3), CQL_OK);
    for (size_t i = 1; i <= 2; i++) { /* memory for the text, for the key */
        f.fail_at = f.requests + i;
        assert_int_equal(cql_batch_add(b, s), CQL_NO_MEMORY);
        assert_int_equal(cql_batch_count(b), 0);
        assert_int_equal(cql_batch_bytes(b), 0);
        assert_false(b->conditional);
        assert_int_equal(b->ex.routing->len, 0);
    }
    f.fail_at = 0;
    assert_int_equal(cql_batch_add(b, s), CQL_OK);
    assert_true(b->conditional);
    assert_int_equal(b->ex.routing->len, 3);
    cql_batch_free(b);
    cql_statement_free(s);
    assert_int_equal(f.live, 0);
}

static void keys_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char huge[65536];
    cql_statement *s = NULL;
    assert_int_equal(cql_statement_new("SELECT …", 0, NULL, &s), CQL_OK);
    assert_int_equal(cql_statement_set_routing_key(s, NULL, 1), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_statement_set_routing_key(s, huge, sizeof huge), CQL_TOO_LARGE);
    assert_int_equal(cql_statement_set_routing_values(s, CQL_VALUES(cql_value_null())), CQL_IS_NULL);
    assert_int_equal(cql_statement_set_routing_values(s, (cql_values){NULL, 1}), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_statement_set_routing_values(
                         s, CQL_VALUES(cql_value_int32(1), cql_value_blob(huge, sizeof huge))),
                     CQL_TOO_LARGE);
    assert_false(route_of(s).has_token);
    assert_int_equal(cql_statement_set_routing_key(s, huge, sizeof huge - 1), CQL_OK);
    assert_true(route_of(s).has_token);
    assert_int_equal(cql_statement_set_routing_key(NULL, "a", 1), CQL_BAD_ARGUMENT);
    cql_statement_free(s);
}

/* Of a statement and its copy, which pages make; what was said last counts. */
static void a_token_takes_the_place_of_a_key(void **state)
{
    (void)state;
    cql_statement *s = bound(cqln_alloc_default(), 1, 2);
    cqln_route route = {0};
    assert_int_equal(cql_statement_set_routing_key(s, "abc", 3), CQL_OK);
    assert_int_equal(cql_statement_set_routing_token(s, -5), CQL_OK);
    cql_statement *copy = cqln_statement_copy(s);
    assert_true(route_of(s).has_token);
    assert_true(route_of(s).token.hi == UINT64_C(0x7ffffffffffffffb));
    assert_true(route_of(s).keyspace_mark == cqln_keyspace_mark(cql_str_of("ks")));
    assert_true(route_of(copy).token.hi == route_of(s).token.hi);
    cqln_route_slowly(NULL, s, CQLN_PARTITIONER_RANDOM, &route);
    assert_false(route.has_token);
    assert_int_equal(cql_statement_set_routing_key(s, "abc", 3), CQL_OK);
    assert_true(route_of(s).token.hi == cqln_token_murmur3("abc", 3).hi);
    assert_int_equal(cql_statement_set_routing_token(NULL, 1), CQL_BAD_ARGUMENT);
    cql_statement_free(copy);
    cql_statement_free(s);
}

static cqln_ring *ring_of(cqln_partitioner p, const int64_t *numbers, uint32_t count)
{
    cqln_ring *r;
    cqln_token tokens[4];
    for (uint32_t i = 0; i < count; i++)
        tokens[i] = cqln_token_number(numbers[i]);
    cqln_member one = {.tokens = tokens, .token_count = count};
    assert_int_equal(cqln_ring_new(cqln_alloc_default(), p, &one, 1, &r), CQL_OK);
    return r;
}

/* Each row once: a range begins where the one before ends, the first and the last at the ends of all tokens. And
 * each within one range of the ring, and no wider than asked for. */
static size_t check_ranges(const cqln_ring *r, size_t parts)
{
    cql_token_range out[1200];
    size_t count = 0;
    assert_int_equal(cqln_ranges_of(r, parts, out, CQL_COUNT(out), &count), CQL_OK);
    assert_true(count >= parts && out[0].after == INT64_MIN && out[count - 1].upto == INT64_MAX);
    for (size_t i = 0; i < count; i++) {
        uint64_t width = (uint64_t)out[i].upto - (uint64_t)out[i].after;
        assert_true(out[i].after < out[i].upto);
        assert_true(i == 0 || out[i].after == out[i - 1].upto);
        assert_true(parts < 2 || width <= UINT64_MAX / parts + 1);
        assert_int_equal(cqln_ring_find(r, cqln_token_number(out[i].after + 1)),
                         cqln_ring_find(r, cqln_token_number(out[i].upto)));
    }
    return count;
}

static void ranges_have_each_row_once(void **state)
{
    (void)state;
    static const int64_t some[] = {-7, 0, 1000, INT64_MAX - 1}, ends[] = {INT64_MIN, 0, INT64_MAX};
    cqln_ring *r = ring_of(CQLN_PARTITIONER_MURMUR3, some, 4);
    assert_int_equal(check_ranges(r, 0), 5);
    assert_int_equal(check_ranges(r, 1), 5);
    assert_int_equal(check_ranges(r, 3), 3 + 4);
    check_ranges(r, 1000);
    cqln_ring_unref(r);
    r = ring_of(CQLN_PARTITIONER_MURMUR3, ends, 3);
    assert_int_equal(check_ranges(r, 0), 2);
    assert_int_equal(check_ranges(r, 2), 2);
    assert_int_equal(check_ranges(r, 4), 4);
    cqln_ring_unref(r);
}

static void ranges_need_room_and_numbers(void **state)
{
    (void)state;
    static const int64_t some[] = {0, 1};
    cql_token_range out[3] = {{0, 0}};
    size_t count = 0;
    cqln_ring *r = ring_of(CQLN_PARTITIONER_MURMUR3, some, 2);
    assert_int_equal(cqln_ranges_of(r, 0, NULL, 0, &count), CQL_TOO_LARGE);
    assert_int_equal(count, 3);
    assert_int_equal(cqln_ranges_of(r, 0, out, 2, &count), CQL_TOO_LARGE);
    assert_true(out[1].upto == 1 && out[2].upto == 0); /* nothing behind the room */
    assert_int_equal(cqln_ranges_of(r, 0, out, 3, &count), CQL_OK);
    cqln_ring_unref(r);
    r = ring_of(CQLN_PARTITIONER_RANDOM, some, 2);
    assert_int_equal(cqln_ranges_of(r, 0, out, 3, &count), CQL_UNSUPPORTED);
    cqln_ring_unref(r);
    assert_int_equal(cql_session_token_ranges(NULL, 0, out, 3, &count), CQL_BAD_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_of_several_columns_has_their_token),
        cmocka_unit_test(a_key_by_hand_is_of_the_keyspace_of_the_markers),
        cmocka_unit_test(a_long_key_without_memory_has_no_token),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_member_that_is_not_taken_leaves_no_trace),
        cmocka_unit_test(keys_that_are_none_are_refused),
        cmocka_unit_test(a_token_takes_the_place_of_a_key),
        cmocka_unit_test(ranges_have_each_row_once),
        cmocka_unit_test(ranges_need_room_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
