/* Sessions on the program's own loop that end early: the loop is the program's again, whole, and every block
 * of memory is given back. */
#define _GNU_SOURCE
#include "failmalloc.h"
#include "unit.h"

#include <cqlnative/cql.h>
#include <cqlnative/uv.h>
#include <dlfcn.h>
#include <limits.h>
#include <netdb.h>
#include <semaphore.h>

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

static unsigned handles_left = UINT_MAX; /* then libuv has none any more */

/* In front of libuv's. What a loop has for itself is left to it. */
int uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb cb)
{
    int (*real)(uv_loop_t *, uv_async_t *, uv_async_cb);
    void *found = dlsym(RTLD_NEXT, "uv_async_init");
    memcpy(&real, &found, sizeof real);
    if (async != &loop->wq_async && handles_left-- == 0)
        return UV_EMFILE;
    return real(loop, async, cb);
}

static char plain[] = "cql://127.0.0.1:1/";

static cql_status make(const cql_allocator *al, const char *url, uv_loop_t *loop, cql_session **out)
{
    cql_options *o = NULL;
    cql_error *err = NULL;
    cql_status st = cql_options_new(al, &o);
    if (st == CQL_OK)
        st = cql_options_parse(o, url, NULL);
    if (st == CQL_OK)
        st = cql_session_new_uv(loop, o, out, &err);
    cql_error_unref(err);
    cql_options_free(o);
    return st;
}

static cql_status make_and_free(const cql_allocator *al, void *url)
{
    uv_loop_t loop;
    uv_timer_t own; /* something of the program's stays as it is */
    cql_session *s = NULL;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_timer_init(&loop, &own), 0);
    cql_status st = make(al, url, &loop, &s);
    assert_true((st == CQL_OK) == (s != NULL));
    if (st)
        assert_int_equal(uv_loop_alive(&loop), 0); /* it was not touched */
    cql_session_free(s);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    uv_close((uv_handle_t *)&own, NULL);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    return st;
}

static void memory_may_be_out_where_it_is_made(void **state)
{
    static char named[] = "cql://127.0.0.1:1/ks?local_dc=dc1",
                many[] = "cql://127.0.0.1:1,127.0.0.2:1/?max_pending_requests=70000";
    (void)state;
    assert_true(failmalloc_each(make_and_free, plain, true) > 10);
    assert_true(failmalloc_each(make_and_free, named, true) > 10);
    assert_true(failmalloc_each(make_and_free, many, true) > 10);
}

static void handles_may_be_out_where_it_is_made(void **state)
{
    failmalloc f;
    (void)state;
    failmalloc_init(&f);
    handles_left = 0;
    assert_int_equal(make_and_free(&f.al, plain), CQL_SYSTEM);
    assert_int_equal(f.live, 0);
    for (unsigned n = 0; n <= 3; n++) { /* of a session with three loops of its own */
        cql_options *o = NULL;
        cql_session *s = NULL;
        assert_int_equal(cql_options_new(&f.al, &o), CQL_OK);
        assert_int_equal(cql_options_parse(o, "cql://127.0.0.1:1/?loop_threads=3", NULL), CQL_OK);
        handles_left = n;
        assert_int_equal(cql_session_new(o, &s, NULL), n < 3 ? CQL_SYSTEM : CQL_OK);
        handles_left = UINT_MAX;
        cql_options_free(o);
        cql_session_free(s);
        assert_int_equal(f.live, 0);
    }
}

static void on_end(cql_session *s, const cql_error *err, void *user)
{
    (void)s;
    (void)err;
    ++*(unsigned *)user;
}

/* The resolver may take half a minute: closing does not wait for it, and what it says later reaches nobody. */
static void freed_while_names_are_looked_up(void **state)
{
    (void)state;
    for (unsigned with_close = 0; with_close < 2; with_close++) {
        failmalloc f;
        uv_loop_t loop;
        cql_session *s = NULL;
        unsigned connects = 0, closes = 0;
        failmalloc_init(&f);
        asked = 0;
        assert_int_equal(sem_init(&resolver, 0, 0), 0);
        assert_int_equal(uv_loop_init(&loop), 0);
        assert_int_equal(make(&f.al, "cql://a.example,b.example,c.example/", &loop, &s), CQL_OK);
        assert_int_equal(cql_session_connect(s, on_end, &connects), CQL_OK);
        while (asked < 2)
            uv_run(&loop, UV_RUN_NOWAIT);
        if (with_close)
            assert_int_equal(cql_session_close(s, on_end, &closes), CQL_OK);
        cql_session_free(s);
        while (!connects || closes < with_close || f.live > 2)
            uv_run(&loop, UV_RUN_NOWAIT);
        assert_int_equal(f.live, 2); /* the look-ups; libuv makes no more at once */
        for (int i = 0; i < 2; i++)
            sem_post(&resolver);
        assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
        assert_int_equal(uv_loop_close(&loop), 0);
        assert_int_equal(connects, 1);
        assert_int_equal(closes, with_close);
        assert_int_equal(f.live, 0);
        sem_destroy(&resolver);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_may_be_out_where_it_is_made),
        cmocka_unit_test(handles_may_be_out_where_it_is_made),
        cmocka_unit_test(freed_while_names_are_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
