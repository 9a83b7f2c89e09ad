/* Calendar, rising write times, spans of floats. */
#include "types/coll.h"
#include "unit.h"

#include <cqlnative/time.h>
#include <pthread.h>

static void dates_go_both_ways(void **state)
{
    (void)state;
    static const struct {
        int64_t year;
        unsigned month, day;
        int32_t days;
    } known[] = {{1970, 1, 1, 0},          {1969, 12, 31, -1},         {2024, 2, 29, 19782},
                 {-5877641, 6, 23, INT32_MIN}, {5881580, 7, 11, INT32_MAX}, {2000, 3, 1, 11017}};
    for (size_t i = 0; i < CQL_COUNT(known); i++) {
        cql_civil d = {.year = known[i].year, .month = known[i].month, .day = known[i].day};
        int32_t days = 7;
        assert_int_equal(cql_date_from_civil(&d, &days), CQL_OK);
        assert_int_equal(days, known[i].days);
        assert_int_equal(cql_date_to_civil(days, &d), CQL_OK);
        assert_true(d.year == known[i].year && d.month == known[i].month && d.day == known[i].day);
    }
}

static void dates_that_are_none_are_refused(void **state)
{
    (void)state;
    static const cql_civil bad[] = {{2023, 2, 29, 0, 0, 0, 0},  {1900, 2, 29, 0, 0, 0, 0},
                                    {2024, 0, 1, 0, 0, 0, 0},   {2024, 13, 1, 0, 0, 0, 0},
                                    {2024, 4, 31, 0, 0, 0, 0},  {2024, 4, 0, 0, 0, 0, 0},
                                    {5881580, 7, 12, 0, 0, 0, 0}, {INT64_MAX, 1, 1, 0, 0, 0, 0},
                                    {-5877641, 6, 22, 0, 0, 0, 0}};
    int32_t days = 7;
    int64_t ms = 7;
    for (size_t i = 0; i < CQL_COUNT(bad); i++)
        assert_int_equal(cql_date_from_civil(&bad[i], &days), CQL_BAD_VALUE);
    assert_int_equal(days, 7);
    assert_int_equal(cql_timestamp_from_civil(&bad[0], &ms), CQL_BAD_VALUE);
    assert_int_equal(cql_timestamp_from_civil(&(cql_civil){2024, 1, 1, 24, 0, 0, 0}, &ms),
                     CQL_BAD_VALUE);
    assert_int_equal(cql_timestamp_from_civil(&(cql_civil){2024, 1, 1, 0, 60, 0, 0}, &ms),
                     CQL_BAD_VALUE);
    assert_int_equal(cql_timestamp_from_civil(&(cql_civil){2024, 1, 1, 0, 0, 60, 0}, &ms),
                     CQL_BAD_VALUE);
    assert_int_equal(cql_timestamp_from_civil(&(cql_civil){2024, 1, 1, 0, 0, 0, 1000000000}, &ms),
                     CQL_BAD_VALUE);
    assert_int_equal(cql_timestamp_from_civil(&(cql_civil){292278995, 1, 1, 0, 0, 0, 0}, &ms),
                     CQL_BAD_VALUE);
    assert_int_equal(cql_timestamp_from_civil(&(cql_civil){-292275056, 1, 1, 0, 0, 0, 0}, &ms),
                     CQL_BAD_VALUE);
    assert_int_equal(ms, 7);
    assert_int_equal(cql_date_from_civil(NULL, &days), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_timestamp_to_civil(0, NULL), CQL_BAD_ARGUMENT);
}

static void moments_go_both_ways(void **state)
{
    (void)state;
    static const int64_t moments[] = {0, -1, 1, 999, -86400001, INT64_C(1704164645678), INT64_MAX,
                                      INT64_MIN};
    for (size_t i = 0; i < CQL_COUNT(moments); i++) {
        cql_civil m;
        int64_t back = 7;
        assert_int_equal(cql_timestamp_to_civil(moments[i], &m), CQL_OK);
        assert_int_equal(cql_timestamp_from_civil(&m, &back), CQL_OK);
        assert_true(back == moments[i]);
    }
    cql_civil m;
    cql_timestamp_to_civil(INT64_C(1704164645678), &m);
    assert_true(m.year == 2024 && m.month == 1 && m.day == 2 && m.hour == 3 && m.minute == 4 &&
                m.second == 5 && m.nanosecond == 678000000);
}

enum { STAMPS = 20000 };

static void *draw(void *out)
{
    int64_t *stamps = out;
    for (int i = 0; i < STAMPS; i++)
        stamps[i] = cql_time_next_us();
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void write_times_rise_over_all_threads(void **state)
{
    (void)state;
    static int64_t stamps[2 * STAMPS];
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, draw, stamps), 0);
    draw(stamps + STAMPS);
    pthread_join(other, NULL);
    for (int i = 1; i < STAMPS; i++)
        assert_true(stamps[i] > stamps[i - 1] && stamps[STAMPS + i] > stamps[STAMPS + i - 1]);
    qsort(stamps, 2 * STAMPS, sizeof stamps[0], by_value);
    for (int i = 1; i < 2 * STAMPS; i++)
        assert_true(stamps[i] > stamps[i - 1]); /* none twice */
}

/* At every offset from an aligned place, and for every length around the block. */
static void spans_of_floats_go_both_ways(void **state)
{
    (void)state;
    float in[40], out[40];
    uint8_t wire[40 * 4 + 3];
    for (int i = 0; i < 40; i++)
        in[i] = (float)i * 1.5f - 7.0f;
    for (size_t n = 0; n <= 40; n++)
        for (size_t at = 0; at < 4; at++) {
            memset(out, 0xee, sizeof out);
            cqln_floats_store(wire + at, in, n);
            cqln_floats_load(out, wire + at, n);
            assert_memory_equal(in, out, n * sizeof in[0]);
        }
    cqln_floats_store(wire, (const float[]){1.0f, -3.5f}, 2);
    assert_hex(wire, 8, "3f800000 c0600000");
}

static void many_floats_are_added_as_one_by_one(void **state)
{
    (void)state;
    static const cql_type_id kinds[] = {CQL_TYPE_VECTOR, CQL_TYPE_LIST, CQL_TYPE_SET};
    static const float v[] = {1.0f, -2.0f, 0.5f};
    for (size_t k = 0; k < CQL_COUNT(kinds); k++) {
        cql_collection *one, *all;
        assert_int_equal(cql_collection_new(kinds[k], NULL, &one), CQL_OK);
        assert_int_equal(cql_collection_new(kinds[k], NULL, &all), CQL_OK);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(cql_collection_add(one, cql_value_float(v[i])), CQL_OK);
        assert_int_equal(cql_collection_add_floats(all, v, 2), CQL_OK);
        assert_int_equal(cql_collection_add_floats(all, v + 2, 1), CQL_OK);
        assert_int_equal(cql_collection_add_floats(all, NULL, 0), CQL_OK);
        cql_value a = cql_value_collection(one);
        cql_value b = cql_value_collection(all);
        assert_true(cql_str_equal(cql_value_bytes(&a), cql_value_bytes(&b)));
        assert_int_equal(cql_collection_add(all, cql_value_int32(1)), CQL_TYPE_MISMATCH);
        cql_collection_clear(all);
        assert_int_equal(cql_collection_add(all, cql_value_int32(1)), CQL_OK);
        assert_int_equal(cql_collection_add_floats(all, v, 3), CQL_TYPE_MISMATCH);
        cql_collection_free(one);
        cql_collection_free(all);
    }
    cql_collection *map;
    assert_int_equal(cql_collection_new(CQL_TYPE_MAP, NULL, &map), CQL_OK);
    assert_int_equal(cql_collection_add_floats(map, v, 3), CQL_BAD_STATE);
    cql_collection_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_go_both_ways),
        cmocka_unit_test(dates_that_are_none_are_refused),
        cmocka_unit_test(moments_go_both_ways),
        cmocka_unit_test(write_times_rise_over_all_threads),
        cmocka_unit_test(spans_of_floats_go_both_ways),
        cmocka_unit_test(many_floats_are_added_as_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
