/* The seeded generator. */
#include "unit.h"

#include <cqlnative/base.h>

#include "base/rand.h"

/* SplitMix64 from the seed 0 gives these words in every published form of it; they are the state. */
static void seed_is_spread_by_splitmix(void **state)
{
    (void)state;
    cqln_rand r;
    cqln_rand_seed(&r, 0);
    assert_true(r.s[0] == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(r.s[1] == UINT64_C(0x6e789e6aa1b965f4));
    assert_true(r.s[2] == UINT64_C(0x06c45d188009454f));
    assert_true(r.s[3] == UINT64_C(0xf88bb8a8724c81ec));
}

/* The first numbers from the state 1, 2, 3, 4: the reference of xoshiro256**. */
static void numbers_are_those_of_the_reference(void **state)
{
    (void)state;
    static const uint64_t want[] = {UINT64_C(11520), 0, UINT64_C(1509978240),
                                    UINT64_C(1215971899390074240)};
    cqln_rand r = {{1, 2, 3, 4}};
    for (size_t i = 0; i < CQL_COUNT(want); i++)
        assert_true(cqln_rand_next(&r) == want[i]);
}

static void same_seed_same_numbers(void **state)
{
    (void)state;
    cqln_rand a, b, c;
    cqln_rand_seed(&a, 42);
    cqln_rand_seed(&b, 42);
    cqln_rand_seed(&c, 43);
    int differ = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t v = cqln_rand_next(&a);
        assert_true(v == cqln_rand_next(&b));
        differ += v != cqln_rand_next(&c);
    }
    assert_int_equal(differ, 100);
}

static void below_stays_below_and_is_even(void **state)
{
    (void)state;
    cqln_rand r;
    cqln_rand_seed(&r, 7);
    assert_true(cqln_rand_below(&r, 0) == 0);
    assert_true(cqln_rand_below(&r, 1) == 0);
    unsigned seen[6] = {0};
    for (int i = 0; i < 60000; i++)
        seen[cqln_rand_below(&r, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 9600, 10400);
    /* Two thirds of the range: a plain remainder would give the lower half twice as often. */
    const uint64_t bound = UINT64_MAX / 3 * 2;
    unsigned low = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t v = cqln_rand_below(&r, bound);
        assert_true(v < bound);
        low += v < bound / 2;
    }
    assert_in_range(low, 4800, 5200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_is_spread_by_splitmix),
        cmocka_unit_test(numbers_are_those_of_the_reference),
        cmocka_unit_test(same_seed_same_numbers),
        cmocka_unit_test(below_stays_below_and_is_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
