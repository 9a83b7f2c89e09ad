/* The timing wheel against a plain list of deadlines, and the list it is made of. */
#include "unit.h"

#include "base/rand.h"
#include "base/wheel.h"

static cqln_wheel w;

static void item_at(cqln_wheel_item *item, uint64_t deadline)
{
    cqln_wheel_item_init(item);
    cqln_wheel_add(&w, item, deadline);
}

static void list_keeps_order(void **state)
{
    (void)state;
    cqln_list head, other, node[4];
    cqln_list_init(&head);
    cqln_list_init(&other);
    assert_null(cqln_list_pop(&head));
    for (int i = 0; i < 4; i++)
        cqln_list_push(i < 2 ? &head : &other, &node[i]);
    cqln_list_move(&head, &other);
    assert_true(cqln_list_empty(&other));
    cqln_list_move(&head, &other);
    cqln_list_remove(&node[1]);
    cqln_list_remove(&node[1]);
    assert_ptr_equal(cqln_list_pop(&head), &node[0]);
    assert_ptr_equal(cqln_list_pop(&head), &node[2]);
    assert_ptr_equal(cqln_list_pop(&head), &node[3]);
    assert_true(cqln_list_empty(&head));
}

static void empty_wheel_never_fires(void **state)
{
    (void)state;
    cqln_wheel_init(&w, 5000);
    assert_true(cqln_wheel_next(&w) == UINT64_MAX);
    assert_null(cqln_wheel_due(&w, 5000));
    assert_null(cqln_wheel_due(&w, UINT64_MAX / 2));
    assert_true(cqln_wheel_next(&w) == UINT64_MAX);
}

static void fires_at_the_deadline_not_before(void **state)
{
    (void)state;
    cqln_wheel_init(&w, 1000);
    cqln_wheel_item item;
    item_at(&item, 1003);
    assert_null(cqln_wheel_due(&w, 1000));
    assert_null(cqln_wheel_due(&w, 1002));
    assert_ptr_equal(cqln_wheel_due(&w, 1003), &item);
    assert_true(item.deadline == 0);
    assert_int_equal(w.count, 0);
    assert_null(cqln_wheel_due(&w, 1003));
}

static void a_deadline_that_has_passed_fires_at_once(void **state)
{
    (void)state;
    cqln_wheel_init(&w, 100000);
    cqln_wheel_item past, now;
    item_at(&past, 1);
    item_at(&now, 100000);
    assert_true(cqln_wheel_next(&w) <= 100000);
    assert_ptr_equal(cqln_wheel_due(&w, 100000), &past);
    assert_ptr_equal(cqln_wheel_due(&w, 100000), &now);
    assert_null(cqln_wheel_due(&w, 100000));
}

static void later_rounds_stay_in_their_slot(void **state)
{
    (void)state;
    const uint64_t round = CQLN_WHEEL_SLOTS * CQLN_WHEEL_TICK_MS;
    cqln_wheel_init(&w, 8);
    cqln_wheel_item a, b, c;
    item_at(&a, 20 + 2 * round);
    item_at(&b, 20);
    item_at(&c, 20 + round);
    assert_ptr_equal(cqln_wheel_due(&w, 20), &b);
    assert_null(cqln_wheel_due(&w, 20 + round - 1));
    assert_ptr_equal(cqln_wheel_due(&w, 20 + round), &c);
    assert_null(cqln_wheel_due(&w, 20 + round));
    assert_null(cqln_wheel_due(&w, 20 + 2 * round - 1));
    assert_ptr_equal(cqln_wheel_due(&w, 20 + 10 * round), &a);
    assert_true(cqln_wheel_next(&w) == UINT64_MAX);
}

static void removed_items_do_not_fire(void **state)
{
    (void)state;
    cqln_wheel_init(&w, 0);
    cqln_wheel_item in_slot, expired, kept;
    item_at(&in_slot, 50);
    item_at(&kept, 51);
    item_at(&expired, 3);
    assert_ptr_equal(cqln_wheel_due(&w, 60), &expired);
    item_at(&expired, 3);
    cqln_wheel_remove(&w, &in_slot); /* both were moved to the expired ones by the call above */
    cqln_wheel_remove(&w, &expired);
    cqln_wheel_remove(&w, &expired);
    assert_ptr_equal(cqln_wheel_due(&w, 60), &kept);
    assert_null(cqln_wheel_due(&w, 60));
    assert_int_equal(w.count, 0);
    item_at(&in_slot, 500);
    cqln_wheel_remove(&w, &in_slot);
    assert_true(cqln_wheel_next(&w) == UINT64_MAX);
    assert_null(cqln_wheel_due(&w, 600));
}

/* The slot of the present tick holds an item of the next round: `next` must not stand still, nor wake anybody before. */
static void next_always_moves_on(void **state)
{
    (void)state;
    const uint64_t round = CQLN_WHEEL_SLOTS * CQLN_WHEEL_TICK_MS;
    for (uint64_t offset = 0; offset < 2 * CQLN_WHEEL_TICK_MS; offset++) {
        cqln_wheel_init(&w, 4000);
        cqln_wheel_item item;
        item_at(&item, 4000 + offset + round);
        uint64_t now = 4000;
        int looks = 0;
        while (!cqln_wheel_due(&w, now)) {
            uint64_t next = cqln_wheel_next(&w);
            assert_true(next > now);
            now = next;
            assert_true(++looks == 1);
        }
        assert_true(now >= 4000 + offset + round);
        assert_true(now < 4000 + offset + round + CQLN_WHEEL_TICK_MS);
    }
}

enum { ITEMS = 400 };
typedef struct model {
    cqln_wheel_item item[ITEMS];
    uint64_t deadline[ITEMS]; /* 0: not in */
    size_t count;
} model;

static uint64_t earliest(const model *m)
{
    uint64_t best = UINT64_MAX;
    for (size_t i = 0; i < ITEMS; i++) {
        if (m->deadline[i] && m->deadline[i] < best)
            best = m->deadline[i];
    }
    return best;
}

static uint64_t tick_end(uint64_t time)
{
    return time - time % CQLN_WHEEL_TICK_MS + CQLN_WHEEL_TICK_MS - 1;
}

static void check_due(model *m, uint64_t now)
{
    cqln_wheel_item *item;
    while ((item = cqln_wheel_due(&w, now)) != NULL) {
        size_t i = (size_t)(item - m->item);
        assert_true(m->deadline[i] > 0 && m->deadline[i] <= now);
        m->deadline[i] = 0;
        m->count--;
    }
    assert_true(earliest(m) > now);
    assert_int_equal(w.count, m->count);
    uint64_t next = cqln_wheel_next(&w);
    if (m->count == 0)
        assert_true(next == UINT64_MAX);
    else
        assert_true(next > now && next == tick_end(earliest(m)));
}

static void random_step(model *m, cqln_rand *r, uint64_t now)
{
    size_t i = (size_t)cqln_rand_below(r, ITEMS);
    if (m->deadline[i] && cqln_rand_below(r, 3) == 0) {
        cqln_wheel_remove(&w, &m->item[i]);
        m->deadline[i] = 0;
        m->count--;
    } else if (!m->deadline[i]) {
        static const uint64_t reach[] = {5, 100, 4096, 20000};
        uint64_t span = reach[cqln_rand_below(r, 4)];
        uint64_t deadline = now + cqln_rand_below(r, span);
        m->deadline[i] = deadline > 10 ? deadline - cqln_rand_below(r, 10) : 1;
        cqln_wheel_add(&w, &m->item[i], m->deadline[i]);
        m->count++;
    }
}

static void agrees_with_a_list_of_deadlines(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        static model m;
        memset(&m, 0, sizeof m);
        for (size_t i = 0; i < ITEMS; i++)
            cqln_wheel_item_init(&m.item[i]);
        cqln_rand r;
        cqln_rand_seed(&r, seed);
        uint64_t now = cqln_rand_below(&r, 1000000);
        cqln_wheel_init(&w, now);
        for (int step = 0; step < 1500; step++) {
            for (uint64_t n = cqln_rand_below(&r, 6); n > 0; n--)
                random_step(&m, &r, now);
            static const uint64_t jumps[] = {1, 20, 300, 9000};
            now += cqln_rand_below(&r, jumps[cqln_rand_below(&r, 4)]);
            check_due(&m, now);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_keeps_order),
        cmocka_unit_test(empty_wheel_never_fires),
        cmocka_unit_test(fires_at_the_deadline_not_before),
        cmocka_unit_test(a_deadline_that_has_passed_fires_at_once),
        cmocka_unit_test(later_rounds_stay_in_their_slot),
        cmocka_unit_test(removed_items_do_not_fire),
        cmocka_unit_test(next_always_moves_on),
        cmocka_unit_test(agrees_with_a_list_of_deadlines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
