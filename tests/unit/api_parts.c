/* What a build answers for the parts that it was configured without, and that the others are there. The
 * makefile says which: PART_LZ4 and its like are 0 or 1. No server is needed. */
#include "unit.h"

#include "api/statement.h"
#include "cluster/control.h"
#include "types/type.h"

#include <cqlnative/cql.h>
#include <cqlnative/jobs.h>
#include <cqlnative/metadata.h>
#include <cqlnative/outbox.h>
#include <cqlnative/migrate.h>
#include <cqlnative/schema.h>
#include <cqlnative/writer.h>

#include "tests/unit/parts_calls.h"

/* They have options of tables as text. */
#define THERE_METADATA (PART_METADATA && PART_TEXT)
/* They send batches. */
#define THERE_JOBS     (PART_JOBS && PART_BATCHES)
#define THERE_WRITER   (PART_WRITER && PART_BATCHES)

/* Those of a session without a thread, and one more. */
static cql_options *options_with(const char *name, const char *value)
{
    cql_options *o = NULL;
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    assert_int_equal(cql_options_set_number(o, "loop_threads", 0, NULL), CQL_OK);
    assert_int_equal(cql_options_set(o, name, value, NULL), CQL_OK);
    return o;
}

/* A session of these options is made (and freed), or refused in words that name the switch. */
static void session_with(const char *name, const char *value, bool there, const char *words)
{
    cql_options *o = options_with(name, value);
    cql_session *s = NULL;
    cql_error *err = NULL;
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
    session_with("contact_points", "127.0.0.1:1", true, NULL);
}

static void tls_is_there_or_refused(void **state)
{
    (void)state;
    session_with("tls", "verify-full", PART_OPENSSL, "--without-openssl");
}

/* There it is looked for, and not found. */
static void bundles_are_read_or_refused(void **state)
{
    cql_options *o = options_with("secure_bundle", "/none/bundle.zip");
    cql_session *s = NULL;
    cql_error *err = NULL;
    (void)state;
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
    session_with("compression", "lz4", PART_LZ4, "--without-lz4");
}

static void threads_are_there_or_refused(void **state)
{
    (void)state;
    session_with("loop_threads", "1", PART_THREADS, "loop_threads=0");
    session_with("loop_threads", "3", PART_THREADS, "loop_threads=0");
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

static void schema_agreement_belongs_to_the_schema_module(void **state)
{
    cql_error *err = NULL;
    (void)state;
    assert_int_equal(cql_session_agree_wait(NULL, 0, &err), PART_SCHEMA ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    if (!PART_SCHEMA)
        assert_non_null(strstr(cql_error_text(err), "--disable-schema"));
    cql_error_unref(err);
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
    if (!THERE_JOBS) {
        assert_int_equal(cql_jobs_new_with(NULL, NULL, &jobs, &err), CQL_UNSUPPORTED);
        assert_null(jobs);
        assert_non_null(strstr(cql_error_text(err), PART_JOBS ? "--disable-batches" : "--disable-jobs"));
    }
    cql_error_unref(err);
    assert_int_equal(cql_job_state_is_final(CQL_JOB_SUCCEEDED), THERE_JOBS);
    cql_jobs_free(jobs);
}

static void never_called(cql_job *job, void *user)
{
    (void)job;
    (void)user;
}

/* What blocks has a thread of its own, or is refused when it is named. */
static void blocking_handlers_are_there_or_refused(void **state)
{
    cql_session *s = NULL;
    cql_jobs *jobs = NULL;
    cql_options *o = options_with("contact_points", "127.0.0.1:1");
    (void)state;
    assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
    cql_options_free(o);
    assert_int_equal(cql_jobs_new(s, "ks", &jobs), THERE_JOBS ? CQL_OK : CQL_UNSUPPORTED);
    assert_int_equal(cql_jobs_handle_blocking(jobs, "t", never_called, NULL),
                     THERE_JOBS && PART_THREADS ? CQL_OK : CQL_UNSUPPORTED);
    assert_int_equal(cql_jobs_handle(jobs, "t", never_called, NULL), THERE_JOBS ? CQL_OK : CQL_UNSUPPORTED);
    cql_jobs_free(jobs);
    cql_session_free(s);
}

static void the_metadata_are_there_or_refused(void **state)
{
    cql_metadata *m = NULL;
    cql_error *err = NULL;
    (void)state;
    cql_status st = cql_metadata_read_wait(NULL, "ks", &m, &err);
    assert_int_equal(st, THERE_METADATA ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    assert_null(m);
    if (!THERE_METADATA)
        assert_non_null(strstr(cql_error_text(err), PART_METADATA ? "--disable-text" : "--disable-metadata"));
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

static void the_writer_is_there_or_refused(void **state)
{
    cql_writer *w = NULL;
    cql_error *err = NULL;
    (void)state;
    cql_status st = cql_writer_new(NULL, NULL, &w, &err);
    assert_int_equal(st, THERE_WRITER ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    assert_null(w);
    if (!THERE_WRITER)
        assert_non_null(strstr(cql_error_text(err), PART_WRITER ? "--disable-batches" : "--disable-writer"));
    cql_error_unref(err);
    cql_writer_free(NULL);
}

static void insight_is_there_or_refused(void **state)
{
    cql_uuid id = {{0}};
    cql_plan *plan = NULL;
    cql_error *err = NULL;
    (void)state;
    cql_status st = cql_session_explain_wait(NULL, NULL, &plan, &err);
    assert_int_equal(st, PART_INSIGHT ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    if (!PART_INSIGHT)
        assert_non_null(strstr(cql_error_text(err), "--disable-insight"));
    assert_int_equal(cql_session_trace(NULL, id, 0, NULL, NULL),
                     PART_INSIGHT ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    assert_string_equal(cql_metric_name(CQL_METRIC_REQUESTS), PART_INSIGHT ? "requests_total" : "");
    assert_null(cql_session_metrics(NULL));
    cql_error_unref(err);
}

/* What is text is printed by every build. */
static void values_as_text_are_there_or_refused(void **state)
{
    const cql_value number = cql_value_int32(7), text = cql_value_text("a\\b");
    cql_status missing = PART_TEXT ? CQL_OK : CQL_UNSUPPORTED;
    cql_error *err = NULL;
    cql_civil day;
    char out[16];
    size_t len = 0;
    (void)state;
    assert_int_equal(cql_value_print(&text, NULL, out, sizeof out, &len), CQL_OK);
    assert_string_equal(out, "a\\\\b");
    assert_int_equal(len, 4);
    assert_int_equal(cql_value_print(&number, NULL, out, sizeof out, &len), missing);
    assert_string_equal(out, PART_TEXT ? "7" : "");
    assert_int_equal(cql_value_print_json(&number, NULL, out, sizeof out, &len), missing);
    assert_string_equal(out, PART_TEXT ? "7" : "");
    assert_int_equal(cql_value_parse(NULL, cql_str_of("7"), out, sizeof out, &len),
                     PART_TEXT ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    assert_int_equal(cql_type_print(cqln_type_scalar(CQL_TYPE_INT), out, sizeof out, &len), CQL_OK);
    assert_string_equal(out, "int");
    assert_int_equal(cql_date_to_civil(0, &day), missing);
    assert_int_equal(cql_statement_bind_parsed(NULL, 0, "7", &err),
                     PART_TEXT ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    if (!PART_TEXT)
        assert_non_null(strstr(cql_error_text(err), "--disable-text"));
    cql_error_unref(err);
}

static void speculation_is_there_or_refused(void **state)
{
    (void)state;
    session_with("speculation", "constant", PART_SPECULATION, "--disable-speculation");
}

static size_t no_plan(void *self, const cql_balancing_query *q, uint16_t *order, size_t cap)
{
    (void)self;
    (void)q;
    (void)order;
    (void)cap;
    return 0;
}

/* A session that knows no tokens is made all the same: its nodes take requests in turn. */
static void routing_is_there_or_refused(void **state)
{
    const cql_balancing_policy none = {.size = sizeof none}, some = {.size = sizeof some, .plan = no_plan};
    const cql_profile profile = {.size = sizeof profile, .balancing = &some};
    const cql_profile center = {.size = sizeof center, .local_dc = "dc1"};
    cql_options *o = NULL;
    cql_statement *s = NULL;
    (void)state;
    session_with("token_aware", "true", true, NULL);
    assert_int_equal(cql_statement_new("SELECT", 0, NULL, &s), CQL_OK);
    assert_int_equal(cql_statement_set_routing_key(s, "k", 1), PART_ROUTING ? CQL_OK : CQL_UNSUPPORTED);
    assert_int_equal(cql_statement_set_routing_token(s, 1), PART_ROUTING ? CQL_OK : CQL_UNSUPPORTED);
    assert_int_equal(cql_statement_set_profile(s, &profile), PART_ROUTING ? CQL_OK : CQL_UNSUPPORTED);
    assert_int_equal(cql_statement_set_profile(s, &center), CQL_OK);
    size_t count;
    assert_int_equal(cql_session_token_ranges(NULL, 0, NULL, 0, &count),
                     PART_ROUTING ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    assert_int_equal(cql_options_set_balancing_policy(o, &none),
                     PART_ROUTING ? CQL_OK : CQL_UNSUPPORTED);
    cql_options_free(o);
    cql_statement_free(s);
}

/* A session that finds no nodes is made all the same, and uses those that it was given. */
static void nodes_are_found_or_given(void **state)
{
    const cqln_config config = {.discovery = 1};
    static cqln_cluster c;
    (void)state;
    session_with("discovery", "true", true, NULL);
    session_with("allow_hosts", "127.0.0.1", PART_DISCOVERY, "--disable-discovery");
    c.config = &config;
    assert_int_equal(cqln_watch_wanted(&c), PART_DISCOVERY);
}

/* What a column says of its type: a class with nothing in front but its length. */
static void vectors_are_known_or_bytes(void **state)
{
    static const char class[] = "org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.FloatType , 3)";
    uint8_t option[4 + sizeof class] = {0, 0, 0, sizeof class - 1};
    const cql_type *type = NULL;
    cqln_reader rd;
    cqln_arena a;
    (void)state;
    memcpy(option + 4, class, sizeof class - 1);
    cqln_arena_init(&a, cqln_alloc_default(), 0);
    cqln_reader_init(&rd, option, sizeof option - 1);
    assert_int_equal(cqln_type_read(&rd, &a, &type), CQL_OK);
    assert_int_equal(cql_type_of(type), PART_COLLECTIONS ? CQL_TYPE_VECTOR : CQL_TYPE_CUSTOM);
    cqln_arena_fini(&a);
}

static void collections_are_made_or_refused(void **state)
{
    cql_collection *c = NULL;
    cql_statement *s = NULL;
    (void)state;
    assert_int_equal(cql_collection_new(CQL_TYPE_LIST, NULL, &c), PART_COLLECTIONS ? CQL_OK : CQL_UNSUPPORTED);
    assert_int_equal(cql_collection_add(c, cql_value_int32(1)), PART_COLLECTIONS ? CQL_OK : CQL_UNSUPPORTED);
    const cql_value one = cql_value_int32(1);
    const float floats[] = {1, 2};
    assert_int_equal(cql_collection_add_pair(NULL, one, one), PART_COLLECTIONS ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    assert_int_equal(cql_collection_add_floats(NULL, floats, 2), PART_COLLECTIONS ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    assert_int_equal(cql_collection_set_field(NULL, NULL, "f", one),
                     PART_COLLECTIONS ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    cql_collection_clear(NULL);
    assert_int_equal(cql_statement_new("SELECT ?", 1, NULL, &s), CQL_OK);
    assert_int_equal(cql_statement_bind_value(s, 0, cql_value_collection(c)), PART_COLLECTIONS ? CQL_OK : CQL_UNBOUND);
    if (!PART_COLLECTIONS)
        assert_int_equal(cql_value_as_floats(NULL, NULL, NULL, 0), CQL_UNSUPPORTED);
    cql_statement_free(s);
    cql_collection_free(c);
}

static void batches_are_made_or_refused(void **state)
{
    cql_batch *b = (cql_batch *)&b; /* anything but NULL */
    cql_error *err = NULL;
    (void)state;
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &b), PART_BATCHES ? CQL_OK : CQL_UNSUPPORTED);
    assert_true((b != NULL) == (bool)PART_BATCHES);
    assert_int_equal(cql_batch_set_profile(b, NULL), PART_BATCHES ? CQL_OK : CQL_UNSUPPORTED);
    cql_status st = cql_session_execute_batch_wait(NULL, b, NULL, &err);
    assert_int_equal(st, PART_BATCHES ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    if (!PART_BATCHES)
        assert_non_null(strstr(cql_error_text(err), "--disable-batches"));
    cql_error_unref(err);
    cql_batch_free(b);
}

static void options_are_read_from_text_or_refused(void **state)
{
    cql_options *o = options_with("port", "1");
    cql_session *s = (cql_session *)&s; /* anything but NULL */
    cql_option_info info;
    cql_error *err = NULL;
    (void)state;
    assert_int_equal(cql_options_parse(o, "cql://127.0.0.1", NULL), PART_OPTIONS_TEXT ? CQL_OK : CQL_UNSUPPORTED);
    assert_string_equal(cql_options_value(o, "port"), PART_OPTIONS_TEXT ? "1" : "");
    assert_int_equal(cql_options_info(0, &info), PART_OPTIONS_TEXT);
    assert_int_equal(cql_options_set(o, "prot", "1", &err), CQL_NO_SUCH_NAME);
    assert_true((strstr(cql_error_text(err), "\"port\"") != NULL) == (bool)PART_OPTIONS_TEXT);
    cql_error_unref(err);
    err = NULL;
    assert_int_equal(cql_session_open_wait("no connection string", &s, &err),
                     PART_OPTIONS_TEXT ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    assert_null(s);
    if (!PART_OPTIONS_TEXT)
        assert_non_null(strstr(cql_error_text(err), "--disable-options-text"));
    cql_error_unref(err);
    cql_options_free(o);
}

/* By every build, to the same request. */
static void values_are_borrowed_or_copied(void **state)
{
    char text[100];
    cql_statement *s = NULL;
    cqln_writer wr;
    (void)state;
    memset(text, 'a', sizeof text);
    assert_int_equal(cql_statement_new("SELECT ?", 1, NULL, &s), CQL_OK);
    assert_int_equal(cql_statement_bind_borrowed(s, 0, cql_value_blob(text, sizeof text)), CQL_OK);
    assert_true(cqln_extra_has_pieces(s) == (bool)PART_HELPERS);
    cqln_writer_init(&wr, cqln_alloc_default(), 1000);
    assert_int_equal(cqln_extra_write_values(s, false, &wr), CQL_OK);
    assert_int_equal(wr.len, 4 + sizeof text);
    assert_memory_equal(wr.data + 4, text, sizeof text);
    cqln_writer_fini(&wr);
    cql_statement_free(s);
}

static void helpers_are_there_or_refused(void **state)
{
    cql_pages *pages = (cql_pages *)&pages; /* anything but NULL */
    cql_error *err = NULL;
    (void)state;
    assert_int_equal(cql_pages_new(NULL, NULL, 0, &pages), PART_HELPERS ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    cql_status st = cql_statement_bind_struct(NULL, NULL, 0, NULL, &err);
    assert_int_equal(st, PART_HELPERS ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    assert_int_equal(cql_result_column_int32(NULL, 0, NULL, NULL, 0, NULL),
                     PART_HELPERS ? CQL_BAD_ARGUMENT : CQL_UNSUPPORTED);
    if (!PART_HELPERS)
        assert_non_null(strstr(cql_error_text(err), "--disable-helpers"));
    cql_error_unref(err);
}

/* Of whole headers: each that has a status, whatever it is called with. */
static void every_function_of_a_missing_part_says_so(void **state)
{
    size_t count = 0;
    (void)state;
    for (; parts_calls[count].name; count++) {
        cql_error *err = NULL;
        bool right = parts_calls[count].call(&err);
        const char *text = err ? cql_error_text(err) : "";
        if (!right || parts_calls[count].explains != (strstr(text, "(it was configured --") != NULL))
            fail_msg("%s: \"%s\"", parts_calls[count].name, text);
        cql_error_unref(err);
    }
    const size_t least = 40 * !THERE_JOBS + 12 * !PART_SCHEMA + 6 * !PART_OUTBOX + 6 * !THERE_WRITER + 4 * !THERE_METADATA +
                         6 * !PART_INSIGHT + 8 * !PART_ROUTING + 12 * !PART_HELPERS;
    assert_true(count >= least);
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
        cmocka_unit_test(schema_agreement_belongs_to_the_schema_module),
        cmocka_unit_test(migrations_belong_to_the_schema_module),
        cmocka_unit_test(the_job_store_is_there_or_refused),
        cmocka_unit_test(blocking_handlers_are_there_or_refused),
        cmocka_unit_test(the_metadata_are_there_or_refused),
        cmocka_unit_test(the_outbox_is_there_or_refused),
        cmocka_unit_test(the_writer_is_there_or_refused),
        cmocka_unit_test(insight_is_there_or_refused),
        cmocka_unit_test(values_as_text_are_there_or_refused),
        cmocka_unit_test(speculation_is_there_or_refused),
        cmocka_unit_test(routing_is_there_or_refused),
        cmocka_unit_test(nodes_are_found_or_given),
        cmocka_unit_test(vectors_are_known_or_bytes),
        cmocka_unit_test(collections_are_made_or_refused),
        cmocka_unit_test(batches_are_made_or_refused),
        cmocka_unit_test(options_are_read_from_text_or_refused),
        cmocka_unit_test(values_are_borrowed_or_copied),
        cmocka_unit_test(helpers_are_there_or_refused),
        cmocka_unit_test(every_function_of_a_missing_part_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
