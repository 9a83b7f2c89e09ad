/* CRC-32: all forms give the same. */
#include "unit.h"

#include "base/alloc.h"
#include "base/crc32.h"
#include "base/rand.h"

enum { MOST = 200000 };
static uint8_t bytes[MOST + 64];

static int fill(void **state)
{
    (void)state;
    cqln_rand r;
    cqln_rand_seed(&r, 20240501);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)cqln_rand_next(&r);
    return 0;
}

/* One bit at a time, from the definition: nothing in common with the forms under test. */
static uint32_t by_definition(uint32_t crc, const uint8_t *p, size_t len)
{
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void known_values(void **state)
{
    (void)state;
    assert_int_equal(cqln_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(cqln_crc32_portable(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(cqln_crc32(0, NULL, 0), 0);
    assert_int_equal(cqln_crc32(0x1234, NULL, 0), 0x1234);
    assert_int_equal(cqln_crc32_portable(0x1234, NULL, 0), 0x1234);
    assert_int_equal(cqln_crc32(0, "\xfa\x2d\x55\xca", 4), 0x44777ed3);
    assert_int_equal(
        cqln_crc32(0, "The quick brown fox jumps over the lazy dog", 43), 0x414fa339);
}

static void every_length_and_alignment(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 600; len++) {
        for (size_t at = 0; at < 17; at++) {
            uint32_t seed = (uint32_t)(len * 2654435761u + at);
            uint32_t want = by_definition(seed, bytes + at, len);
            if (cqln_crc32(seed, bytes + at, len) != want)
                fail_msg("%zu bytes at %zu", len, at);
            if (cqln_crc32_portable(seed, bytes + at, len) != want)
                fail_msg("portable: %zu bytes at %zu", len, at);
        }
    }
}

/* The carry-less form itself, also where cqln_crc32 would not choose it. */
static void the_forms_for_one_processor(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 600; len++) {
        uint32_t want = by_definition(7, bytes + 3, len);
        if (cqln_crc32_x86_usable() && len >= 16)
            assert_int_equal(cqln_crc32_x86(7, bytes + 3, len), want);
        if (cqln_crc32_arm_usable())
            assert_int_equal(cqln_crc32_arm(7, bytes + 3, len), want);
    }
}

static void large_blocks(void **state)
{
    (void)state;
    static const size_t lengths[] = {1023, 4096, 65535, 65536, 131071, 131072, 131073, MOST};
    for (size_t i = 0; i < CQL_COUNT(lengths); i++) {
        for (size_t at = 0; at < 3; at++)
            assert_int_equal(cqln_crc32(0, bytes + at, lengths[i]),
                             by_definition(0, bytes + at, lengths[i]));
    }
}

static void continued_in_two_parts(void **state)
{
    (void)state;
    uint32_t whole = cqln_crc32(0, bytes, 300);
    for (size_t cut = 0; cut <= 300; cut++) {
        uint32_t first = cqln_crc32(0, bytes, cut);
        assert_int_equal(cqln_crc32(first, bytes + cut, 300 - cut), whole);
    }
}

static void reads_nothing_behind_the_end(void **state)
{
    (void)state;
    guard g;
    guard_init(&g, 600);
    for (size_t len = 0; len <= 600; len++)
        assert_int_equal(cqln_crc32(0, guard_place(&g, bytes, len), len),
                         by_definition(0, bytes, len));
    guard_fini(&g);
}

/* In a block of its own size, whose borders the address sanitizer knows. */
static void reads_nothing_before_the_start(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 200; len++) {
        uint8_t *exact = malloc(len);
        assert_non_null(exact);
        memcpy(exact, bytes, len);
        assert_int_equal(cqln_crc32(0, exact, len), by_definition(0, bytes, len));
        free(exact);
    }
}

static void every_flipped_bit_shows(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 15, 16, 17, 63, 64, 65, 100, 128, 200};
    for (size_t i = 0; i < CQL_COUNT(lengths); i++) {
        uint32_t right = cqln_crc32(0, bytes, lengths[i]);
        for (size_t bit = 0; bit < lengths[i] * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_not_equal(cqln_crc32(0, bytes, lengths[i]), right);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(every_length_and_alignment),
        cmocka_unit_test(the_forms_for_one_processor),
        cmocka_unit_test(large_blocks),
        cmocka_unit_test(continued_in_two_parts),
        cmocka_unit_test(reads_nothing_behind_the_end),
        cmocka_unit_test(reads_nothing_before_the_start),
        cmocka_unit_test(every_flipped_bit_shows),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
