/* Timers and the buffered writer on real sessions against mock nodes on the loopback, in the three modes. */
#include "mocksession.h"

#include <cqlnative/uv.h>
#include <cqlnative/writer.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 2, ROWS = 400 };

/* --- what is shared -------------------------------------------------------------------------------- */

static atomic_uint acked, failed, misplaced;
static atomic_int stood_still_s; /* what clocks show, and sleeps that began before do not */

int clock_gettime(clockid_t id, struct timespec *out)
{
    int rc = (int)syscall(SYS_clock_gettime, id, out);
    out->tv_sec += atomic_load(&stood_still_s);
    return rc;
}

static void on_ack(cql_writer *w, const cql_error *err, void *user)
{
    (void)w;
    (void)user;
    atomic_fetch_add(&acked, 1);
    if (err)
        atomic_fetch_add(&failed, 1);
}

static void reset(void)
{
    atomic_store(&acked, 0);
    atomic_store(&failed, 0);
    memset(server.mc.executed, 0, MOCK_VALUES);
}

static cql_prepared *prepare(cql_session *s)
{
    cql_prepared *p = NULL;
    assert_int_equal(cql_session_prepare_wait(s, "INSERT by_key ?", &p, NULL), CQL_OK);
    return p;
}

static cql_writer *make_writer(cql_session *s)
{
    cql_writer *w = NULL;
    cql_writer_options o = {.size = sizeof o, .group_rows = 10, .flush_ms = 20, .max_rows = 50};
    assert_int_equal(cql_writer_new(s, &o, &w, NULL), CQL_OK);
    return w;
}

/* Rows with the values from `first` on, each of them twice. */
static void write_rows(cql_writer *w, const cql_prepared *p, int32_t first)
{
    cql_statement *row = cql_prepared_bind(p);
    for (int32_t i = 0; i < ROWS; i++) {
        assert_int_equal(cql_statement_bind_int32(row, 0, first + i / 2), CQL_OK);
        assert_int_equal(cql_writer_add_wait(w, row, on_ack, NULL, NULL), CQL_OK);
    }
    cql_statement_free(row);
}

static void assert_written(int32_t first)
{
    for (int32_t i = first; i < first + ROWS / 2; i++)
        assert_int_equal(mockserver_executed(&server, (uint32_t)i), 2);
}

/* --- modes ----------------------------------------------------------------------------------------- */

typedef struct thread_job {
    cql_writer *w;
    const cql_prepared *p;
    int32_t first;
} thread_job;

static void *write_on_thread(void *arg)
{
    thread_job *j = arg;
    write_rows(j->w, j->p, j->first);
    return NULL;
}

static void several_threads_write(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    thread_job jobs[THREADS];
    cql_session *s = open_session("loop_threads=1");
    cql_prepared *p = prepare(s);
    cql_writer *w = make_writer(s);
    reset();
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (thread_job){w, p, i * ROWS};
        assert_int_equal(pthread_create(&threads[i], NULL, write_on_thread, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(cql_writer_flush_wait(w, NULL), CQL_OK);
    assert_int_equal(atomic_load(&acked), THREADS * ROWS);
    assert_int_equal(atomic_load(&failed), 0);
    assert_int_equal(cql_writer_close_wait(w, NULL), CQL_OK);
    cql_writer_free(w);
    cql_prepared_unref(p);
    cql_session_free(s);
    for (int i = 0; i < THREADS; i++)
        assert_written(i * ROWS);
}

static void a_driven_session_writes(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    cql_prepared *p = prepare(s);
    cql_writer *w = make_writer(s);
    reset();
    write_rows(w, p, 0);
    while (atomic_load(&acked) < ROWS) /* the age of the groups alone sends the rest */
        assert_int_equal(cql_session_drive(s, 1000), CQL_OK);
    assert_written(0);
    cql_writer_free(w);
    cql_prepared_unref(p);
    cql_session_free(s);
}

static void rows_are_not_lost_when_connections_are(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1&reconnect_base=50ms");
    cql_prepared *p = prepare(s);
    cql_writer *w = make_writer(s);
    cql_statement *row = cql_prepared_bind(p);
    reset();
    for (int32_t i = 0; i < 200; i++) {
        if (i % 50 == 25)
            mockserver_cut(&server);
        assert_int_equal(cql_statement_bind_int32(row, 0, i), CQL_OK);
        assert_int_equal(cql_writer_add_wait(w, row, on_ack, NULL, NULL), CQL_OK);
    }
    assert_int_equal(cql_writer_close_wait(w, NULL), CQL_OK);
    assert_int_equal(atomic_load(&acked), 200);
    assert_int_equal(atomic_load(&failed), 0);
    for (int32_t i = 0; i < 200; i++)
        assert_true(mockserver_executed(&server, (uint32_t)i) >= 1);
    cql_statement_free(row);
    cql_writer_free(w);
    cql_prepared_unref(p);
    cql_session_free(s);
}

static void a_closed_session_does_not_hold_up(void **state)
{
    (void)state;
    static const char *const modes[] = {"loop_threads=0", "loop_threads=1"};
    for (size_t m = 0; m < CQL_COUNT(modes); m++) {
        cql_session *s = open_session(modes[m]);
        cql_prepared *p = prepare(s);
        cql_writer *w = make_writer(s);
        cql_statement *row = cql_prepared_bind(p);
        reset();
        assert_int_equal(cql_statement_bind_int32(row, 0, 1), CQL_OK);
        assert_int_equal(cql_session_close_wait(s), CQL_OK);
        assert_int_equal(cql_writer_add(w, row, on_ack, NULL), CQL_OK);
        cql_writer_close_wait(w, NULL);
        assert_int_equal(atomic_load(&failed), 1);
        cql_statement_free(row);
        cql_writer_free(w);
        cql_prepared_unref(p);
        cql_session_free(s);
    }
}

/* Acknowledgements come on the session's loop, also where the thread that waits wakes up before it. */
static void on_ack_elsewhere(cql_writer *w, const cql_error *err, void *user)
{
    pthread_t *waits = user;
    if (pthread_equal(*waits, pthread_self()))
        atomic_fetch_add(&misplaced, 1);
    on_ack(w, err, NULL);
}

static void close_without_an_answer(uint32_t close_ms)
{
    cql_session *s = open_session("retry=none");
    cql_prepared *p = prepare(s);
    cql_statement *row = cql_prepared_bind(p);
    cql_writer *w = NULL;
    cql_writer_options o = {.size = sizeof o, .retry_ms = 60000, .retry_max_ms = 60000, .close_ms = close_ms,
                            .timeout_ms = 50};
    pthread_t self = pthread_self();
    reset();
    pthread_mutex_lock(&server.lock);
    server.mc.nodes[0].stalled = server.mc.nodes[1].stalled = true;
    pthread_mutex_unlock(&server.lock);
    assert_int_equal(cql_writer_new(s, &o, &w, NULL), CQL_OK);
    for (int32_t i = 0; i < 10; i++) {
        assert_int_equal(cql_statement_bind_int32(row, 0, i), CQL_OK);
        assert_int_equal(cql_writer_add(w, row, on_ack_elsewhere, &self), CQL_OK);
    }
    assert_int_equal(cql_writer_close_wait(w, NULL), CQL_OK);
    assert_int_equal(atomic_load(&failed), 10);
    assert_int_equal(atomic_load(&misplaced), 0);
    cql_statement_free(row);
    cql_writer_free(w);
    cql_prepared_unref(p);
    cql_session_free(s);
}

static void who_waits_for_a_close_is_not_called(void **state)
{
    (void)state;
    close_without_an_answer(1000);
}

static void *stand_still(void *arg)
{
    (void)arg;
    poll(NULL, 0, 500);
    atomic_store(&stood_still_s, 4);
    return NULL;
}

/* As when the whole machine stood still while the thread waited: it wakes first, and the loop has not been late. */
static void nor_is_it_when_the_machine_stood_still(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stand_still, NULL), 0);
    close_without_an_answer(2000);
    pthread_join(thread, NULL);
    atomic_store(&stood_still_s, 0);
}

/* --- statements with other ids --------------------------------------------------------------------- */

static void answer_prepares(bool wide, bool restless)
{
    pthread_mutex_lock(&server.lock);
    server.mc.wide_values = wide;
    server.mc.restless = restless;
    pthread_mutex_unlock(&server.lock);
}

/* The program goes on with what it has prepared, and each row is written once, counters too. */
static void statements_are_prepared_anew_in(const char *mode, bool counters)
{
    cql_session *s = open_session(mode);
    cql_prepared *p = prepare(s);
    cql_writer *w = NULL;
    cql_writer_options o = {.size = sizeof o, .group_rows = 10, .flush_ms = 20, .not_idempotent = counters};
    assert_int_equal(cql_writer_new(s, &o, &w, NULL), CQL_OK);
    reset();
    for (int i = 0; i < 3; i++) {
        uint64_t before = prepares();
        write_rows(w, p, i * ROWS);
        change_ids((uint8_t)(i + 1));
        write_rows(w, p, i * ROWS + ROWS / 2);
        assert_int_equal(cql_writer_flush_wait(w, NULL), CQL_OK);
        assert_true(prepares() - before < 40); /* and not one for each group */
    }
    assert_int_equal(atomic_load(&acked), 6 * ROWS);
    assert_int_equal(atomic_load(&failed), 0);
    cql_writer_free(w);
    cql_prepared_unref(p);
    close_session(s);
    for (int i = 0; i < 6; i++)
        assert_written(i * ROWS / 2);
}

static void statements_are_prepared_anew(void **state)
{
    (void)state;
    statements_are_prepared_anew_in("loop_threads=0", false);
    change_ids(0);
    statements_are_prepared_anew_in("loop_threads=3", true);
}

static void set_wide(bool wide)
{
    pthread_mutex_lock(&server.lock);
    server.mc.wide_values = wide;
    pthread_mutex_unlock(&server.lock);
}

/* Another part of the program hears that the table is another one; then the table is back. */
static void what_is_outdated_already_is_prepared_anew(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    cql_prepared *p = prepare(s);
    cql_writer *w = make_writer(s);
    reset();
    for (int back = 0; back < 2; back++) {
        set_wide(true);
        cql_prepared_unref(prepare(s));
        set_wide(!back);
        write_rows(w, p, 0);
        assert_int_equal(cql_writer_flush_wait(w, NULL), CQL_OK);
        assert_int_equal(atomic_load(&acked), (back + 1) * ROWS);
        assert_int_equal(atomic_load(&failed), ROWS); /* of the first time */
    }
    set_wide(false);
    cql_writer_free(w);
    cql_prepared_unref(p);
    close_session(s);
}

/* What is another statement now ends its rows with an error; ids that change with each PREPARE end them somehow. */
static void comes_to_an_end(bool wide)
{
    cql_session *s = open_session("loop_threads=1");
    cql_prepared *p = prepare(s);
    cql_writer *w = NULL;
    cql_writer_options o = {.size = sizeof o, .flush_ms = 20, .retry_ms = 1, .retry_max_ms = 1};
    assert_int_equal(cql_writer_new(s, &o, &w, NULL), CQL_OK);
    change_ids(77);
    reset();
    answer_prepares(wide, !wide);
    uint64_t before = prepares();
    write_rows(w, p, 0);
    assert_int_equal(cql_writer_flush_wait(w, NULL), CQL_OK);
    assert_int_equal(atomic_load(&acked), ROWS);
    if (wide)
        assert_int_equal(atomic_load(&failed), ROWS);
    assert_true(prepares() - before < 20 * ROWS);
    cql_writer_free(w);
    cql_prepared_unref(p);
    close_session(s);
    answer_prepares(false, false);
}

static void another_statement_is_an_error(void **state)
{
    (void)state;
    comes_to_an_end(true);
    change_ids(0);
    comes_to_an_end(false);
}

static void who_frees_meanwhile_loses_nothing_else(void **state)
{
    (void)state;
    for (int turns = 0; turns < 12; turns++) {
        cql_session *s = open_session("loop_threads=0");
        cql_prepared *p = prepare(s);
        cql_writer *w = make_writer(s);
        cql_statement *row = cql_prepared_bind(p);
        change_ids((uint8_t)(turns + 1));
        reset();
        assert_int_equal(cql_statement_bind_int32(row, 0, 1), CQL_OK);
        assert_int_equal(cql_writer_add(w, row, on_ack, NULL), CQL_OK);
        assert_int_equal(cql_writer_flush(w, NULL, NULL), CQL_OK);
        for (int i = 0; i < turns; i++)
            assert_int_equal(cql_session_drive(s, 5), CQL_OK);
        cql_writer_free(w);
        cql_statement_free(row);
        cql_prepared_unref(p);
        close_session(s);
        assert_int_equal(atomic_load(&acked), 1);
    }
}

/* --- the program's loop ---------------------------------------------------------------------------- */

typedef struct on_loop {
    cql_session *s;
    cql_prepared *p;
    cql_statement *row;
    cql_writer *w;
    int32_t next;
    unsigned done;
} on_loop;

static void on_closed(cql_writer *w, const cql_error *err, void *user)
{
    on_loop *l = user;
    assert_null(err);
    l->done++;
    cql_writer_free(w);
    assert_int_equal(cql_session_close(l->s, NULL, NULL), CQL_OK);
}

static void fill(void *user)
{
    on_loop *l = user;
    for (; l->next < ROWS; l->next++) {
        assert_int_equal(cql_statement_bind_int32(l->row, 0, l->next / 2), CQL_OK);
        cql_status st = cql_writer_add(l->w, l->row, on_ack, NULL);
        if (st == CQL_WOULD_BLOCK)
            return;
        assert_int_equal(st, CQL_OK);
    }
    assert_int_equal(cql_writer_add_wait(l->w, l->row, NULL, NULL, NULL), CQL_WRONG_THREAD);
    assert_int_equal(cql_writer_close(l->w, on_closed, l), CQL_OK);
}

static void on_prepared(cql_session *s, const cql_error *err, const cql_prepared *p, void *user)
{
    on_loop *l = user;
    assert_null(err);
    cql_writer_options o = {.size = sizeof o, .group_rows = 10, .flush_ms = 20, .max_rows = 50,
                            .on_room = fill, .user = l};
    l->p = cql_prepared_ref(p);
    l->row = cql_prepared_bind(p);
    assert_int_equal(cql_writer_new(s, &o, &l->w, NULL), CQL_OK);
    fill(l);
}

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    assert_null(err);
    assert_int_equal(cql_session_prepare(s, "INSERT by_key ?", on_prepared, user), CQL_OK);
}

static void the_programs_loop_writes(void **state)
{
    (void)state;
    uv_loop_t loop;
    on_loop l = {0};
    cql_error *err = NULL;
    cql_options *o = options("");
    reset();
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cql_session_new_uv(&loop, o, &l.s, &err), CQL_OK);
    assert_int_equal(cql_session_connect(l.s, on_connected, &l), CQL_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(l.done, 1);
    assert_int_equal(atomic_load(&acked), ROWS);
    assert_written(0);
    cql_statement_free(l.row);
    cql_prepared_unref(l.p);
    cql_session_free(l.s);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    cql_options_free(o);
}

/* --- timers ---------------------------------------------------------------------------------------- */

static void on_time(cql_session *s, void *user)
{
    (void)s;
    atomic_fetch_add((atomic_uint *)user, 1);
}

static void a_timer_comes_once_each_time(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    cql_timer *t = NULL, *never = NULL;
    atomic_uint came = 0, others = 0;
    assert_int_equal(cql_timer_new(s, NULL, NULL, &t), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_timer_new(s, on_time, &came, &t), CQL_OK);
    assert_int_equal(cql_timer_new(s, on_time, &others, &never), CQL_OK);
    cql_timer_set(never, 1);
    cql_timer_set(never, -1);
    for (unsigned i = 1; i <= 3; i++) {
        cql_timer_set(t, 60000); /* replaced by the next */
        cql_timer_set(t, 5);
        while (atomic_load(&came) < i)
            assert_int_equal(cql_session_drive(s, 1000), CQL_OK);
    }
    assert_int_equal(atomic_load(&came), 3);
    assert_int_equal(atomic_load(&others), 0);
    cql_timer_free(never, on_time); /* its end is told */
    while (atomic_load(&others) == 0)
        assert_int_equal(cql_session_drive(s, 1000), CQL_OK);
    assert_int_equal(cql_session_close_wait(s), CQL_OK);
    cql_timer_set(t, 0);
    cql_timer_free(t, on_time);
    assert_int_equal(atomic_load(&came), 3);
    cql_session_free(s);
    assert_int_equal(atomic_load(&came), 4);
}

static void a_timer_may_be_set_from_any_thread(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1");
    atomic_uint came = 0;
    for (int i = 0; i < 50; i++) {
        cql_timer *t = NULL;
        assert_int_equal(cql_timer_new(s, on_time, &came, &t), CQL_OK);
        cql_timer_set(t, 0);
        while (atomic_load(&came) == 0)
            sched_yield();
        atomic_store(&came, 0);
        cql_timer_free(t, NULL);
    }
    cql_session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_timer_comes_once_each_time, start_two, stop_server),
        cmocka_unit_test_setup_teardown(a_timer_may_be_set_from_any_thread, start_two, stop_server),
        cmocka_unit_test_setup_teardown(several_threads_write, start_two, stop_server),
        cmocka_unit_test_setup_teardown(a_driven_session_writes, start_two, stop_server),
        cmocka_unit_test_setup_teardown(rows_are_not_lost_when_connections_are, start_two, stop_server),
        cmocka_unit_test_setup_teardown(a_closed_session_does_not_hold_up, start_two, stop_server),
        cmocka_unit_test_setup_teardown(who_waits_for_a_close_is_not_called, start_two, stop_server),
        cmocka_unit_test_setup_teardown(nor_is_it_when_the_machine_stood_still, start_two, stop_server),
        cmocka_unit_test_setup_teardown(statements_are_prepared_anew, start_two, stop_server),
        cmocka_unit_test_setup_teardown(what_is_outdated_already_is_prepared_anew, start_two, stop_server),
        cmocka_unit_test_setup_teardown(another_statement_is_an_error, start_two, stop_server),
        cmocka_unit_test_setup_teardown(who_frees_meanwhile_loses_nothing_else, start_two, stop_server),
        cmocka_unit_test_setup_teardown(the_programs_loop_writes, start_two, stop_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
