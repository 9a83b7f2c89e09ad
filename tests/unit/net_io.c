/* The io on a loop that is the program's: whatever is still on it when the io is gone harms nobody. */
#include "failmalloc.h"
#include "net/io_uv.h"
#include "unit.h"

#include <netdb.h>
#include <semaphore.h>
#include <uv.h>

enum { NAMES = 3 /* libuv looks up two at once, the third waits */ };

static sem_t resolver;
static atomic_uint asked;

/* In front of the C library's, for libuv too: nothing is found, and not before the test says so. */
__attribute__((visibility("default"))) int getaddrinfo(const char *host, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **out)
{
    (void)host;
    (void)service;
    (void)hints;
    *out = NULL;
    asked++;
    while (sem_wait(&resolver) != 0)
        ;
    return EAI_AGAIN;
}

static uv_loop_t loop;
static failmalloc f;
static unsigned ended;

static void on_ended(void *user)
{
    ended++;
    cqln_io_uv_free(*(cqln_io **)user); /* as a session does that is freed in its close callback */
}

static void ignore(void *user)
{
    (void)user;
}

static cqln_io *start_io(cqln_io **place)
{
    static const cqln_io_events events = {ignore, ignore, ignore, on_ended};
    assert_int_equal(cqln_io_uv_new(&f.al, &loop, place), CQL_OK);
    assert_int_equal(cqln_io_uv_start(*place), CQL_OK);
    (*place)->events = &events;
    (*place)->user = place;
    return *place;
}

static int set_up(void **state)
{
    (void)state;
    failmalloc_init(&f);
    ended = 0;
    asked = 0;
    return uv_loop_init(&loop) || sem_init(&resolver, 0, 0);
}

static int tear_down(void **state)
{
    (void)state;
    return sem_destroy(&resolver);
}

static void nothing_is_on_the_loop_before_the_start(void **state)
{
    cqln_io *io = NULL;
    (void)state;
    assert_int_equal(cqln_io_uv_new(&f.al, &loop, &io), CQL_OK);
    assert_true(io->ops->now(io) > 0);
    cqln_io_uv_free(io);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(f.live, 0);
    assert_int_equal(cqln_io_uv_new(&f.al, NULL, &io), CQL_OK);
    cqln_io_uv_free(io);
    assert_int_equal(f.live, 0);
}

/* libuv calls those that were closed last first: the stream goes after its io. */
static void a_connect_that_could_not_begin_goes_after_its_io(void **state)
{
    static const uint8_t link_local[16] = {0xfe, 0x80, [15] = 1}; /* needs a scope */
    static const cqln_stream_events events = {0};
    cqln_address to;
    cqln_stream *s = NULL;
    cqln_io *io;
    (void)state;
    start_io(&io);
    assert_true(cqln_address_from_bytes(&to, link_local, 16, 9042));
    assert_int_not_equal(io->ops->connect(io, &to, &events, NULL, &s), CQL_OK);
    assert_null(s);
    assert_int_equal(f.live, 2);
    io->ops->end(io);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(ended, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(f.live, 0);
}

static void not_called(void *user, const cqln_address *found, size_t count, const char *reason)
{
    (void)user;
    (void)found;
    (void)count;
    fail_msg("forgotten, and called: %s", reason);
}

static void names_being_looked_up_hold_nothing_up(void **state)
{
    cqln_lookup *lookups[NAMES];
    cqln_io *io;
    (void)state;
    start_io(&io);
    for (unsigned i = 0; i < NAMES; i++)
        assert_int_equal(io->ops->resolve(io, "node.example", 9042, not_called, NULL, &lookups[i]),
                         CQL_OK);
    while (asked < NAMES - 1)
        uv_run(&loop, UV_RUN_NOWAIT);
    for (unsigned i = 0; i < NAMES; i++)
        io->ops->forget(lookups[i]);
    io->ops->end(io);
    while (!ended)
        uv_run(&loop, UV_RUN_ONCE); /* the resolver is still at it */
    for (unsigned i = 0; i < NAMES; i++)
        sem_post(&resolver);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(asked, NAMES - 1);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(f.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_on_the_loop_before_the_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_connect_that_could_not_begin_goes_after_its_io, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_being_looked_up_hold_nothing_up, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
