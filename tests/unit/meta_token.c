/* Tokens: of keys, from text, to text; and the search for their place on the ring. */
#include "unit.h"

#include "base/rand.h"
#include "meta/ring.h"

static void partitioners_are_known_by_the_last_part_of_their_class(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        cqln_partitioner p;
    } rows[] = {{"org.apache.cassandra.dht.Murmur3Partitioner", CQLN_PARTITIONER_MURMUR3},
                {"Murmur3Partitioner", CQLN_PARTITIONER_MURMUR3},
                {"org.apache.cassandra.dht.RandomPartitioner", CQLN_PARTITIONER_RANDOM},
                {"org.apache.cassandra.dht.ByteOrderedPartitioner", CQLN_PARTITIONER_BYTES},
                {"org.apache.cassandra.dht.OrderPreservingPartitioner", CQLN_PARTITIONER_UNKNOWN},
                {"Murmur3Partitioner.", CQLN_PARTITIONER_UNKNOWN},
                {"", CQLN_PARTITIONER_UNKNOWN}};
    for (size_t i = 0; i < CQL_COUNT(rows); i++)
        assert_int_equal(cqln_partitioner_of(cql_str_of(rows[i].name)), rows[i].p);
}

typedef struct row {
    cqln_partitioner p;
    const char *key;
    const char *token; /* as the server shows it */
} row;

static void keys_have_the_tokens_of_the_server(void **state)
{
    (void)state;
    static const row rows[] = {
        {CQLN_PARTITIONER_MURMUR3, "00000000", "-3485513579396041028"},
        {CQLN_PARTITIONER_MURMUR3, "ffffffff", "7297452126230313552"},
        {CQLN_PARTITIONER_MURMUR3, "ffffffffffffffff", "7071048584287372947"},
        {CQLN_PARTITIONER_MURMUR3, "550e8400e29b41d4a716446655440000", "4277286421682315655"},
        /* their hashes are the smallest and the largest number, and 0 */
        {CQLN_PARTITIONER_MURMUR3, "8a594e075a99eeb15f0cf296edeb6fbd", "9223372036854775807"},
        {CQLN_PARTITIONER_MURMUR3, "e24f97f5f7d0034c3eea41d5acaa2a66", "9223372036854775807"},
        {CQLN_PARTITIONER_MURMUR3, "3a3cf58e925a4f00a987bd7442c2bfc0", "0"},
        /* composite: (1, 'a'), (42, 'é'), (7, '') */
        {CQLN_PARTITIONER_MURMUR3, "00040000000100 00016100", "6516349416904725244"},
        {CQLN_PARTITIONER_MURMUR3, "00040000002a00 0002c3a900", "8069930807844304610"},
        {CQLN_PARTITIONER_MURMUR3, "00040000000700 000000", "-4429784746415677735"},
        {CQLN_PARTITIONER_RANDOM, "00000001", "19580090105725936846312850328329299579"},
        {CQLN_PARTITIONER_RANDOM, "61", "16955237001963240173058271559858726497"},
        {CQLN_PARTITIONER_RANDOM, "ffffffff", "120549550962197124826514825591841393591"},
        {CQLN_PARTITIONER_RANDOM, "80", "152560766125070040330893099817609554657"},
        {CQLN_PARTITIONER_BYTES, "80", "80000000000000000000000000000000"},
        {CQLN_PARTITIONER_BYTES, "000102030405060708090a0b0c0d0e0f10",
         "000102030405060708090a0b0c0d0e0f"},
    };
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        uint8_t key[64];
        char text[CQLN_TOKEN_TEXT];
        cqln_token back;
        size_t len = hex_decode(rows[i].key, key, sizeof key);
        cqln_token t = cqln_token_of(rows[i].p, key, len);
        cqln_token_print(rows[i].p, t, text);
        assert_string_equal(text, rows[i].token);
        assert_true(cqln_token_parse(rows[i].p, cql_str_of(text), &back));
        assert_int_equal(cqln_token_compare(t, back), 0);
    }
}

static void unknown_partitioner_has_no_tokens(void **state)
{
    (void)state;
    cqln_token t;
    char text[CQLN_TOKEN_TEXT];
    assert_false(cqln_token_parse(CQLN_PARTITIONER_UNKNOWN, cql_str_of("1"), &t));
    t = cqln_token_of(CQLN_PARTITIONER_UNKNOWN, "k", 1);
    assert_true(t.hi == 0 && t.lo == 0);
    cqln_token_print(CQLN_PARTITIONER_UNKNOWN, t, text);
    assert_string_equal(text, "");
    assert_string_equal(cqln_partitioner_name(CQLN_PARTITIONER_UNKNOWN), "unknown");
}

static void texts_that_are_no_tokens_are_refused(void **state)
{
    (void)state;
    static const row rows[] = {
        {CQLN_PARTITIONER_MURMUR3, "", ""},
        {CQLN_PARTITIONER_MURMUR3, "-", ""},
        {CQLN_PARTITIONER_MURMUR3, "--1", ""},
        {CQLN_PARTITIONER_MURMUR3, "+1", ""},
        {CQLN_PARTITIONER_MURMUR3, "1 ", ""},
        {CQLN_PARTITIONER_MURMUR3, "0x10", ""},
        {CQLN_PARTITIONER_MURMUR3, "9223372036854775808", ""},
        {CQLN_PARTITIONER_MURMUR3, "-9223372036854775809", ""},
        {CQLN_PARTITIONER_MURMUR3, "18446744073709551617", ""},
        {CQLN_PARTITIONER_MURMUR3, "99999999999999999999999999999999999999999999999999", ""},
        {CQLN_PARTITIONER_RANDOM, "", ""},
        {CQLN_PARTITIONER_RANDOM, "-2", ""},
        {CQLN_PARTITIONER_RANDOM, "170141183460469231731687303715884105729", ""},
        {CQLN_PARTITIONER_RANDOM, "340282366920938463463374607431768211456", ""},
        {CQLN_PARTITIONER_RANDOM, "9999999999999999999999999999999999999999999999", ""},
        {CQLN_PARTITIONER_BYTES, "0", ""},
        {CQLN_PARTITIONER_BYTES, "0g", ""},
    };
    cqln_token t;
    for (size_t i = 0; i < CQL_COUNT(rows); i++)
        if (cqln_token_parse(rows[i].p, cql_str_of(rows[i].key), &t))
            fail_msg("%s is taken for a token", rows[i].key);
    assert_true(cqln_token_parse(CQLN_PARTITIONER_BYTES, cql_str_of(""), &t));
    assert_true(cqln_token_parse(CQLN_PARTITIONER_RANDOM, cql_str_of("-1"), &t));
    assert_true(cqln_token_parse(CQLN_PARTITIONER_RANDOM,
                                 cql_str_of("170141183460469231731687303715884105728"), &t));
    assert_true(t.hi == (uint64_t)1 << 63 && t.lo == 0);
    assert_true(cqln_token_parse(CQLN_PARTITIONER_MURMUR3, cql_str_of("-9223372036854775808"), &t));
    assert_true(t.hi == 0);
}

/* --- the ring ------------------------------------------------------------------------------------- */

static uint32_t find_slowly(const cqln_ring *r, cqln_token t)
{
    for (uint32_t i = 0; i < r->positions; i++) {
        cqln_token at = {r->hi[i], r->lo ? r->lo[i] : 0};
        if (cqln_token_compare(at, t) >= 0)
            return i;
    }
    return 0;
}

/* How tokens are drawn: all over the ring, all in one small part of it, and few different ones. */
static cqln_token draw(cqln_rand *r, cqln_partitioner p, unsigned how)
{
    uint64_t hi = cqln_rand_next(r);
    uint64_t lo = p == CQLN_PARTITIONER_MURMUR3 ? 0 : cqln_rand_next(r);
    if (how == 1)
        hi = hi >> 50 | (uint64_t)7 << 60;
    if (how == 2) {
        hi = hi % 3 << 62;
        lo = lo % 5;
    }
    return (cqln_token){hi, lo};
}

static void check_ring(cqln_rand *rand, cqln_partitioner p, unsigned how)
{
    cqln_token tokens[8][32];
    cqln_member members[8];
    cqln_ring *r;
    for (size_t i = 0; i < 8; i++) {
        members[i] = (cqln_member){cql_str_of("dc1"), cql_str_of("r1"), tokens[i],
                                   (uint32_t)cqln_rand_below(rand, 33), false};
        for (size_t k = 0; k < 32; k++)
            tokens[i][k] = draw(rand, p, how);
    }
    members[0].token_count = 1;
    assert_int_equal(cqln_ring_new(cqln_alloc_default(), p, members, 8, &r), CQL_OK);
    for (uint32_t i = 0; i < r->positions; i++) {
        cqln_token at = {r->hi[i], r->lo ? r->lo[i] : 0};
        cqln_token before = {at.hi - (at.lo == 0), at.lo - 1}, behind = {at.hi, at.lo + 1};
        if (!r->lo) {
            before = (cqln_token){at.hi - 1, 0};
            behind = (cqln_token){at.hi + 1, 0};
        }
        assert_int_equal(cqln_ring_find(r, at), i);
        assert_int_equal(cqln_ring_find(r, before), find_slowly(r, before));
        assert_int_equal(cqln_ring_find(r, behind), find_slowly(r, behind));
    }
    for (int i = 0; i < 300; i++) {
        cqln_token t = draw(rand, p, i % 3 ? how : 0);
        assert_int_equal(cqln_ring_find(r, t), find_slowly(r, t));
        if (!r->lo)
            assert_int_equal(cqln_ring_search(r, t.hi) % r->positions, find_slowly(r, t));
    }
    assert_int_equal(cqln_ring_find(r, (cqln_token){0, 0}), find_slowly(r, (cqln_token){0, 0}));
    cqln_token last = {UINT64_MAX, r->lo ? UINT64_MAX : 0};
    assert_int_equal(cqln_ring_find(r, last), find_slowly(r, last));
    cqln_ring_unref(r);
}

static void search_finds_the_first_token_at_or_behind(void **state)
{
    (void)state;
    cqln_rand rand;
    cqln_rand_seed(&rand, 5);
    for (int i = 0; i < 60; i++)
        for (unsigned how = 0; how < 3; how++)
            check_ring(&rand, i % 2 ? CQLN_PARTITIONER_MURMUR3 : CQLN_PARTITIONER_RANDOM, how);
}

static void a_token_claimed_twice_stays_with_the_first(void **state)
{
    (void)state;
    cqln_token both[] = {{5, 0}, {5, 0}, {9, 0}}, one[] = {{9, 0}, {5, 0}, {7, 0}};
    cqln_member members[] = {{cql_str_of("dc1"), cql_str_of("r"), both, 3, false},
                             {cql_str_of("dc1"), cql_str_of("r"), one, 3, false}};
    cqln_ring *r;
    assert_int_equal(cqln_ring_new(cqln_alloc_default(), CQLN_PARTITIONER_MURMUR3, members, 2, &r),
                     CQL_OK);
    assert_int_equal(r->positions, 3);
    assert_int_equal(r->owner[cqln_ring_find(r, (cqln_token){5, 0})], 0);
    assert_int_equal(r->owner[cqln_ring_find(r, (cqln_token){6, 0})], 1);
    assert_int_equal(r->owner[cqln_ring_find(r, (cqln_token){8, 0})], 0);
    cqln_ring_unref(r);
}

static void rings_that_cannot_be_are_refused(void **state)
{
    (void)state;
    cqln_token *many = calloc(CQLN_RING_POSITIONS + 1, sizeof *many);
    cqln_member *crowd = calloc(CQLN_RING_MEMBERS + 1, sizeof *crowd);
    cqln_member none = {cql_str_of("dc1"), cql_str_of("r"), NULL, 0, false};
    cqln_member big = {cql_str_of("dc1"), cql_str_of("r"), many, CQLN_RING_POSITIONS + 1, false};
    const cql_allocator *al = cqln_alloc_default();
    cqln_ring *r = NULL;
    assert_true(many && crowd);
    assert_int_equal(cqln_ring_new(al, CQLN_PARTITIONER_MURMUR3, NULL, 0, &r), CQL_UNSUPPORTED);
    assert_int_equal(cqln_ring_new(al, CQLN_PARTITIONER_MURMUR3, &none, 1, &r), CQL_UNSUPPORTED);
    assert_int_equal(cqln_ring_new(al, CQLN_PARTITIONER_UNKNOWN, &big, 1, &r), CQL_UNSUPPORTED);
    assert_int_equal(cqln_ring_new(al, CQLN_PARTITIONER_MURMUR3, &big, 1, &r), CQL_TOO_LARGE);
    assert_int_equal(cqln_ring_new(al, CQLN_PARTITIONER_MURMUR3, crowd, CQLN_RING_MEMBERS + 1, &r),
                     CQL_TOO_LARGE);
    assert_null(r);
    free(many);
    free(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitioners_are_known_by_the_last_part_of_their_class),
        cmocka_unit_test(keys_have_the_tokens_of_the_server),
        cmocka_unit_test(unknown_partitioner_has_no_tokens),
        cmocka_unit_test(texts_that_are_no_tokens_are_refused),
        cmocka_unit_test(search_finds_the_first_token_at_or_behind),
        cmocka_unit_test(a_token_claimed_twice_stays_with_the_first),
        cmocka_unit_test(rings_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
