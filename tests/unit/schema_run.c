/* Runs against the server inside the test: what is sent, in which order, what is told, and what
 * happens when the server or the network does not play along. */
#include "schema_fake.h"
#include "unit.h"

/* --- what a run tells ------------------------------------------------------------------------- */

typedef struct told {
    char text[8192]; /* objects, differences and messages, a line each */
    int waits;
    size_t rows;
    size_t pages;
} told;

static void add(told *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(told *t, const char *format, ...)
{
    va_list args;
    size_t used = strlen(t->text);
    va_start(args, format);
    (void)vsnprintf(t->text + used, sizeof t->text - used, format, args);
    va_end(args);
}

static void on_object(const cql_schema_object *o, void *user)
{
    add(user, "%s %s %s\n", o->word, o->kind, o->name);
    for (size_t i = 0; i < o->difference_count; i++)
        add(user, "  %s%s\n", o->differences[i].note ? "note: " : "", o->differences[i].text);
}

static void on_message(const cql_schema_message *m, void *user)
{
    told *t = user;
    if (m->kind == CQL_SCHEMA_MESSAGE_WAITING) {
        assert_non_null(m->cause);
        t->waits++;
    } else if (m->kind == CQL_SCHEMA_MESSAGE_WARNING) {
        add(t, "warning at %s:%u: %s\n", m->file, m->line, m->text);
    } else if (m->kind == CQL_SCHEMA_MESSAGE_NOTE) {
        add(t, "note: %s\n", m->text);
    }
}

static void on_rows(const cql_schema_rows *rows, void *user)
{
    told *t = user;
    cql_rows cursor;
    assert_int_equal(rows->first, t->pages == 0);
    t->pages++;
    cql_rows_init(&cursor, rows->result);
    while (cql_rows_next(&cursor))
        t->rows++;
}

/* One run with everything around it. */
typedef struct scene {
    fake_server fs;
    cql_session *s;
    told t;
    cql_schema_options opts;
    cql_schema_summary summary;
    cql_error *err;
    cql_status st;
} scene;

static void scene_begin(scene *sc)
{
    memset(sc, 0, sizeof *sc);
    fake_init(&sc->fs);
    sc->s = fake_session(&sc->fs);
    sc->opts.size = sizeof sc->opts;
    sc->opts.retry_ms = 1;
    sc->opts.on_object = on_object;
    sc->opts.on_message = on_message;
    sc->opts.on_rows = on_rows;
    sc->opts.user = &sc->t;
    sc->opts.summary = &sc->summary;
}

static void scene_end(scene *sc)
{
    cql_error_unref(sc->err);
    fake_fini(&sc->fs);
}

/* Runs again on the same server, with everything told forgotten. */
static void apply(scene *sc, const char *cql)
{
    memset(&sc->t, 0, sizeof sc->t);
    sc->fs.log[0] = '\0';
    sc->fs.statements = 0;
    sc->st = cql_schema_apply_wait(sc->s, cql, &sc->opts, &sc->err);
}

static void verify(scene *sc, const char *cql)
{
    memset(&sc->t, 0, sizeof sc->t);
    cql_error_unref(sc->err);
    sc->err = NULL;
    sc->st = cql_schema_verify_wait(sc->s, cql, &sc->opts, &sc->err);
    cql_error_unref(sc->err);
    sc->err = NULL;
}

static void expect(const scene *sc, cql_status st, const char *text)
{
    if (sc->st != st)
        fail_msg("status %s (%s)\n%s", cql_status_name(sc->st),
                 sc->err ? cql_error_text(sc->err) : "", sc->t.text);
    assert_string_equal(sc->t.text, text);
}

static void expect_error(const scene *sc, cql_status st, const char *part)
{
    assert_int_equal(sc->st, st);
    assert_non_null(sc->err);
    assert_int_equal(cql_error_status(sc->err), st);
    if (!strstr(cql_error_text(sc->err), part))
        fail_msg("'%s' lacks '%s'", cql_error_text(sc->err), part);
}

static const char schema[] = "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': "
                             "'SimpleStrategy', 'replication_factor': "
                             "1};\n"
                             "CREATE TYPE IF NOT EXISTS k.u (a int);\n"
                             "CREATE TABLE IF NOT EXISTS k.t (a int, b text, c frozen<u>, PRIMARY "
                             "KEY (a, b)) WITH CLUSTERING ORDER "
                             "BY (b DESC) AND default_time_to_live = 60;\n"
                             "CREATE INDEX IF NOT EXISTS i ON k.t (c);\n";

static const char schema_exists[] =
    "exists keyspace k\nexists type k.u\nexists table k.t\nexists index k.i\n";
static const char schema_created[] =
    "created keyspace k\ncreated type k.u\ncreated table k.t\ncreated index k.i\n";

/* --- applying --------------------------------------------------------------------------------- */

static void objects_are_created_then_exist(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    apply(&sc, schema);
    expect(&sc, CQL_OK, schema_created);
    assert_int_equal(sc.fs.statements, 4);
    assert_int_equal(sc.summary.created, 4);
    apply(&sc, schema);
    expect(&sc, CQL_OK, schema_exists);
    /* A second run sends nothing at all. */
    assert_string_equal(sc.fs.log, "");
    assert_int_equal(sc.summary.existing, 4);
    scene_end(&sc);
}

static void differences_are_told_with_their_object(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    apply(&sc, schema);
    fake_execute(&sc.fs,
                 "ALTER TABLE k.t WITH default_time_to_live = 61; ALTER TABLE k.t ADD d int");
    apply(&sc, schema);
    expect(&sc, CQL_SCHEMA_DIFFERS,
           "exists keyspace k\nexists type k.u\ndiffers table k.t\n  column d: not in the CQL, "
           "found int\n"
           "  default_time_to_live: expected 60, found 61\nexists index k.i\n");
    expect_error(&sc, CQL_SCHEMA_DIFFERS, "differs from the CQL in 2 points");
    assert_int_equal(sc.summary.differences, 2);
    sc.opts.verify = CQL_SCHEMA_VERIFY_OFF;
    apply(&sc, schema);
    expect(&sc, CQL_OK, schema_exists);
    scene_end(&sc);
}

static void verifying_sends_nothing_and_misses_what_is_missing(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    apply(&sc, schema);
    fake_execute(&sc.fs, "DROP INDEX k.i");
    apply(&sc, "SELECT 1");
    memset(&sc.t, 0, sizeof sc.t);
    sc.fs.log[0] = '\0';
    sc.st = cql_schema_verify_wait(sc.s, schema, &sc.opts, &sc.err);
    expect(&sc, CQL_SCHEMA_DIFFERS,
           "exists keyspace k\nexists type k.u\nexists table k.t\ndiffers index k.i\n"
           "  the index does not exist\n");
    assert_string_equal(sc.fs.log, "");
    scene_end(&sc);
}

static void what_is_missing_is_made_around_what_is_there(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    apply(&sc, schema);
    fake_execute(&sc.fs, "DROP INDEX k.i");
    apply(&sc, schema);
    expect(&sc, CQL_OK,
           "exists keyspace k\nexists type k.u\nexists table k.t\ncreated index k.i\n");
    assert_int_equal(sc.fs.statements, 1);
    scene_end(&sc);
}

/* What DESCRIBE prints has no IF NOT EXISTS; it can be applied all the same. */
static void creates_without_a_condition_may_be_repeated(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    const char *cql =
        "CREATE KEYSPACE k WITH replication = {'class': 'S'}; CREATE TABLE k.t (a int PRIMARY "
        "KEY)";
    apply(&sc, cql);
    expect(&sc, CQL_OK, "created keyspace k\ncreated table k.t\n");
    apply(&sc, cql);
    expect(&sc, CQL_OK, "exists keyspace k\nexists table k.t\n");
    scene_end(&sc);
}

static void other_statements_run_in_their_place(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    apply(
        &sc,
        "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'S'}; USE k; CONSISTENCY "
        "QUORUM\n"
        "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t (a) VALUES (1); BEGIN BATCH x; y; APPLY "
        "BATCH; TRUNCATE t");
    expect(&sc, CQL_OK, "created keyspace k\ncreated table k.t\n");
    assert_string_equal(sc.fs.log,
                        "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'S'}\n"
                        "USE k\n"
                        "QUORUM CREATE TABLE t (a int PRIMARY KEY)\n"
                        "QUORUM INSERT INTO t (a) VALUES (1)\n"
                        "QUORUM BEGIN BATCH x; y; APPLY BATCH\n"
                        "QUORUM TRUNCATE t\n");
    assert_int_equal(sc.summary.statements, 3);
    scene_end(&sc);
}

#define FUNCTION_REST " CALLED ON NULL INPUT RETURNS int LANGUAGE java AS "

static void functions_of_one_name_are_objects_of_their_own(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    apply(&sc, "CREATE KEYSPACE k WITH replication = {'class': 'S'}; CREATE FUNCTION k.f (x int, y "
               "map<text, int>)" FUNCTION_REST "'a'");
    expect(&sc, CQL_OK, "created keyspace k\ncreated function k.f\n");
    apply(&sc, "CREATE FUNCTION IF NOT EXISTS k.f (x int, y frozen<map<varchar, int>>)" FUNCTION_REST
               "$$a$$; CREATE FUNCTION IF NOT EXISTS k.f (x bigint)" FUNCTION_REST
               "'a'; CREATE FUNCTION IF NOT EXISTS k.f ()" FUNCTION_REST "'a'");
    expect(&sc, CQL_OK, "exists function k.f\ncreated function k.f\ncreated function k.f\n");
    assert_string_equal(sc.fs.log,
                        "CREATE FUNCTION IF NOT EXISTS k.f (x bigint)" FUNCTION_REST "'a'\n"
                        "CREATE FUNCTION IF NOT EXISTS k.f ()" FUNCTION_REST "'a'\n");
    scene_end(&sc);
}

static void what_is_to_be_replaced_is_sent_again(void **state)
{
    static const char cql[] = "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'S'}; "
                              "CREATE OR REPLACE FUNCTION k.f (x int)" FUNCTION_REST "'a'";
    scene sc;
    (void)state;
    scene_begin(&sc);
    apply(&sc, cql);
    expect(&sc, CQL_OK, "created keyspace k\ncreated function k.f\n");
    assert_int_equal(sc.summary.statements, 0);
    apply(&sc, cql);
    expect(&sc, CQL_OK, "exists keyspace k\nexists function k.f\n");
    assert_string_equal(sc.fs.log, "CREATE OR REPLACE FUNCTION k.f (x int)" FUNCTION_REST "'a'\n");
    assert_int_equal(sc.summary.statements, 1);
    scene_end(&sc);
}

/* What is there now is compared, not what was there before. */
static void what_was_replaced_does_not_differ(void **state)
{
    scene sc;
    char old[2000] = "CREATE KEYSPACE k WITH replication = {'class': 'S'}";
    char new[2000] = "";
    (void)state;
    for (int i = 0; i < 9; i++) {
        size_t n = strlen(old);
        (void)snprintf(old + n, sizeof old - n, "; CREATE FUNCTION k.f%d (x int)" FUNCTION_REST "'old'", i);
        n = strlen(new);
        (void)snprintf(new + n, sizeof new - n,
                       "CREATE OR REPLACE FUNCTION k.f%d (x int)" FUNCTION_REST "'new'; ", i);
    }
    scene_begin(&sc);
    apply(&sc, old);
    assert_int_equal(sc.st, CQL_OK);
    verify(&sc, new);
    assert_int_equal(sc.st, CQL_SCHEMA_DIFFERS);
    assert_int_equal(sc.summary.differing, 9);
    sc.opts.dry_run = true;
    apply(&sc, new);
    assert_int_equal(sc.st, CQL_OK);
    sc.opts.dry_run = false;
    apply(&sc, new);
    assert_int_equal(sc.st, CQL_OK);
    assert_int_equal(sc.summary.existing, 9);
    verify(&sc, new);
    assert_int_equal(sc.st, CQL_OK);
    scene_end(&sc);
}

static void views_functions_and_triggers_are_read_from_the_server(void **state)
{
    static const char cql[] =
        "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'S'}; USE k; CREATE TABLE IF NOT EXISTS t "
        "(a int, b int, c int, PRIMARY KEY (a, b)); CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT b, c, a FROM "
        "t WHERE a IS NOT NULL AND b > %d PRIMARY KEY (b, a) WITH comment = '%d'; CREATE FUNCTION IF NOT "
        "EXISTS f (x int)" FUNCTION_REST "'%d'; CREATE AGGREGATE IF NOT EXISTS g (int) SFUNC f STYPE int "
        "INITCOND %d; CREATE TRIGGER IF NOT EXISTS h ON t USING 'x%d'";
    scene sc;
    char text[2000];
    (void)state;
    scene_begin(&sc);
    (void)snprintf(text, sizeof text, cql, 1, 1, 1, 1, 1);
    apply(&sc, text);
    assert_int_equal(sc.st, CQL_OK);
    verify(&sc, text);
    assert_int_equal(sc.st, CQL_OK);
    (void)snprintf(text, sizeof text, cql, 2, 2, 2, 2, 2);
    verify(&sc, text);
    expect(&sc, CQL_SCHEMA_DIFFERS,
           "exists keyspace k\nexists table k.t\ndiffers view k.v\n"
           "  where: expected a IS NOT NULL AND b > 2, found a IS NOT NULL AND b > 1\n"
           "  comment: expected 2, found 1\n"
           "differs function k.f\n  body, line 1: expected 2, found 1\n"
           "differs aggregate k.g\n  initial condition: expected 2, found 1\n"
           "differs trigger k.h\n  class: expected x2, found x1\n");
    scene_end(&sc);
}

static void rows_come_page_by_page(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    sc.fs.page = 2;
    apply(&sc, "SELECT n FROM x");
    expect(&sc, CQL_OK, "");
    assert_int_equal(sc.t.pages, 2);
    assert_int_equal(sc.t.rows, 3);
    assert_int_equal(sc.fs.statements, 1);
    scene_end(&sc);
}

static void warnings_reach_the_user_with_their_place(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    sc.fs.warning = "beware";
    apply(&sc, "\nINSERT x");
    expect(&sc, CQL_OK, "warning at text:2: beware\n");
    assert_int_equal(sc.summary.warnings, 1);
    scene_end(&sc);
}

static void alters_in_the_text_belong_to_what_is_expected(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    fake_execute(&sc.fs, "CREATE KEYSPACE k; CREATE TABLE k.t (a int PRIMARY KEY)");
    apply(&sc, "CREATE TABLE IF NOT EXISTS k.t (a int PRIMARY KEY); ALTER TABLE k.t ADD b int");
    expect(&sc, CQL_OK, "exists table k.t\n");
    assert_string_equal(sc.fs.log, "ALTER TABLE k.t ADD b int\n");
    scene_end(&sc);
}

static void drops_in_the_text_make_room(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    fake_execute(&sc.fs, "CREATE KEYSPACE k; CREATE TABLE k.t (x text PRIMARY KEY)");
    apply(&sc, "DROP TABLE IF EXISTS k.t; CREATE TABLE k.t (a int PRIMARY KEY)");
    expect(&sc, CQL_OK, "created table k.t\n");
    scene_end(&sc);
}

static void names_of_nameless_indexes_are_told(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    fake_execute(&sc.fs,
                 "CREATE KEYSPACE k; CREATE TABLE k.t (a int PRIMARY KEY, m map<int, int>)");
    apply(&sc, "CREATE INDEX IF NOT EXISTS ON k.t (keys(m))");
    expect(&sc, CQL_OK, "created index k.t_m_idx\n");
    apply(&sc, "CREATE INDEX IF NOT EXISTS ON k.t (keys(m))");
    expect(&sc, CQL_OK, "exists index k.server_made_idx\n");
    scene_end(&sc);
}

/* --- keyspaces in use ------------------------------------------------------------------------- */

static void use_ends_with_its_text(void **state)
{
    scene sc;
    cql_schema_plan *plan = NULL;
    (void)state;
    scene_begin(&sc);
    fake_execute(&sc.fs, "CREATE KEYSPACE a; CREATE KEYSPACE b");
    assert_int_equal(cql_schema_plan_new(NULL, &plan), CQL_OK);
    assert_int_equal(cql_schema_plan_add_text(plan, "one", NULL,
                                              cql_str_of("USE a; CREATE TABLE t (x int "
                                                         "PRIMARY KEY)"),
                                              NULL),
                     CQL_OK);
    assert_int_equal(cql_schema_plan_add_text(plan, "two", NULL,
                                              cql_str_of("\nCREATE TABLE t (x int PRIMARY KEY)"),
                                              NULL),
                     CQL_OK);
    sc.st = cql_schema_plan_apply_wait(sc.s, plan, &sc.opts, &sc.err);
    expect_error(&sc, CQL_BAD_CQL_FILE, "two:2: table t has no keyspace");
    assert_string_equal(sc.t.text, "created table a.t\n");
    /* With a keyspace to fall back to, it is gone back to. */
    sc.opts.keyspace = "b";
    memset(&sc.t, 0, sizeof sc.t);
    sc.st = cql_schema_plan_apply_wait(sc.s, plan, &sc.opts, &sc.err);
    expect(&sc, CQL_OK, "exists table a.t\ncreated table b.t\n");
    assert_string_equal(sc.fs.keyspace, "b");
    cql_schema_plan_free(plan);
    scene_end(&sc);
}

static void statements_without_a_known_keyspace_are_only_sent(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    fake_execute(&sc.fs, "CREATE KEYSPACE k");
    (void)snprintf(sc.fs.keyspace, sizeof sc.fs.keyspace, "k");
    apply(&sc, "CREATE TABLE IF NOT EXISTS t (a int PRIMARY KEY)");
    expect(&sc, CQL_OK, "");
    assert_int_equal(sc.summary.statements, 1);
    sc.opts.keyspace = "k";
    apply(&sc, "CREATE TABLE IF NOT EXISTS t (a int PRIMARY KEY)");
    expect(&sc, CQL_OK, "exists table k.t\n");
    scene_end(&sc);
}

/* --- options ---------------------------------------------------------------------------------- */

static void replication_is_overridden(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    sc.opts.replication = "dc1:3";
    apply(&sc, schema);
    expect(&sc, CQL_OK, schema_created);
    assert_non_null(
        strstr(sc.fs.log, "replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3}\n"));
    sc.opts.replication = NULL;
    apply(&sc, schema);
    assert_int_equal(sc.st, CQL_SCHEMA_DIFFERS);
    assert_non_null(strstr(sc.t.text,
                           "differs keyspace k\n  replication: expected {'class': "
                           "'SimpleStrategy', 'replication_factor': '1'}, found {'class': "
                           "'NetworkTopologyStrategy', 'dc1': '3'}\n"));
    sc.opts.verify = CQL_SCHEMA_VERIFY_SHAPE;
    apply(&sc, schema);
    assert_int_equal(sc.st, CQL_OK);
    sc.opts.replication = "many";
    apply(&sc, schema);
    expect_error(&sc, CQL_BAD_ARGUMENT, "'many'");
    scene_end(&sc);
}

static void only_keyspaces_when_asked(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    sc.opts.keyspaces_only = true;
    apply(&sc, schema);
    expect(&sc, CQL_OK, "created keyspace k\n");
    assert_int_equal(sc.fs.statements, 1);
    scene_end(&sc);
}

static void settings_go_into_create_alter_and_comparison(void **state)
{
    scene sc;
    static const char *const one[] = {"k.t.default_time_to_live=5", "k.t.comment=it's"};
    static const char *const wrong[] = {"k.x.comment=y"};
    (void)state;
    scene_begin(&sc);
    sc.opts.settings = one;
    sc.opts.setting_count = 2;
    apply(&sc, schema);
    expect(&sc, CQL_OK, schema_created);
    assert_non_null(strstr(sc.fs.log, "default_time_to_live = 5 AND comment = 'it''s'\n"));
    fake_execute(&sc.fs, "ALTER TABLE k.t WITH default_time_to_live = 9");
    apply(&sc, schema);
    /* Told at the end, when it is as it should be. */
    expect(&sc, CQL_OK, "exists keyspace k\nexists type k.u\nexists index k.i\nexists table k.t\n");
    assert_string_equal(sc.fs.log, "ALTER TABLE k.t WITH default_time_to_live = 5\n");
    sc.opts.settings = wrong;
    sc.opts.setting_count = 1;
    apply(&sc, schema);
    expect_error(&sc, CQL_BAD_ARGUMENT, "table k.x has no CREATE TABLE");
    scene_end(&sc);
}

static void a_dry_run_changes_nothing(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    sc.opts.dry_run = true;
    apply(&sc, schema);
    expect(&sc, CQL_OK, "absent keyspace k\nabsent type k.u\nabsent table k.t\nabsent index k.i\n");
    assert_string_equal(sc.fs.log, "");
    assert_int_equal(sc.summary.absent, 4);
    scene_end(&sc);
}

static void a_plan_is_told_without_a_server_and_used_again(void **state)
{
    scene sc;
    cql_schema_plan *plan = NULL;
    (void)state;
    scene_begin(&sc);
    assert_int_equal(cql_schema_plan_new(NULL, &plan), CQL_OK);
    assert_int_equal(cql_schema_plan_add_text(plan, NULL, NULL, cql_str_of(schema), NULL), CQL_OK);
    sc.opts.dry_run = true;
    sc.opts.replication = "7";
    assert_int_equal(cql_schema_plan_apply_wait(NULL, plan, &sc.opts, &sc.err), CQL_OK);
    assert_int_equal(sc.summary.absent, 4);
    sc.opts.dry_run = false;
    assert_int_equal(cql_schema_plan_apply_wait(NULL, plan, &sc.opts, &sc.err), CQL_BAD_ARGUMENT);
    sc.opts.replication = NULL;
    memset(&sc.t, 0, sizeof sc.t);
    sc.st = cql_schema_plan_apply_wait(sc.s, plan, &sc.opts, &sc.err);
    expect(&sc, CQL_OK, schema_created);
    assert_null(strstr(sc.fs.log, "7"));
    cql_schema_plan_free(plan);
    scene_end(&sc);
}

static void a_reset_needs_its_word(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    apply(&sc, schema);
    fake_execute(&sc.fs, "CREATE TABLE k.extra (a int PRIMARY KEY); CREATE KEYSPACE other");
    sc.fs.log[0] = '\0';
    sc.st = cql_schema_reset_wait(sc.s, schema, &sc.opts, &sc.err);
    expect_error(&sc, CQL_BAD_STATE, "not confirmed");
    assert_string_equal(sc.fs.log, "");
    memset(&sc.t, 0, sizeof sc.t);
    sc.opts.drop_all_data = true;
    sc.st = cql_schema_reset_wait(sc.s, schema, &sc.opts, &sc.err);
    expect(&sc, CQL_OK,
           "dropped keyspace k\ncreated keyspace k\ncreated type k.u\ncreated table k.t\ncreated "
           "index k.i\n");
    assert_int_equal(sc.summary.dropped, 1);
    assert_int_equal(sc.summary.statements, 0);
    assert_null(
        cqlsch_model_find(&sc.fs.model, CQLSCH_TABLE, cql_str_of("k"), cql_str_of("extra")));
    assert_non_null(
        cqlsch_model_find(&sc.fs.model, CQLSCH_KEYSPACE, cql_str_of("other"), cql_str_of("")));
    scene_end(&sc);
}

static void more_copies_than_nodes_are_noted_with_what_mends_it(void **state)
{
    scene sc;
    fake_host hosts[] = {{.data_center = "dc1", .up = true},
                         {.data_center = "dc1", .up = true},
                         {.data_center = "dc2", .up = true}};
    (void)state;
    scene_begin(&sc);
    sc.fs.hosts = hosts;
    sc.fs.host_count = 3;
    apply(&sc, "CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': "
               "3, 'dc2': 1}");
    expect(&sc, CQL_OK,
           "created keyspace k\nnote: keyspace k keeps 3 copies in dc1, where 2 nodes are up: "
           "QUORUM and "
           "conditional writes fail while that is so; on a cluster of this size: ALTER KEYSPACE k "
           "WITH "
           "replication = {'class': 'NetworkTopologyStrategy', 'dc1': 2, 'dc2': 1};\n");
    apply(&sc, "CREATE KEYSPACE s WITH replication = {'class': 'SimpleStrategy', "
               "'replication_factor': 3}");
    expect(&sc, CQL_OK, "created keyspace s\n");
    apply(&sc, "CREATE KEYSPACE u WITH replication = {'class': 'SimpleStrategy', "
               "'replication_factor': 4}");
    assert_non_null(strstr(sc.t.text, "keeps 4 copies, where 3 nodes are up"));
    scene_end(&sc);
}

static void everything_goes_to_the_node_with_the_smallest_id(void **state)
{
    scene sc;
    fake_host hosts[] = {{.up = true, .address = "a:1", .id = 7},
                         {.up = false, .address = "b:1", .id = 1},
                         {.up = true, .address = "c:1", .id = 3},
                         {.up = true, .address = "d:1", .id = 9}};
    (void)state;
    scene_begin(&sc);
    sc.fs.hosts = hosts;
    sc.fs.host_count = CQL_COUNT(hosts);
    sc.fs.down_at = 2;
    apply(&sc, schema);
    assert_int_equal(sc.st, CQL_OK);
    assert_int_equal(hosts[1].statements, 0);
    assert_int_equal(hosts[3].statements, 0);
    /* The one in use went down after the second statement. */
    assert_true(hosts[2].statements > 2);
    assert_true(hosts[0].statements > 2);
    unsigned before = hosts[0].statements;
    hosts[1].up = true;
    apply(&sc, schema);
    assert_int_equal(hosts[0].statements, before);
    assert_true(hosts[1].statements > 2);
    scene_end(&sc);
}

/* --- trouble ---------------------------------------------------------------------------------- */

static void a_failing_statement_stops_everything_with_its_place(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    sc.fs.fail_at = 3;
    sc.fs.fail_status = CQL_SERVER_SYNTAX_ERROR;
    sc.fs.fail_message = "line 2:5 no viable alternative";
    apply(&sc, "CREATE KEYSPACE k WITH replication = {'class': 'S'};\nINSERT a;\n\n  SELEC\n  bad "
               "stuff;\nINSERT b");
    expect_error(&sc, CQL_SERVER_SYNTAX_ERROR,
                 "text:5:6 (statement of line 4): syntax error: line 2:5 no viable");
    assert_string_equal(cql_error_host(sc.err), "10.0.0.1:9042");
    assert_string_equal(sc.t.text, "created keyspace k\n");
    assert_int_equal(sc.fs.statements, 3);
    assert_int_equal(sc.summary.created, 1);
    assert_int_equal(sc.summary.statements, 1);
    sc.fs.fail_at = 1;
    sc.fs.fail_message = "line 1:7 oh";
    apply(&sc, "\n  SELEC x");
    expect_error(&sc, CQL_SERVER_SYNTAX_ERROR, "text:2:10: syntax error");
    sc.fs.fail_at = 1;
    sc.fs.fail_message = "nothing about a line";
    apply(&sc, "\n  SELEC x");
    expect_error(&sc, CQL_SERVER_SYNTAX_ERROR, "text:2: syntax error");
    scene_end(&sc);
}

static void nothing_is_sent_of_a_text_that_cannot_be_split(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    apply(&sc, "CREATE KEYSPACE k; INSERT 'x");
    expect_error(&sc, CQL_BAD_CQL_FILE, "text:1:27: the string");
    assert_int_equal(sc.fs.connects, 0);
    assert_string_equal(sc.fs.log, "");
    scene_end(&sc);
}

static void another_initialiser_may_be_faster(void **state)
{
    (void)state;
    /* The server answers IF NOT EXISTS with a result that changes nothing, the plain form with an
     * error; either way the object exists, and is compared. */
    static const char *const texts[] = {
        "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'S'}",
        "CREATE KEYSPACE k WITH replication = {'class': 'S'}"};
    for (size_t i = 0; i < CQL_COUNT(texts); i++) {
        scene sc;
        scene_begin(&sc);
        sc.fs.others_at = 1;
        apply(&sc, texts[i]);
        expect(&sc, CQL_OK, "exists keyspace k\n");
        assert_int_equal(sc.fs.statements, 1);
        scene_end(&sc);
    }
}

static void a_lost_answer_is_made_up_for_by_looking(void **state)
{
    (void)state;
    for (int applied = 0; applied < 2; applied++) {
        scene sc;
        scene_begin(&sc);
        sc.fs.fail_at = 3;
        sc.fs.fail_status = CQL_TIMEOUT;
        sc.fs.fail_maybe = true;
        sc.fs.fail_applied = applied;
        apply(&sc, schema);
        expect(&sc, CQL_OK, schema_created);
        /* Sent again only when it had not been applied. */
        assert_int_equal(sc.fs.statements, applied ? 4 : 5);
        scene_end(&sc);
    }
}

static void a_node_that_is_behind_is_asked_again(void **state)
{
    static const struct {
        cql_status st;
        const char *message;
        bool again;
    } rows[] = {{CQL_SERVER_INVALID, "Keyspace 'k' doesn't exist", true},
                {CQL_SERVER_CONFIG_ERROR, "Table ID mismatch", true},
                {CQL_SERVER_INVALID, "Unknown type k.u", false},
                {CQL_SERVER_CONFIG_ERROR, "Unknown option", false}};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        scene sc;
        scene_begin(&sc);
        sc.fs.fail_at = 3;
        sc.fs.fail_status = rows[i].st;
        sc.fs.fail_message = rows[i].message;
        apply(&sc, schema);
        assert_int_equal(sc.st, rows[i].again ? CQL_OK : rows[i].st);
        assert_int_equal(sc.fs.statements, rows[i].again ? 5 : 3);
        scene_end(&sc);
    }
}

static void what_is_half_made_by_another_run_is_looked_at_again(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    fake_execute(&sc.fs, "CREATE KEYSPACE k; CREATE TABLE k.t (a int PRIMARY KEY)");
    sc.fs.late = "ALTER TABLE k.t ADD b int";
    apply(&sc, "CREATE TABLE IF NOT EXISTS k.t (a int PRIMARY KEY, b int)");
    expect(&sc, CQL_OK, "exists table k.t\n");
    assert_null(sc.fs.late);
    scene_end(&sc);
}

static void an_unclear_statement_without_condition_is_not_repeated(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    sc.fs.fail_at = 1;
    sc.fs.fail_status = CQL_TIMEOUT;
    sc.fs.fail_maybe = true;
    apply(&sc, "INSERT x; INSERT y");
    expect_error(&sc, CQL_TIMEOUT, "text:1: ");
    assert_true(cql_error_maybe_applied(sc.err));
    assert_int_equal(sc.fs.statements, 1);
    scene_end(&sc);
}

static void nodes_that_do_not_agree_end_the_run(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    sc.fs.disagree_at = 2;
    apply(&sc, schema);
    expect(&sc, CQL_OK, schema_created); /* they did after a longer wait */
    scene_end(&sc);
    scene_begin(&sc);
    sc.fs.disagree_at = 2;
    sc.fs.agree_status = CQL_NOT_AGREED;
    apply(&sc, schema);
    expect_error(&sc, CQL_NOT_AGREED, "text:2: the change was made, but not all nodes know it yet");
    assert_int_equal(sc.fs.statements, 2);
    assert_string_equal(sc.t.text, "created keyspace k\n");
    scene_end(&sc);
}

static void waiting_goes_on_until_a_query_is_answered(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    sc.opts.wait_s = 60;
    sc.fs.refuse_connects = 2;
    sc.fs.refuse_status = CQL_NO_HOST;
    sc.fs.refuse_queries = 3;
    apply(&sc, schema);
    expect(&sc, CQL_OK, schema_created);
    assert_int_equal(sc.t.waits, 5);
    assert_int_equal(sc.fs.connects, 3);
    scene_end(&sc);
}

static void without_a_wait_there_is_one_attempt(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    sc.fs.refuse_connects = 1;
    sc.fs.refuse_status = CQL_NO_HOST;
    apply(&sc, schema);
    expect_error(&sc, CQL_NO_HOST, "refused");
    assert_int_equal(sc.fs.connects, 1);
    assert_int_equal(sc.t.waits, 0);
    sc.opts.reached = true;
    sc.fs.connected = true;
    apply(&sc, schema);
    assert_int_equal(sc.st, CQL_OK);
    assert_int_equal(sc.fs.connects, 1);
    scene_end(&sc);
}

static void refusals_end_the_wait_at_once(void **state)
{
    static const cql_status refusals[] = {CQL_SERVER_BAD_CREDENTIALS, CQL_AUTH_FAILED,
                                          CQL_TLS_FAILED, CQL_BAD_VERSION};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(refusals); i++) {
        scene sc;
        scene_begin(&sc);
        sc.opts.wait_s = 60;
        sc.fs.refuse_connects = 5;
        sc.fs.refuse_status = refusals[i];
        apply(&sc, schema);
        expect_error(&sc, refusals[i], "refused");
        assert_int_equal(sc.fs.connects, 1);
        scene_end(&sc);
    }
}

/* Seen starting, a node gets time to create its first user. */
static void a_node_that_starts_may_refuse_its_first_user(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    sc.opts.wait_s = 60;
    sc.fs.refuse_connects = 1;
    sc.fs.refuse_status = CQL_NO_HOST;
    sc.fs.refuse_logins = 3;
    apply(&sc, schema);
    expect(&sc, CQL_OK, schema_created);
    assert_int_equal(sc.fs.connects, 5);
    scene_end(&sc);
}

static void the_wait_has_an_end(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    sc.opts.wait_s = 1;
    sc.opts.retry_ms = 300;
    sc.fs.refuse_connects = 1000;
    sc.fs.refuse_status = CQL_NO_HOST;
    sc.st = cql_schema_reach_wait(sc.s, &sc.opts, &sc.err);
    expect_error(&sc, CQL_NO_HOST, "not ready after 1 s: ");
    assert_in_range(sc.fs.connects, 2, 5);
    scene_end(&sc);
}

static void wrong_calls_are_refused(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    assert_int_equal(cql_schema_apply_wait(NULL, schema, NULL, &sc.err), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_schema_apply_wait(sc.s, NULL, NULL, &sc.err), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_schema_plan_verify_wait(sc.s, NULL, NULL, &sc.err), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_schema_reach_wait(NULL, NULL, &sc.err), CQL_BAD_ARGUMENT);
    sc.opts.setting_count = 1;
    apply(&sc, schema);
    expect_error(&sc, CQL_BAD_ARGUMENT, "settings");
    sc.opts.setting_count = 0;
    sc.opts.consistency = "MANY";
    apply(&sc, schema);
    expect_error(&sc, CQL_BAD_ARGUMENT, "'MANY' is no consistency level");
    sc.opts.consistency = NULL;
    sc.fs.may_wait = CQL_WRONG_THREAD;
    apply(&sc, schema);
    expect_error(&sc, CQL_WRONG_THREAD, "loop");
    assert_int_equal(cql_schema_reach_wait(sc.s, NULL, &sc.err), CQL_WRONG_THREAD);
    assert_string_equal(sc.fs.log, "");
    scene_end(&sc);
}

/* A caller built against a header with fewer options. */
static void options_of_an_older_caller_are_understood(void **state)
{
    scene sc;
    (void)state;
    scene_begin(&sc);
    cql_schema_options old = {.size = offsetof(cql_schema_options, verify), .replication = "5"};
    old.verify = CQL_SCHEMA_VERIFY_OFF;
    old.dry_run = true; /* beyond its size: not looked at */
    assert_int_equal(cql_schema_apply_wait(sc.s, schema, &old, &sc.err), CQL_OK);
    assert_non_null(strstr(sc.fs.log, "'replication_factor': 5"));
    assert_int_equal(cql_schema_apply_wait(sc.s, "SELECT 1", NULL, &sc.err), CQL_OK);
    scene_end(&sc);
}

/* A kill between any two steps: each statement fails once for good; the next run does the rest. */
static void every_interrupted_run_is_completed_by_the_next(void **state)
{
    (void)state;
    for (size_t at = 1; at <= 4; at++) {
        for (int applied = 0; applied < 2; applied++) {
            scene sc;
            scene_begin(&sc);
            sc.fs.fail_at = at;
            sc.fs.fail_status = CQL_SERVER_UNAUTHORIZED;
            sc.fs.fail_applied = applied;
            apply(&sc, schema);
            assert_int_equal(sc.st, CQL_SERVER_UNAUTHORIZED);
            assert_int_equal(sc.summary.created, at - 1);
            apply(&sc, schema);
            assert_int_equal(sc.st, CQL_OK);
            assert_int_equal(sc.summary.existing, at - 1 + (applied ? 1 : 0));
            assert_int_equal(sc.summary.created + sc.summary.existing, 4);
            scene_end(&sc);
        }
    }
}

static cql_status run_with(const cql_allocator *al, void *user)
{
    scene sc;
    static const char *const settings[] = {"k.t.comment=x"};
    scene_begin(&sc);
    sc.fs.al = al;
    sc.opts.settings = settings;
    sc.opts.setting_count = 1;
    sc.opts.replication = "dc1:1";
    sc.opts.drop_all_data = true;
    fake_execute(
        &sc.fs, "CREATE KEYSPACE k; CREATE TABLE k.t (x int PRIMARY KEY, y int); CREATE INDEX z ON "
                "k.t (y)");
    cql_status st = cql_schema_reset_wait(sc.s, user, &sc.opts, &sc.err);
    if (st != CQL_OK && st != CQL_NO_MEMORY)
        fail_msg("%s: %s", cql_status_name(st), sc.err ? cql_error_text(sc.err) : "");
    scene_end(&sc);
    return st;
}

static void no_memory_is_reported_at_every_step(void **state)
{
    char text[sizeof schema];
    (void)state;
    memcpy(text, schema, sizeof schema);
    assert_true(failmalloc_each(run_with, text, false) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_created_then_exist),
        cmocka_unit_test(differences_are_told_with_their_object),
        cmocka_unit_test(verifying_sends_nothing_and_misses_what_is_missing),
        cmocka_unit_test(what_is_missing_is_made_around_what_is_there),
        cmocka_unit_test(creates_without_a_condition_may_be_repeated),
        cmocka_unit_test(other_statements_run_in_their_place),
        cmocka_unit_test(functions_of_one_name_are_objects_of_their_own),
        cmocka_unit_test(what_is_to_be_replaced_is_sent_again),
        cmocka_unit_test(what_was_replaced_does_not_differ),
        cmocka_unit_test(views_functions_and_triggers_are_read_from_the_server),
        cmocka_unit_test(rows_come_page_by_page),
        cmocka_unit_test(warnings_reach_the_user_with_their_place),
        cmocka_unit_test(alters_in_the_text_belong_to_what_is_expected),
        cmocka_unit_test(drops_in_the_text_make_room),
        cmocka_unit_test(names_of_nameless_indexes_are_told),
        cmocka_unit_test(use_ends_with_its_text),
        cmocka_unit_test(statements_without_a_known_keyspace_are_only_sent),
        cmocka_unit_test(replication_is_overridden),
        cmocka_unit_test(only_keyspaces_when_asked),
        cmocka_unit_test(settings_go_into_create_alter_and_comparison),
        cmocka_unit_test(a_dry_run_changes_nothing),
        cmocka_unit_test(a_plan_is_told_without_a_server_and_used_again),
        cmocka_unit_test(a_reset_needs_its_word),
        cmocka_unit_test(more_copies_than_nodes_are_noted_with_what_mends_it),
        cmocka_unit_test(everything_goes_to_the_node_with_the_smallest_id),
        cmocka_unit_test(a_failing_statement_stops_everything_with_its_place),
        cmocka_unit_test(nothing_is_sent_of_a_text_that_cannot_be_split),
        cmocka_unit_test(another_initialiser_may_be_faster),
        cmocka_unit_test(a_lost_answer_is_made_up_for_by_looking),
        cmocka_unit_test(a_node_that_is_behind_is_asked_again),
        cmocka_unit_test(what_is_half_made_by_another_run_is_looked_at_again),
        cmocka_unit_test(an_unclear_statement_without_condition_is_not_repeated),
        cmocka_unit_test(nodes_that_do_not_agree_end_the_run),
        cmocka_unit_test(waiting_goes_on_until_a_query_is_answered),
        cmocka_unit_test(without_a_wait_there_is_one_attempt),
        cmocka_unit_test(refusals_end_the_wait_at_once),
        cmocka_unit_test(a_node_that_starts_may_refuse_its_first_user),
        cmocka_unit_test(the_wait_has_an_end),
        cmocka_unit_test(wrong_calls_are_refused),
        cmocka_unit_test(options_of_an_older_caller_are_understood),
        cmocka_unit_test(every_interrupted_run_is_completed_by_the_next),
        cmocka_unit_test(no_memory_is_reported_at_every_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
