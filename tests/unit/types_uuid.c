/* UUIDs: text, time, order, and no two alike over threads and processes. */
#include "types_help.h"

#include <cqlnative/uuid.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static cql_uuid parsed(const char *text)
{
    cql_uuid u;
    assert_int_equal(cql_uuid_parse(cql_str_of(text), &u), CQL_OK);
    return u;
}

static void assert_uuid(cql_uuid u, const char *text)
{
    char got[CQL_UUID_TEXT_SIZE];
    cql_uuid_print(&u, got);
    assert_string_equal(got, text);
}

static uint64_t ticks_of(const cql_uuid *u)
{
    return (uint64_t)(cqln_load_u16(u->bytes + 6) & 0xfff) << 48 |
           (uint64_t)cqln_load_u16(u->bytes + 4) << 32 | cqln_load_u32(u->bytes);
}

static void text_goes_both_ways(void **state)
{
    (void)state;
    cql_uuid u = parsed("50554d6e-29bb-11e5-b345-feff819cdc9f");
    assert_uuid(u, "50554d6e-29bb-11e5-b345-feff819cdc9f");
    assert_memory_equal(u.bytes, "\x50\x55\x4d\x6e\x29\xbb\x11\xe5", 8);
    assert_int_equal(cql_uuid_version(&u), 1);
    assert_uuid(parsed("ABCDEF01-2345-4789-ABCD-EF0123456789"),
                "abcdef01-2345-4789-abcd-ef0123456789");
}

static void other_text_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "50554d6e",
        "50554d6e29bb11e5b345feff819cdc9f",
        "50554d6e-29bb-11e5-b345-feff819cdc9",
        "50554d6e-29bb-11e5-b345-feff819cdc9f0",
        "50554d6e-29bb-11e5-b345-feff819cdcg0",
        "50554d6e-29bb-11e5-b3450feff819cdc9f",
        "-50554d6e29bb-11e5-b345-feff819cdc9f",
        "{0554d6e-29bb-11e5-b345-feff819cdc9f",
        " 0554d6e-29bb-11e5-b345-feff819cdc9f",
        "--------------------------------------",
        "------------------------------------",
    };
    cql_uuid u = {{7}};
    for (size_t i = 0; i < CQL_COUNT(bad); i++)
        assert_int_equal(cql_uuid_parse(cql_str_of(bad[i]), &u), CQL_BAD_VALUE);
    assert_int_equal(u.bytes[0], 7);
    assert_int_equal(cql_uuid_parse(cql_str_of("x"), NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_uuid_parse((cql_str){NULL, 36}, &u), CQL_BAD_ARGUMENT);
}

static void text_is_not_read_behind_its_end(void **state)
{
    (void)state;
    const char *text = "50554d6e-29bb-11e5-b345-feff819cdc9f";
    for (size_t len = 0; len <= 36; len++) {
        char *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, text, len);
        cql_uuid u;
        assert_int_equal(cql_uuid_parse((cql_str){exact, len}, &u),
                         len == 36 ? CQL_OK : CQL_BAD_VALUE);
        free(exact);
    }
}

static void random_ones_have_version_and_variant(void **state)
{
    (void)state;
    uint8_t seen_or[16] = {0};
    uint8_t seen_and[16];
    memset(seen_and, 0xff, sizeof seen_and);
    for (int i = 0; i < 256; i++) {
        cql_uuid u = cql_uuid_random();
        assert_int_equal(cql_uuid_version(&u), 4);
        assert_int_equal(u.bytes[8] & 0xc0, 0x80);
        for (int k = 0; k < 16; k++) {
            seen_or[k] |= u.bytes[k];
            seen_and[k] &= u.bytes[k];
        }
    }
    /* Every other bit was seen as 0 and as 1 (each fails once in 2^255). */
    for (int k = 0; k < 16; k++) {
        uint8_t fixed = k == 6 ? 0xf0 : k == 8 ? 0xc0 : 0;
        assert_int_equal(seen_or[k] | fixed, 0xff);
        assert_int_equal(seen_and[k] & ~fixed, 0);
    }
}

static void time_ones_rise_and_share_a_node(void **state)
{
    (void)state;
    cql_uuid last = cql_uuid_time();
    assert_int_equal(last.bytes[8] & 0xc0, 0x80);
    assert_true(last.bytes[10] & 1); /* multicast: no hardware address */
    for (int i = 0; i < 100000; i++) {
        cql_uuid u = cql_uuid_time();
        assert_int_equal(cql_uuid_version(&u), 1);
        assert_memory_equal(u.bytes + 8, last.bytes + 8, 8);
        assert_true(ticks_of(&u) > ticks_of(&last));
        last = u;
    }
}

static void time_ones_hold_the_clock(void **state)
{
    (void)state;
    struct timespec before;
    struct timespec after;
    clock_gettime(CLOCK_REALTIME, &before);
    cql_uuid u = cql_uuid_time();
    clock_gettime(CLOCK_REALTIME, &after);
    int64_t ms = 0;
    assert_int_equal(cql_uuid_unix_ms(&u, &ms), CQL_OK);
    assert_true(ms >= (int64_t)before.tv_sec * 1000 + before.tv_nsec / 1000000);
    /* The 100,000 of the test before may have run ahead of the clock by 10 ms. */
    assert_true(ms <= (int64_t)after.tv_sec * 1000 + after.tv_nsec / 1000000 + 1000);
}

enum { THREADS = 4, EACH = 20000 };

static void *make_many(void *arg)
{
    cql_uuid *out = arg;
    for (int i = 0; i < EACH; i++)
        out[i] = cql_uuid_time();
    return NULL;
}

static int by_ticks(const void *a, const void *b)
{
    uint64_t x = ticks_of(a);
    uint64_t y = ticks_of(b);
    return x < y ? -1 : x > y;
}

static void threads_never_get_the_same(void **state)
{
    (void)state;
    cql_uuid *all = calloc((size_t)THREADS * EACH, sizeof *all);
    pthread_t threads[THREADS];
    assert_non_null(all);
    for (int t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, make_many, all + t * EACH), 0);
    for (int t = 0; t < THREADS; t++)
        assert_int_equal(pthread_join(threads[t], NULL), 0);
    for (int t = 0; t < THREADS; t++)
        for (int i = 1; i < EACH; i++)
            assert_true(ticks_of(&all[t * EACH + i]) > ticks_of(&all[t * EACH + i - 1]));
    qsort(all, (size_t)THREADS * EACH, sizeof *all, by_ticks);
    for (int i = 1; i < THREADS * EACH; i++)
        assert_true(ticks_of(&all[i]) != ticks_of(&all[i - 1]));
    free(all);
}

static void child_process_has_a_node_of_its_own(void **state)
{
    (void)state;
    int ends[2];
    cql_uuid mine = cql_uuid_time();
    cql_uuid theirs;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        cql_uuid u = cql_uuid_time();
        ssize_t n = write(ends[1], &u, sizeof u);
        _exit(n == (ssize_t)sizeof u ? 0 : 1);
    }
    assert_int_equal(read(ends[0], &theirs, sizeof theirs), sizeof theirs);
    int how = 1;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_memory_not_equal(mine.bytes + 8, theirs.bytes + 8, 8);
    cql_uuid again = cql_uuid_time();
    assert_memory_equal(mine.bytes + 8, again.bytes + 8, 8);
    close(ends[0]);
    close(ends[1]);
}

static void bounds_enclose_a_millisecond(void **state)
{
    (void)state;
    const int64_t times[] = {0, 1, -1, INT64_C(1704164645678), INT64_C(-12219292800000)};
    for (size_t i = 0; i < CQL_COUNT(times); i++) {
        cql_uuid low = cql_uuid_min_for(times[i]);
        cql_uuid high = cql_uuid_max_for(times[i]);
        int64_t ms = 7;
        assert_int_equal(cql_uuid_unix_ms(&low, &ms), CQL_OK);
        assert_true(ms == times[i]);
        assert_int_equal(cql_uuid_unix_ms(&high, &ms), CQL_OK);
        assert_true(ms == times[i]);
        assert_int_equal(ticks_of(&high) - ticks_of(&low), 9999);
    }
    assert_uuid(cql_uuid_min_for(0), "13814000-1dd2-11b2-8080-808080808080");
    assert_uuid(cql_uuid_max_for(0), "1381670f-1dd2-11b2-7f7f-7f7f7f7f7f7f");
}

static void bounds_of_far_times_stay_in_range(void **state)
{
    (void)state;
    assert_uuid(cql_uuid_min_for(INT64_MIN), "00000000-0000-1000-8080-808080808080");
    assert_uuid(cql_uuid_max_for(INT64_MIN), "00000000-0000-1000-7f7f-7f7f7f7f7f7f");
    assert_uuid(cql_uuid_max_for(INT64_MAX), "ffffffff-ffff-1fff-7f7f-7f7f7f7f7f7f");
    assert_uuid(cql_uuid_min_for(INT64_MAX), "ffffffff-ffff-1fff-8080-808080808080");
}

static void other_versions_hold_no_time(void **state)
{
    (void)state;
    cql_uuid u = cql_uuid_random();
    int64_t ms = 7;
    assert_int_equal(cql_uuid_unix_ms(&u, &ms), CQL_BAD_VALUE);
    assert_int_equal(ms, 7);
    assert_int_equal(cql_uuid_unix_ms(NULL, &ms), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_uuid_version(NULL), 0);
    u = parsed("50554d6e-29bb-11e5-b345-feff819cdc9f");
    assert_int_equal(cql_uuid_unix_ms(&u, &ms), CQL_OK);
    assert_true(ms == INT64_C(1436832018805));
    char text[CQL_UUID_TEXT_SIZE] = "x";
    cql_uuid_print(NULL, text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_goes_both_ways),
        cmocka_unit_test(other_text_is_refused),
        cmocka_unit_test(text_is_not_read_behind_its_end),
        cmocka_unit_test(random_ones_have_version_and_variant),
        cmocka_unit_test(time_ones_rise_and_share_a_node),
        cmocka_unit_test(time_ones_hold_the_clock),
        cmocka_unit_test(threads_never_get_the_same),
        cmocka_unit_test(child_process_has_a_node_of_its_own),
        cmocka_unit_test(bounds_enclose_a_millisecond),
        cmocka_unit_test(bounds_of_far_times_stay_in_range),
        cmocka_unit_test(other_versions_hold_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
