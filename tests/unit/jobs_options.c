/* Options of the job store, of a worker and of a clean-up: what each is without being set, that each
 * can be set, and what is refused by its name. */
#include "unit.h"

#include "jobs/worker.h"
#include "jobstore.h"

#include <stddef.h>

static void never(cql_job *job, void *user)
{
    (void)user;
    cql_job_give_back(job);
}

static void on_warning(void *user, cql_str text)
{
    (void)user;
    (void)text;
}

/* --- the store -------------------------------------------------------------------------------- */
static void store_has_standards(void **state)
{
    cql_jobs_options o = {.size = sizeof o};
    cqljob_settings set;
    (void)state;
    for (int i = 0; i < 2; i++) {
        memset(&set, 0xff, sizeof set);
        assert_int_equal(cqljob_settings_read(&set, i ? &o : NULL, NULL), CQL_OK);
        assert_string_equal(set.keyspace, "jobsharp");
        assert_int_equal(set.buckets, 10);
        assert_int_equal(set.consistency, CQL_CONSISTENCY_LOCAL_QUORUM);
        assert_int_equal(set.serial, CQL_CONSISTENCY_LOCAL_SERIAL);
        assert_int_equal(set.timeout_ms, 0);
        assert_int_equal(set.grace_ms, 120000);
        assert_int_equal(set.max_bytes, 1048576);
        assert_int_equal(set.max_retries, 3);
        assert_true(set.on_warning == NULL);
    }
}

static void each_option_of_the_store_is_taken(void **state)
{
    int place = 0;
    cql_jobs_options o = {.size = sizeof o,
                          .keyspace = "work_1",
                          .buckets = 100,
                          .consistency = CQL_CONSISTENCY_QUORUM,
                          .serial_consistency = CQL_CONSISTENCY_SERIAL,
                          .timeout_ms = 1500,
                          .grace_s = 60,
                          .max_bytes = 1000,
                          .max_retries = 7,
                          .on_warning = on_warning,
                          .user = &place};
    cqljob_settings set;
    (void)state;
    assert_int_equal(cqljob_settings_read(&set, &o, NULL), CQL_OK);
    assert_string_equal(set.keyspace, "work_1");
    assert_int_equal(set.buckets, 100);
    assert_int_equal(set.consistency, CQL_CONSISTENCY_QUORUM);
    assert_int_equal(set.serial, CQL_CONSISTENCY_SERIAL);
    assert_int_equal(set.timeout_ms, 1500);
    assert_int_equal(set.grace_ms, 60000);
    assert_int_equal(set.max_bytes, 1000);
    assert_int_equal(set.max_retries, 7);
    assert_true(set.on_warning == on_warning);
    assert_ptr_equal(set.user, &place);
    o.max_retries = -1;
    assert_int_equal(cqljob_settings_read(&set, &o, NULL), CQL_OK);
    assert_int_equal(set.max_retries, 0);
    /* A program that was built when there were fewer. */
    o.size = offsetof(cql_jobs_options, grace_s);
    assert_int_equal(cqljob_settings_read(&set, &o, NULL), CQL_OK);
    assert_int_equal(set.buckets, 100);
    assert_int_equal(set.grace_ms, 120000);
}

static void options_of_the_store_out_of_range_are_named(void **state)
{
    static const char long_name[] = "a2345678901234567890123456789012345678901234567890";
    const cql_jobs_options bad[] = {
        {.size = 1},
        {.size = sizeof bad[0], .keyspace = ""},
        {.size = sizeof bad[0], .keyspace = "a\"b"},
        {.size = sizeof bad[0], .keyspace = long_name},
        {.size = sizeof bad[0], .buckets = 1001},
        {.size = sizeof bad[0], .consistency = CQL_CONSISTENCY_SERIAL},
        {.size = sizeof bad[0], .consistency = 77},
        {.size = sizeof bad[0], .serial_consistency = CQL_CONSISTENCY_QUORUM},
        {.size = sizeof bad[0], .grace_s = 86401},
        {.size = sizeof bad[0], .max_bytes = 64 * 1024 * 1024 + 1},
        {.size = sizeof bad[0], .max_retries = -2},
    };
    static const char *const words[] = {"size",        "keyspace",    "keyspace",
                                        "keyspace",    "buckets",     "consistency",
                                        "consistency", "serial_cons", "grace_s",
                                        "max_bytes",   "max_retries"};
    cqljob_settings set;
    cql_error *err = NULL;
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        assert_int_equal(cqljob_settings_read(&set, &bad[i], &err), CQL_BAD_ARGUMENT);
        assert_int_equal(cql_error_status(err), CQL_BAD_ARGUMENT);
        assert_memory_equal(cql_error_text(err), words[i], strlen(words[i]));
    }
    cql_error_unref(err);
    assert_int_equal(cqljob_settings_read(&set, &bad[0], NULL), CQL_BAD_ARGUMENT);
}

/* --- a worker --------------------------------------------------------------------------------- */
typedef struct scene {
    jobstore *db;
    jobstore_client client;
    cql_jobs *jobs;
    cql_worker *w;
} scene;

static void begin(scene *s, const cql_worker_options *o)
{
    memset(s, 0, sizeof *s);
    s->db = jobstore_new(0);
    jobstore_client_init(&s->client, s->db);
    s->jobs = jobstore_open(&s->client, NULL);
    assert_int_equal(cql_jobs_handle(s->jobs, "mail", never, NULL), CQL_OK);
    assert_int_equal(cql_worker_new(s->jobs, o, &s->w, NULL), CQL_OK);
}

static void end(scene *s)
{
    cql_worker_free(s->w);
    cql_jobs_free(s->jobs);
    jobstore_free(s->db);
}

static void worker_has_standards(void **state)
{
    cql_worker_options o = {.size = sizeof o};
    (void)state;
    for (int i = 0; i < 2; i++) {
        scene s;
        begin(&s, i ? &o : NULL);
        assert_int_equal(s.w->set.concurrency, 10);
        assert_int_equal(s.w->set.lease_ms, 300000);
        assert_int_equal(s.w->set.poll_ms, 5000);
        assert_int_equal(s.w->set.recurring_ms, 60000);
        assert_int_equal(s.w->set.batch, 100);
        assert_int_equal(s.w->set.stop_ms, 30000);
        assert_int_equal(s.w->set.retention_s, 0);
        assert_int_equal(s.w->set.retry.kind, CQL_BACKOFF_FIXED);
        assert_int_equal(cqljob_backoff_ms(&s.w->set.retry, 1, 12345), 30000);
        assert_int_equal(cqljob_backoff_ms(&s.w->set.retry, 3, 12345), 30000);
        assert_false(s.w->set.drain);
        assert_false(s.w->set.manual_renew);
        assert_memory_equal(s.w->name, "pid-", 4);
        end(&s);
    }
}

static void each_option_of_a_worker_is_taken(void **state)
{
    cql_worker_options o = {.size = sizeof o,
                            .concurrency = 3,
                            .lease_s = 20,
                            .poll_ms = 400,
                            .retry_delay_ms = 700,
                            .stop_s = 5,
                            .batch = 17,
                            .drain = true,
                            .manual_renew = true,
                            .name = "here:1",
                            .recurring_poll_ms = 9000,
                            .retention_s = 86400};
    scene s;
    (void)state;
    begin(&s, &o);
    assert_int_equal(s.w->set.concurrency, 3);
    assert_int_equal(s.w->set.lease_ms, 20000);
    assert_int_equal(s.w->set.poll_ms, 400);
    assert_int_equal(cqljob_backoff_ms(&s.w->set.retry, 2, 0), 700);
    assert_int_equal(s.w->set.stop_ms, 5000);
    assert_int_equal(s.w->set.batch, 17);
    assert_true(s.w->set.drain);
    assert_true(s.w->set.manual_renew);
    assert_string_equal(s.w->name, "here:1");
    assert_int_equal(s.w->set.recurring_ms, 9000);
    assert_int_equal(s.w->set.retention_s, 86400);
    end(&s);
    o.retry = (cql_job_backoff){CQL_BACKOFF_EXPONENTIAL, 100, 350, 0};
    o.no_recurring = true;
    begin(&s, &o);
    assert_int_equal(cqljob_backoff_ms(&s.w->set.retry, 1, 0), 100);
    assert_int_equal(cqljob_backoff_ms(&s.w->set.retry, 2, 0), 200);
    assert_int_equal(cqljob_backoff_ms(&s.w->set.retry, 3, 0), 350);
    assert_int_equal(s.w->set.recurring_ms, 0);
    end(&s);
}

/* Beyond those in jobs_worker. */
static void options_of_a_worker_out_of_range_are_named(void **state)
{
    const cql_worker_options bad[] = {
        {.size = 5000},
        {.size = sizeof bad[0], .recurring_poll_ms = 86400001},
        {.size = sizeof bad[0], .retry = {.kind = 3}},
        {.size = sizeof bad[0], .retry = {.kind = CQL_BACKOFF_FIXED, .jitter_percent = 101}},
    };
    static const char *const words[] = {"size", "recurring_poll_ms", "retry", "retry"};
    cql_error *err = NULL;
    cql_worker *w;
    scene s;
    (void)state;
    begin(&s, NULL);
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        assert_int_equal(cql_worker_new(s.jobs, &bad[i], &w, &err), CQL_BAD_ARGUMENT);
        assert_memory_equal(cql_error_text(err), words[i], strlen(words[i]));
        assert_null(w);
    }
    cql_error_unref(err);
    end(&s);
}

static void options_reach_what_they_are_for(void **state)
{
    cql_job_backoff b = {.kind = CQL_BACKOFF_FIXED, .delay_ms = 5};
    scene s;
    (void)state;
    begin(&s, NULL);
    assert_int_equal(cql_jobs_set_backoff(s.jobs, "mail", &b), CQL_BAD_STATE); /* it works already */
    cql_worker_free(s.w);
    s.w = NULL;
    assert_int_equal(cql_jobs_set_backoff(s.jobs, "print", &b), CQL_NOT_FOUND);
    assert_int_equal(cql_jobs_set_backoff(s.jobs, "mail", &b), CQL_OK);
    b.jitter_percent = 101;
    assert_int_equal(cql_jobs_set_backoff(s.jobs, "mail", &b), CQL_BAD_ARGUMENT);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_has_standards),
        cmocka_unit_test(each_option_of_the_store_is_taken),
        cmocka_unit_test(options_of_the_store_out_of_range_are_named),
        cmocka_unit_test(worker_has_standards),
        cmocka_unit_test(each_option_of_a_worker_is_taken),
        cmocka_unit_test(options_of_a_worker_out_of_range_are_named),
        cmocka_unit_test(options_reach_what_they_are_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
