/* Threads of the library have room for what programs do on them, whatever the system gives by default. */
#define _GNU_SOURCE
#include "os/thread.h"
#include "unit.h"

static void *note_stack(void *arg)
{
    pthread_attr_t attr;
    assert_int_equal(pthread_getattr_np(pthread_self(), &attr), 0);
    assert_int_equal(pthread_attr_getstacksize(&attr, arg), 0);
    pthread_attr_destroy(&attr);
    return NULL;
}

static size_t stack_where_default_is(size_t size)
{
    pthread_attr_t attr;
    pthread_t thread;
    size_t stack = 0;
    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstacksize(&attr, size), 0);
    assert_int_equal(pthread_setattr_default_np(&attr), 0);
    pthread_attr_destroy(&attr);
    assert_int_equal(cqlos_thread_start(&thread, note_stack, &stack), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return stack;
}

/* What a thread says of itself may lack a page or two of what was asked for. The small one comes
 * first: musl lets the default only grow. */
static void a_small_default_is_raised_and_a_large_one_kept(void **state)
{
    (void)state;
    enum { LITTLE = 64 << 10 };
    assert_in_range(stack_where_default_is(CQLOS_LEAST_STACK / 8), CQLOS_LEAST_STACK - LITTLE,
                    CQLOS_LEAST_STACK + LITTLE);
    assert_true(stack_where_default_is(2 * CQLOS_LEAST_STACK) >= 2 * CQLOS_LEAST_STACK - LITTLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_default_is_raised_and_a_large_one_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
