/* Sleeping in the blocking calls of modules goes by the steady clock, whatever is done to the calendar. */
#include "os/steady.h"
#include "seat/wait.h"
#include "unit.h"

#include <stdint.h>

static time_t set_by; /* seconds by which somebody set the calendar */

int __real_clock_gettime(clockid_t id, struct timespec *t);
__attribute__((visibility("default"))) int __wrap_clock_gettime(clockid_t id, struct timespec *t);

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
    int rc = __real_clock_gettime(id, t);
    if (id == CLOCK_REALTIME)
        t->tv_sec += set_by;
    return rc;
}

static int64_t steady_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void a_sleep_lasts_as_long_as_asked_whoever_sets_the_clock(void **state)
{
    (void)state;
    static const time_t by[] = {0, -86400, 10};
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    assert_int_equal(cqlos_cond_init(&cond), 0);
    for (size_t i = 0; i < CQL_COUNT(by); i++) {
        set_by = by[i];
        int64_t before = steady_ms(), end = before + 30;
        pthread_mutex_lock(&lock);
        while (cqlseat_sleep(&cond, &lock, (uint32_t)(end - steady_ms())) && steady_ms() < end)
            ; /* woken by nobody */
        pthread_mutex_unlock(&lock);
        assert_true(steady_ms() >= end - 1);
        assert_true(steady_ms() < before + 9000);
    }
    set_by = 0;
    pthread_cond_destroy(&cond);
}

static void the_end_is_counted_over_full_seconds(void **state)
{
    (void)state;
    static const uint32_t ms[] = {0, 1, 999, 1000, 1001, 86400000};
    for (size_t i = 0; i < CQL_COUNT(ms); i++) {
        struct timespec before, at = cqlseat_from_now(ms[i]);
        assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &before), 0);
        assert_in_range(at.tv_nsec, 0, 999999999);
        int64_t ahead = ((int64_t)at.tv_sec - before.tv_sec) * 1000 + (at.tv_nsec - before.tv_nsec) / 1000000;
        assert_true(ahead <= (int64_t)ms[i] + 1 && ahead > (int64_t)ms[i] - 9000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sleep_lasts_as_long_as_asked_whoever_sets_the_clock),
        cmocka_unit_test(the_end_is_counted_over_full_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
