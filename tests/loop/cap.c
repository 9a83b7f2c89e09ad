/* Memory with a cap, under sessions at work in each mode: what there is no room for is told as that, when
 * connections are lost too, and once there is room again all is as before. */
#include "mocksession.h"

#include <poll.h>
#include <stdlib.h>

enum { AT_ONCE = 40, LARGE = 50000 };

/* --- an allocator with a cap ----------------------------------------------------------------------------- */

typedef union head {
    size_t size;
    max_align_t align;
} head;

static atomic_size_t used, cap;

static void *capped_realloc(void *context, void *block, size_t size)
{
    head *old = block ? (head *)block - 1 : NULL;
    size_t before = old ? old->size : 0;
    (void)context;
    bool fits = atomic_fetch_add(&used, size) + size - before <= cap;
    head *made = fits ? realloc(old, sizeof *made + size) : NULL;
    atomic_fetch_sub(&used, made ? before : size);
    if (!made)
        return NULL;
    made->size = size;
    return made + 1;
}

static void *capped_malloc(void *context, size_t size)
{
    return capped_realloc(context, NULL, size);
}

static void capped_free(void *context, void *block)
{
    head *old = block ? (head *)block - 1 : NULL;
    (void)context;
    if (!old)
        return;
    atomic_fetch_sub(&used, old->size);
    free(old);
}

static const cql_allocator capped = {NULL, capped_malloc, capped_realloc, capped_free};

/* --- sessions -------------------------------------------------------------------------------------------- */

typedef struct tally {
    atomic_uint ended;
    atomic_uint fine;
    atomic_uint out;  /* of memory */
    atomic_uint lost; /* connections */
} tally;

static void on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    tally *t = user;
    cql_status st = err ? cql_error_status(err) : CQL_OK;
    (void)s;
    (void)res;
    t->fine += st == CQL_OK;
    t->out += st == CQL_NO_MEMORY;
    t->lost += st == CQL_CLOSED || st == CQL_NO_HOST;
    t->ended++;
}

static cql_session *open_capped(const char *mode)
{
    char url[300];
    cql_options *o = NULL;
    cql_session *s = NULL;
    snprintf(url, sizeof url, "cql://%s/?connect_timeout=60s&request_timeout=60s&reconnect_base=10ms&reconnect_max=50ms&page_size=50000&%s",
             mockserver_host(&server, 0), mode);
    cap = SIZE_MAX;
    assert_int_equal(cql_options_new(&capped, &o), CQL_OK);
    assert_int_equal(cql_options_parse(o, url, NULL), CQL_OK);
    assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
    cql_options_free(o);
    assert_int_equal(cql_session_connect_wait(s, NULL), CQL_OK);
    return s;
}

/* So many requests at a time, some with large answers; each has an end. */
static tally ask(cql_session *s, unsigned count)
{
    tally t = {0};
    char cql[60];
    unsigned begun = 0;
    for (unsigned i = 0; i < count; i++) {
        snprintf(cql, sizeof cql, "SELECT * FROM t rows %u", i % 8 == 1 ? LARGE : i);
        cql_status st = cql_session_query(s, cql, on_answer, &t);
        begun += st == CQL_OK;
        t.out += st == CQL_NO_MEMORY;
        if (st != CQL_OK && st != CQL_NO_MEMORY)
            fail_msg("not begun: %s", cql_status_text(st));
    }
    for (int i = 0; i < PATIENCE_MS && t.ended < begun; i++)
        if (cql_session_drive(s, 1) != CQL_OK) /* it has a thread */
            poll(NULL, 0, 1);
    assert_int_equal(t.ended, begun);
    return t;
}

static void until_it_answers(cql_session *s)
{
    for (int i = 0; i < PATIENCE_MS && ask(s, 1).fine == 0; i++)
        poll(NULL, 0, 1);
}

/* With so many bytes more than the idle session holds. No connection is lost by that, unless it has no read buffer
 * yet: with preset=device they come and go, and several loops connect on. */
static tally at_work(const char *mode, size_t room, bool cut)
{
    cql_session *s = open_capped(mode);
    cap = used + room;
    if (cut)
        mockserver_cut(&server);
    tally t = ask(s, AT_ONCE);
    assert_int_equal(t.fine + t.out + t.lost, AT_ONCE);
    assert_true(cut || t.lost == 0 || strcmp(mode, "loop_threads=0") != 0);
    cap = SIZE_MAX;
    until_it_answers(s);
    assert_int_equal(ask(s, AT_ONCE).fine, AT_ONCE);
    close_session(s);
    assert_int_equal(used, 0);
    return t;
}

static void what_has_no_room_is_told(void **state)
{
    static const char *const modes[] = {"loop_threads=0", "loop_threads=0&preset=device", "loop_threads=1", "loop_threads=3"};
    static const size_t rooms[] = {500, 8000, 60000, 150000, 400000, 1000000};
    (void)state;
    for (size_t m = 0; m < CQL_COUNT(modes); m++) {
        assert_int_equal(at_work(modes[m], 0, false).out, AT_ONCE);
        assert_int_equal(at_work(modes[m], 64 << 20, false).fine, AT_ONCE);
        for (size_t r = 0; r < CQL_COUNT(rooms); r++) {
            (void)at_work(modes[m], rooms[r], false);
            (void)at_work(modes[m], rooms[r], true);
        }
    }
    tally some = at_work(modes[0], 400000, false); /* the large answers are dropped, on connections that go on */
    assert_true(some.fine >= AT_ONCE * 7 / 8 && some.out > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_has_no_room_is_told, start_three, stop_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
