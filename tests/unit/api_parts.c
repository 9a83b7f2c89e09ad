/* What a build answers for the parts that it was configured without, and that the others are there. The
 * makefile says which: PART_LZ4 and its like are 0 or 1. No server is needed. */
#include "unit.h"

#include <cqlnative/cql.h>
#include <cqlnative/jobs.h>
#include <cqlnative/metadata.h>
#include <cqlnative/outbox.h>
#include <cqlnative/migrate.h>
#include <cqlnative/schema.h>

/* A session of these options is made (and freed), or refused in words that name the switch. */
static void session_with(const char *url, bool there, const char *words)
{
    cql_options *o = NULL;
    cql_session *s = NULL;
    cql_error *err = NULL;
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    assert_int_equal(cql_options_parse(o, url, NULL), CQL_OK);
    cql_status st = cql_session_new(o, &s, &err);
    if (there) {
        assert_int_equal(st, CQL_OK);
        cql_session_free(s);
    } else {
        assert_int_equal(st, CQL_UNSUPPORTED);
        assert_null(s);
        assert_non_null(strstr(cql_error_text(err), words));
    }
    cql_error_unref(err);
    cql_options_free(o);
}

static void a_session_is_made_by_every_build(void **state)
{
    (void)state;
    session_with("cql://127.0.0.1:1/?loop_threads=0", true, NULL);
}

static void tls_is_there_or_refused(void **state)
{
    (void)state;
    session_with("cql://127.0.0.1:1/?loop_threads=0&tls=verify-full", PART_OPENSSL,
                 "--without-openssl");
}

/* There it is looked for, and not found. */
static void bundles_are_read_or_refused(void **state)
{
    cql_options *o = NULL;
    cql_session *s = NULL;
    cql_error *err = NULL;
    (void)state;
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    assert_int_equal(cql_options_parse(o, "cql://?loop_threads=0&secure_bundle=/none/bundle.zip", NULL),
                     CQL_OK);
    cql_status st = cql_session_new(o, &s, &err);
    assert_int_equal(st, PART_OPENSSL && PART_ZLIB ? CQL_SYSTEM : CQL_UNSUPPORTED);
    assert_non_null(strstr(cql_error_text(err), !PART_OPENSSL ? "--without-openssl"
                                                : !PART_ZLIB  ? "--without-zlib"
                                                              : "secure_bundle /none/bundle.zip: "));
    assert_null(s);
    cql_error_unref(err);
    cql_options_free(o);
}

static void compression_is_there_or_refused(void **state)
{
    (void)state;
    session_with("cql://127.0.0.1:1/?loop_threads=0&compression=lz4", PART_LZ4, "--without-lz4");
}

static void threads_are_there_or_refused(void **state)
{
    (void)state;
    session_with("cql://127.0.0.1:1/?loop_threads=1", PART_THREADS, "loop_threads=0");
    session_with("cql://127.0.0.1:1/?loop_threads=3", PART_THREADS, "loop_threads=0");
}

static void the_schema_module_is_there_or_refused(void **state)
{
    cql_schema_plan *plan = (cql_schema_plan *)&plan; /* anything but NULL */
    cql_error *err = NULL;
    (void)state;
    cql_status st = cql_schema_plan_new(NULL, &plan);
    assert_int_equal(st, PART_SCHEMA ? CQL_OK : CQL_UNSUPPORTED);
    assert_true((plan != NULL) == (bool)PART_SCHEMA);
    st = cql_schema_plan_add_text(plan, "a text", NULL, cql_str_of("USE ks;"), &err);
    assert_int_equal(st, PART_SCHEMA ? CQL_OK : CQL_UNSUPPORTED);
    if (st)
        assert_non_null(strstr(cql_error_text(err), "--disable-schema"));
    assert_int_equal(cql_schema_plan_count(plan), PART_SCHEMA ? 1 : 0);
    cql_error_unref(err);
    cql_schema_plan_free(plan);
}

static void migrations_belong_to_the_schema_module(void **state)
{
    cql_error *err = NULL;
    (void)state;
    cql_status st = cql_migrate_folder_wait(NULL, "folder", NULL, &err);
    assert_int_equal(st, PART_SCHEMA ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    if (!PART_SCHEMA)
        assert_non_null(strstr(cql_error_text(err), "--disable-schema"));
    cql_error_unref(err);
}

static void the_job_store_is_there_or_refused(void **state)
{
    cql_jobs *jobs = NULL;
    cql_error *err = NULL;
    (void)state;
    if (!PART_JOBS) {
        assert_int_equal(cql_jobs_new_with(NULL, NULL, &jobs, &err), CQL_UNSUPPORTED);
        assert_null(jobs);
        assert_non_null(strstr(cql_error_text(err), "--disable-jobs"));
    }
    cql_error_unref(err);
    assert_int_equal(cql_job_state_is_final(CQL_JOB_SUCCEEDED), PART_JOBS);
    cql_jobs_free(jobs);
}

static void the_metadata_are_there_or_refused(void **state)
{
    cql_metadata *m = NULL;
    cql_error *err = NULL;
    (void)state;
    cql_status st = cql_metadata_read_wait(NULL, "ks", &m, &err);
    assert_int_equal(st, PART_METADATA ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    assert_null(m);
    if (!PART_METADATA)
        assert_non_null(strstr(cql_error_text(err), "--disable-metadata"));
    cql_error_unref(err);
    cql_metadata_unref(NULL);
}

static void the_outbox_is_there_or_refused(void **state)
{
    cql_outbox *o = NULL;
    cql_error *err = NULL;
    (void)state;
    cql_status st = cql_outbox_open(NULL, NULL, &o, &err);
    assert_int_equal(st, PART_OUTBOX ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    assert_null(o);
    if (!PART_OUTBOX)
        assert_non_null(strstr(cql_error_text(err), "--disable-outbox"));
    cql_error_unref(err);
    cql_outbox_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_made_by_every_build),
        cmocka_unit_test(tls_is_there_or_refused),
        cmocka_unit_test(bundles_are_read_or_refused),
        cmocka_unit_test(compression_is_there_or_refused),
        cmocka_unit_test(threads_are_there_or_refused),
        cmocka_unit_test(the_schema_module_is_there_or_refused),
        cmocka_unit_test(migrations_belong_to_the_schema_module),
        cmocka_unit_test(the_job_store_is_there_or_refused),
        cmocka_unit_test(the_metadata_are_there_or_refused),
        cmocka_unit_test(the_outbox_is_there_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
