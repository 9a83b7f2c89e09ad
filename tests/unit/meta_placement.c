/* Placement: replication maps, the replicas of every position, the map of keyspaces. */
#include "unit.h"

#include "base/rand.h"
#include "meta/tokenmap.h"

#include <time.h>

/* --- replication ---------------------------------------------------------------------------------- */

/* "class=X dc1=3": pairs as they stand in the table. */
static cqln_replication replication(const char *text)
{
    cqln_replication r;
    cqln_replication_init(&r);
    while (*text) {
        size_t key = strcspn(text, "="), value = strcspn(text + key + 1, " ");
        cqln_replication_add(&r, (cql_str){text, key}, (cql_str){text + key + 1, value});
        text += key + 1 + value;
        text += *text == ' ';
    }
    cqln_replication_end(&r);
    return r;
}

static void maps_are_read_as_the_server_means_them(void **state)
{
    (void)state;
    static const struct {
        const char *map;
        const char *printed;
    } rows[] = {
        {"class=org.apache.cassandra.locator.SimpleStrategy replication_factor=3",
         "SimpleStrategy 3"},
        {"replication_factor=3 class=SimpleStrategy", "SimpleStrategy 3"},
        {"class=SimpleStrategy replication_factor=3/1", "SimpleStrategy 3/1"},
        {"class=SimpleStrategy replication_factor=0", "SimpleStrategy 0"},
        {"class=SimpleStrategy replication_factor=12", "SimpleStrategy 12"},
        {"class=SimpleStrategy dc1=4 replication_factor=2", "SimpleStrategy 2"},
        {"class=SimpleStrategy", "an unknown strategy"},
        {"class=SimpleStrategy replication_factor=x", "an unknown strategy"},
        {"class=SimpleStrategy replication_factor=-1", "an unknown strategy"},
        {"class=SimpleStrategy replication_factor=", "an unknown strategy"},
        {"class=SimpleStrategy replication_factor=1/2", "an unknown strategy"},
        {"class=SimpleStrategy replication_factor=99999999999999", "SimpleStrategy 65535"},
        {"dc2=2 class=org.apache.cassandra.locator.NetworkTopologyStrategy dc1=3",
         "NetworkTopologyStrategy dc2:2 dc1:3"},
        {"class=NetworkTopologyStrategy dc1=3 replication_factor=9 dc1=4 dc2=many",
         "NetworkTopologyStrategy dc1:3"},
        {"class=NetworkTopologyStrategy", "NetworkTopologyStrategy"},
        {"class=org.apache.cassandra.locator.LocalStrategy", "LocalStrategy"},
        {"class=org.apache.cassandra.locator.EverywhereStrategy x=1", "EverywhereStrategy"},
        {"class=com.example.OwnStrategy dc1=3", "an unknown strategy"},
        {"dc1=3", "an unknown strategy"},
        {"", "an unknown strategy"},
    };
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        char text[200];
        cqln_replication r = replication(rows[i].map);
        cqln_replication_print(&r, text, sizeof text);
        assert_string_equal(text, rows[i].printed);
    }
}

static void too_many_data_centres_are_left_out(void **state)
{
    (void)state;
    cqln_replication r;
    char names[100][8], tiny[12];
    cqln_replication_init(&r);
    cqln_replication_add(&r, cql_str_of("class"), cql_str_of("NetworkTopologyStrategy"));
    for (size_t i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "dc%zu", i);
        cqln_replication_add(&r, cql_str_of(names[i]), cql_str_of("3"));
    }
    cqln_replication_end(&r);
    assert_int_equal(r.count, CQLN_REPLICATION_DCS);
    cqln_replication_print(&r, tiny, sizeof tiny);
    assert_string_equal(tiny, "NetworkTopo");
}

/* --- the ring of the protocol notes ---------------------------------------------------------------- */

/* Eight nodes 1..8 at -8000, -6000 ... 6000. */
static cqln_ring *eight_nodes(void)
{
    static const char *const dcs[] = {"dc1", "dc1", "dc1", "dc2", "dc1", "dc2", "dc2", "dc1"};
    static const char *const racks[] = {"r1", "r1", "r2", "r1", "r1", "r1", "r2", "r3"};
    cqln_token tokens[8];
    cqln_member members[8];
    cqln_ring *r;
    for (size_t i = 0; i < 8; i++) {
        char text[12];
        snprintf(text, sizeof text, "%d", -8000 + 2000 * (int)i);
        assert_true(cqln_token_parse(CQLN_PARTITIONER_MURMUR3, cql_str_of(text), &tokens[i]));
        members[i] = (cqln_member){cql_str_of(dcs[i]), cql_str_of(racks[i]), &tokens[i], 1, false};
    }
    assert_int_equal(cqln_ring_new(cqln_alloc_default(), CQLN_PARTITIONER_MURMUR3, members, 8, &r),
                     CQL_OK);
    return r;
}

static void print_replicas(const cqln_placement *p, const char *token, char *out)
{
    cqln_token t;
    assert_true(cqln_token_parse(CQLN_PARTITIONER_MURMUR3, cql_str_of(token), &t));
    const uint16_t *at = cqln_placement_at(p, cqln_ring_find(p->ring, t));
    size_t n = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < p->width && at[i] != CQLN_MEMBER_NONE; i++)
        n += (size_t)snprintf(out + n, 60 - n, "%s%u", n ? " " : "", at[i] + 1u);
}

static void replicas_are_those_of_the_server(void **state)
{
    (void)state;
    static const struct {
        const char *map;
        const char *rows[5][3]; /* tokens, replicas */
    } cases[] = {
        {"class=SimpleStrategy replication_factor=3",
         {{"-9000", "-8000", "1 2 3"}, {"-7999", "-6000", "2 3 4"}, {"-1", "0", "5 6 7"},
          {"1", "2000", "6 7 8"}, {"5999", "6000", "8 1 2"}}},
        {"class=NetworkTopologyStrategy dc1=3 dc2=2",
         {{"6001", "-8000", "1 3 8 4 7"}, {"-7999", "-6000", "2 3 8 4 7"}, {"-1", "0", "5 8 3 6 7"},
          {"1", "2000", "8 1 3 6 7"}, {"5999", "6000", "8 1 3 4 7"}}},
        {"class=NetworkTopologyStrategy dc1=4",
         {{"6001", "-8000", "1 2 3 8"}, {"-7999", "-6000", "2 3 5 8"}, {"-1", "0", "5 8 1 3"},
          {"1", "2000", "8 1 2 3"}, {"5999", "6000", "8 1 2 3"}}},
        {"class=NetworkTopologyStrategy dc2=4/1",
         {{"6001", "-8000", "4 6 7"}, {"-7999", "-6000", "4 6 7"}, {"-1", "0", "6 7 4"},
          {"1", "2000", "6 7 4"}, {"5999", "6000", "4 6 7"}}},
        {"class=SimpleStrategy replication_factor=10/2",
         {{"6001", "-8000", "1 2 3 4 5 6 7 8"}, {"-7999", "-6000", "2 3 4 5 6 7 8 1"},
          {"-1", "0", "5 6 7 8 1 2 3 4"}, {"1", "2000", "6 7 8 1 2 3 4 5"},
          {"5999", "6000", "8 1 2 3 4 5 6 7"}}},
        {"class=NetworkTopologyStrategy dc1=2 dc2=3 dc3=1",
         {{"6001", "-8000", "1 3 4 6 7"}, {"-7999", "-6000", "2 3 4 6 7"}, {"-1", "0", "5 8 6 7 4"},
          {"1", "2000", "8 1 6 7 4"}, {"5999", "6000", "8 1 4 6 7"}}},
        {"class=NetworkTopologyStrategy dc1=0 dc2=3/1",
         {{"6001", "-8000", "4 6"}, {"-7999", "-6000", "4 6"}, {"-1", "0", "6 7"},
          {"1", "2000", "6 7"}, {"5999", "6000", "4 6"}}},
        {"class=SimpleStrategy replication_factor=99",
         {{"6001", "-8000", "1 2 3 4 5 6 7 8"}, {"-7999", "-6000", "2 3 4 5 6 7 8 1"},
          {"-1", "0", "5 6 7 8 1 2 3 4"}, {"1", "2000", "6 7 8 1 2 3 4 5"},
          {"5999", "6000", "8 1 2 3 4 5 6 7"}}},
    };
    cqln_ring *r = eight_nodes();
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        cqln_replication rep = replication(cases[i].map);
        cqln_placement *p;
        assert_int_equal(cqln_placement_new(r, &rep, &p), CQL_OK);
        for (size_t k = 0; k < 5; k++) {
            char found[60];
            for (size_t t = 0; t < 2; t++) {
                print_replicas(p, cases[i].rows[k][t], found);
                assert_string_equal(found, cases[i].rows[k][2]);
            }
        }
        cqln_placement_unref(p);
    }
    cqln_ring_unref(r);
}

/* Where each node has every row, and where one of them has not. */
static void placements_know_whether_they_are_whole(void **state)
{
    (void)state;
    static const struct {
        const char *map;
        bool whole;
    } cases[] = {
        {"class=SimpleStrategy replication_factor=7", false},
        {"class=SimpleStrategy replication_factor=8", true},
        {"class=SimpleStrategy replication_factor=99", true},
        {"class=NetworkTopologyStrategy dc1=5 dc2=3", true},
        {"class=NetworkTopologyStrategy dc1=5 dc2=2", false},
        {"class=NetworkTopologyStrategy dc1=4 dc2=3", false},
        {"class=NetworkTopologyStrategy dc1=5", false},
        {"class=NetworkTopologyStrategy dc1=5 dc2=9 dc3=3", true},
        {"class=LocalStrategy", false},
    };
    cqln_ring *r = eight_nodes();
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        cqln_replication rep = replication(cases[i].map);
        cqln_placement *p;
        assert_int_equal(cqln_placement_new(r, &rep, &p), CQL_OK);
        assert_int_equal(p->whole, cases[i].whole);
        cqln_placement_unref(p);
    }
    cqln_ring_unref(r);
}

/* A node that has no tokens (yet) has no rows either. */
static void a_node_without_tokens_has_no_row(void **state)
{
    (void)state;
    static const char *const maps[] = {"class=SimpleStrategy replication_factor=2",
                                       "class=NetworkTopologyStrategy dc1=2"};
    cqln_token token = {0};
    cqln_member members[2] = {{cql_str_of("dc1"), cql_str_of("r1"), &token, 1, false},
                              {cql_str_of("dc1"), cql_str_of("r1"), NULL, 0, false}};
    cqln_ring *r;
    assert_true(cqln_token_parse(CQLN_PARTITIONER_MURMUR3, cql_str_of("5"), &token));
    assert_int_equal(cqln_ring_new(cqln_alloc_default(), CQLN_PARTITIONER_MURMUR3, members, 2, &r),
                     CQL_OK);
    for (size_t i = 0; i < CQL_COUNT(maps); i++) {
        cqln_replication rep = replication(maps[i]);
        cqln_placement *p;
        assert_int_equal(cqln_placement_new(r, &rep, &p), CQL_OK);
        assert_false(p->whole);
        assert_int_equal(cqln_placement_at(p, 0)[0], 0);
        cqln_placement_unref(p);
    }
    cqln_ring_unref(r);
}

static void strategies_without_replicas_place_nothing(void **state)
{
    (void)state;
    static const char *const maps[] = {"class=LocalStrategy", "class=Own dc1=3",
                                       "class=SimpleStrategy replication_factor=0",
                                       "class=NetworkTopologyStrategy dc9=3",
                                       "class=NetworkTopologyStrategy dc1=0", ""};
    cqln_ring *r = eight_nodes();
    for (size_t i = 0; i < CQL_COUNT(maps); i++) {
        cqln_replication rep = replication(maps[i]);
        cqln_placement *p;
        assert_int_equal(cqln_placement_new(r, &rep, &p), CQL_OK);
        assert_null(p->replicas);
        assert_int_equal(p->width, 0);
        assert_false(p->everywhere);
        cqln_placement_unref(p);
    }
    cqln_replication rep = replication("class=EverywhereStrategy");
    cqln_placement *p;
    assert_int_equal(cqln_placement_new(r, &rep, &p), CQL_OK);
    assert_true(p->everywhere && !p->replicas);
    cqln_placement_unref(p);
    cqln_ring_unref(r);
}

/* --- compared with a slow one ---------------------------------------------------------------------- */

/* What the server does, as it does it: round the ring from the position, asking each owner. */
static size_t place_slowly(const cqln_ring *r, uint32_t from, const cqln_copies *c, const char *dc,
                           uint16_t *out)
{
    uint32_t nodes = 0, racks = 0, d = UINT32_MAX;
    for (uint32_t i = 0; i < r->dc_count; i++) {
        if (!dc || cql_str_equal(r->dc_names[i], cql_str_of(dc))) {
            d = i;
            nodes += r->dc_nodes[i];
            racks += r->dc_racks[i];
        }
    }
    int left = (int)(c->all < nodes ? c->all : nodes);
    int repeats = (int)c->all - (int)racks;
    size_t n = 0;
    for (uint32_t i = 0; i < r->positions && left > 0 && d != UINT32_MAX; i++) {
        uint16_t m = r->owner[(from + i) % r->positions];
        bool there = dc && r->dc_of[m] != d, rack = false;
        for (size_t k = 0; k < n; k++) {
            there = there || out[k] == m;
            rack = rack || r->rack_of[out[k]] == r->rack_of[m];
        }
        if (there || (dc && rack && repeats <= 0))
            continue;
        repeats -= dc && rack;
        out[n++] = m;
        left--;
    }
    size_t full = c->all > c->transient ? c->all - c->transient : 0;
    return n < full ? n : full;
}

/* A ring of up to 40 nodes, named so that racks of one name are in several data centres. */
static cqln_ring *random_ring(cqln_rand *rand)
{
    static const char *const dcs[] = {"dc1", "dc2", "dc3"};
    static const char *const racks[] = {"ra", "rb", "rc", "rd", "re"};
    static cqln_token tokens[40][8];
    cqln_member members[40];
    cqln_ring *r;
    size_t count = 1 + (size_t)cqln_rand_below(rand, 40);
    uint64_t dc_count = 1 + cqln_rand_below(rand, 3), rack_count = 1 + cqln_rand_below(rand, 5);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < 8; k++)
            tokens[i][k] = (cqln_token){cqln_rand_next(rand), 0};
        uint64_t rack = cqln_rand_below(rand, rack_count);
        rack = cqln_rand_below(rand, 2) ? rack : 0; /* uneven */
        members[i] = (cqln_member){cql_str_of(dcs[cqln_rand_below(rand, dc_count)]),
                                   cql_str_of(racks[rack]), tokens[i],
                                   (uint32_t)cqln_rand_below(rand, 9),
                                   cqln_rand_below(rand, 3) == 0};
    }
    members[0].token_count = 3;
    assert_int_equal(
        cqln_ring_new(cqln_alloc_default(), CQLN_PARTITIONER_MURMUR3, members, count, &r), CQL_OK);
    return r;
}

static void compare_placement(const cqln_ring *r, const cqln_placement *p)
{
    const cqln_replication *rep = &p->replication;
    for (uint32_t i = 0; i < r->positions; i++) {
        uint16_t want[200];
        size_t n = 0;
        for (uint32_t k = 0; k < rep->count; k++) {
            char dc[8];
            snprintf(dc, sizeof dc, "%.*s", (int)rep->copies[k].dc.len, rep->copies[k].dc.ptr);
            n += place_slowly(r, i, &rep->copies[k],
                              rep->strategy == CQLN_STRATEGY_SIMPLE ? NULL : dc, want + n);
        }
        assert_true(n <= p->width);
        if (p->width == 0)
            continue;
        const uint16_t *at = cqln_placement_at(p, i);
        assert_memory_equal(at, want, n * sizeof *want);
        for (size_t k = n; k < p->width; k++)
            assert_int_equal(at[k], CQLN_MEMBER_NONE);
        const uint16_t *near = cqln_placement_near(p, i), *next = near + 1;
        for (size_t k = 0; k < n; k++)
            if (r->near[want[k]])
                assert_int_equal(*next++, want[k]);
        assert_int_equal(near[0], next - near - 1);
        assert_true(near[0] + 1u < p->stride);
        assert_true(near[0] == 0 || *next == near[1]); /* each has one behind it */
    }
    if (p->width) { /* behind the last position comes the first */
        const uint16_t *first = cqln_placement_near(p, 0);
        assert_memory_equal(cqln_placement_near(p, r->positions), first, (first[0] + 1u) * sizeof *first);
    }
}

static void placement_is_that_of_the_slow_walk(void **state)
{
    (void)state;
    cqln_rand rand;
    cqln_rand_seed(&rand, 9);
    for (int i = 0; i < 400; i++) {
        char map[120];
        cqln_ring *r = random_ring(&rand);
        if (i % 3 == 0)
            snprintf(map, sizeof map, "class=SimpleStrategy replication_factor=%u",
                     (unsigned)cqln_rand_below(&rand, 9));
        else
            snprintf(map, sizeof map, "class=NetworkTopologyStrategy dc1=%u dc3=%u dc2=%u/%u",
                     (unsigned)cqln_rand_below(&rand, 9), (unsigned)cqln_rand_below(&rand, 5),
                     (unsigned)(2 + cqln_rand_below(&rand, 9)), (unsigned)cqln_rand_below(&rand, 3));
        cqln_replication rep = replication(map);
        cqln_placement *p;
        assert_int_equal(cqln_placement_new(r, &rep, &p), CQL_OK);
        compare_placement(r, p);
        cqln_placement_unref(p);
        cqln_ring_unref(r);
    }
}

/* --- the map --------------------------------------------------------------------------------------- */

static void keyspaces_alike_share_a_placement(void **state)
{
    (void)state;
    cqln_ring *r = eight_nodes();
    cqln_tokenmap *m, *newer;
    cqln_replication three = replication("class=SimpleStrategy replication_factor=3");
    cqln_replication two = replication("class=NetworkTopologyStrategy dc1=2");
    assert_int_equal(cqln_tokenmap_new(r, 4, &m), CQL_OK);
    assert_int_equal(cqln_tokenmap_add(m, cql_str_of("a"), &three, NULL), CQL_OK);
    assert_int_equal(cqln_tokenmap_add(m, cql_str_of("b"), &three, NULL), CQL_OK);
    assert_int_equal(cqln_tokenmap_add(m, cql_str_of("c"), &two, NULL), CQL_OK);
    assert_int_equal(cqln_tokenmap_add(m, cql_str_of("a"), &two, NULL), CQL_OK);
    assert_int_equal(cqln_tokenmap_add(m, cql_str_of(""), &two, NULL), CQL_OK);
    const cqln_keyspace *a = cqln_tokenmap_find(m, cqln_keyspace_mark(cql_str_of("a")));
    const cqln_keyspace *b = cqln_tokenmap_find(m, cqln_keyspace_mark(cql_str_of("b")));
    assert_true(a && b && a->placement == b->placement);
    assert_true(cql_str_equal(a->name, cql_str_of("a")));
    assert_int_equal(m->placement_count, 2);
    assert_null(cqln_tokenmap_find(m, cqln_keyspace_mark(cql_str_of("d"))));
    assert_null(cqln_tokenmap_find(m, 0));
    /* altered: the other placement is taken over from the older map */
    assert_int_equal(cqln_tokenmap_new(r, 4, &newer), CQL_OK);
    assert_int_equal(cqln_tokenmap_add(newer, cql_str_of("c"), &three, m), CQL_OK);
    assert_ptr_equal(newer->placements[0], a->placement);
    cqln_tokenmap_unref(m);
    const cqln_keyspace *c = cqln_tokenmap_find(newer, cqln_keyspace_mark(cql_str_of("c")));
    assert_non_null(c);
    assert_int_equal(cqln_placement_at(c->placement, 0)[2], 2);
    cqln_tokenmap_unref(newer);
    cqln_ring_unref(r);
}

static void a_map_has_limits(void **state)
{
    (void)state;
    cqln_ring *r = eight_nodes();
    cqln_tokenmap *m;
    char name[20], map[80];
    assert_int_equal(cqln_tokenmap_new(r, CQLN_KEYSPACES_MAX + 1, &m), CQL_TOO_LARGE);
    assert_int_equal(cqln_tokenmap_new(r, 2, &m), CQL_OK);
    cql_status st = CQL_OK;
    unsigned taken = 0;
    for (; st == CQL_OK && taken < 100; taken += st == CQL_OK) {
        snprintf(name, sizeof name, "k%u", taken);
        cqln_replication rep = replication("class=SimpleStrategy replication_factor=3");
        st = cqln_tokenmap_add(m, cql_str_of(name), &rep, NULL);
    }
    assert_int_equal(st, CQL_TOO_LARGE); /* more than it was made for */
    assert_in_range(taken, 2, 4);
    cqln_tokenmap_unref(m);
    assert_int_equal(cqln_tokenmap_new(r, 200, &m), CQL_OK);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "k%u", i);
        snprintf(map, sizeof map, "class=NetworkTopologyStrategy dc1=%u", i);
        cqln_replication rep = replication(map);
        st = cqln_tokenmap_add(m, cql_str_of(name), &rep, NULL);
        assert_int_equal(st, i < CQLN_PLACEMENTS_MAX ? CQL_OK : CQL_TOO_LARGE);
        assert_true((cqln_tokenmap_find(m, cqln_keyspace_mark(cql_str_of(name))) != NULL) ==
                    (i < CQLN_PLACEMENTS_MAX));
    }
    cqln_tokenmap_unref(m);
    cqln_ring_unref(r);
}

static cql_status build_all(const cql_allocator *al, void *user)
{
    cqln_replication rep = replication("class=NetworkTopologyStrategy dc1=2 dc2=1");
    cqln_token tokens[] = {{3, 1}, {2, 9}, {2, 1}};
    cqln_member members[] = {{cql_str_of("dc1"), cql_str_of("r"), tokens, 1, true},
                             {cql_str_of("dc2"), cql_str_of("r"), tokens + 1, 2, false}};
    cqln_ring *r;
    cqln_tokenmap *m = NULL;
    (void)user;
    cql_status st = cqln_ring_new(al, CQLN_PARTITIONER_RANDOM, members, 2, &r);
    if (st)
        return st;
    st = cqln_tokenmap_new(r, 2, &m);
    if (st == CQL_OK)
        st = cqln_tokenmap_add(m, cql_str_of("a"), &rep, NULL);
    cqln_tokenmap_unref(m);
    cqln_ring_unref(r);
    return st;
}

static void every_lack_of_memory_is_told(void **state)
{
    (void)state;
    assert_true(failmalloc_each(build_all, NULL, false) > 20);
}

/* --- cost ------------------------------------------------------------------------------------------ */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t counted_bytes;

static void *counting_malloc(void *context, size_t size)
{
    (void)context;
    counted_bytes += size;
    return malloc(size);
}

static void *counting_realloc(void *context, void *block, size_t size)
{
    (void)context;
    counted_bytes += size;
    return realloc(block, size);
}

static void counting_free(void *context, void *block)
{
    (void)context;
    free(block);
}

static const cql_allocator counting = {NULL, counting_malloc, counting_realloc, counting_free};

/* Sanitizers slow this down by a multiple that nobody knows. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOWER = 20 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(undefined_behavior_sanitizer)
enum { SLOWER = 20 };
#else
enum { SLOWER = 1 };
#endif
#else
enum { SLOWER = 1 };
#endif

/* Under valgrind the makefile says how much slower all is. */
static double slower(void)
{
    const char *given = getenv("CQL_TESTS_SLOWER");
    return given ? strtod(given, NULL) : SLOWER;
}

static cqln_ring *large_ring(size_t nodes, uint32_t tokens, cqln_rand *rand)
{
    static const char *const dcs[] = {"dc1", "dc2"};
    static const char *const racks[] = {"ra", "rb", "rc"};
    cqln_member *members = calloc(nodes, sizeof *members);
    cqln_token *all = calloc(nodes * tokens, sizeof *all);
    cqln_ring *r;
    assert_true(members && all);
    for (size_t i = 0; i < nodes * tokens; i++)
        all[i].hi = cqln_rand_next(rand);
    for (size_t i = 0; i < nodes; i++)
        members[i] = (cqln_member){cql_str_of(dcs[i % 2]), cql_str_of(racks[i % 3]),
                                   all + i * tokens, tokens, i % 2 == 0};
    assert_int_equal(cqln_ring_new(&counting, CQLN_PARTITIONER_MURMUR3, members, nodes, &r),
                     CQL_OK);
    free(members);
    free(all);
    return r;
}

static double time_lookups(const cqln_tokenmap *m, cqln_rand *rand)
{
    enum { LOOKUPS = 200000 };
    static uint64_t keys[4096];
    uint64_t mark = cqln_keyspace_mark(cql_str_of("ks1"));
    uint32_t sum = 0;
    for (size_t i = 0; i < CQL_COUNT(keys); i++)
        keys[i] = cqln_rand_next(rand);
    double began = seconds();
    for (size_t i = 0; i < LOOKUPS; i++) {
        cqln_token t = cqln_token_murmur3(&keys[i % CQL_COUNT(keys)], 8);
        const cqln_keyspace *k = cqln_tokenmap_find(m, mark);
        sum += cqln_placement_at(k->placement, cqln_ring_find(m->ring, t))[0];
    }
    double took = (seconds() - began) / LOOKUPS;
    assert_true(sum > 0);
    return took;
}

static void check_cost(size_t nodes, uint32_t tokens, const char *const maps[3], double limit)
{
    cqln_rand rand;
    cqln_tokenmap *m;
    cqln_rand_seed(&rand, 1);
    counted_bytes = 0;
    double began = seconds();
    cqln_ring *r = large_ring(nodes, tokens, &rand);
    assert_int_equal(cqln_tokenmap_new(r, 3, &m), CQL_OK);
    for (size_t i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "ks%zu", i);
        cqln_replication rep = replication(maps[i]);
        assert_int_equal(cqln_tokenmap_add(m, cql_str_of(name), &rep, NULL), CQL_OK);
    }
    double built = seconds() - began, looked = time_lookups(m, &rand);
    print_message("%zu nodes with %u tokens, 3 keyspaces: %.1f ms, %.1f MiB in all, look-up with "
                  "the hash of its key %.0f ns\n",
                  nodes, (unsigned)tokens, built * 1e3, (double)counted_bytes / 1048576,
                  looked * 1e9);
    assert_true(built < limit * slower());
    assert_true(counted_bytes < (size_t)64 << 20);
    assert_true(looked < 200e-9 * slower());
    cqln_tokenmap_unref(m);
    cqln_ring_unref(r);
}

static void large_clusters_are_mapped_quickly(void **state)
{
    (void)state;
    static const char *const usual[] = {"class=SimpleStrategy replication_factor=3",
                                        "class=NetworkTopologyStrategy dc1=3 dc2=3",
                                        "class=NetworkTopologyStrategy dc1=5"};
    static const char *const absurd[] = {"class=SimpleStrategy replication_factor=100000",
                                         "class=NetworkTopologyStrategy dc1=50 dc2=50",
                                         "class=NetworkTopologyStrategy dc1=1"};
    check_cost(1000, 16, usual, 0.1);
    check_cost(100, 256, usual, 0.2);
    check_cost(100, 256, absurd, 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_are_read_as_the_server_means_them),
        cmocka_unit_test(too_many_data_centres_are_left_out),
        cmocka_unit_test(replicas_are_those_of_the_server),
        cmocka_unit_test(placements_know_whether_they_are_whole),
        cmocka_unit_test(a_node_without_tokens_has_no_row),
        cmocka_unit_test(strategies_without_replicas_place_nothing),
        cmocka_unit_test(placement_is_that_of_the_slow_walk),
        cmocka_unit_test(keyspaces_alike_share_a_placement),
        cmocka_unit_test(a_map_has_limits),
        cmocka_unit_test(every_lack_of_memory_is_told),
        cmocka_unit_test(large_clusters_are_mapped_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
