/*
 * What it costs to know where rows are: the map of a large cluster is built as the session does it, and
 * looked up. 1,000 nodes with 16 tokens each in four data centres of ten racks, and three keyspaces that
 * are replicated each in its own way.
 *
 *     tokenmap [ROUNDS]
 *
 * One JSON object: the CPU time of the fastest build from the texts of the tokens on, the bytes that were
 * held at most, and the CPU time of a look-up (the key hashed, its replicas found) over many keys.
 */
#include "meta/token.h"
#include "meta/tokenmap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NODES = 1000, TOKENS = 16, CENTRES = 4, RACKS = 10, KEYS = 1 << 20 };

typedef struct world {
    char texts[NODES][TOKENS][24];
    cqln_token tokens[NODES][TOKENS];
    cqln_member members[NODES];
    cql_allocator counting;
    size_t held, most;
} world;

static world w;

static _Noreturn void fail(const char *what, cql_status st)
{
    fprintf(stderr, "tokenmap: %s: %s\n", what, cql_status_text(st));
    exit(1);
}

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- an allocator that counts: the size stands in front of the memory ------------------------------ */

enum { FRONT = 16 };

static void note(size_t size)
{
    w.held += size;
    if (w.held > w.most)
        w.most = w.held;
}

static void *counting_alloc(void *user, size_t size)
{
    char *p = malloc(size + FRONT);
    (void)user;
    if (!p)
        return NULL;
    memcpy(p, &size, sizeof size);
    note(size);
    return p + FRONT;
}

static void counting_free(void *user, void *ptr)
{
    size_t size;
    (void)user;
    if (!ptr)
        return;
    memcpy(&size, (char *)ptr - FRONT, sizeof size);
    w.held -= size;
    free((char *)ptr - FRONT);
}

static void *counting_realloc(void *user, void *ptr, size_t size)
{
    size_t before = 0;
    void *fresh = counting_alloc(user, size);
    if (ptr)
        memcpy(&before, (char *)ptr - FRONT, sizeof before);
    if (fresh && ptr)
        memcpy(fresh, ptr, before < size ? before : size);
    if (fresh)
        counting_free(user, ptr);
    return fresh;
}

/* --- the cluster ------------------------------------------------------------------------------------ */

static void make_cluster(void)
{
    static const char *const centres[CENTRES] = {"dc1", "dc2", "dc3", "dc4"};
    static const char *const racks[RACKS] = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"};
    uint64_t random = 1;
    for (size_t i = 0; i < NODES; i++) {
        w.members[i] = (cqln_member){cql_str_of(centres[i % CENTRES]),
                                     cql_str_of(racks[i / CENTRES % RACKS]), w.tokens[i], TOKENS,
                                     i % CENTRES == 0};
        for (size_t k = 0; k < TOKENS; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            snprintf(w.texts[i][k], sizeof w.texts[i][k], "%lld",
                     (long long)(random ^ random >> 31));
        }
    }
}

static cql_status add(cqln_tokenmap *m, const char *keyspace, const char *const *map)
{
    cqln_replication r;
    cqln_replication_init(&r);
    for (; *map; map += 2)
        cqln_replication_add(&r, cql_str_of(map[0]), cql_str_of(map[1]));
    cqln_replication_end(&r);
    return cqln_tokenmap_add(m, cql_str_of(keyspace), &r, NULL);
}

static cqln_tokenmap *build(void)
{
    static const char *const simple[] = {"class", "SimpleStrategy", "replication_factor", "3", NULL};
    static const char *const one[] = {"class", "NetworkTopologyStrategy", "dc1", "3", NULL};
    static const char *const all[] = {"class", "NetworkTopologyStrategy", "dc1", "3", "dc2", "3",
                                      "dc3", "3", "dc4", "3", NULL};
    cqln_ring *ring;
    cqln_tokenmap *m;
    for (size_t i = 0; i < NODES; i++)
        for (size_t k = 0; k < TOKENS; k++)
            if (!cqln_token_parse(CQLN_PARTITIONER_MURMUR3, cql_str_of(w.texts[i][k]),
                                  &w.tokens[i][k]))
                fail("token", CQL_MALFORMED);
    cql_status st = cqln_ring_new(&w.counting, CQLN_PARTITIONER_MURMUR3, w.members, NODES, &ring);
    if (st)
        fail("ring", st);
    st = cqln_tokenmap_new(ring, 3, &m);
    cqln_ring_unref(ring);
    if (st || (st = add(m, "simple", simple)) || (st = add(m, "one", one)) || (st = add(m, "all", all)))
        fail("map", st);
    return m;
}

static const uint16_t *look_up(const cqln_tokenmap *m, uint64_t keyspace, uint64_t key)
{
    const cqln_keyspace *k = cqln_tokenmap_find(m, keyspace);
    cqln_token token = cqln_token_of(CQLN_PARTITIONER_MURMUR3, &key, sizeof key);
    return cqln_placement_at(k->placement, cqln_ring_find(m->ring, token));
}

/* A keyspace after the other, so that the memory of all of them is walked. */
static double time_look_ups(const cqln_tokenmap *m, uint64_t *sum)
{
    const uint64_t keyspaces[3] = {cqln_keyspace_mark(cql_str_of("simple")),
                                   cqln_keyspace_mark(cql_str_of("one")),
                                   cqln_keyspace_mark(cql_str_of("all"))};
    uint64_t begin = cpu_ns();
    for (uint64_t i = 0; i < KEYS; i++)
        *sum += look_up(m, keyspaces[i % 3], i)[0];
    return (double)(cpu_ns() - begin) / KEYS;
}

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 10;
    double build_ms = 0, look_ns = 0;
    uint64_t sum = 0;
    w.counting = (cql_allocator){NULL, counting_alloc, counting_realloc, counting_free};
    make_cluster();
    for (unsigned long i = 0; i < rounds; i++) {
        uint64_t begin = cpu_ns();
        cqln_tokenmap *m = build();
        double took = (double)(cpu_ns() - begin) / 1e6;
        double look = time_look_ups(m, &sum);
        build_ms = i == 0 || took < build_ms ? took : build_ms;
        look_ns = i == 0 || look < look_ns ? look : look_ns;
        cqln_tokenmap_unref(m);
        if (w.held)
            fail("memory was left behind", CQL_OK);
    }
    printf("{\"program\":\"tokenmap\",\"nodes\":%d,\"tokens\":%d,\"keyspaces\":3,\"build_ms\":%.2f,"
           "\"most_bytes\":%zu,\"look_up_ns\":%.1f,\"sum\":%llu}\n",
           NODES, TOKENS, build_ms, w.most, look_ns, (unsigned long long)sum);
    return 0;
}
