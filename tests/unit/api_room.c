/* Who waits for room on a session of several loops: a thread in line and who is parked, on loops that do not turn. */
#include "api/room.h"

#include "api/loops.h"
#include "cluster/record.h"
#include "unit.h"

#include <poll.h>

enum { MAX = 2, WAIT_MS = 2000 };

static uint64_t no_time(cqln_io *io)
{
    (void)io;
    return 0;
}

static void no_wake(cqln_io *io)
{
    (void)io;
}

static void no_timer(cqln_io *io, uint64_t at)
{
    (void)io;
    (void)at;
}

static const cqln_io_ops ops = {.now = no_time, .random = no_time, .wake = no_wake, .timer_at = no_timer};
static cqln_io io = {.ops = &ops};
static cqln_config config;
static cql_session session;
static cqln_cluster *first, *second;

/* Connected, and with as many requests as there may be. */
static void make_full(cqln_cluster *c)
{
    assert_int_equal(cqln_cluster_init(c, &io, cqln_alloc_default(), &config, &session), CQL_OK);
    atomic_store(&c->state, CQLN_CLUSTER_CONNECTED);
    atomic_store(&c->able, true);
    atomic_store(&c->pending, MAX);
}

static int set_up(void **state)
{
    (void)state;
    memset(&session, 0, sizeof session);
    config.max_pending_requests = MAX;
    config.max_pending_bytes = 1000;
    session.config.request_timeout = WAIT_MS;
    session.loops = calloc(1, sizeof *session.loops + sizeof session.loops->hands[0]);
    assert_non_null(session.loops);
    session.loops->count = 2;
    pthread_mutex_init(&session.lock, NULL);
    cqln_list_init(&session.line);
    first = &session.cluster;
    second = &session.loops->hands[0].cluster;
    make_full(first);
    make_full(second);
    cqln_team_init(&session.loops->team, (cqln_cluster *[]){first, second}, 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cqln_team_fini(&session.loops->team);
    cqln_cluster_fini(first);
    cqln_cluster_fini(second);
    pthread_mutex_destroy(&session.lock);
    free(session.loops);
    return 0;
}

/* A request on c has ended, and its loop has told of the room. */
static void end_one(cqln_cluster *c)
{
    cqln_count_requests(c, false, (uint32_t)-1);
    if (atomic_load(&c->full) && cqln_cluster_has_room(c)) {
        atomic_store(&c->full, false);
        cqln_room_drained(&session, c);
    }
}

/* --- who waits ------------------------------------------------------------------------------------ */

static cql_status send_somewhere(void *user, uint32_t left_ms)
{
    (void)user;
    (void)left_ms;
    for (uint32_t i = 0; i < 2; i++)
        if (cqln_count_requests(cqln_session_cluster(&session, i), false, 1) < MAX)
            return CQL_OK;
        else
            cqln_count_requests(cqln_session_cluster(&session, i), false, (uint32_t)-1);
    cqln_loops_full(&session);
    return CQL_WOULD_BLOCK;
}

static void *wait_in_line(void *user)
{
    *(cql_status *)user = cqln_room_wait(&session, WAIT_MS, send_somewhere, NULL);
    return NULL;
}

/* Sends one request each time, and wants to send one more. */
static void go_on(cqln_parked *parked)
{
    cqln_count_requests(first, false, 1);
    cqln_room_park(first, parked);
}

static bool tells(const cqln_cluster *c)
{
    return atomic_load(&c->full) && atomic_load(&c->in_line);
}

static void stop(cqln_parked *parked)
{
    (void)parked;
}

/* The room that one loop gave to who is parked there is no reason not to hear of another loop's. */
static void each_loop_tells_who_is_in_line(void **state)
{
    cqln_parked parked = {.go_on = go_on};
    cql_status st = CQL_UNEXPECTED;
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, wait_in_line, &st), 0);
    while (!tells(first) || !tells(second) || !atomic_load(&session.loops->full))
        poll(NULL, 0, 1);
    cqln_room_park(first, &parked);
    end_one(first);  /* its place is for who is parked, the next for who is in line: but it does not come */
    end_one(second); /* this one does */
    pthread_join(thread, NULL);
    assert_int_equal(st, CQL_OK);
    assert_int_equal(atomic_load(&second->pending), MAX);
    parked.go_on = stop;
    cqln_room_unpark_all(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_loop_tells_who_is_in_line, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
