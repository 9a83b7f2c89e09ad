/* The order of nodes, and how slow ones are found. */
#include "unit.h"

#include "base/rand.h"
#include "policy/balance.h"
#include "policy/pace.h"

#include <cqlnative/base.h>

enum { NODES = 8, NONE = 0xffff };

static uint32_t loads[NODES];

static uint32_t load_of(const void *context, uint32_t node)
{
    (void)context;
    return loads[node];
}

/* "LLrR-l…": a letter a node. R rack, L local, F far, - ignored; small: slow; d: local and down. */
static void peers_from(const char *text, cqln_peers *p, cqln_peer peer[NODES], uint16_t ready[NODES])
{
    static const char letters[] = "RLF-";
    uint32_t at = 0;
    *p = (cqln_peers){.count = (uint32_t)strlen(text), .peer = peer, .ready = ready, .load = load_of};
    for (uint32_t i = 0; i < p->count; i++) {
        char c = text[i];
        bool down = c == 'd', slow = c >= 'a' && c <= 'z' && !down;
        char big = (char)(down ? 'L' : slow ? c - 'a' + 'A' : c);
        peer[i] = (cqln_peer){(uint8_t)(strchr(letters, big) - letters), !down, slow, 0};
    }
    for (uint8_t near = 0; near < 3; near++) {
        for (uint32_t i = 0; i < p->count; i++)
            if (peer[i].up && peer[i].near == near)
                ready[at++] = (uint16_t)i;
        p->ends[near] = at;
    }
}

static void order_of(const char *peers, const cqln_wish *wish, char out[NODES + 1])
{
    cqln_peers p;
    cqln_peer peer[NODES];
    uint16_t ready[NODES];
    cqln_plan plan;
    cqln_reason why;
    uint32_t node;
    size_t n = 0;
    peers_from(peers, &p, peer, ready);
    cqln_plan_begin(&plan, &p, wish);
    while (cqln_plan_next(&plan, &node, &why)) {
        assert_true(n < NODES && node < p.count);
        assert_int_equal(why.near, peer[node].near);
        out[n++] = (char)('0' + node);
    }
    assert_false(cqln_plan_next(&plan, &node, NULL));
    out[n] = '\0';
}

static void stages_come_in_their_order(void **state)
{
    (void)state;
    static const uint16_t some[] = {6, 4, 2, 0, NONE, 1};
    static const struct {
        const char *peers;
        uint32_t replicas;
        bool local_only;
        uint32_t turn;
        const char *order;
    } rows[] = {
        {"LLLL", 0, false, 0, "0123"},
        {"LLLL", 0, false, 2, "2301"},
        {"LLLL", 0, false, 4000000007u, "3012"},
        {"RLRL", 0, false, 0, "0213"},
        {"LdLd", 0, false, 0, "02"},
        {"lLLL", 0, false, 0, "1230"},
        {"F-LF", 0, false, 1, "230"},
        {"F-LF", 0, true, 1, "2"},
        {"LLLLLLL", 3, false, 0, "6420135"},
        {"LLLLLLL", 4, false, 0, "6420135"}, /* ends at what is no node */
        {"LLRLLLL", 3, false, 0, "6420135"}, /* racks do not matter to the order of the ring */
        {"LLlLLLd", 3, false, 0, "401352"},
        {"LLFLFLL", 3, false, 0, "6013542"},
        {"-------", 3, false, 0, ""},
        {"", 0, false, 5, ""},
    };
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        char found[NODES + 1];
        cqln_wish wish = {some, rows[i].replicas, CQLN_CHOICE_RING, rows[i].local_only, 1,
                          rows[i].turn};
        order_of(rows[i].peers, &wish, found);
        if (strcmp(found, rows[i].order) != 0)
            fail_msg("row %zu: %s instead of %s", i, found, rows[i].order);
    }
}

static void replicas_in_the_rack_are_first_unless_in_ring_order(void **state)
{
    (void)state;
    static const uint16_t replicas[] = {0, 3, 1};
    for (uint64_t random = 0; random < 50; random++) {
        char found[NODES + 1];
        cqln_wish wish = {replicas, 3, CQLN_CHOICE_SHUFFLE, false, random, 0};
        order_of("LRLR", &wish, found);
        assert_true(found[0] == '3' || found[0] == '1');
        assert_true(found[2] == '0' && found[3] == '2');
    }
}

/* With its room filled a node comes where slow ones do, as a replica and as one of the others. */
static void a_node_without_room_comes_as_late_as_slow_ones(void **state)
{
    (void)state;
    static const uint16_t replicas[] = {1, 0};
    static const struct {
        uint32_t room, load;
        const char *ring;
        const char *turn;
    } rows[] = {{0, 900, "1023", "0123"}, {3, 2, "1023", "0123"}, {3, 3, "0231", "0231"}, {1, 0, "1023", "0123"},
                {1, 9, "0231", "0231"}};
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        cqln_peers p;
        cqln_peer peer[NODES];
        uint16_t ready[NODES];
        peers_from("LLLL", &p, peer, ready);
        peer[1].room = rows[i].room;
        loads[1] = rows[i].load;
        for (uint32_t known = 0; known < 2; known++) {
            cqln_wish wish = {replicas, known ? 2 : 0, CQLN_CHOICE_RING, false, 1, 0};
            char found[NODES + 1] = "";
            cqln_plan plan;
            uint32_t node;
            size_t n = 0;
            cqln_plan_begin(&plan, &p, &wish);
            while (cqln_plan_next(&plan, &node, NULL))
                found[n++] = (char)('0' + node);
            assert_string_equal(found, known ? rows[i].ring : rows[i].turn);
        }
    }
    loads[1] = 0;
}

static void every_node_comes_once_whatever_is_known(void **state)
{
    (void)state;
    static const char letters[] = "RLF-rlfd";
    cqln_rand rand;
    cqln_rand_seed(&rand, 4);
    for (int i = 0; i < 3000; i++) {
        char peers[NODES + 1], found[NODES + 1];
        uint16_t replicas[6];
        size_t count = 1 + (size_t)cqln_rand_below(&rand, NODES), usable = 0;
        for (size_t k = 0; k < count; k++) {
            peers[k] = letters[cqln_rand_below(&rand, 8)];
            usable += peers[k] != '-' && peers[k] != 'd';
            loads[k] = (uint32_t)cqln_rand_below(&rand, 4);
        }
        peers[count] = '\0';
        for (size_t k = 0; k < 6; k++) /* different ones, as placement gives them */
            replicas[k] = (uint16_t)(k < count ? (k + (size_t)i) % count : NONE);
        cqln_wish wish = {replicas, (uint32_t)cqln_rand_below(&rand, 7),
                          (cqln_replica_choice)(i % 3), false, cqln_rand_next(&rand),
                          (uint32_t)cqln_rand_next(&rand)};
        order_of(peers, &wish, found);
        assert_int_equal(strlen(found), usable);
        for (size_t k = 0; k < usable; k++)
            assert_null(strchr(found + k + 1, found[k]));
    }
}

static void draws_are_even_and_the_less_busy_wins(void **state)
{
    (void)state;
    static const uint16_t replicas[] = {0, 1, 2};
    for (int choice = CQLN_CHOICE_LEAST_BUSY; choice <= CQLN_CHOICE_SHUFFLE; choice++) {
        unsigned first[3] = {0}, busy_first = 0;
        uint64_t random = 1;
        memset(loads, 0, sizeof loads);
        for (int i = 0; i < 6000; i++) {
            char found[NODES + 1];
            random = random * 6364136223846793005u + 1442695040888963407u;
            cqln_wish wish = {replicas, 3, (cqln_replica_choice)choice, false, random, 0};
            loads[1] = i >= 3000 ? 5 : 0;
            order_of("LLLL", &wish, found);
            if (i < 3000)
                first[found[0] - '0']++;
            else
                busy_first += found[0] == '1';
        }
        for (size_t i = 0; i < 3; i++)
            assert_in_range(first[i], 850, 1150);
        if (choice == CQLN_CHOICE_LEAST_BUSY)
            assert_int_equal(busy_first, 0); /* it never wins against another */
        else
            assert_in_range(busy_first, 850, 1150);
        unsigned of_two = 0;
        for (int i = 0; i < 3000; i++) {
            char found[NODES + 1];
            random = random * 6364136223846793005u + 1442695040888963407u;
            cqln_wish wish = {replicas, 2, (cqln_replica_choice)choice, false, random, 0};
            order_of("LLLL", &wish, found);
            of_two += found[0] == '1';
        }
        if (choice == CQLN_CHOICE_LEAST_BUSY)
            assert_int_equal(of_two, 0);
        else
            assert_in_range(of_two, 1350, 1650);
    }
    memset(loads, 0, sizeof loads);
}

static void pace_forgets_slowly_and_slow_nodes_are_known(void **state)
{
    (void)state;
    cqln_pace fast = {0}, slow = {0}, young = {0};
    const cqln_pace *all[] = {&fast, &slow, &young};
    uint64_t now = 1000000;
    for (int i = 0; i < 49; i++, now += 1000)
        cqln_pace_add(&fast, 1000, now);
    assert_int_equal(cqln_pace_best(all, 3, now), 0); /* too few */
    for (int i = 0; i < 51; i++, now += 1000) {
        cqln_pace_add(&fast, 1000, now);
        cqln_pace_add(&slow, 2500, now);
    }
    cqln_pace_add(&young, 90000, now);
    assert_in_range(fast.mean_us, 990, 1000);
    assert_in_range(slow.mean_us, 2450, 2500);
    uint64_t best = cqln_pace_best(all, 3, now);
    assert_int_equal(best, fast.mean_us);
    assert_true(cqln_pace_slow(&slow, best, 200, now));
    assert_false(cqln_pace_slow(&slow, best, 300, now));
    assert_false(cqln_pace_slow(&fast, best, 200, now));
    assert_false(cqln_pace_slow(&young, best, 200, now));
    assert_false(cqln_pace_slow(&slow, 0, 200, now));
    assert_false(cqln_pace_slow(&slow, best, 200, now + CQLN_PACE_FORGET_US)); /* is tried again */
    for (int i = 0; i < 600; i++, now += 1000)
        cqln_pace_add(&slow, 1000, now);
    assert_false(cqln_pace_slow(&slow, best, 200, now)); /* it recovered */
    cqln_pace_add(&slow, 7000, now + CQLN_PACE_FORGET_US);
    assert_int_equal(slow.answers, 1);
    assert_int_equal(slow.mean_us, 7000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_come_in_their_order),
        cmocka_unit_test(replicas_in_the_rack_are_first_unless_in_ring_order),
        cmocka_unit_test(a_node_without_room_comes_as_late_as_slow_ones),
        cmocka_unit_test(every_node_comes_once_whatever_is_known),
        cmocka_unit_test(draws_are_even_and_the_less_busy_wins),
        cmocka_unit_test(pace_forgets_slowly_and_slow_nodes_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
