/* The job store on real sessions against mock nodes: its statements get other ids while it is open. */
#include "mocksession.h"

#include "jobs/cqlstore.h"

enum { THREADS = 8, ROUNDS = 20 };

static void count_waiting(cql_jobs *jobs)
{
    cql_error *err = NULL;
    int64_t n;
    if (cql_jobs_count_wait(jobs, CQL_JOB_SCHEDULED, &n, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
}

static void statements_are_prepared_anew(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    cql_jobs *jobs = NULL;
    assert_int_equal(cql_jobs_new(s, NULL, &jobs), CQL_OK);
    count_waiting(jobs);
    for (uint8_t salt = 1; salt < 4; salt++) {
        change_ids(salt);
        count_waiting(jobs);
        uint64_t before = prepares();
        for (int i = 0; i < 10; i++)
            count_waiting(jobs);
        assert_true(prepares() - before <= server.mc.count); /* each node learns it once, at most */
    }
    cql_jobs_free(jobs);
    close_session(s);
}

static void on_removed(void *user, cqljob_answer *a)
{
    *(int *)user = (int)a->outcome;
}

/* Not even sent is as an answer. */
static cqljob_outcome remove_it(const cqljob_store *store)
{
    const cqljob_request rq = {.verb = CQLJOB_R_DELETE, .id = cql_str_of("nightly")};
    int outcome = -1;
    if (store->send(store->self, &rq, on_removed, &outcome))
        return CQLJOB_FAILED;
    while (outcome < 0)
        assert_int_equal(store->turn(store->self, 1000), CQL_OK);
    return (cqljob_outcome)outcome;
}

static void remove_recurring(const cqljob_store *store)
{
    assert_int_equal(remove_it(store), CQLJOB_DONE);
}

static void make_store(cql_session *s, cqljob_store *store)
{
    const cqljob_settings set = {.keyspace = "jobsharp",
                                 .consistency = CQL_CONSISTENCY_LOCAL_QUORUM,
                                 .serial = CQL_CONSISTENCY_LOCAL_SERIAL};
    assert_int_equal(cqljob_cqlstore_new(s, cql_session_allocator(s), &set, store), CQL_OK);
}

/* Its first try did not run, so that the second is the only one. */
static void what_is_not_idempotent_runs_once(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    cqljob_store store;
    make_store(s, &store);
    remove_recurring(&store);
    assert_int_equal(server.mc.conditional, 1);
    change_ids(1);
    remove_recurring(&store);
    assert_int_equal(server.mc.conditional, 2);
    store.free(store.self);
    close_session(s);
}

/* Another part of the program hears first that the tables are other ones; then they are back. */
static void outdate_all(cql_session *s)
{
    char *texts[MOCK_STATEMENTS];
    pthread_mutex_lock(&server.lock);
    unsigned count = server.mc.nodes[0].statements;
    for (unsigned i = 0; i < count; i++)
        texts[i] = strdup(server.mc.nodes[0].prepared[i]);
    server.mc.wide_values = true;
    pthread_mutex_unlock(&server.lock);
    assert_true(count > 0);
    for (unsigned i = 0; i < count; i++) {
        cql_prepared *p = NULL;
        assert_int_equal(cql_session_prepare_wait(s, texts[i], &p, NULL), CQL_OK);
        cql_prepared_unref(p);
        free(texts[i]);
    }
    pthread_mutex_lock(&server.lock);
    server.mc.wide_values = false;
    pthread_mutex_unlock(&server.lock);
}

static void what_is_outdated_already_is_prepared_anew(void **state)
{
    (void)state;
    const cqljob_settings set = {.keyspace = "jobsharp",
                                 .consistency = CQL_CONSISTENCY_LOCAL_QUORUM,
                                 .serial = CQL_CONSISTENCY_LOCAL_SERIAL};
    cql_session *s = open_session("loop_threads=0");
    cqljob_store store;
    assert_int_equal(cqljob_cqlstore_new(s, cql_session_allocator(s), &set, &store), CQL_OK);
    remove_recurring(&store);
    outdate_all(s);
    remove_recurring(&store);
    remove_recurring(&store);
    assert_int_equal(server.mc.conditional, 3);
    store.free(store.self);
    close_session(s);
}

/* So that nothing that was sent before to be known elsewhere, too, comes after the change. */
static int start_one(void **state)
{
    (void)state;
    mockserver_start(&server, 1);
    return 0;
}

static void make_tables(bool wide)
{
    pthread_mutex_lock(&server.lock);
    server.mc.wide_values = wide;
    pthread_mutex_unlock(&server.lock);
    change_ids(0);
}

/* As when somebody makes the tables anew by a wrong file, and then by the right one. */
static void tables_of_other_types_are_an_error_until_they_are_right_again(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    cqljob_store store;
    make_store(s, &store);
    for (unsigned i = 1; i <= 2; i++) {
        remove_recurring(&store);
        assert_int_equal(server.mc.conditional, i);
        make_tables(true);
        for (int j = 0; j < 3; j++)
            assert_int_equal(remove_it(&store), CQLJOB_FAILED);
        make_tables(false);
    }
    remove_recurring(&store);
    store.free(store.self);
    close_session(s);
}

/* Ids that change without end are an error, and no loop. */
static void an_id_that_never_stays_is_an_error(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    cql_jobs *jobs = NULL;
    int64_t n;
    assert_int_equal(cql_jobs_new(s, NULL, &jobs), CQL_OK);
    count_waiting(jobs);
    change_ids(1);
    server.mc.restless = true;
    assert_int_equal(cql_jobs_count_wait(jobs, CQL_JOB_SCHEDULED, &n, NULL), CQL_PREPARED_CHANGED);
    assert_true(prepares() < 20);
    server.mc.restless = false;
    cql_jobs_free(jobs);
    close_session(s);
}

static void *count_often(void *jobs)
{
    uintptr_t wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t n;
        wrong += cql_jobs_count_wait(jobs, CQL_JOB_SCHEDULED, &n, NULL) != CQL_OK;
    }
    return (void *)wrong;
}

static void many_threads_find_it_out(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=4");
    cql_jobs *jobs = NULL;
    pthread_t threads[THREADS];
    assert_int_equal(cql_jobs_new(s, NULL, &jobs), CQL_OK);
    count_waiting(jobs);
    change_ids(1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_often, jobs), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    cql_jobs_free(jobs);
    close_session(s);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start_three, stop_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(statements_are_prepared_anew),
        CASE(what_is_not_idempotent_runs_once),
        CASE(what_is_outdated_already_is_prepared_anew),
        cmocka_unit_test_setup_teardown(tables_of_other_types_are_an_error_until_they_are_right_again, start_one,
                                        stop_server),
        CASE(an_id_that_never_stays_is_an_error),
        CASE(many_threads_find_it_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
