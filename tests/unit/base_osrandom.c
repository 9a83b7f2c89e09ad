/* Random bytes of the system: whole, in pieces, interrupted, and where a source is missing. */
#include "unit.h"

#include "base/osrandom.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Stands in for the C library's: gives `piece` bytes a call, fails while `failures` is not 0. */
static size_t piece;
static int failures; /* calls that fail; below 0: all */
static int failure;  /* their errno */
static unsigned calls;

ssize_t getrandom(void *block, size_t size, unsigned flags);
ssize_t getrandom(void *block, size_t size, unsigned flags)
{
    assert_int_equal(flags, 0);
    calls++;
    if (failures) {
        failures -= failures > 0;
        errno = failure;
        return -1;
    }
    size_t n = size < piece ? size : piece;
    memset(block, (int)(0x10 + calls), n);
    return (ssize_t)n;
}

static void source_gives(size_t bytes_a_call, int failing_calls, int error)
{
    piece = bytes_a_call;
    failures = failing_calls;
    failure = error;
    calls = 0;
}

/* The block with a byte before and behind it that must stay. */
static void fill(uint8_t *block, size_t size)
{
    memset(block, 0, size + 2);
    block[0] = block[size + 1] = 0xee;
    cqln_os_random(block + 1, size);
    assert_int_equal(block[0], 0xee);
    assert_int_equal(block[size + 1], 0xee);
}

static void pieces_make_a_whole(void **state)
{
    (void)state;
    uint8_t block[18];
    source_gives(5, 0, 0);
    fill(block, 16);
    assert_int_equal(calls, 4);
    assert_hex(block + 1, 16, "1111111111 1212121212 1313131313 14");
}

static void interrupted_calls_are_made_again(void **state)
{
    (void)state;
    uint8_t block[18];
    source_gives(16, 3, EINTR);
    fill(block, 16);
    assert_int_equal(calls, 4);
    assert_hex(block + 1, 16, "14141414141414141414141414141414");
}

/* 64 bytes of a real source are all zero once in 2^512. */
static void assert_filled(const uint8_t *block, size_t size)
{
    uint8_t seen = 0;
    for (size_t i = size / 2; i < size; i++)
        seen |= block[i + 1];
    assert_int_not_equal(seen, 0);
}

static void device_fills_what_the_call_does_not(void **state)
{
    (void)state;
    uint8_t one[130];
    uint8_t two[130];
    source_gives(0, -1, ENOSYS);
    fill(one, 128);
    fill(two, 128);
    assert_filled(one, 128);
    assert_memory_not_equal(one + 1, two + 1, 128);
}

/* In a child, which has no descriptor left to open anything with. Exits 0 when all is well. */
static int without_any_source(void)
{
    static uint8_t blocks[64][34];
    struct rlimit none;
    if (getrlimit(RLIMIT_NOFILE, &none) != 0)
        return 2;
    none.rlim_cur = 0; /* valgrind, which needs descriptors of its own, lets nobody lower the other one */
    if (setrlimit(RLIMIT_NOFILE, &none) != 0)
        return 2;
    for (size_t i = 0; i < 64; i++)
        cqln_os_random(blocks[i] + 1, 32);
    for (size_t i = 0; i < 64; i++) {
        if (blocks[i][0] != 0 || blocks[i][33] != 0)
            return 3;
        for (size_t k = 0; k < i; k++)
            if (memcmp(blocks[i] + 1, blocks[k] + 1, 32) == 0)
                return 4;
    }
    return 0;
}

static void without_any_source_nothing_repeats(void **state)
{
    (void)state;
    source_gives(0, -1, ENOSYS);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(without_any_source());
    int how = 1;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

static void ticks_are_those_of_the_wall_clock(void **state)
{
    (void)state;
    struct timespec before;
    struct timespec after;
    clock_gettime(CLOCK_REALTIME, &before);
    int64_t ticks = cqln_os_unix_ticks();
    clock_gettime(CLOCK_REALTIME, &after);
    assert_true(ticks >= (int64_t)before.tv_sec * 10000000 + before.tv_nsec / 100);
    assert_true(ticks <= (int64_t)after.tv_sec * 10000000 + after.tv_nsec / 100);
}

static int called;

static void note_call(void)
{
    called = 1;
}

static void children_run_what_was_registered(void **state)
{
    (void)state;
    cqln_os_at_fork(note_call);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(called);
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(WEXITSTATUS(how), 1);
    assert_int_equal(called, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_make_a_whole),
        cmocka_unit_test(interrupted_calls_are_made_again),
        cmocka_unit_test(device_fills_what_the_call_does_not),
        cmocka_unit_test(without_any_source_nothing_repeats),
        cmocka_unit_test(ticks_are_those_of_the_wall_clock),
        cmocka_unit_test(children_run_what_was_registered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
